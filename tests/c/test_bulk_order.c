/* Bulk runs: the order of rows that have a key in common, and how many rows are in flight or held. */
#include "bulk_scene.h"

/* ---- order ---- */

static void every_row_has_one_result(void **state) {
  (void)state;
  scene s;
  OPEN("orders.upsert", NULL, harness_rounds(40, 6));
  number_orders(&s);
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, s.count);
  assert_int_equal(privy_sandbox_count(s.sandbox).orders, s.count);
  privy_bulk_progress progress;
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.created, s.count);
  assert_int_equal(progress.requests, s.count);
  assert_int_equal(progress.failed + progress.updated, 0);
  assert_null(privy_bulk_error(s.bulk));
  assert_int_equal(privy_bulk_open_rows(s.bulk, NULL, 0), 0);
done:
  scene_close(&s);
}

static const char *const contact_rows[] = {
    "{\"email\":\"x@example.com\",\"first_name\":\"first\"}",
    "{\"email\":\"y@example.com\",\"first_name\":\"other\"}",
    "{\"email\":\"X@Example.com\",\"first_name\":\"second\"}",
    "{\"email\":\"x@example.com\",\"first_name\":\"third\"}",
};

static void a_retried_row_is_not_overtaken(void **state) {
  (void)state;
  scene s;
  char name[32];
  OPEN("contacts.upsert", ROWS(contact_rows));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "contacts.upsert"));
  assert_int_equal(s.results, 4);
  assert_true(comes_before(&s, 0, 2));
  assert_true(comes_before(&s, 2, 3));
  assert_true(comes_before(&s, 1, 0));
  CHECK_OK(stored_name(&s, name));
  assert_string_equal(name, "third");
done:
  scene_close(&s);
}

static const char *const two_keys[] = {
    "{\"email\":\"a@example.com\",\"phone_number\":\"+14155550171\"}",
    "{\"phone_number\":\"+14155550171\",\"first_name\":\"by phone\"}",
    "{\"email\":\"a@example.com\",\"first_name\":\"by e-mail\"}",
    "{\"email\":\"b@example.com\",\"phone_number\":\"+14155550172\"}",
    "{\"email\":\"b@example.com\",\"phone_number\":\"+14155550171\"}",
    "{\"phone_number\":\"+14155550172\",\"first_name\":\"last\"}",
};

static void a_row_waits_for_each_of_its_keys(void **state) {
  (void)state;
  scene s;
  OPEN("contacts.upsert", ROWS(two_keys));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "contacts.upsert"));
  assert_int_equal(s.results, 6);
  assert_true(comes_before(&s, 3, 0));
  assert_true(comes_before(&s, 0, 1) && comes_before(&s, 0, 2));
  assert_true(comes_before(&s, 1, 4) && comes_before(&s, 3, 4));
  assert_true(comes_before(&s, 5, 4) == false || comes_before(&s, 3, 5));
done:
  scene_close(&s);
}

static const char *const order_keys[] = {ORDER ",\"order_id\":7,\"financial_status\":\"pending\"}",
                                         ORDER ",\"order_id\":\"007\",\"financial_status\":\"paid\"}",
                                         ORDER ",\"order_id\":\"8\"}"};

static void numbers_and_texts_are_the_same_order(void **state) {
  (void)state;
  scene s;
  OPEN("orders.upsert", ROWS(order_keys));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_true(comes_before(&s, 2, 0) && comes_before(&s, 0, 1));
done:
  scene_close(&s);
}

static const char *const event_rows[] = {EVENT ",\"idempotency_key\":\"k\"}", EVENT ",\"idempotency_key\":\"k\"}",
                                         EVENT "}", EVENT "}"};

static void events_with_one_key_keep_their_order(void **state) {
  (void)state;
  scene s;
  OPEN("events.ingest", ROWS(event_rows));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "events.ingest"));
  assert_int_equal(s.results, 4);
  assert_true(comes_before(&s, 2, 0) && comes_before(&s, 3, 0) && comes_before(&s, 0, 1));
  assert_int_equal(privy_sandbox_count(s.sandbox).events, 3);
done:
  scene_close(&s);
}

static void a_row_that_backs_off_takes_no_place(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 5));
  number_orders(&s);
  s.config.concurrency = 1;
  CHECK_OK(begin(&s));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "orders.upsert"));
  for (size_t i = 1; i < 5; i++) assert_true(comes_before(&s, i, 0));
done:
  scene_close(&s);
}

static void look_ahead_is_bounded(void **state) {
  (void)state;
  scene s;
  OPEN("orders.upsert", NULL, MANY);
  s.before = ORDER ",\"order_id\":1,\"total_items\":";
  s.after = "}";
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  s.leave_after = 0;
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.given, PRIVY_BULK_LOOKAHEAD);
done:
  scene_close(&s);
}

static void an_outage_does_not_fail_row_after_row(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 500));
  number_orders(&s);
  s.config.concurrency = 3;
  CHECK_OK(begin(&s));
  CHECK_OK(fail_once(&s, 503, 3000, 0, 0));
  s.leave_after = 0;
  for (int turns = 0; turns < 100 && privy_bulk_next(s.bulk) != PRIVY_BULK_END; turns++) {
    if (privy_bulk_next(s.bulk) == PRIVY_BULK_ROW)
      CHECK_OK(give_row(&s, "orders.upsert"));
    else
      privy_group_wait(s.group, 0);
  }
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.taken, 6);
  assert_int_equal(progress.requests, 6);
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(every_row_has_one_result),
      TEST(a_retried_row_is_not_overtaken),
      TEST(a_row_waits_for_each_of_its_keys),
      TEST(numbers_and_texts_are_the_same_order),
      TEST(events_with_one_key_keep_their_order),
      TEST(a_row_that_backs_off_takes_no_place),
      TEST_UNSWEPT(an_outage_does_not_fail_row_after_row),
      TEST_UNSWEPT(look_ahead_is_bounded),
  };
  return HARNESS_RUN(tests);
}
