#include "jobs/bulk.h"

#include "base/memory.h"
#include "jobs/bulk_journal.h"
#include "jobs/bulk_lookup.h"
#include "jobs/bulk_rows.h"
#include "message/error.h"
#include "message/response.h"

#define DEFAULT_CONCURRENCY 8
/* Seconds: a run waits for the next minute's budget, but not for the next day's. */
#define DEFAULT_MAX_WAIT 3600.0
/* The end of the year 9999, in seconds since 1970. */
#define LAST_INSTANT 253402300799.0

/* ---- life ---- */

void privy_bulk_config_init(privy_bulk_config *config) {
  *config = (privy_bulk_config){.concurrency = DEFAULT_CONCURRENCY,
                                .total = -1,
                                .options = {.max_wait = DEFAULT_MAX_WAIT, .given = PRIVY_GIVEN(MAX_WAIT)}};
}

privy_status privy_bulk_config_concurrency(privy_bulk_config *config, double value, privy_error *error) {
  if (privy_setting_check(PRIVY_SETTING_CONCURRENCY, value, error) != PRIVY_OK) return error->code;
  config->concurrency = value < (double)INT64_MAX ? (int64_t)value : INT64_MAX;
  return PRIVY_OK;
}

static privy_status check(const privy_bulk_config *config, const privy_options *merged, privy_error *error) {
  privy_status status = privy_setting_check(PRIVY_SETTING_CONCURRENCY, (double)config->concurrency, error);
  if (!(config->until >= 0 && config->until <= LAST_INSTANT))
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "until must be a time from 1970 to 9999");
  return status == PRIVY_OK ? privy_options_check(merged, error) : status;
}

privy_status privy_bulk_new(privy_group *group, const privy_bulk_config *config, privy_bulk **out, privy_error *error) {
  privy_client *client = privy_group_client(group);
  const privy_options merged = privy_options_merge(client->settings.options, &config->options);
  if (check(config, &merged, error) != PRIVY_OK) return error->code;
  privy_bulk *bulk = privy_calloc(1, sizeof *bulk);
  if (!bulk) return privy_error_no_memory(error);
  bulk->group = group;
  bulk->options = merged;
  bulk->options.waits_for_day = config->on_spent_day == PRIVY_SPENT_DAY_WAITS;
  bulk->options.until = config->until;
  bulk->concurrency = (uint64_t)config->concurrency < SIZE_MAX ? (size_t)config->concurrency : SIZE_MAX;
  bulk->progress.total = config->total < 0 ? -1 : config->total;
  bulk->started_at = bulk->measured_at = privy_client_now(client);
  privy_error_init(&bulk->error);
  if (config->journal && privy_bulk_journal_open(bulk, config, error) != PRIVY_OK) {
    privy_free(bulk);
    return error->code;
  }
  privy_group_set_max_in_flight(group, bulk->concurrency);
  *out = bulk;
  return PRIVY_OK;
}

static void release_files(privy_bulk *bulk) {
  void (*release)(void *) = bulk->release;
  privy_bulk_journal_close(bulk);
  bulk->release = NULL;
  if (release) release(bulk->release_context);
}

void privy_bulk_free(privy_bulk *bulk) {
  if (!bulk) return;
  if (privy_group_is_own(bulk->group)) privy_bulk_close(bulk);
  release_files(bulk);
  while (bulk->first) privy_bulk_free_row(bulk, bulk->first);
  privy_lanes_clear(&bulk->lanes);
  privy_error_clear(&bulk->error);
  privy_free(bulk->spare);
  privy_free(bulk);
}

/* ---- ends ---- */

/* Ends the run early. The first error is the reason. Takes over the contents of `error`. */
static void stop(privy_bulk *bulk, privy_error *error) {
  bulk->ends = true;
  if (bulk->error.code == PRIVY_OK) {
    bulk->error = *error;
    privy_error_init(error);
  }
  privy_error_clear(error);
}

static void stop_without_memory(privy_bulk *bulk) {
  privy_error error;
  privy_error_init(&error);
  privy_error_no_memory(&error);
  stop(bulk, &error);
}

/* Whether each further row would fail in the same way: the rate limit does not reset within max_wait, the run's time is
 * over, or the server does not accept the token. */
static bool ends_run(const privy_completion *completion) {
  if (completion->status == PRIVY_RATE_LIMIT) return completion->limit_outlasts;
  if (completion->status == PRIVY_DEADLINE) return true;
  return completion->status == PRIVY_AUTHENTICATION || completion->status == PRIVY_PERMISSION_DENIED;
}

