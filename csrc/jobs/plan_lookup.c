/* Looks contacts up by an e-mail address or a phone number: a list with one filter. */
#include <string.h>

#include "jobs/plan.h"
#include "jobs/plan_read.h"
#include "message/error.h"

/* The id of the call that looks up a key. */
static uint64_t id_of(size_t key) {
  return (uint64_t)key + 1;
}

uint64_t privy_plan_lookups_in_flight(const privy_plan *plan) {
  uint64_t sent = 0;
  if (!plan->read->active) return 0;
  for (size_t i = 0; i < plan->keys.count; i++) {
    const privy_call *call = plan->keys.items[i].known ? NULL : privy_group_find(plan->group, id_of(i));
    if (call) sent += (uint64_t)call->attempts;
  }
  return sent;
}

/* ---- requests ---- */

/* The value of the key in the row that has it. */
static privy_value value_of(const privy_plan *plan, const plan_key *key) {
  const plan_row *row = &plan->rows.items[key->row];
  const privy_value body = {.text = row->body, .length = row->length, .type = PRIVY_OBJECT};
  privy_cursor cursor;
  privy_value name, value;
  privy_cursor_init(&cursor, body);
  while (privy_cursor_next(&cursor, &name, &value))
    if (privy_value_is(name, key->field->name)) return value;
  return (privy_value){.type = PRIVY_ABSENT};
}

static privy_status build(const privy_plan *plan, const plan_key *key, privy_request *request, privy_error *error) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  privy_status status = privy_value_decode(value_of(plan, key), &text);
  if (status == PRIVY_OK) {
    privy_request_key(request, key->field->name, key->field->name_length);
    privy_request_string(request, text.data ? text.data : "", text.length);
    status = privy_request_finish(request, error);
  } else {
    privy_error_no_memory(error);
  }
  privy_buffer_clear(&text);
  return status;
}

static void start(privy_plan *plan, size_t number) {
  privy_error error;
  privy_request *request = NULL;
  privy_error_init(&error);
  privy_status status = privy_request_new(privy_operation_get(PRIVY_OP_LIST), &request);
  if (status != PRIVY_OK) privy_error_no_memory(&error);
  if (status == PRIVY_OK) status = build(plan, &plan->keys.items[number], request, &error);
  if (status == PRIVY_OK) {
    status = privy_group_start(plan->group, request, &plan->options, id_of(number), &error);
    request = NULL;
  }
  privy_request_free(request);
  if (status == PRIVY_OK)
    plan->read->active++;
  else
    privy_plan_stop(plan, &error);
}

/* ---- responses ---- */

/* A server that does not accept the value as a filter has no such contact: the create then says what is wrong. */
static bool is_found(const privy_completion *completion) {
  return completion->status == PRIVY_OK || completion->status == PRIVY_VALIDATION;
}

static bool take_records(privy_plan *plan, const privy_response *response) {
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_plan_put(plan, response, &error);
  for (size_t i = 0; status == PRIVY_OK && i < privy_response_count(response); i++)
    if (!privy_plan_keep_contact(plan, privy_response_record(response, i))) status = privy_error_no_memory(&error);
  if (status != PRIVY_OK) privy_plan_stop(plan, &error);
  return status == PRIVY_OK;
}

static void take(privy_plan *plan, privy_completion *completion) {
  plan->read->active--;
  plan->requests_read += (uint64_t)completion->attempts;
  if (!is_found(completion)) {
    privy_plan_stop(plan, &completion->error);
    return;
  }
  if (completion->response && !take_records(plan, completion->response)) return;
  privy_plan_settle_key(plan, (size_t)(completion->id - 1));
}

static void take_completed(privy_plan *plan) {
  privy_completion completion;
  while (plan->phase == PLAN_READS && privy_group_next_completed(plan->group, &completion)) {
    take(plan, &completion);
    privy_completion_clear(&completion);
  }
}

/* ---- which keys ---- */

/* Whether the contact of the first key has another value of the second field: then the row is blocked, whatever contact
 * has its second key. */
static bool is_decided(const privy_plan *plan, const plan_row *row) {
  const size_t contact = plan->keys.items[row->keys[0]].contact;
  return contact != PLAN_NONE && plan->contacts.items[contact].keys[1];
}

/* The key of the row that must be looked up in this pass; PLAN_NONE if there is none. */
static size_t key_to_ask(const privy_plan *plan, const plan_row *row) {
  const size_t pass = plan->read->pass;
  if (pass >= row->key_count || plan->keys.items[row->keys[pass]].known) return PLAN_NONE;
  if (pass == 1 && is_decided(plan, row)) return PLAN_NONE;
  return privy_group_find(plan->group, id_of(row->keys[pass])) ? PLAN_NONE : row->keys[pass];
}

static void start_some(privy_plan *plan) {
  plan_read *read = plan->read;
  while (plan->phase == PLAN_READS && read->next < plan->rows.count &&
         read->active < (uint64_t)plan->config.concurrency) {
    const size_t key = key_to_ask(plan, &plan->rows.items[read->next++]);
    if (key != PLAN_NONE) start(plan, key);
  }
}

void privy_plan_look_up(privy_plan *plan) {
  take_completed(plan);
  if (plan->phase != PLAN_READS) return;
  start_some(plan);
  while (plan->phase == PLAN_READS && plan->read->active == 0) {
    if (++plan->read->pass == PRIVY_MAX_ROW_KEYS) {
      plan->phase = PLAN_COMPARES;
      return;
    }
    plan->read->next = 0;
    start_some(plan);
  }
}
