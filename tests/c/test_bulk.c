/* Bulk runs: how they end, and what becomes of results. */
#include "bulk_scene.h"

/* ---- how a run ends ---- */

static void a_spent_minute_ends_a_run_that_may_not_wait(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  number_orders(&s);
  s.config.options.max_wait = 0;
  privy_sandbox_set_limits(s.sandbox, 12, 10000, 60);
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 12);
  for (size_t i = 0; i < s.results; i++) assert_int_equal(s.status[s.order[i]], PRIVY_OK);
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_RATE_LIMIT);
  privy_bulk_row open[20];
  size_t count = privy_bulk_open_rows(s.bulk, open, 20);
  assert_int_equal(count, s.given - 12);
  assert_in_range(count, 1, 8);
  for (size_t i = 0; i < count; i++) {
    assert_false(open[i].in_doubt);
    assert_true(i == 0 || open[i].index > open[i - 1].index);
  }
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 12);
done:
  scene_close(&s);
}

/* Orders for more than two days; each day ends at midnight, UTC. */
static privy_status run_for_days(scene *s, privy_spent_day on_spent_day) {
  number_orders(s);
  s->config.on_spent_day = on_spent_day;
  privy_sandbox_set_limits(s->sandbox, 60, 12, 60);
  privy_status status = begin(s);
  return status == PRIVY_OK ? drive(s, "orders.upsert") : status;
}

static void a_spent_day_ends_a_run(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 30));
  CHECK_OK(run_for_days(&s, PRIVY_SPENT_DAY_STOPS));
  assert_int_equal(s.results, 12);
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_RATE_LIMIT);
done:
  scene_close(&s);
}

static void a_run_that_waits_for_the_next_day_continues(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 30));
  CHECK_OK(run_for_days(&s, PRIVY_SPENT_DAY_WAITS));
  assert_int_equal(s.results, 30);
  assert_null(privy_bulk_error(s.bulk));
  assert_int_equal(privy_sandbox_count(s.sandbox).orders, 30);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 30);
  privy_bulk_get_progress(s.bulk, &progress);
  assert_true(progress.waited > 86400 && progress.waited <= 2 * 86400);
done:
  scene_close(&s);
}

/* Another client has used the day: the first response is a 429. */
static void a_429_of_a_spent_day_is_waited_for(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 3));
  privy_sandbox_set_limits(s.sandbox, 60, 1, 60);
  CHECK_OK(send_from_elsewhere(&s));
  s.count = 1;
  s.config.concurrency = 1;
  number_orders(&s);
  s.config.on_spent_day = PRIVY_SPENT_DAY_WAITS;
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 1);
  CHECK_OK(s.status[0]);
  assert_int_equal(privy_sandbox_count(s.sandbox).orders, 1);
done:
  scene_close(&s);
}

static void a_429_does_not_end_a_run(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  number_orders(&s);
  s.config.concurrency = 1;
  CHECK_OK(begin(&s));
  CHECK_OK(fail_once(&s, 429, 0, 3, 4));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 20);
  assert_null(privy_bulk_error(s.bulk));
  assert_int_equal(privy_sandbox_count(s.sandbox).orders + (s.status[3] != PRIVY_OK), 20);
done:
  scene_close(&s);
}

/* Runs 20 orders, one at a time. The server refuses the token at the fourth request. */
static privy_status run_with_a_refused_token(scene *s, int http_status) {
  number_orders(s);
  s->config.concurrency = 1;
  privy_status status = begin(s);
  if (status == PRIVY_OK) status = fail_once(s, http_status, 0, 3, 0);
  return status == PRIVY_OK ? drive(s, "orders.upsert") : status;
}

static void a_refused_token_ends_a_run(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  CHECK_OK(run_with_a_refused_token(&s, 401));
  check_open(&s, 3, 4);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 4);
  const privy_error *error = privy_bulk_error(s.bulk);
  assert_int_equal(error->code, PRIVY_AUTHENTICATION);
  assert_int_equal(error->http_status, 401);
  assert_string_equal(error->path, "/orders/placed");
done:
  scene_close(&s);
}

static void a_missing_scope_ends_a_run(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  CHECK_OK(run_with_a_refused_token(&s, 403));
  check_open(&s, 3, 4);
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_PERMISSION_DENIED);
done:
  scene_close(&s);
}

static const char *const bad_rows[] = {ORDER ",\"order_id\":1}", ORDER ",\"order_id\":-1}", ORDER ",\"order_id\":3}"};

static void a_failed_row_does_not_end_a_run(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  OPEN("orders.upsert", ROWS(bad_rows));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 3);
  assert_int_equal(s.status[1], PRIVY_VALIDATION);
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.failed, 1);
  assert_int_equal(progress.requests, 2);
