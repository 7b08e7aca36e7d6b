#include "jobs/plan.h"

#include <math.h>
#include <string.h>

#include "call/options.h"
#include "jobs/bulk.h"
#include "jobs/plan_read.h"
#include "message/error.h"
#include "schema/details.h"

#define DEFAULT_CONCURRENCY 8
/* Seconds: a plan waits for the next minute's budget, but not for the next day's. */
#define DEFAULT_MAX_WAIT 3600.0
/* Rows that privy_plan_next compares at once: some milliseconds of work. */
#define ROWS_AT_ONCE 500
/* Shorter waits are not reported, in seconds. */
#define MIN_REPORTED_WAIT 0.25

static const char *const state_names[] = {
#define X(constant, name, doc) name,
    PRIVY_PLAN_STATES(X)
#undef X
};

const char *privy_plan_state_name(privy_plan_state state) {
  return state_names[state];
}

/* ---- settings ---- */

privy_status privy_plan_mode_read(const char *name, const char *text, size_t length, privy_plan_mode *out,
                                  privy_error *error) {
  const bool replace = privy_text_is(text, length, "replace"), merge = privy_text_is(text, length, "merge");
  if (!replace && !merge)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s must be \"replace\" or \"merge\"", name);
  *out = merge ? PRIVY_PLAN_MERGE : PRIVY_PLAN_REPLACE;
  return PRIVY_OK;
}

void privy_plan_config_init(privy_plan_config *config) {
  *config = (privy_plan_config){.concurrency = DEFAULT_CONCURRENCY,
                                .options = {.max_wait = DEFAULT_MAX_WAIT, .given = PRIVY_GIVEN(MAX_WAIT)}};
}

static privy_status check(const privy_plan_config *config, const privy_options *merged, privy_error *error) {
  const privy_status status = privy_setting_check(PRIVY_SETTING_CONCURRENCY, (double)config->concurrency, error);
  if (status != PRIVY_OK) return status;
  if (!(config->max_age >= 0) || isinf(config->max_age))
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "max_age must be a number of seconds, 0 or more");
  if (config->max_age > 0 && !config->snapshot)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "max_age needs a snapshot: the path of the file that is reused");
  return privy_options_check(merged, error);
}

/* ---- life ---- */

privy_status privy_plan_new(privy_group *group, const privy_plan_config *config, privy_plan **out, privy_error *error) {
  privy_client *client = privy_group_client(group);
  const privy_options merged = privy_options_merge(client->settings.options, &config->options);
  if (check(config, &merged, error) != PRIVY_OK) return error->code;
  privy_plan *plan = privy_calloc(1, sizeof *plan);
  if (!plan) return privy_error_no_memory(error);
  plan->group = group;
  plan->client = client;
  plan->config = *config;
  plan->options = merged;
  plan->options.waits_for_day = config->on_spent_day == PRIVY_SPENT_DAY_WAITS;
  plan->started_at = privy_client_now(client);
  plan->read_at = privy_client_wall(client, plan->started_at);
  privy_error_init(&plan->error);
  if (config->snapshot) plan->snapshot_path = privy_copy(config->snapshot, strlen(config->snapshot));
  if (config->snapshot && !plan->snapshot_path) {
    privy_free(plan);
    return privy_error_no_memory(error);
  }
  privy_group_set_max_in_flight(group, (uint64_t)config->concurrency < SIZE_MAX ? (size_t)config->concurrency : 0);
  *out = plan;
  return PRIVY_OK;
}

static void clear_row(plan_row *row) {
  privy_free(row->body);
  privy_free(row->key);
  privy_buffer_clear(&row->changes);
  privy_details_clear(&row->details);
}

void privy_plan_free(privy_plan *plan) {
  if (!plan) return;
  privy_plan_close(plan);
  if (plan->run) plan->run->release = NULL;
  for (size_t i = 0; i < plan->rows.count; i++) clear_row(&plan->rows.items[i]);
  for (size_t i = 0; i < plan->contacts.count; i++) privy_plan_clear_contact(&plan->contacts.items[i]);
  privy_map_clear(&plan->key_numbers);
  privy_map_clear(&plan->contact_numbers);
  privy_request_free(plan->headers);
  privy_error_clear(&plan->error);
  privy_plan_clear_results(plan);
  privy_free(plan->rows.items);
  privy_free(plan->keys.items);
  privy_free(plan->contacts.items);
  privy_plan_close_snapshot(plan);
  privy_free(plan->snapshot_path);
  privy_free(plan);
}

/* ---- ends ---- */

/* Ends the reading after an error, wherever it came from. */
static void settle(privy_plan *plan) {
  if (plan->phase == PLAN_ENDED) privy_plan_end_reading(plan);
}

void privy_plan_close(privy_plan *plan) {
  privy_error error;
  privy_error_init(&error);
  if (plan->phase >= PLAN_COMPLETE) return;
  privy_error_set(&error, PRIVY_INTERRUPTED, "the plan was closed before it was complete");
  privy_plan_stop(plan, &error);
  settle(plan);
}

