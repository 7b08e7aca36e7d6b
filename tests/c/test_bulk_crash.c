/*
 * Bulk runs with a journal against a sandbox, after a crash at each point: before and after each write and sync of the
 * journal, each request and each response, with and without a loss of power. The sandbox outlives the processes. A run
 * that is repeated until it ends loses no row, records no event twice, sends at most `concurrency` rows again for each
 * crash, and leaves the journal and the records that a run without crashes leaves.
 */
#define _GNU_SOURCE

#include "crash.h"

#include "bulk_journal_scene.h"

#define CONCURRENCY 4

typedef struct row_kind {
  const char *operation;
  const char *const *rows;
  size_t count;
  size_t requests_each; /* at most, of a row */
  const char *last[2];  /* what the last rows of a key have written; NULL: nothing to look for */
} row_kind;

static const char *const order_rows[] = {ORDER ",\"order_id\":1}",
                                         ORDER ",\"order_id\":2}",
                                         ORDER ",\"order_id\":1,\"financial_status\":\"B\"}",
                                         ORDER ",\"order_id\":3}",
                                         ORDER ",\"order_id\":1,\"financial_status\":\"C\"}",
                                         ORDER ",\"order_id\":-1}",
                                         ORDER ",\"order_id\":4}",
                                         ORDER ",\"order_id\":5}",
                                         ORDER ",\"order_id\":2,\"financial_status\":\"D\"}"};
static const char *const contact_rows[] = {
    "{\"email\":\"a@b.co\",\"first_name\":\"A\"}",
    "{\"email\":\"b@b.co\"}",
    "{\"email\":\"a@b.co\",\"first_name\":\"B\"}",
    "{\"email\":\"no address\"}",
    "{\"email\":\"c@b.co\",\"email_consent\":\"subscribed\"}",
    "{\"email\":\"d@b.co\"}",
    "{\"email\":\"b@b.co\",\"last_name\":\"C\",\"email_consent\":\"subscribed\"}",
    "{\"email\":\"e@b.co\"}"};
static const char *const event_rows[] = {
    EVENT ",\"event_data\":{\"n\":1}}", EVENT ",\"event_data\":{\"n\":2}}", EVENT ",\"event_data\":{\"n\":1}}",
    EVENT ",\"event_data\":{\"n\":3}}", EVENT ",\"event_data\":{\"n\":1}}", EVENT ",\"idempotency_key\":\"own\"}",
    EVENT ",\"event_data\":{\"n\":4}}", EVENT ",\"event_data\":{\"n\":5}}", EVENT ",\"event_data\":{\"n\":6}}"};

static const row_kind kinds[] = {
    {"orders.upsert", ROWS(order_rows), 1, {"\"financial_status\":\"C\"", "\"financial_status\":\"D\""}},
    {"contacts.upsert", ROWS(contact_rows), 3, {"\"first_name\":\"B\"", "\"last_name\":\"C\""}},
    {"events.ingest", ROWS(event_rows), 1, {NULL, NULL}}};

/* What the processes share: the sandbox as text, and what it counted. */
typedef struct world {
  uint64_t requests, events, orders, contacts;
  size_t processes; /* so far */
  size_t length;
  char text[64 << 10];
} world;

static world *shared;
static const row_kind *running;
static journal_place place;
static scene s; /* of the child */

/* The sandbox is what it is when the process dies. */
static void keep_sandbox(void) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  if (!s.sandbox) return;
  if (privy_sandbox_write(s.sandbox, &text) != PRIVY_OK || text.length >= sizeof shared->text) abort();
  const privy_sandbox_counts counts = privy_sandbox_count(s.sandbox);
  shared->requests += counts.requests;
  shared->events = counts.events;
  shared->orders = counts.orders;
  shared->contacts = counts.contacts;
  memcpy(shared->text, text.data, text.length);
  shared->text[text.length] = '\0';
  shared->length = text.length;
  privy_buffer_clear(&text);
}

/* Each process starts a minute after the one before. */
static bool open_sandbox(void) {
  privy_buffer problem = PRIVY_BUFFER_EMPTY;
  if (open_with_journal(&s, &place, running->operation, running->rows, running->count) != PRIVY_OK) return false;
  privy_sandbox_set_clock(s.sandbox, START + 60.0 * (double)shared->processes++);
  const bool read =
      !shared->length || privy_sandbox_read(s.sandbox, shared->text, shared->length, &problem) == PRIVY_OK;
  if (!read) print_error("%.*s\n", (int)problem.length, problem.data);
  privy_buffer_clear(&problem);
  s.config.concurrency = CONCURRENCY;
  return read;
}

/* As `drive` of bulk_scene.h, with points before requests are sent and after responses came. */
static bool drive_to_end(void) {
  for (int turns = 0; turns < 10000; turns++) {
    switch (privy_bulk_next(s.bulk)) {
    case PRIVY_BULK_ROW:
      if (give_row(&s, running->operation) != PRIVY_OK) return false;
      break;
    case PRIVY_BULK_RESULT:
      if (read_result(&s) != PRIVY_OK) return false;
      break;
    case PRIVY_BULK_WAIT:
      crash_point();
      turn(&s);
      crash_point();
      break;
    case PRIVY_BULK_END: return !privy_bulk_error(s.bulk);
    }
  }
  return false;
}