done:
  scene_close(&s);
}

static void a_row_that_cannot_be_made_ends_the_run_unsent(void **state) {
  (void)state;
  scene s;
  privy_bulk_row open[2];
  OPEN("orders.upsert", NULL, 5);
  number_orders(&s);
  CHECK_MEMORY(privy_bulk_next(s.bulk) == PRIVY_BULK_ROW);
  CHECK_OK(give_row(&s, "orders.upsert"));
  CHECK_MEMORY(privy_bulk_next(s.bulk) == PRIVY_BULK_ROW);
  privy_bulk_fail(s.bulk);
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 1);
  assert_int_equal(privy_bulk_open_rows(s.bulk, open, 2), 1);
  assert_int_equal(open[0].index, 1);
  assert_false(open[0].in_doubt);
done:
  scene_close(&s);
}

/* ---- results ---- */

static void a_result_stays_until_it_is_acknowledged(void **state) {
  (void)state;
  scene s;
  privy_bulk_result_view first, again;
  OPEN("orders.upsert", NULL, 3);
  number_orders(&s);
  s.leave_after = 0;
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_true(privy_bulk_result(s.bulk, &first) && privy_bulk_result(s.bulk, &again));
  CHECK_OK(first.status);
  assert_int_equal(first.index, again.index);
  assert_ptr_equal(first.response, again.response);
  assert_int_equal(first.change, PRIVY_BULK_CREATED);
  s.leave_after = NONE;
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 3);
  assert_false(privy_bulk_result(s.bulk, &first));
done:
  scene_close(&s);
}

static void a_result_counts_once_however_often_it_is_offered(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  OPEN("orders.upsert", NULL, 3);
  number_orders(&s);
  s.leave_after = 0;
  CHECK_OK(drive(&s, "orders.upsert"));
  for (int i = 0; i < 3; i++) assert_int_equal(privy_bulk_next(s.bulk), PRIVY_BULK_RESULT);
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.done, 1);
done:
  scene_close(&s);
}

/* Rows 0 to 2 have one key, and row 3 another. */
static void results_that_are_not_acknowledged_take_places(void **state) {
  (void)state;
  static const char *const rows[] = {ORDER ",\"order_id\":1}", ORDER ",\"order_id\":1}", ORDER ",\"order_id\":1}",
                                     ORDER ",\"order_id\":2}"};
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", ROWS(rows)));
  s.config.concurrency = 2;
  CHECK_OK(begin(&s));
  s.leave_after = 0;
  CHECK_OK(drive(&s, "orders.upsert"));
  for (int i = 0; i < 10; i++) {
    turn(&s);
    CHECK_MEMORY(!privy_bulk_error(s.bulk));
    assert_int_equal(privy_bulk_next(s.bulk), PRIVY_BULK_RESULT);
  }
  if (!harness_sweeping()) assert_int_equal(privy_sandbox_count(s.sandbox).requests, 2);
  s.leave_after = NONE;
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 4);
done:
  scene_close(&s);
}

/* The second row is sent. Its 409 uses up the minute, and the update that follows is refused: the server has done
 * nothing for the row. */
static void a_sent_row_that_finds_the_budget_spent_is_unsent(void **state) {
  (void)state;
  static const char *const rows[] = {"{\"email\":\"a@b.c\"}", "{\"email\":\"a@b.c\",\"first_name\":\"A\"}"};
  scene s;
  CHECK_OK(scene_open(&s, "contacts.upsert", ROWS(rows)));
  s.config.options.max_wait = 5;
  privy_sandbox_set_limits(s.sandbox, 2, 10000, 60);
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "contacts.upsert"));
  check_open(&s, 1, 2);
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_RATE_LIMIT);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 2);
done:
  scene_close(&s);
}

/* Reading the next row may take long. */
static void a_result_is_offered_before_the_next_row_is_taken(void **state) {
  (void)state;
  static const char *const rows[] = {"{}", "{}"};
  scene s;
  OPEN("orders.upsert", ROWS(rows));
  for (size_t index = 0; index < COUNT(rows); index++) {
    privy_bulk_step step = privy_bulk_next(s.bulk);
    if (privy_bulk_error(s.bulk)) goto done;
    assert_int_equal(step, PRIVY_BULK_ROW);
    CHECK_OK(give_row(&s, "orders.upsert"));
    assert_int_equal(privy_bulk_next(s.bulk), PRIVY_BULK_RESULT);
    CHECK_OK(read_result(&s));
  }
done:
  scene_close(&s);
}

