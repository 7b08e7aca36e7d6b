/* Bulk runs with a journal: what the next run sends, skips and repeats. */
#define _POSIX_C_SOURCE 200809L

#include "bulk_journal_scene.h"

#define DONE_WITH(expected_skipped, expected_results, expected_requests)                                               \
  do {                                                                                                                 \
    CHECK_OK(ended_with(&s, &progress));                                                                               \
    assert_int_equal(progress.skipped, expected_skipped);                                                              \
    assert_int_equal(s.results, expected_results);                                                                     \
    assert_int_equal(privy_sandbox_count(s.sandbox).requests, expected_requests);                                      \
  } while (0)

static const char *const orders[] = {ORDER ",\"order_id\":1}", ORDER ",\"order_id\":2}", ORDER ",\"order_id\":-1}",
                                     ORDER ",\"order_id\":3}"};

static void a_second_run_costs_nothing(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  privy_bulk_progress progress;
  char rows[8192];
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "orders.upsert", ROWS(orders)));
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "orders.upsert"));
  DONE_WITH(0, 4, 3);
  CHECK_OK(run_again(&s, "orders.upsert"));
  DONE_WITH(3, 1, 3); /* the invalid row is checked again */
  assert_int_equal(s.skipped, 3);
  assert_int_equal(progress.failed, 1);
  read_journal(place.path, "SELECT key, state, http_status, record_id, request FROM rows ORDER BY key", rows);
  assert_string_equal(rows, "order_id=1 created 201 1 -\norder_id=2 created 201 2 -\norder_id=3 created 201 3 -\n"
                            "row=2 invalid - - " ORDER ",\"order_id\":-1}\n");
done:
  scene_close(&s);
  place_remove(&place);
}

static void a_changed_row_and_a_new_one_are_sent(void **state) {
  (void)state;
  static const char *const later[] = {ORDER ",\"order_id\":2}", ORDER ",\"order_id\":1,\"financial_status\":\"x\"}",
                                      ORDER ",\"order_id\":4}"};
  scene s = {0};
  journal_place place;
  privy_bulk_progress progress;
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "orders.upsert", orders, 2));
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "orders.upsert"));
  s.rows = later;
  s.count = COUNT(later);
  CHECK_OK(run_again(&s, "orders.upsert"));
  CHECK_OK(ended_with(&s, &progress));
  assert_int_equal(progress.skipped, 1);
  assert_int_equal(progress.updated, 1);
  assert_int_equal(progress.created, 1);
done:
  scene_close(&s);
  place_remove(&place);
}

static void the_server_s_refusal_is_kept(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  privy_bulk_progress progress;
  char rows[8192];
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "orders.upsert", orders, 2));
  CHECK_OK(begin(&s));
  CHECK_OK(fail_once(&s, 422, 0, 1, 1));
  s.config.concurrency = 1;
  CHECK_OK(drive(&s, "orders.upsert"));
  CHECK_OK(run_again(&s, "orders.upsert"));
  DONE_WITH(2, 0, 2);
  assert_true(privy_bulk_take_progress(s.bulk, &progress)); /* the rows that are skipped last are a report */
  assert_int_equal(progress.skipped, 2);
  assert_int_equal(progress.skipped_refused, 1);
  assert_false(privy_bulk_take_progress(s.bulk, &progress));
  read_journal(place.path, "SELECT state, http_status, message IS NOT NULL, request IS NOT NULL FROM rows ORDER BY id",
               rows);
  assert_string_equal(rows, "created 201 0 0\nrefused 422 1 1\n");
done:
  scene_close(&s);
  place_remove(&place);
}

static void an_event_in_doubt_is_sent_again_with_its_key(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  privy_bulk_progress progress;
  place_make(&place);
  CHECK_OK(lose_an_event(&s, &place));
  assert_int_equal(s.status[1], PRIVY_CONNECTION);
  assert_int_equal(privy_sandbox_count(s.sandbox).events, 2);
  CHECK_OK(run_again(&s, "events.ingest"));
  DONE_WITH(1, 1, 3);
  assert_int_equal(s.status[1], PRIVY_OK);
  assert_int_equal(privy_sandbox_count(s.sandbox).events, 2);
  CHECK_OK(run_again(&s, "events.ingest"));
  DONE_WITH(2, 0, 3);
done:
  scene_close(&s);
  place_remove(&place);
}