static bool run(void *context) {
  (void)context;
  bool right = open_sandbox() && begin(&s) == PRIVY_OK && drive_to_end();
  const privy_error *error = s.bulk ? privy_bulk_error(s.bulk) : NULL;
  if (!right) print_error("%s\n", error ? error->message : s.error.message ? s.error.message : "?");
  keep_sandbox();
  scene_close(&s);
  return right;
}

/* The journal without what may differ: ids, keys and times, and the status of a repeated request. */
static const char rows_sql[] = "SELECT key, nth, source_row, hex(hash), state, message, details, request"
                               " FROM rows ORDER BY key, nth; PRAGMA integrity_check";

typedef struct outcome {
  char journal[8192];
  uint64_t requests, events, orders, contacts;
  privy_journal_summary report; /* of all runs */
} outcome;

static void read_report(privy_journal_summary *out) {
  privy_journal_view *view = NULL;
  privy_error error;
  privy_error_init(&error);
  if (privy_journal_view_open(place.path, &view, &error) != PRIVY_OK ||
      privy_journal_view_summary(view, out, &error) != PRIVY_OK)
    fail_msg("%s", error.message);
  privy_journal_view_free(view);
}

/* Runs until a run ends: the first dies at `die_at`, the next ones at points that `random` chooses, `crashes` in all.
 * Returns how many died. */
static size_t run_with_crashes(size_t die_at, size_t crashes, bool loses_power, uint64_t random, outcome *out) {
  size_t died = 0, points = 0;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(shared != MAP_FAILED);
  place_make(&place);
  crash.dying = keep_sandbox;
  while (!crash_run(run, NULL, died < crashes ? die_at : 0, loses_power, random, &points)) {
    died++;
    die_at = 1 + privy_random(&random) % 100;
  }
  read_journal(place.path, rows_sql, out->journal);
  read_report(&out->report);
  for (size_t i = 0; i < COUNT(running->last); i++)
    assert_true(!running->last[i] || strstr(shared->text, running->last[i]));
  out->requests = shared->requests;
  out->events = shared->events;
  out->orders = shared->orders;
  out->contacts = shared->contacts;
  munmap(shared, sizeof *shared);
  place_remove(&place);
  return died;
}

/* The report is equal with and without crashes, except for what the runs that died did not write any more. */
static void check_report(const outcome *found, const outcome *expected, size_t died) {
  assert_memory_equal(found->report.counts, expected->report.counts, sizeof found->report.counts);
  assert_int_equal(found->report.details, expected->report.details);
  assert_true(found->report.finished);
  assert_true(expected->report.finished);
  assert_in_range(found->report.runs, 1, died + 1);
  assert_in_range(found->report.killed, 0, found->report.runs - 1); /* one may die after it has written its end */
  assert_in_range(found->report.requests + died * CONCURRENCY * running->requests_each, found->requests,
                  found->requests + died * CONCURRENCY * running->requests_each);
}

static void check(const outcome *found, const outcome *expected, size_t died) {
  check_report(found, expected, died);
  assert_string_equal(found->journal, expected->journal);
  assert_int_equal(found->events, expected->events);
  assert_int_equal(found->orders, expected->orders);
  assert_int_equal(found->contacts, expected->contacts);
  assert_in_range(found->requests, expected->requests,
                  expected->requests + died * CONCURRENCY * running->requests_each);
}

/* Seeds differ in where the later crashes are, and in what a loss of power leaves. Without PRIVY_DEEP each seed tries
 * every tenth point, from another one on. */
static void try_each_point(const row_kind *kind, bool loses_power) {
  const bool deep = getenv("PRIVY_DEEP") != NULL;
  const size_t seeds = deep ? 8 : 1, stride = deep ? 1 : 10;
  outcome expected, found;
  size_t crashes = 0;
  running = kind;
  assert_non_null(privy_sqlite_load(NULL));
  assert_int_equal(run_with_crashes(0, 0, false, 0, &expected), 0);
  for (uint64_t seed = 0; seed < seeds; seed++)
    for (size_t point = 1 + seed % stride, died = 1; died; point += stride, crashes += died) {
      died = run_with_crashes(point, 1 + (seed + point) % 4, loses_power, seed + point, &found);
      check(&found, &expected, died);
    }
  print_message("%s: %zu crashes\n", kind->operation, crashes);
  assert_true(crashes >= seeds * 100 / stride);
}

static void a_killed_run_continues_exactly(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(kinds); i++) try_each_point(&kinds[i], false);
}

static void a_run_that_lost_its_power_continues_exactly(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(kinds); i++) try_each_point(&kinds[i], true);
}

int main(void) {
  static harness_test tests[] = {TEST_UNSWEPT(a_killed_run_continues_exactly),
                                 TEST_UNSWEPT(a_run_that_lost_its_power_continues_exactly)};
  return HARNESS_RUN(tests);
}
