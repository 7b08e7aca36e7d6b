/* Journals: which rows of the source are sent, repeated and skipped. */
#define _POSIX_C_SOURCE 200809L

#include "journal_scene.h"

#define TAKE(json, expected)                                                                                           \
  do {                                                                                                                 \
    CHECK_OK(take(&s, json));                                                                                          \
    assert_int_equal(s.row.state, PRIVY_JOURNAL_##expected);                                                           \
  } while (0)

static void a_row_that_is_done_is_skipped(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, ORDER(1, 5), PRIVY_JOURNAL_CREATED));
  CHECK_OK(complete(&s, ORDER(2, 5), PRIVY_JOURNAL_UPDATED));
  CHECK_OK(begin_again(&s));
  TAKE(ORDER(2, 5), UPDATED);
  TAKE(ORDER(1, 5), CREATED);
  TAKE(ORDER(3, 5), PENDING);
done:
  scene_close(&s);
}

static void a_changed_row_is_sent_again(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, ORDER(1, 5), PRIVY_JOURNAL_CREATED));
  CHECK_OK(begin_again(&s));
  CHECK_OK(complete(&s, ORDER(1, 6), PRIVY_JOURNAL_UPDATED));
  CHECK_OK(begin_again(&s));
  TAKE(ORDER(1, 6), UPDATED);
  CHECK_OK(begin_again(&s));
  TAKE(ORDER(1, 5), PENDING);
done:
  scene_close(&s);
}

static void the_order_of_members_and_leading_zeros_do_not_change_a_row(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "contacts.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, "{\"email\":\"a@b.co\",\"phone_number\":\"+14155550171\",\"custom_fields\":{\"a\":1,\"b\":2}}",
                    PRIVY_JOURNAL_CREATED));
  CHECK_OK(begin_again(&s));
  TAKE("{\"custom_fields\":{\"b\":2,\"a\":1},\"phone_number\":\"+14155550171\",\"email\":\"a@b.co\"}", CREATED);
  CHECK_OK(begin_again(&s));
  TAKE("{\"email\":\"a@b.co\",\"phone_number\":\"+14155550171\",\"custom_fields\":{\"a\":2,\"b\":1}}", PENDING);
done:
  scene_close(&s);
}

/* The texts have a backslash, which the body escapes. */
static void lists_and_escaped_texts_are_content(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "contacts.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, "{\"email\":\"a@b.co\",\"first_name\":\"A\\\\B\",\"tags\":[\"one\",\"two\"]}",
                    PRIVY_JOURNAL_CREATED));
  CHECK_OK(begin_again(&s));
  TAKE("{\"tags\":[\"one\",\"two\"],\"first_name\":\"A\\\\B\",\"email\":\"a@b.co\"}", CREATED);
  CHECK_OK(begin_again(&s));
  TAKE("{\"email\":\"a@b.co\",\"first_name\":\"A\\\\B\",\"tags\":[\"two\",\"one\"]}", PENDING);
  CHECK_OK(begin_again(&s));
  TAKE("{\"email\":\"a@b.co\",\"first_name\":\"A\\\\C\",\"tags\":[\"one\",\"two\"]}", PENDING);
done:
  scene_close(&s);
}

static void a_refused_row_is_sent_again_only_if_it_changed(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, ORDER(1, 5), PRIVY_JOURNAL_REFUSED));
  CHECK_OK(begin_again(&s));
  TAKE(ORDER(1, 5), REFUSED);
  CHECK_OK(begin_again(&s));
  TAKE(ORDER(1, 6), PENDING);
done:
  scene_close(&s);
}

static void a_row_without_effect_is_sent_again(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, ORDER(1, 5), PRIVY_JOURNAL_PENDING));
  CHECK_OK(begin_again(&s));
  TAKE(ORDER(1, 5), PENDING);
done:
  scene_close(&s);
}