/* Closes a run that has started calls and sent nothing. */
static privy_status start_and_close(scene *s, const char *operation) {
  privy_bulk_free(s->bulk);
  s->bulk = NULL;
  s->given = s->results = 0;
  privy_status status = begin(s);
  while (status == PRIVY_OK && privy_bulk_next(s->bulk) == PRIVY_BULK_ROW) status = give_row(s, operation);
  if (status == PRIVY_OK) privy_bulk_close(s->bulk);
  return status;
}

/* One run gets no outcome for the event, and another sends nothing: the next still knows its key. */
static void an_event_stays_in_doubt_until_it_has_an_outcome(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  privy_bulk_progress progress;
  place_make(&place);
  CHECK_OK(lose_an_event(&s, &place));
  CHECK_OK(fail_once(&s, 429, 0, 0, 1));
  CHECK_OK(run_again(&s, "events.ingest"));
  assert_int_equal(s.status[1], PRIVY_RATE_LIMIT);
  const uint64_t requests = privy_sandbox_count(s.sandbox).requests;
  CHECK_OK(start_and_close(&s, "events.ingest"));
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, requests);
  CHECK_OK(run_again(&s, "events.ingest"));
  CHECK_OK(ended_with(&s, &progress));
  assert_int_equal(progress.skipped, 1);
  CHECK_OK(s.status[1]);
  assert_int_equal(privy_sandbox_count(s.sandbox).events, 2);
done:
  scene_close(&s);
  place_remove(&place);
}

static void an_event_in_doubt_for_a_day_is_not_sent(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  privy_bulk_progress progress;
  privy_bulk_result_view result;
  place_make(&place);
  CHECK_OK(lose_an_event(&s, &place));
  privy_sandbox_advance(s.sandbox, 86500);
  s.leave_after = 0;
  CHECK_OK(run_again(&s, "events.ingest"));
  CHECK_MEMORY(privy_bulk_result(s.bulk, &result) && result.status != PRIVY_NO_MEMORY);
  assert_int_equal(result.status, PRIVY_JOURNAL);
  assert_string_equal(result.error->api_code, "in_doubt_too_long");
  assert_non_null(strstr(result.error->message, "2026-05-12T"));
  assert_true(result.error->may_have_succeeded);
  CHECK_OK(ended_with(&s, &progress));
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 2);
done:
  scene_close(&s);
  place_remove(&place);
}

/* The order was created by a request whose response was lost, so the next run reports that it was created. */
static void what_a_lost_request_created_was_not_updated(void **state) {
  (void)state;
  const privy_sandbox_fault lost = {.cut = PRIVY_CUT_DROP, .retry_after = -1, .count = 1};
  scene s = {0};
  journal_place place;
  privy_bulk_progress progress;
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "orders.upsert", orders, 1));
  s.config.options.max_retries = 0;
  s.config.options.given |= PRIVY_GIVEN(MAX_RETRIES);
  CHECK_OK(begin(&s));
  CHECK_OK(privy_sandbox_add_fault(s.sandbox, &lost));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.status[0], PRIVY_CONNECTION);
  CHECK_OK(run_again(&s, "orders.upsert"));
  DONE_WITH(0, 1, 2);
  assert_int_equal(progress.created, 1);
  assert_int_equal(progress.updated, 0);
done:
  scene_close(&s);
  place_remove(&place);
}

static void a_run_that_stops_leaves_its_unsent_rows_to_the_next(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  privy_bulk_progress progress;
  char rows[8192];
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "orders.upsert", NULL, 20));
  number_orders(&s);
  s.config.options.max_wait = 0;
  privy_sandbox_set_limits(s.sandbox, 12, 10000, 60);
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_RATE_LIMIT);
  read_journal(place.path, "SELECT count(*) FROM rows WHERE state NOT IN ('created', 'pending')", rows);
  assert_string_equal(rows, "0\n");
  privy_sandbox_advance(s.sandbox, 61);
  CHECK_OK(run_again(&s, "orders.upsert"));
  DONE_WITH(12, 8, 20);
done:
  scene_close(&s);
  place_remove(&place);
}

/* Rows that a closed run has started and not sent are sent by the next one; its journal is free at once. */
static void a_closed_run_frees_its_journal(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  privy_bulk *closed = NULL;
  privy_bulk_progress progress;
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "events.ingest", NULL, 16));
  s.before = EVENT ",\"event_data\":{\"n\":";
  s.after = "}}";
  s.leave_after = 3;
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "events.ingest"));
  privy_bulk_close(s.bulk);
  closed = s.bulk;
  s.bulk = NULL;
  s.leave_after = NONE;
  privy_group *group = s.group;
  s.group = NULL;
  privy_status status = run_again(&s, "events.ingest");
  if (status == PRIVY_OK) status = ended_with(&s, &progress);
  privy_bulk_free(closed);
  privy_group_free(group);
  CHECK_OK(status);
  assert_int_equal(progress.skipped + s.results, 16);
  assert_int_equal(privy_sandbox_count(s.sandbox).events, 16);