/* Ends the run with a copy of the error: the row keeps the error as its result. */
static void stop_with_copy(privy_bulk *bulk, const privy_error *cause) {
  privy_error error;
  privy_error_init(&error);
  privy_error_copy(cause, &error);
  stop(bulk, &error);
}

/* The outcome ends the run and is not about the row: it stays unsent, and the next run sends it. After
 * privy_bulk_finish the run has ended already, for another reason. */
static void leave_unsent(privy_bulk *bulk, bulk_row *row, privy_error *error) {
  row->state = BULK_OPEN;
  row->attempts = 0;
  if (bulk->finishes)
    privy_error_clear(error);
  else
    stop(bulk, error);
}

/* ---- results ---- */

static privy_bulk_change change_of(const privy_completion *completion) {
  if (completion->created < 0) return PRIVY_BULK_UNCHANGED;
  return completion->created ? PRIVY_BULK_CREATED : PRIVY_BULK_UPDATED;
}

static void keep_result(privy_bulk *bulk, bulk_row *row) {
  row->state = BULK_ENDED;
  bulk->ended++;
  row->change = change_of(&row->completion);
  privy_bulk_push(&bulk->results, row);
}

/* Counts a result when privy_bulk_next first returns it. */
static void count_result(privy_bulk *bulk, bulk_row *row) {
  if (row->counted) return;
  row->counted = true;
  bulk->progress.done++;
  bulk->progress.failed += row->completion.status != PRIVY_OK;
  bulk->progress.created += row->change == PRIVY_BULK_CREATED;
  bulk->progress.updated += row->change == PRIVY_BULK_UPDATED;
}

static void write_outcome(privy_bulk *bulk, const bulk_row *row, privy_completion *completion) {
  privy_error error;
  privy_error_init(&error);
  if (bulk->journal && privy_bulk_journal_end(bulk, row, completion, &error) != PRIVY_OK) stop(bulk, &error);
}

/* Whether the call was a look-up after which the row goes on: it then keeps its lanes. */
static bool continues(privy_bulk *bulk, bulk_row *row, privy_completion *completion) {
  if (!row->looks_up) return false;
  const double since = privy_bulk_journal_first_sent(bulk, row, completion->response);
  if (!privy_bulk_lookup_continues(row, since, completion)) return false;
  privy_completion_clear(completion);
  row->state = BULK_QUEUED;
  privy_bulk_push(&bulk->startable, row);
  return true;
}

static void complete_row(privy_bulk *bulk, bulk_row *row, privy_completion *completion) {
  bulk->active--;
  row->attempts += completion->attempts;
  bulk->progress.requests += (uint64_t)completion->attempts;
  if (continues(bulk, row, completion)) return;
  if (row->updates && completion->status == PRIVY_OK) completion->created = 0;
  write_outcome(bulk, row, completion);
  const bool ends = ends_run(completion);
  if (ends && (row->looks_up || !completion->error.may_have_succeeded)) {
    leave_unsent(bulk, row, &completion->error);
  } else {
    if (ends) stop_with_copy(bulk, &completion->error);
    row->completion = *completion;
    keep_result(bulk, row);
  }
  privy_bulk_leave_lanes(bulk, row);
}

static void take_completed(privy_bulk *bulk) {
  privy_completion completion;
  while (privy_group_next_completed(bulk->group, &completion))
    complete_row(bulk, (bulk_row *)(uintptr_t)completion.id, &completion);
}

/* ---- starts ---- */

/* Places that are taken: by calls in flight or about to be, and by results. Calls that back off after a failure take
 * none, up to `concurrency` of them. More than that means that the server is in trouble: they keep their places, so
 * that the run does not try row after row. */
static size_t places_taken(const privy_bulk *bulk) {
  const size_t waiting = privy_group_backing_off(bulk->group);
  return bulk->active - (waiting < bulk->concurrency ? waiting : bulk->concurrency) + bulk->results.count;
}

/* Cancels a call that has sent nothing, and ends the run. */
static void drop_row(privy_bulk *bulk, bulk_row *row) {
  (void)privy_group_cancel(bulk->group, (uint64_t)(uintptr_t)row);
  row->state = BULK_OPEN;
  bulk->active--;
  privy_bulk_leave_lanes(bulk, row);
}

static void write_start(privy_bulk *bulk, bulk_row *row, privy_call *call) {
  privy_error error;
  privy_error_init(&error);
  const bool written = !bulk->journal || row->looks_up || privy_bulk_journal_send(bulk, row, call, &error) == PRIVY_OK;
  memcpy(row->generated_key, call->key, sizeof row->generated_key);
  if (written) return;
  drop_row(bulk, row);
  stop(bulk, &error);
}