static void a_row_in_doubt_keeps_its_key_and_the_time_of_its_first_request(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "events.ingest");
  CHECK_OK(begin(&s));
  CHECK_OK(take(&s, EVENT(1)));
  CHECK_OK(send_row(&s, "0123456789abcdef", 1000.5));
  CHECK_OK(begin_again(&s));
  TAKE(EVENT(1), SENT);
  assert_string_equal(s.row.key, "0123456789abcdef");
  assert_true(s.row.first_sent == 1000.5);
  CHECK_OK(send_row(&s, NULL, 2000));
  CHECK_OK(begin_again(&s));
  TAKE(EVENT(1), SENT);
  assert_string_equal(s.row.key, "0123456789abcdef");
  assert_true(s.row.first_sent == 1000.5);
  CHECK_OK(end_row(&s, PRIVY_JOURNAL_SENT));
  CHECK_OK(begin_again(&s));
  TAKE(EVENT(1), SENT);
  CHECK_OK(end_row(&s, PRIVY_JOURNAL_DONE));
  CHECK_OK(begin_again(&s));
  TAKE(EVENT(1), DONE);
done:
  scene_close(&s);
}

static void equal_events_are_sent_as_often_as_the_source_has_them(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "events.ingest");
  CHECK_OK(begin(&s));
  for (int i = 0; i < 3; i++) CHECK_OK(complete(&s, EVENT(1), PRIVY_JOURNAL_DONE));
  CHECK_OK(begin_again(&s));
  TAKE(EVENT(0), PENDING);
  for (int i = 0; i < 3; i++) TAKE(EVENT(1), DONE);
  for (int i = 0; i < 2; i++) TAKE(EVENT(1), PENDING);
done:
  scene_close(&s);
}

/* The first of two equal events is in doubt: the second, which is done, must not be sent again. */
static void an_event_in_doubt_leaves_equal_events_alone(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "events.ingest");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, EVENT(1), PRIVY_JOURNAL_SENT));
  CHECK_OK(complete(&s, EVENT(1), PRIVY_JOURNAL_DONE));
  CHECK_OK(begin_again(&s));
  TAKE(EVENT(1), SENT);
  TAKE(EVENT(1), DONE);
done:
  scene_close(&s);
}

/* The states of one order are sent in order again from the first one that changed. */
static void later_states_of_a_key_are_sent_again_after_an_earlier_one(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, ORDER(1, 1), PRIVY_JOURNAL_CREATED));
  CHECK_OK(complete(&s, ORDER(1, 2), PRIVY_JOURNAL_UPDATED));
  CHECK_OK(complete(&s, ORDER(1, 3), PRIVY_JOURNAL_UPDATED));
  CHECK_OK(complete(&s, ORDER(2, 1), PRIVY_JOURNAL_CREATED));
  CHECK_OK(begin_again(&s));
  TAKE(ORDER(1, 1), CREATED);
  TAKE(ORDER(1, 9), PENDING);
  CHECK_OK(send_row(&s, NULL, 1));
  CHECK_OK(end_row(&s, PRIVY_JOURNAL_UPDATED));
  CHECK_OK(begin_again(&s)); /* the run stopped before it took the third row */
  TAKE(ORDER(1, 1), CREATED);
  TAKE(ORDER(1, 9), UPDATED);
  TAKE(ORDER(1, 3), PENDING);
  TAKE(ORDER(2, 1), CREATED);
done:
  scene_close(&s);
}