done:
  scene_close(&s);
  place_remove(&place);
}

static void a_journal_that_another_run_uses_is_an_error(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  privy_bulk *second = NULL;
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "orders.upsert", orders, 1));
  CHECK_OK(begin(&s));
  CHECK_STATUS(privy_bulk_new(s.group, &s.config, &second, &s.error), PRIVY_JOURNAL);
  assert_string_equal(s.error.api_code, "journal_locked");
  privy_error_clear(&s.error);
  s.config.operation = NULL;
  CHECK_STATUS(privy_bulk_new(s.group, &s.config, &second, &s.error), PRIVY_CONFIG_ERROR);
done:
  scene_close(&s);
  place_remove(&place);
}

/* Another program keeps the journal from being written: the run sends nothing more. */
static void a_run_that_cannot_write_its_journal_ends(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  char rows[8192];
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "orders.upsert", NULL, 20));
  number_orders(&s);
  CHECK_OK(begin(&s));
  read_journal(place.path,
               "CREATE TRIGGER full BEFORE UPDATE ON rows WHEN (SELECT count(*) FROM rows WHERE state = 'created') = 5"
               " BEGIN SELECT raise(FAIL, 'full'); END",
               rows);
  CHECK_OK(drive(&s, "orders.upsert"));
  CHECK_STATUS(privy_bulk_error(s.bulk)->code, PRIVY_JOURNAL);
  assert_string_equal(privy_bulk_error(s.bulk)->api_code, "journal_unusable");
  assert_in_range(privy_sandbox_count(s.sandbox).requests, 5, 5 + 8);
  const size_t sent = (size_t)privy_sandbox_count(s.sandbox).requests;
  read_journal(place.path, "DROP TRIGGER full; SELECT count(*) FROM rows WHERE state IN ('sent', 'created')", rows);
  assert_int_equal(strtoul(rows, NULL, 10), sent);
  CHECK_OK(run_again(&s, "orders.upsert"));
  assert_int_equal(privy_sandbox_count(s.sandbox).orders, 20);
done:
  scene_close(&s);
  place_remove(&place);
}

/* A binding that holds a lock releases it only then. */
static void a_run_says_when_it_waits_for_the_disk(void **state) {
  (void)state;
  scene s = {0};
  journal_place place;
  place_make(&place);
  CHECK_OK(open_with_journal(&s, &place, "orders.upsert", orders, 1));
  CHECK_OK(begin(&s));
  assert_false(privy_bulk_will_sync(s.bulk));
  assert_int_equal(privy_bulk_next(s.bulk), PRIVY_BULK_ROW);
  CHECK_OK(give_row(&s, "orders.upsert"));
  assert_true(privy_bulk_will_sync(s.bulk)); /* the row is new */
  while (privy_bulk_next(s.bulk) == PRIVY_BULK_ROW) CHECK_OK(give_row(&s, "orders.upsert"));
  assert_false(privy_bulk_will_sync(s.bulk));
  for (int turns = 0; turns < 100 && !privy_bulk_will_sync(s.bulk); turns++) turn(&s);
  assert_true(privy_bulk_will_sync(s.bulk)); /* it has an outcome */
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_false(privy_bulk_will_sync(s.bulk)); /* the journal is closed */
done:
  scene_close(&s);
  place_remove(&place);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_second_run_costs_nothing),
      TEST(a_changed_row_and_a_new_one_are_sent),
      TEST(the_server_s_refusal_is_kept),
      TEST(an_event_in_doubt_is_sent_again_with_its_key),
      TEST_UNSWEPT(an_event_stays_in_doubt_until_it_has_an_outcome),
      TEST(an_event_in_doubt_for_a_day_is_not_sent),
      TEST(what_a_lost_request_created_was_not_updated),
      TEST_UNSWEPT(a_run_that_stops_leaves_its_unsent_rows_to_the_next),
      TEST_UNSWEPT(a_closed_run_frees_its_journal),
      TEST(a_journal_that_another_run_uses_is_an_error),
      TEST_UNSWEPT(a_run_that_cannot_write_its_journal_ends),
      TEST_UNSWEPT(a_run_says_when_it_waits_for_the_disk),
  };
  return HARNESS_RUN(tests);
}
