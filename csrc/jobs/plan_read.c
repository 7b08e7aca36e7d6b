/*
 * Reads the contacts that rows are about: from a snapshot, page by page, or by one look-up for each e-mail address and
 * phone number, whichever takes the fewest requests.
 */
#include "jobs/plan_read.h"

#include <string.h>

#include "jobs/plan.h"
#include "message/error.h"

/* Rows with at most so many addresses and numbers are looked up at once: the first page would be one request more. */
#define FEW_KEYS 3
#define PER_PAGE 100

/* ---- what costs less ---- */

int64_t privy_plan_pages_left(int64_t contacts, int64_t pages_read) {
  const int64_t pages = contacts / PER_PAGE + (contacts % PER_PAGE > 0);
  return pages > pages_read ? pages - pages_read : 0;
}

bool privy_plan_prefers_lookups(size_t keys, int64_t pages_left) {
  return keys < (uint64_t)pages_left;
}

/* ---- pages ---- */

static privy_request *new_list(void) {
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

static bool begin_sweep(privy_plan *plan) {
  privy_sweep_config config;
  privy_error error;
  privy_error_init(&error);
  privy_sweep_config_init(&config);
  config.options = plan->options;
  config.options.given = ~0u;
  config.on_spent_day = plan->config.on_spent_day;
  privy_request *list = new_list();
  if (!list) privy_error_no_memory(&error);
  if (list && privy_sweep_new(plan->group, list, &config, &plan->read->sweep, &error) == PRIVY_OK) return true;
  privy_plan_stop(plan, &error);
  return false;
}

static uint64_t sweep_requests(const privy_plan *plan) {
  privy_sweep_progress progress;
  if (!plan->read || !plan->read->sweep) return 0;
  privy_sweep_get_progress(plan->read->sweep, &progress);
  return progress.requests;
}

static void end_sweep(privy_plan *plan) {
  plan->requests_read += sweep_requests(plan);
  privy_sweep_free(plan->read->sweep);
  plan->read->sweep = NULL;
}

static bool take_records(privy_plan *plan, const privy_response *page) {
  for (size_t i = 0; i < privy_response_count(page); i++)
    if (!privy_plan_keep_contact(plan, privy_response_record(page, i))) {
      privy_plan_stop_without_memory(plan);
      return false;
    }
  return true;
}

/* After the first page the number of all pages is known. */
static bool should_look_up(privy_plan *plan) {
  privy_sweep_progress progress;
  privy_sweep_get_progress(plan->read->sweep, &progress);
  return progress.pages == 1 && progress.total >= 0 &&
         privy_plan_prefers_lookups(plan->keys_unknown, privy_plan_pages_left(progress.total, 1));
}

static void sweep_ended(privy_plan *plan) {
  privy_error error;
  privy_error_init(&error);
  const privy_error *cause = privy_sweep_error(plan->read->sweep);
  if (cause) {
    privy_error_copy(cause, &error);
    privy_plan_stop(plan, &error);
    return;
  }
  end_sweep(plan);
  plan->phase = PLAN_COMPARES;
}

/* Keeps the order of one page after the other: a contact that comes twice is kept as it was last. */
static void sweep_on(privy_plan *plan) {
  for (;;) switch (privy_sweep_next(plan->read->sweep)) {
    case PRIVY_SWEEP_WAIT: return;
    case PRIVY_SWEEP_END: sweep_ended(plan); return;
    case PRIVY_SWEEP_PAGE:
      if (!take_records(plan, privy_sweep_page(plan->read->sweep))) return;
      if (!should_look_up(plan)) break;
      end_sweep(plan);
      privy_plan_look_up(plan);
      return;
    }
}

/* ---- the reading ---- */

void privy_plan_begin_reading(privy_plan *plan) {
  if (plan->keys_unknown == 0) {
    plan->phase = PLAN_COMPARES;
    return;
  }
  plan->read = privy_calloc(1, sizeof *plan->read);
  if (!plan->read)
    privy_plan_stop_without_memory(plan);
  else if (plan->keys_unknown > FEW_KEYS)
    (void)begin_sweep(plan);
}

static void settle_all(privy_plan *plan) {
  for (size_t i = 0; i < plan->keys.count; i++) privy_plan_settle_key(plan, i);
}

void privy_plan_read_on(privy_plan *plan) {
  if (plan->read->sweep)
    sweep_on(plan);
  else
    privy_plan_look_up(plan);
  if (plan->phase != PLAN_COMPARES) return;
  settle_all(plan);
  privy_plan_end_reading(plan);
}

void privy_plan_end_reading(privy_plan *plan) {
  if (!plan->read) return;
  plan->requests_read = privy_plan_requests_sent(plan);
  privy_sweep_free(plan->read->sweep);
  privy_group_cancel_all(plan->group);
  privy_free(plan->read);
  plan->read = NULL;
  plan->group = NULL;
}

uint64_t privy_plan_requests_sent(const privy_plan *plan) {
  if (!plan->read) return plan->requests_read;
  return plan->requests_read + sweep_requests(plan) + privy_plan_lookups_in_flight(plan);
}

int64_t privy_plan_requests_expected(const privy_plan *plan) {
  privy_sweep_progress progress;
  const int64_t sent = (int64_t)privy_plan_requests_sent(plan);
  if (!plan->read) return plan->phase >= PLAN_COMPARES ? sent : -1;
  if (!plan->read->sweep) return sent + (int64_t)plan->keys_unknown;
  privy_sweep_get_progress(plan->read->sweep, &progress);
  if (progress.total < 0) return -1;
  return sent + privy_plan_pages_left(progress.total, (int64_t)progress.pages);
}
