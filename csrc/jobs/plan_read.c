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

static privy_sweep_config sweep_config(const privy_plan *plan) {
  privy_sweep_config config;
  privy_sweep_config_init(&config);
  config.options = plan->options;
  config.options.given = ~0u;
  config.on_spent_day = plan->config.on_spent_day;
  return config;
}

static void begin_sweep(privy_plan *plan) {
  const privy_sweep_config config = sweep_config(plan);
  privy_sweep **sweep = &plan->read->sweep;
  privy_error error;
  privy_error_init(&error);
  privy_request *list = privy_plan_new_list();
  privy_status status;
  if (!list)
    status = privy_error_no_memory(&error);
  else if (plan->snapshot)
    status = privy_snapshot_sweep(plan->snapshot, plan->group, list, &config, sweep, &error);
  else
    status = privy_sweep_new(plan->group, list, &config, sweep, &error);
  if (status != PRIVY_OK) privy_plan_stop(plan, &error);
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

static bool take_page(privy_plan *plan) {
  const privy_response *page = privy_sweep_page(plan->read->sweep);
  privy_error error;
  privy_error_init(&error);
  privy_status status = PRIVY_OK;
  for (size_t i = 0; status == PRIVY_OK && i < privy_response_count(page); i++)
    if (!privy_plan_keep_contact(plan, privy_response_record(page, i))) status = privy_error_no_memory(&error);
  if (status == PRIVY_OK && plan->snapshot) status = privy_snapshot_take(plan->snapshot, plan->read->sweep, &error);
  if (status != PRIVY_OK) privy_plan_stop(plan, &error);
  return status == PRIVY_OK;
}

/* After the first page the number of all pages is known. */
static bool should_look_up(privy_plan *plan) {
  privy_sweep_progress progress;
  privy_sweep_get_progress(plan->read->sweep, &progress);
  return progress.pages == 1 && progress.total >= 0 && !privy_plan_resumes_snapshot(plan) &&
         privy_plan_prefers_lookups(plan->keys_unknown, privy_plan_pages_left(progress.total, 1));
}

/* What an earlier process has read is only in the snapshot. */
static privy_status complete_snapshot(privy_plan *plan, privy_error *error) {
  const bool resumed = privy_plan_resumes_snapshot(plan);
  if (privy_snapshot_complete(plan->snapshot, plan->read->sweep, error) != PRIVY_OK) return error->code;
  privy_plan_date_by_snapshot(plan);
  plan->read->loads = resumed;
  return PRIVY_OK;
}

static void sweep_ended(privy_plan *plan) {
  privy_error error;
  privy_error_init(&error);
  const privy_error *cause = privy_sweep_error(plan->read->sweep);
  privy_status status = cause ? privy_error_copy(cause, &error) : PRIVY_OK;
  if (status == PRIVY_OK && plan->snapshot) status = complete_snapshot(plan, &error);
  if (status != PRIVY_OK) {
    privy_plan_stop(plan, &error);
    return;
  }
  end_sweep(plan);
  if (!plan->read->loads) plan->phase = PLAN_COMPARES;
}

/* Keeps the order of one page after the other: a contact that comes twice is kept as it was last. */
static void sweep_on(privy_plan *plan) {
  for (;;) switch (privy_sweep_next(plan->read->sweep)) {
    case PRIVY_SWEEP_WAIT: return;
    case PRIVY_SWEEP_END: sweep_ended(plan); return;
    case PRIVY_SWEEP_PAGE:
      if (!take_page(plan)) return;
      if (!should_look_up(plan)) break;
      end_sweep(plan);
      privy_plan_look_up(plan);
      return;
    }
}

/* ---- the reading ---- */

static void choose(privy_plan *plan) {
  plan->read->loads = privy_plan_has_fresh_snapshot(plan);
  plan->from_snapshot = plan->read->loads;
  if (plan->read->loads)
    privy_plan_date_by_snapshot(plan);
  else if (plan->keys_unknown > FEW_KEYS)
    begin_sweep(plan);
}

void privy_plan_begin_reading(privy_plan *plan) {
  privy_error error;
  privy_error_init(&error);
  if (plan->keys_unknown == 0) {
    plan->phase = PLAN_COMPARES;
    return;
  }
  plan->read = privy_calloc(1, sizeof *plan->read);
  if (!plan->read)
    privy_plan_stop_without_memory(plan);
  else if (plan->snapshot_path && privy_plan_open_snapshot(plan, &error) != PRIVY_OK)
    privy_plan_stop(plan, &error);
  else
    choose(plan);
}

static void settle_all(privy_plan *plan) {
  for (size_t i = 0; i < plan->keys.count; i++) privy_plan_settle_key(plan, i);
}

static void load(privy_plan *plan) {
  if (!privy_plan_load_page(plan) && plan->phase == PLAN_READS) plan->phase = PLAN_COMPARES;
}

void privy_plan_read_on(privy_plan *plan) {
  if (plan->read->loads)
    load(plan);
  else if (plan->read->sweep)
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
  privy_plan_close_snapshot(plan);
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
  const int64_t ended = (int64_t)plan->requests_read;
  if (!plan->read) return plan->phase >= PLAN_COMPARES ? ended : -1;
  if (!plan->read->sweep) return ended + (int64_t)plan->keys_unknown;
  privy_sweep_get_progress(plan->read->sweep, &progress);
  if (progress.total < 0) return -1;
  return (int64_t)(progress.pages + progress.repeated) + privy_plan_pages_left(progress.total, (int64_t)progress.pages);
}