static void start_row(privy_bulk *bulk, bulk_row *row) {
  privy_error error;
  privy_error_init(&error);
  const uint64_t id = (uint64_t)(uintptr_t)row;
  privy_request *request = privy_bulk_lookup_request(row, &error);
  if (!request || privy_group_start(bulk->group, request, &bulk->options, id, &error) != PRIVY_OK) {
    row->state = BULK_OPEN;
    stop(bulk, &error);
    privy_bulk_leave_lanes(bulk, row);
    return;
  }
  row->state = BULK_ACTIVE;
  privy_call *call = privy_group_find(bulk->group, id);
  call->id = row->index;
  call->row = (int64_t)row->index;
  row->call = call;
  bulk->active++;
  write_start(bulk, row, call);
}

static void start_rows(privy_bulk *bulk) {
  while (bulk->startable.first && !bulk->finishes && bulk->error.code == PRIVY_OK &&
         places_taken(bulk) < bulk->concurrency)
    start_row(bulk, privy_bulk_pop(&bulk->startable));
}

/* Makes what was written to the journal durable, before a request is sent or a result is reported. */
static void commit(privy_bulk *bulk) {
  privy_error error;
  privy_error_init(&error);
  if (!bulk->journal || privy_bulk_journal_commit(bulk, &error) == PRIVY_OK) return;
  for (bulk_row *row = bulk->first; row; row = row->next)
    if (row->state == BULK_ACTIVE && row->call->attempts == 0) drop_row(bulk, row);
  stop(bulk, &error);
}

static bool takes_row(privy_bulk *bulk) {
  if (bulk->ends || bulk->held >= PRIVY_BULK_LOOKAHEAD) return false;
  if (places_taken(bulk) + bulk->startable.count >= bulk->concurrency) return false;
  if (!bulk->spare) bulk->spare = privy_calloc(1, sizeof *bulk->spare);
  if (!bulk->spare) stop_without_memory(bulk);
  return bulk->spare;
}

privy_bulk_step privy_bulk_next(privy_bulk *bulk) {
  take_completed(bulk);
  privy_bulk_measure_wait(bulk);
  start_rows(bulk);
  commit(bulk);
  if (bulk->results.first) {
    count_result(bulk, bulk->results.first);
    return PRIVY_BULK_RESULT;
  }
  if (takes_row(bulk)) return PRIVY_BULK_ROW;
  if (bulk->active == 0) {
    release_files(bulk);
    return PRIVY_BULK_END;
  }
  bulk->idle = privy_group_idle_seconds(bulk->group) >= 0;
  return PRIVY_BULK_WAIT;
}

bool privy_bulk_will_sync(const privy_bulk *bulk) {
  if (!bulk->journal) return false;
  return privy_journal_is_changed(bulk->journal) || bulk->startable.first || privy_group_has_completed(bulk->group);
}

/* ---- rows ---- */

/* Adds the row that privy_bulk_next asked for. */
static bulk_row *add_row(privy_bulk *bulk, bulk_state state) {
  bulk_row *row = bulk->spare;
  bulk->spare = NULL;
  row->index = bulk->progress.taken++;
  row->state = state;
  privy_bulk_link_row(bulk, row);
  return row;
}

static bool keep_given_key(bulk_row *row) {
  const char *key = privy_request_find_header(row->request, "Idempotency-Key");
  if (key) row->given_key = privy_copy(key, strlen(key));
  return !key || row->given_key;
}

static void give_result(privy_bulk *bulk, bulk_row *row, privy_error *error) {
  row->completion = (privy_completion){.status = error->code, .error = *error, .created = -1};
  privy_error_init(error);
  keep_result(bulk, row);
}

/* Does with the row what the journal decides. */
static bulk_verdict ask_journal(privy_bulk *bulk, bulk_row *row) {
  privy_error error;
  privy_error_init(&error);
  const bulk_verdict verdict = privy_bulk_journal_take(bulk, row, &error);
  switch (verdict) {
  case BULK_SEND: break;
  case BULK_SKIP:
    bulk->progress.skipped++;
    privy_bulk_free_row(bulk, row);
    break;
  case BULK_DECIDE: give_result(bulk, row, &error); break;
  case BULK_NO_WRITE:
    row->state = BULK_OPEN;
    stop(bulk, &error);
    break;
  }
  return verdict;
}

void privy_bulk_keep_consents(privy_bulk *bulk) {
  bulk->keeps_consents = true;
}

