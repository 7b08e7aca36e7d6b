/* Bulk runs that a rate limit or a refused token ends: the rows that met it are unsent, unless the server may have
 * acted on their requests. */
#define _POSIX_C_SOURCE 200809L

#include "bulk_journal_scene.h"

#define DAY_OF(requests) 60, (requests), 60
#define SECONDS_OF_A_DAY 86400.0

/* The first `count` responses come after the requests of all places. */
static privy_status delay_responses(scene *s, uint32_t count) {
  const privy_sandbox_fault slow = {.delay = 0.01, .retry_after = -1, .count = count};
  return privy_sandbox_add_fault(s->sandbox, &slow);
}

static privy_status run_orders(scene *s) {
  number_orders(s);
  privy_status status = begin(s);
  return status == PRIVY_OK ? drive(s, "orders.upsert") : status;
}

/* Eight requests are in flight before the first response shows the limit. */
static void rows_that_got_the_429_of_a_spent_day_are_unsent(void **state) {
  (void)state;
  static const size_t counts[] = {20, 8}; /* with and without a row that would be refused next */
  scene s;
  privy_bulk_progress progress;
  for (size_t i = 0; i < COUNT(counts); i++) {
    CHECK_OK(scene_open(&s, "orders.upsert", NULL, counts[i]));
    privy_sandbox_set_limits(s.sandbox, DAY_OF(5));
    CHECK_OK(delay_responses(&s, 8));
    CHECK_OK(run_orders(&s));
    assert_in_range(s.given, 8, 8 + 5); /* a result makes room for another row */
    check_open(&s, 5, s.given);
    for (size_t index = 0; index < s.results; index++) CHECK_OK(s.status[index]);
    const privy_error *error = privy_bulk_error(s.bulk);
    assert_int_equal(error->code, PRIVY_RATE_LIMIT);
    if (s.count == 8) assert_int_equal(error->http_status, 429); /* no other row could end the run */
    assert_true(error->retry_at > START);
    privy_bulk_get_progress(s.bulk, &progress);
    assert_int_equal(progress.failed, 0);
    assert_int_equal(progress.requests, 8);
    scene_close(&s);
  }
  return;
done:
  scene_close(&s);
}

static void the_429_of_a_minute_that_may_not_be_waited_for_ends_the_run(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  s.config.options.max_wait = 5;
  privy_sandbox_set_limits(s.sandbox, 6, 10000, 60);
  CHECK_OK(delay_responses(&s, 8));
  CHECK_OK(run_orders(&s));
  assert_in_range(s.given, 8, 8 + 6);
  check_open(&s, 6, s.given);
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_RATE_LIMIT);
done:
  scene_close(&s);
}

/* The next rows are sent when the day begins, so a 429 without a retry is the result of its row. */
static void a_429_does_not_end_a_run_that_waits_for_the_next_day(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  s.config.on_spent_day = PRIVY_SPENT_DAY_WAITS;
  s.config.options.max_retries = 0;
  s.config.options.given |= PRIVY_GIVEN(MAX_RETRIES);
  privy_sandbox_set_limits(s.sandbox, DAY_OF(5));
  CHECK_OK(delay_responses(&s, 8));
  CHECK_OK(run_orders(&s));
  assert_null(privy_bulk_error(s.bulk));
  assert_int_equal(s.results, 20);
  for (size_t i = 0; i < s.results; i++) assert_int_equal(s.status[i], i >= 5 && i < 8 ? PRIVY_RATE_LIMIT : PRIVY_OK);
done:
  scene_close(&s);
}

static void rows_in_flight_whose_token_is_refused_are_unsent(void **state) {
  (void)state;
  static const int refusals[] = {401, 403};
  scene s;
  for (size_t i = 0; i < COUNT(refusals); i++) {
    const privy_sandbox_fault refused = {.http_status = refusals[i], .retry_after = -1, .delay = 0.01};
    CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
    CHECK_OK(privy_sandbox_add_fault(s.sandbox, &refused));
    CHECK_OK(run_orders(&s));
    check_open(&s, 0, 8);
    assert_int_equal(privy_bulk_error(s.bulk)->http_status, refusals[i]);
    assert_int_equal(privy_sandbox_count(s.sandbox).requests, 8);
    scene_close(&s);
  }
  return;
done:
  scene_close(&s);
}

