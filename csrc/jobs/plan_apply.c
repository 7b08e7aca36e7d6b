/* Sends what a plan has found to differ, as a bulk run. */
#include <string.h>

#include "jobs/bulk.h"
#include "jobs/plan.h"
#include "message/error.h"

#define OPERATION "contacts.apply"

/* ---- requests ---- */

static void name_contact(privy_request *request, const char *id) {
  const privy_field *field = &privy_object_contact.fields[PRIVY_FIELD_CONTACT_id];
  privy_request_key(request, field->name, field->name_length);
  privy_request_string(request, id, strlen(id));
}

/* The members passed the checks when the rows were built, or are stored already. */
static void write_body(privy_request *request, const privy_buffer *patch) {
  privy_writer_begin_object(&request->writer);
  privy_writer_raw(&request->writer, patch->data + 1, patch->length - 2);
}

/* A plan of the same snapshot has the same basis: only then a journal can know that its request was sent. */
static bool write_basis(const privy_plan *plan, privy_request *request) {
  return privy_buffer_format(&request->basis, "%.6f", plan->read_at);
}

static privy_status build(const privy_plan *plan, const plan_contact *contact, privy_request **out,
                          privy_error *error) {
  const bool exists = contact->base.length;
  const privy_operation *operation = privy_operation_get(exists ? PRIVY_OP_UPDATE : PRIVY_OP_CREATE);
  privy_request *request = NULL;
  if (privy_request_new(operation, &request) != PRIVY_OK) return privy_error_no_memory(error);
  if (exists) name_contact(request, contact->id);
  write_body(request, &contact->patch);
  privy_status status = PRIVY_OK;
  if (!write_basis(plan, request) || !privy_request_copy_extra(request, plan->headers))
    status = privy_error_no_memory(error);
  if (status == PRIVY_OK) status = privy_request_seal(request, error);
  if (status == PRIVY_OK)
    *out = request;
  else
    privy_request_free(request);
  return status;
}

/* ---- the run ---- */

static privy_status check(const privy_plan *plan, privy_error *error) {
  if (plan->phase != PLAN_COMPLETE)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "an incomplete plan cannot be applied");
  if (plan->applied)
    return privy_error_set(error, PRIVY_CONFIG_ERROR,
                           "the plan was applied; make a new one, which reads what is there now");
  return PRIVY_OK;
}

/* The next plan may use the snapshot, however long this one is kept. */
static void end_run(void *context) {
  privy_plan *plan = context;
  plan->run = NULL;
  privy_plan_close_snapshot(plan);
}

privy_status privy_plan_apply(privy_plan *plan, privy_group *group, const privy_bulk_config *config, privy_bulk **out,
                              privy_error *error) {
  if (check(plan, error) != PRIVY_OK) return error->code;
  privy_bulk_config settings = *config;
  settings.operation = privy_plan_operation(plan);
  settings.journal_operation = OPERATION;
  settings.total = (int64_t)plan->requests.count;
  if (plan->snapshot_path && privy_plan_open_snapshot(plan, error) != PRIVY_OK) return error->code;
  if (privy_bulk_new(group, &settings, out, error) != PRIVY_OK) {
    privy_plan_close_snapshot(plan);
    return error->code;
  }
  plan->applied = true;
  plan->run = *out;
  plan->run->release = end_run;
  plan->run->release_context = plan;
  return PRIVY_OK;
}

const privy_operation *privy_plan_operation(const privy_plan *plan) {
  (void)plan;
  return privy_operation_get(PRIVY_OP_UPDATE);
}

bool privy_plan_feed(privy_plan *plan, privy_bulk *bulk) {
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  if (plan->fed == plan->requests.count) {
    privy_bulk_end_rows(bulk);
    return true;
  }
  const plan_row *row = &plan->rows.items[plan->requests.items[plan->fed]];
  const privy_status status = build(plan, &plan->contacts.items[row->contact], &request, &error);
  plan->fed++;
  if (status == PRIVY_OK) return privy_bulk_add(bulk, request);
  if (status == PRIVY_VALIDATION)
    privy_bulk_refuse(bulk, NULL, &error);
  else
    privy_bulk_fail_with(bulk, &error);
  privy_error_clear(&error);
  return true;
}