/* Rows 0 and 1 have one key, so the second starts when the first has ended; row 2 is refused and has no call. */
static void events_carry_the_index_of_their_row(void **state) {
  (void)state;
  static const char *const rows[] = {EVENT ",\"idempotency_key\":\"k\"}", EVENT ",\"idempotency_key\":\"k\"}", "{}",
                                     EVENT "}"};
  uint64_t of_call[8] = {0};
  bool seen[COUNT(rows)] = {false};
  privy_trace_event event;
  scene s;
  OPEN("events.ingest", ROWS(rows));
  privy_group_observe(s.group, PRIVY_LEVEL_DEBUG);
  CHECK_OK(drive(&s, "events.ingest"));
  while (privy_group_take_event(s.group, &event)) {
    assert_true(event.id < COUNT(rows) && event.call < COUNT(of_call) && event.row == (int64_t)event.id);
    if (of_call[event.call]) assert_true(of_call[event.call] == event.id + 1);
    of_call[event.call] = event.id + 1;
    seen[event.id] = true;
  }
  if (!harness_sweeping()) assert_true(seen[0] && seen[1] && !seen[2] && seen[3]);
done:
  scene_close(&s);
}

static void a_stopped_run_ends_with_the_results_of_what_was_sent(void **state) {
  (void)state;
  scene s;
  privy_bulk_row rows[MANY];
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 50));
  number_orders(&s);
  privy_sandbox_set_limits(s.sandbox, 10, 10000, 60);
  CHECK_OK(begin(&s));
  s.leave_after = 9;
  CHECK_OK(drive(&s, "orders.upsert"));
  privy_bulk_finish(s.bulk);
  s.leave_after = NONE;
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_null(privy_bulk_error(s.bulk));
  assert_int_equal(s.results, privy_sandbox_count(s.sandbox).requests);
  assert_true(s.results <= 10 && privy_sandbox_now(s.sandbox) < START + 60);
  const size_t open = privy_bulk_open_rows(s.bulk, rows, MANY);
  assert_int_equal(open + s.results, s.given);
  for (size_t i = 0; i < open; i++) assert_false(rows[i].in_doubt);
done:
  scene_close(&s);
}

static void a_closed_run_reports_the_rows_in_doubt(void **state) {
  (void)state;
  scene s;
  privy_bulk_row open[16];
  OPEN("events.ingest", NULL, 16);
  s.before = EVENT ",\"event_data\":{\"n\":";
  s.after = "}}";
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  s.leave_after = 3;
  CHECK_OK(drive(&s, "events.ingest"));
  privy_bulk_close(s.bulk);
  privy_bulk_close(s.bulk);
  assert_int_equal(privy_bulk_next(s.bulk), PRIVY_BULK_END);
  const size_t count = privy_bulk_open_rows(s.bulk, open, 16);
  assert_int_equal(count + 3, s.given);
  size_t in_doubt = 0;
  for (size_t i = 0; i < count; i++) {
    in_doubt += open[i].in_doubt;
    if (open[i].in_doubt) assert_int_equal(strlen(open[i].idempotency_key), 32);
  }
  assert_true(in_doubt >= 1);
  privy_bulk_progress progress;
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.requests, privy_sandbox_count(s.sandbox).requests);
  assert_int_equal(privy_sandbox_count(s.sandbox).events, in_doubt + 3 - 1); /* the one with the 503 was not stored */
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(a_spent_minute_ends_a_run_that_may_not_wait),
      TEST_UNSWEPT(a_spent_day_ends_a_run),
      TEST_UNSWEPT(a_run_that_waits_for_the_next_day_continues),
      TEST_UNSWEPT(a_429_of_a_spent_day_is_waited_for),
      TEST_UNSWEPT(a_429_does_not_end_a_run),
      TEST(a_refused_token_ends_a_run),
      TEST(a_missing_scope_ends_a_run),
      TEST(a_failed_row_does_not_end_a_run),
      TEST(a_row_that_cannot_be_made_ends_the_run_unsent),
      TEST(a_result_stays_until_it_is_acknowledged),
      TEST(a_result_counts_once_however_often_it_is_offered),
      TEST(results_that_are_not_acknowledged_take_places),
      TEST(a_sent_row_that_finds_the_budget_spent_is_unsent),
      TEST(a_result_is_offered_before_the_next_row_is_taken),
      TEST(events_carry_the_index_of_their_row),
      TEST(a_stopped_run_ends_with_the_results_of_what_was_sent),
      TEST_UNSWEPT(a_closed_run_reports_the_rows_in_doubt),
  };
  return HARNESS_RUN(tests);
}
