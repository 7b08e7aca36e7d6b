/* The snapshot of a plan: it replaces the reading while it is fresh, is filled by the sweep that reads, and has what
 * the plan looks up and sends. */
#include "jobs/bulk.h"
#include "jobs/plan.h"
#include "jobs/plan_read.h"
#include "message/error.h"
#include "message/rate_headers.h"

/* Seconds: without max_age no part of an older reading is used. */
#define SHORTEST 1.0

privy_request *privy_plan_new_list(void) {
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  if (privy_request_new(privy_operation_get(PRIVY_OP_LIST), &request) == PRIVY_OK &&
      privy_request_finish(request, &error) != PRIVY_OK) {
    privy_request_free(request);
    request = NULL;
  }
  privy_error_clear(&error);
  return request;
}

privy_status privy_plan_open_snapshot(privy_plan *plan, privy_error *error) {
  privy_request *list = privy_plan_new_list();
  const privy_snapshot_config config = {
      .path = plan->snapshot_path, .list = list, .longest = plan->config.max_age > 0 ? plan->config.max_age : SHORTEST};
  const privy_status status =
      list ? privy_snapshot_open(plan->client, &config, &plan->snapshot, error) : privy_error_no_memory(error);
  privy_request_free(list);
  return status;
}

void privy_plan_close_snapshot(privy_plan *plan) {
  privy_snapshot_close(plan->snapshot);
  plan->snapshot = NULL;
}

bool privy_plan_has_fresh_snapshot(const privy_plan *plan) {
  privy_snapshot_info info;
  if (!plan->snapshot || plan->config.max_age <= 0) return false;
  privy_snapshot_get_info(plan->snapshot, &info);
  const double now = privy_client_wall(plan->client, privy_client_now(plan->client));
  return info.completed_at > 0 && now - info.began_at <= plan->config.max_age;
}

bool privy_plan_resumes_snapshot(const privy_plan *plan) {
  privy_snapshot_info info = {0};
  if (plan->snapshot) privy_snapshot_get_info(plan->snapshot, &info);
  return info.resumed;
}

void privy_plan_date_by_snapshot(privy_plan *plan) {
  privy_snapshot_info info;
  privy_snapshot_get_info(plan->snapshot, &info);
  plan->read_at = info.completed_at;
}

static bool keep_all(privy_plan *plan, const privy_response *page) {
  for (size_t i = 0; i < privy_response_count(page); i++)
    if (!privy_plan_keep_contact(plan, privy_response_record(page, i))) return false;
  return true;
}

bool privy_plan_load_page(privy_plan *plan) {
  privy_response *page = NULL;
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_snapshot_read(plan->snapshot, &plan->read->position, &page, &error);
  if (status == PRIVY_OK && page && !keep_all(plan, page)) status = privy_error_no_memory(&error);
  if (status != PRIVY_OK) privy_plan_stop(plan, &error);
  privy_response_release(page);
  return status == PRIVY_OK && page;
}

/* By the server's clock. */
static double read_at(const privy_plan *plan, const privy_response *response) {
  return privy_response_date(response, privy_client_wall(plan->client, privy_client_now(plan->client)));
}

privy_status privy_plan_put(privy_plan *plan, const privy_response *response, privy_error *error) {
  privy_status status = PRIVY_OK;
  for (size_t i = 0; plan->snapshot && status == PRIVY_OK && i < privy_response_count(response); i++)
    status = privy_snapshot_put(plan->snapshot, privy_response_record(response, i), read_at(plan, response), error);
  return status;
}

void privy_plan_keep(privy_plan *plan, const privy_bulk_result_view *result) {
  privy_error error;
  privy_error_init(&error);
  if (!plan->run || result->status != PRIVY_OK || !result->response) return;
  if (privy_plan_put(plan, result->response, &error) == PRIVY_OK) return;
  privy_bulk_abort(plan->run, &error);
  privy_plan_close_snapshot(plan);
}