bool privy_bulk_add(privy_bulk *bulk, privy_request *request) {
  bulk_row *row = add_row(bulk, BULK_QUEUED);
  row->request = request;
  request->keeps_consents = bulk->keeps_consents;
  row->updates = request->operation && request->operation->id == PRIVY_OP_UPDATE;
  const bulk_verdict verdict = bulk->journal ? ask_journal(bulk, row) : BULK_SEND;
  if (verdict != BULK_SEND) return verdict != BULK_SKIP;
  if (!keep_given_key(row) || !privy_bulk_join_lanes(bulk, row)) {
    row->state = BULK_OPEN;
    privy_bulk_leave_lanes(bulk, row);
    stop_without_memory(bulk);
  } else if (privy_bulk_may_start(row)) {
    privy_bulk_push(&bulk->startable, row);
  }
  return true;
}

void privy_bulk_refuse(privy_bulk *bulk, privy_request *request, privy_error *error) {
  bulk_row *row = add_row(bulk, BULK_QUEUED);
  privy_error failure;
  privy_error_init(&failure);
  row->request = request;
  if (bulk->journal && privy_journal_refuse(bulk->journal, row->index, request, error, &failure) != PRIVY_OK)
    stop(bulk, &failure);
  give_result(bulk, row, error);
}

void privy_bulk_abort(privy_bulk *bulk, privy_error *error) {
  stop(bulk, error);
}

void privy_bulk_fail_with(privy_bulk *bulk, privy_error *error) {
  add_row(bulk, BULK_OPEN);
  stop(bulk, error);
}

void privy_bulk_fail(privy_bulk *bulk) {
  add_row(bulk, BULK_OPEN);
  privy_bulk_fail_rows(bulk);
}

void privy_bulk_fail_rows(privy_bulk *bulk) {
  bulk->ends = bulk->source_failed = true;
}

void privy_bulk_end_rows(privy_bulk *bulk) {
  bulk->ends = true;
}

bool privy_bulk_result(const privy_bulk *bulk, privy_bulk_result_view *out) {
  const bulk_row *row = bulk->results.first;
  if (!row) return false;
  const privy_completion *completion = &row->completion;
  *out =
      (privy_bulk_result_view){row->index, completion->status, completion->response, &completion->error, row->change};
  return true;
}

void privy_bulk_acknowledge(privy_bulk *bulk) {
  if (bulk->results.first) privy_bulk_free_row(bulk, privy_bulk_pop(&bulk->results));
}

/* ---- the end ---- */

const privy_error *privy_bulk_error(const privy_bulk *bulk) {
  return bulk->error.code == PRIVY_OK ? NULL : &bulk->error;
}

static int attempts_of(const bulk_row *row) {
  return row->attempts + (row->state == BULK_ACTIVE ? row->call->attempts : 0);
}

static const char *key_of(const bulk_row *row) {
  if (row->given_key) return row->given_key;
  return *row->generated_key ? row->generated_key : NULL;
}

size_t privy_bulk_open_rows(const privy_bulk *bulk, privy_bulk_row *out, size_t capacity) {
  size_t count = 0;
  for (const bulk_row *row = bulk->first; row; row = row->next, count++)
    if (count < capacity) out[count] = (privy_bulk_row){row->index, attempts_of(row) > 0, key_of(row)};
  return count;
}

void privy_bulk_finish(privy_bulk *bulk) {
  bulk->ends = bulk->finishes = bulk->closed = true;
  for (bulk_row *row = bulk->first; row; row = row->next) {
    if (row->state != BULK_ACTIVE || row->call->attempts > 0) continue;
    if (bulk->journal) privy_bulk_journal_take_back(bulk, row);
    drop_row(bulk, row);
  }
  commit(bulk);
}

void privy_bulk_close(privy_bulk *bulk) {
  bulk->ends = bulk->closed = true;
  for (bulk_row *row = bulk->first; row; row = row->next) {
    const int sent = row->state == BULK_ACTIVE ? row->call->attempts : 0;
    if (bulk->journal && row->state == BULK_ACTIVE && sent == 0) privy_bulk_journal_take_back(bulk, row);
    if (row->state == BULK_ACTIVE) privy_group_cancel(bulk->group, (uint64_t)(uintptr_t)row);
    bulk->progress.requests += (uint64_t)sent;
    row->attempts += sent;
    row->state = BULK_OPEN;
  }
  commit(bulk);
  release_files(bulk);
  bulk->active = 0;
  bulk->startable = bulk->results = (bulk_queue){0};
}