const privy_error *privy_plan_error(const privy_plan *plan) {
  return plan->phase == PLAN_ENDED ? &plan->error : NULL;
}

/* ---- rows ---- */

/* A new row, refused until it has a body; NULL when memory runs out, which ends the plan. */
static plan_row *add_row(privy_plan *plan) {
  plan_row *grown;
  if (plan->phase != PLAN_TAKES_ROWS) return NULL;
  if (!PLAN_GROW(plan->rows, grown)) {
    privy_plan_stop_without_memory(plan);
    return NULL;
  }
  plan_row *row = &plan->rows.items[plan->rows.count++];
  *row = (plan_row){.state = PRIVY_PLAN_REFUSED, .contact = PLAN_NONE};
  return row;
}

void privy_plan_add(privy_plan *plan, privy_request *request) {
  size_t length;
  plan_row *row = add_row(plan);
  const char *body = privy_request_body(request, &length);
  if (row) {
    row->body = privy_copy(body, length);
    row->length = (uint32_t)length;
    if (!row->body || !privy_plan_add_keys(plan, row, plan->rows.count - 1, request))
      privy_plan_stop_without_memory(plan);
  }
  if (plan->headers)
    privy_request_free(request);
  else
    plan->headers = request;
}

void privy_plan_refuse_row(privy_plan *plan) {
  (void)add_row(plan);
}

void privy_plan_refuse_detail(privy_plan *plan, const char *field, const char *message, const char *code,
                              int64_t count) {
  if (plan->phase != PLAN_TAKES_ROWS || plan->rows.count == 0) return;
  privy_details *details = &plan->rows.items[plan->rows.count - 1].details;
  if (!privy_details_add(details, (privy_slice){field, strlen(field)}, (privy_slice){message, strlen(message)},
                         (privy_slice){code, strlen(code)}, count))
    privy_plan_stop_without_memory(plan);
}

void privy_plan_refuse(privy_plan *plan, const privy_error *error) {
  privy_plan_refuse_row(plan);
  for (size_t i = 0; i < error->details.count; i++) {
    const privy_detail *detail = &error->details.items[i];
    privy_plan_refuse_detail(plan, detail->field, detail->message, detail->code, detail->count);
  }
  if (error->details.count == 0)
    privy_plan_refuse_detail(plan, "base", error->message ? error->message : "",
                             privy_detail_code_text(PRIVY_CODE_CALL_FAILED), PRIVY_NO_LIMIT);
}

void privy_plan_end_rows(privy_plan *plan) {
  if (plan->phase != PLAN_TAKES_ROWS) return;
  plan->phase = PLAN_READS;
  privy_plan_begin_reading(plan);
  settle(plan);
}

/* ---- steps ---- */

static void compare_rows(privy_plan *plan) {
  for (size_t i = 0; i < ROWS_AT_ONCE && plan->compared < plan->rows.count; i++, plan->compared++)
    if (!privy_plan_compare_row(plan, plan->compared)) {
      privy_plan_stop_without_memory(plan);
      return;
    }
  if (plan->compared < plan->rows.count) return;
  if (privy_plan_finish(plan))
    plan->phase = PLAN_COMPLETE;
  else
    privy_plan_stop_without_memory(plan);
}

privy_plan_step privy_plan_next(privy_plan *plan) {
  if (plan->phase == PLAN_READS) privy_plan_read_on(plan);
  settle(plan);
  if (plan->phase == PLAN_READS) return plan->read->loads ? PRIVY_PLAN_AGAIN : PRIVY_PLAN_WAIT;
  if (plan->phase == PLAN_COMPARES) compare_rows(plan);
  return plan->phase == PLAN_COMPARES ? PRIVY_PLAN_AGAIN : PRIVY_PLAN_END;
}

/* ---- progress ---- */

static double waiting_until(const privy_plan *plan) {
  if (plan->phase != PLAN_READS || privy_group_idle_seconds(plan->group) <= MIN_REPORTED_WAIT) return 0;
  return privy_group_waiting_until(plan->group);
}

void privy_plan_get_progress(privy_plan *plan, privy_plan_progress *out) {
  const int64_t expected = privy_plan_requests_expected(plan);
  *out = (privy_plan_progress){.rows = plan->rows.count,
                               .requests = privy_plan_requests_sent(plan),
                               .expected = expected,
                               .seconds = fmax(privy_client_now(plan->client) - plan->started_at, 0),
                               .waiting_until = waiting_until(plan),
                               .eta = -1};
  const double left = fmax((double)expected - (double)out->requests, 0);
  if (expected >= 0) out->eta = privy_client_forecast(plan->client, &plan->options, left);
}

bool privy_plan_take_progress(privy_plan *plan, privy_plan_progress *out) {
  const uint64_t requests = privy_plan_requests_sent(plan);
  const double wait = waiting_until(plan);
  if (requests == plan->reported_requests && fabs(wait - plan->reported_wait) <= 1) return false;
  plan->reported_requests = requests;
  plan->reported_wait = wait;
  privy_plan_get_progress(plan, out);
  return true;
}