/* Its first request may have been acted on. */
static void a_row_whose_response_was_lost_has_a_result(void **state) {
  (void)state;
  const privy_sandbox_fault lost = {.cut = PRIVY_CUT_DROP, .retry_after = -1, .count = 1};
  scene s;
  privy_bulk_result_view result;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  number_orders(&s);
  s.config.concurrency = 1;
  s.leave_after = 0;
  privy_sandbox_set_limits(s.sandbox, DAY_OF(1));
  CHECK_OK(begin(&s));
  CHECK_OK(privy_sandbox_add_fault(s.sandbox, &lost));
  CHECK_OK(drive(&s, "orders.upsert"));
  CHECK_MEMORY(privy_bulk_result(s.bulk, &result) && result.status != PRIVY_NO_MEMORY);
  assert_int_equal(result.status, PRIVY_RATE_LIMIT);
  assert_true(result.error->may_have_succeeded);
  s.leave_after = NONE;
  CHECK_OK(drive(&s, "orders.upsert"));
  check_open(&s, 1, 2); /* the second row was taken while the first waited */
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_RATE_LIMIT);
  assert_int_equal(privy_sandbox_count(s.sandbox).orders, 1);
done:
  scene_close(&s);
}

/* The caller has ended the run. */
static void a_finished_run_has_no_error(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  number_orders(&s);
  privy_sandbox_set_limits(s.sandbox, DAY_OF(5));
  CHECK_OK(delay_responses(&s, 8));
  CHECK_OK(begin(&s));
  while (s.given < 8) {
    const privy_bulk_step step = privy_bulk_next(s.bulk);
    if (privy_bulk_error(s.bulk)) goto done;
    if (step == PRIVY_BULK_ROW) CHECK_OK(give_row(&s, "orders.upsert"));
  }
  CHECK_MEMORY(privy_bulk_next(s.bulk) == PRIVY_BULK_WAIT);
  privy_group_wait(s.group, 0);
  privy_bulk_finish(s.bulk);
  CHECK_OK(drive(&s, "orders.upsert"));
  check_open(&s, 5, 8);
  assert_null(privy_bulk_error(s.bulk));
done:
  scene_close(&s);
}

static void the_next_run_sends_what_a_spent_day_left(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  privy_bulk_progress progress;
  char rows[8192];
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "orders.upsert", NULL, 12));
  privy_sandbox_set_limits(s.sandbox, DAY_OF(7));
  CHECK_OK(delay_responses(&s, 8));
  CHECK_OK(run_orders(&s));
  check_open(&s, 7, s.given);
  read_journal(place.path, "SELECT count(*) FROM rows WHERE state NOT IN ('created', 'pending')", rows);
  assert_string_equal(rows, "0\n");
  privy_sandbox_set_limits(s.sandbox, DAY_OF(100));
  privy_sandbox_advance(s.sandbox, SECONDS_OF_A_DAY);
  CHECK_OK(run_again(&s, "orders.upsert"));
  CHECK_OK(ended_with(&s, &progress));
  assert_int_equal(progress.skipped, 7);
  assert_int_equal(s.results, 5);
  assert_int_equal(privy_sandbox_count(s.sandbox).orders, 12);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 8 + 5);
done:
  scene_close(&s);
  place_remove(&place);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(rows_that_got_the_429_of_a_spent_day_are_unsent),
      TEST_UNSWEPT(the_429_of_a_minute_that_may_not_be_waited_for_ends_the_run),
      TEST_UNSWEPT(a_429_does_not_end_a_run_that_waits_for_the_next_day),
      TEST_UNSWEPT(rows_in_flight_whose_token_is_refused_are_unsent),
      TEST(a_row_whose_response_was_lost_has_a_result),
      TEST_UNSWEPT(a_finished_run_has_no_error),
      TEST_UNSWEPT(the_next_run_sends_what_a_spent_day_left),
  };
  return HARNESS_RUN(tests);
}