static void a_contact_is_the_same_by_either_of_its_keys(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "contacts.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, "{\"phone_number\":\"+14155550171\",\"email\":\"a@b.co\"}", PRIVY_JOURNAL_CREATED));
  CHECK_OK(complete(&s, "{\"phone_number\":\"+14155550171\",\"first_name\":\"A\"}", PRIVY_JOURNAL_UPDATED));
  CHECK_OK(complete(&s, "{\"email\":\"A@b.co\",\"first_name\":\"B\"}", PRIVY_JOURNAL_UPDATED));
  CHECK_OK(begin_again(&s));
  TAKE("{\"phone_number\":\"+14155550171\",\"email\":\"a@b.co\"}", CREATED);
  TAKE("{\"phone_number\":\"+14155550171\",\"first_name\":\"C\"}", PENDING);
  TAKE("{\"email\":\"A@b.co\",\"first_name\":\"B\"}", UPDATED);
  CHECK_OK(begin_again(&s));
  TAKE("{\"phone_number\":\"+14155550171\",\"email\":\"a@b.co\",\"first_name\":\"D\"}", PENDING);
  TAKE("{\"phone_number\":\"+14155550171\",\"first_name\":\"C\"}", PENDING);
  TAKE("{\"email\":\"A@b.co\",\"first_name\":\"B\"}", PENDING);
done:
  scene_close(&s);
}

static void what_is_not_committed_is_forgotten(void **state) {
  (void)state;
  scene s;
  uint64_t rows;
  const privy_journal_outcome outcome = {.state = PRIVY_JOURNAL_CREATED};
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(take(&s, ORDER(1, 5)));
  CHECK_OK(send_row(&s, NULL, 1));
  CHECK_OK(privy_journal_end(s.journal, s.row.id, &outcome, &s.error));
  CHECK_OK(take(&s, ORDER(2, 5)));
  CHECK_OK(begin_again(&s));
  CHECK_OK(count(&s, PRIVY_JOURNAL_PENDING, &rows));
  assert_int_equal(rows, 0);
  TAKE(ORDER(1, 5), SENT);
done:
  scene_close(&s);
}

static void an_invalid_row_is_checked_again(void **state) {
  (void)state;
  scene s;
  uint64_t rows;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_STATUS(take(&s, "{\"order_id\":-1}"), PRIVY_VALIDATION);
  privy_error cause = s.error;
  privy_error_init(&s.error);
  privy_status status = privy_journal_refuse(s.journal, 0, NULL, &cause, &s.error);
  if (status == PRIVY_OK) status = privy_journal_refuse(s.journal, 0, NULL, &cause, &s.error);
  privy_error_clear(&cause);
  CHECK_OK(status);
  CHECK_OK(privy_journal_commit(s.journal, &s.error));
  CHECK_OK(count(&s, PRIVY_JOURNAL_INVALID, &rows));
  assert_int_equal(rows, 1);
  CHECK_OK(begin_again(&s));
  CHECK_OK(count(&s, PRIVY_JOURNAL_INVALID, &rows));
  assert_int_equal(rows, 0);
done:
  scene_close(&s);
}

static void a_restart_forgets_all_rows(void **state) {
  (void)state;
  scene s;
  uint64_t rows;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, ORDER(1, 5), PRIVY_JOURNAL_CREATED));
  s.config.resume = PRIVY_RESUME_RESTART;
  CHECK_OK(begin_again(&s));
  CHECK_OK(count(&s, PRIVY_JOURNAL_CREATED, &rows));
  assert_int_equal(rows, 0);
  TAKE(ORDER(1, 5), PENDING);
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_row_that_is_done_is_skipped),
      TEST(a_changed_row_is_sent_again),
      TEST(the_order_of_members_and_leading_zeros_do_not_change_a_row),
      TEST(lists_and_escaped_texts_are_content),
      TEST(a_refused_row_is_sent_again_only_if_it_changed),
      TEST(a_row_without_effect_is_sent_again),
      TEST(a_row_in_doubt_keeps_its_key_and_the_time_of_its_first_request),
      TEST(equal_events_are_sent_as_often_as_the_source_has_them),
      TEST(an_event_in_doubt_leaves_equal_events_alone),
      TEST(later_states_of_a_key_are_sent_again_after_an_earlier_one),
      TEST(a_contact_is_the_same_by_either_of_its_keys),
      TEST(what_is_not_committed_is_forgotten),
      TEST(an_invalid_row_is_checked_again),
      TEST(a_restart_forgets_all_rows),
  };
  return HARNESS_RUN(tests);
}
