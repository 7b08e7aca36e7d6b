/* Plans: what they read, rows of one contact, requests, text, and how they end. */
#include "jobs/plan_read.h"
#include "plan_scene.h"

#define JANE "{\"email\":\"jane@x.io\""
#define PHONE "+14155550101"

/* ---- what is read ---- */

static void look_ups_are_chosen_when_they_take_fewer_requests(void **state) {
  (void)state;
  assert_int_equal(privy_plan_pages_left(0, 1), 0);
  assert_int_equal(privy_plan_pages_left(100, 1), 0);
  assert_int_equal(privy_plan_pages_left(101, 1), 1);
  assert_int_equal(privy_plan_pages_left(10000, 1), 99);
  assert_true(privy_plan_prefers_lookups(98, 99));
  assert_false(privy_plan_prefers_lookups(99, 99));
  assert_false(privy_plan_prefers_lookups(5, 0));
}

/* Contacts p0@x.io, p1@x.io, … */
static privy_status fill(plan_scene *s, size_t count) {
  char json[96];
  for (size_t i = 0; i < count; i++) {
    snprintf(json, sizeof json, "{\"email\":\"p%zu@x.io\",\"first_name\":\"%zu\"}", i, i);
    const privy_status status = store(s, json);
    if (status != PRIVY_OK) return status;
  }
  return PRIVY_OK;
}

/* Rows of every `step`th contact, of which every second differs. */
static privy_status plan_for(plan_scene *s, size_t first, size_t count, size_t step) {
  char json[96];
  privy_status status = plan_begin(s);
  for (size_t i = 0; status == PRIVY_OK && i < count; i++) {
    const size_t number = first + i * step;
    snprintf(json, sizeof json, "{\"email\":\"p%zu@x.io\",\"first_name\":\"%zu\"}", number, number + i % 2);
    status = add_plan_row(s, json);
  }
  if (status != PRIVY_OK) return status;
  privy_plan_end_rows(s->plan);
  return plan_drive(s);
}

static void assert_read(const plan_scene *s, uint64_t before, uint64_t requests, uint64_t unchanged, uint64_t update,
                        uint64_t create) {
  privy_plan_counts counts;
  privy_plan_count(s->plan, &counts);
  assert_int_equal(requests_of(s) - before, requests);
  assert_int_equal(counts.requests_read, requests);
  assert_int_equal(counts.rows[PRIVY_PLAN_UNCHANGED], unchanged);
  assert_int_equal(counts.rows[PRIVY_PLAN_UPDATE], update);
  assert_int_equal(counts.rows[PRIVY_PLAN_CREATE], create);
}

static bool try_reading(plan_scene *s, size_t first, size_t count, size_t step, uint64_t requests, uint64_t create) {
  bool done = false;
  const uint64_t before = requests_of(s), found = count - create;
  CHECK_OK(plan_for(s, first, count, step));
  assert_read(s, before, requests, (found + 1) / 2, found / 2, create);
  plan_drop(s);
  done = true;
done:
  return done;
}

static void the_cheapest_way_is_read(void **state) {
  (void)state;
  plan_scene s;
  CHECK_OK(plan_open(&s));
  CHECK_OK(fill(&s, harness_rounds(650, 101)));
  if (harness_sweeping()) {
    CHECK_MEMORY(try_reading(&s, 0, 4, 1, 1 + 1 - 1, 0));
    CHECK_MEMORY(try_reading(&s, 99, 4, 1, 2, 2));
    goto done;
  }
  CHECK_MEMORY(try_reading(&s, 400, 1, 1, 1, 0));     /* one look-up */
  CHECK_MEMORY(try_reading(&s, 649, 3, 1, 3, 2));     /* three of them, two find nothing */
  CHECK_MEMORY(try_reading(&s, 200, 5, 1, 6, 0));     /* the first page, then look-ups */
  CHECK_MEMORY(try_reading(&s, 200, 7, 1, 7, 0));     /* seven pages */
  CHECK_MEMORY(try_reading(&s, 0, 104, 1, 1 + 4, 0)); /* the first page has all but four */
  CHECK_MEMORY(try_reading(&s, 0, 650, 1, 7, 0));
  CHECK_MEMORY(try_reading(&s, 600, 100, 1, 7, 50));
done:
  plan_close(&s);
}

static void rows_without_any_key_read_nothing(void **state) {
  (void)state;
  plan_scene s;
  static const char *const rows[] = {"{\"email\":\"no address\"}", "{\"first_name\":\"J\"}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  assert_int_equal(requests_of(&s), 0);
  assert_row(&s, 0, "refused", "-", "email invalid_email");
  assert_row(&s, 1, "refused", "-", "base identifier_required");
  CHECK_OK(apply(&s));
  assert_int_equal(requests_of(&s), 0);
done:
  plan_close(&s);
}

static void a_phone_number_is_looked_up_if_the_address_finds_nothing(void **state) {
  (void)state;
  plan_scene s;
  static const char *const rows[] = {"{\"email\":\"jane@x.io\",\"phone_number\":\"" PHONE "\"}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, "{\"phone_number\":\"" PHONE "\"}"));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  assert_row(&s, 0, "update", "{\"email\":[null,\"jane@x.io\"]}", "");
  assert_int_equal(requests_of(&s), 1 + 2);
  CHECK_OK(apply(&s));
  assert_int_equal(s.failed, 0);
  CHECK_OK(assert_stored(&s, "jane@x.io", PHONE));
done:
  plan_close(&s);
}

static void a_contact_that_has_both_is_looked_up_once(void **state) {
  (void)state;
  plan_scene s;
  static const char *const rows[] = {"{\"email\":\"jane@x.io\",\"phone_number\":\"" PHONE "\"}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, rows[0]));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  assert_row(&s, 0, "unchanged", "-", "");
  assert_int_equal(requests_of(&s), 1 + 1);
done:
  plan_close(&s);
}

/* Whatever contact has the number of the row, the row is blocked. */
static void a_contact_that_has_another_number_is_looked_up_once(void **state) {
  (void)state;
  plan_scene s;
  static const char *const rows[] = {"{\"email\":\"jane@x.io\",\"phone_number\":\"+14155550102\"}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, JANE ",\"phone_number\":\"" PHONE "\"}"));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  assert_row(&s, 0, "blocked", "{\"phone_number\":[\"" PHONE "\",\"+14155550102\"]}", "phone_number immutable");
  assert_int_equal(requests_of(&s), 1 + 1);
done:
  plan_close(&s);
}

/* ---- rows of one contact ---- */

static void an_address_and_a_number_of_two_contacts_are_blocked(void **state) {
  (void)state;
  plan_scene s;
  static const char *const rows[] = {"{\"email\":\"jane@x.io\",\"phone_number\":\"" PHONE "\"}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, JANE "}"));
  CHECK_OK(store(&s, "{\"phone_number\":\"" PHONE "\"}"));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  assert_row(&s, 0, "blocked", "-", "base two_contacts");
done:
  plan_close(&s);
}

static void rows_of_one_contact_share_a_request(void **state) {
  (void)state;
  plan_scene s;
  static const char *const rows[] = {
      JANE ",\"first_name\":\"A\",\"tags\":[\"a\"]}",
      JANE ",\"first_name\":\"B\"}",
      JANE ",\"first_name\":\"B\"}",
      JANE ",\"phone_number\":\"" PHONE "\"}",
      "{\"phone_number\":\"" PHONE "\",\"last_name\":\"Doe\"}",
      "{\"email\":\"new@x.io\",\"first_name\":\"N\"}",
      "{\"email\":\"NEW@x.io\",\"tags\":[\"n\"]}",
  };
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, JANE "}"));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  assert_row(&s, 0, "update", "{\"first_name\":[null,\"A\"],\"tags\":[[],[\"a\"]]}", "");
  assert_row(&s, 1, "update", "{\"first_name\":[\"A\",\"B\"]}", "");
  assert_row(&s, 2, "unchanged", "-", "");
  assert_row(&s, 3, "update", "{\"phone_number\":[null,\"" PHONE "\"]}", "");
  assert_row(&s, 4, "update", "{\"last_name\":[null,\"Doe\"]}", "");
  assert_row(&s, 5, "create", "{\"email\":[null,\"new@x.io\"],\"first_name\":[null,\"N\"]}", "");
  assert_row(&s, 6, "update", "{\"tags\":[[],[\"n\"]]}", "");
  assert_int_equal(row_of(&s, 4).request, 0);
  assert_int_equal(row_of(&s, 6).request, 1);
  assert_int_equal(privy_plan_row_of_request(s.plan, 1), 5);
  CHECK_OK(apply(&s));
  assert_int_equal(requests_of(&s) - s.before_run, 2);
  CHECK_OK(assert_stored(&s, "jane@x.io", "\"first_name\":\"B\",\"last_name\":\"Doe\""));
  CHECK_OK(assert_stored(&s, PHONE, "\"tags\":[\"a\"]"));
  CHECK_OK(assert_stored(&s, "new@x.io", "\"tags\":[\"n\"]"));
done:
  plan_close(&s);
}

static void a_change_that_a_later_row_takes_back_is_not_sent(void **state) {
  (void)state;
  plan_scene s;
  static const char *const rows[] = {JANE ",\"first_name\":\"A\"}", JANE ",\"first_name\":\"Jane\"}",
                                     "{\"email\":\"joe@x.io\",\"first_name\":\"A\",\"last_name\":\"B\"}",
                                     "{\"email\":\"joe@x.io\",\"first_name\":\"Joe\"}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, JANE ",\"first_name\":\"Jane\"}"));
  CHECK_OK(store(&s, "{\"email\":\"joe@x.io\",\"first_name\":\"Joe\"}"));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  assert_row(&s, 0, "unchanged", "-", "");
  assert_row(&s, 1, "unchanged", "-", "");
  assert_row(&s, 2, "update", "{\"first_name\":[\"Joe\",\"A\"],\"last_name\":[null,\"B\"]}", "");
  CHECK_OK(apply(&s));
  assert_int_equal(requests_of(&s) - s.before_run, 1);
  CHECK_OK(assert_stored(&s, "joe@x.io", "\"first_name\":\"Joe\",\"last_name\":\"B\""));
done:
  plan_close(&s);
}

/* ---- text ---- */

static void a_plan_is_readable(void **state) {
  (void)state;
  plan_scene s;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  static const char *const rows[] = {JANE ",\"first_name\":\"Janet\"}",
                                     "{\"email\":\"new@x.io\",\"tags\":[\"a\"]}",
                                     "{\"email\":\"joe@x.io\",\"email_consent\":\"subscribed\"}",
                                     "{\"email\":\"bad\"}",
                                     "{\"email\":\"z@x.io\"}",
                                     "{\"email\":\"y@x.io\"}"};
  CHECK_OK(plan_open(&s));
  privy_sandbox_set_limits(s.sandbox, 60, 10000, 60);
  CHECK_OK(store(&s, JANE ",\"first_name\":\"Jane\"}"));
  CHECK_OK(store(&s, "{\"email\":\"joe@x.io\",\"email_consent\":\"unsubscribed\"}"));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  CHECK_OK(privy_plan_text(s.plan, 2, &text));
  assert_text(text.data, text.length,
              "6 rows: 3 create, 1 update, 0 unchanged, 1 blocked, 1 refused\n"
              "4 requests to apply; 1 request was used to read\n\n"
              "create (3)\n"
              "  row 1 n***@x.io: email: \"n***@x.io\", tags: [\"a\"]\n"
              "  row 4 z***@x.io: email: \"z***@x.io\"\n"
              "  … and 1 more\n\n"
              "update (1)\n"
              "  row 0 j***@x.io: first_name: \"Jane\" → \"Janet\"\n\n"
              "blocked (1)\n"
              "  row 2 j***@x.io: email_consent is unsubscribed, and would become subscribed: the consent was "
              "withdrawn; pass resubscribe to allow it\n\n"
              "refused (1)\n"
              "  row 3: email must be an e-mail address: one @ between non-empty parts, no space or control "
              "character, at most 254 bytes");
done:
  privy_buffer_clear(&text);
  plan_close(&s);
}

static void the_time_of_applying_is_that_of_the_rate_limits(void **state) {
  (void)state;
  plan_scene s;
  privy_plan_counts counts;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  CHECK_OK(plan_open(&s));
  privy_sandbox_set_limits(s.sandbox, 60, 10000, 60);
  CHECK_OK(plan_for(&s, 0, harness_rounds(600, 61), 1));
  privy_plan_count(s.plan, &counts);
  assert_int_equal(counts.duration, harness_rounds(600, 60));
  CHECK_OK(privy_plan_text(s.plan, 0, &text));
  CHECK_MEMORY(privy_buffer_terminate(&text));
  assert_non_null(strstr(text.data, harness_sweeping() ? ", in 1 min;" : "600 requests to apply, in 10 min;"));
done:
  privy_buffer_clear(&text);
  plan_close(&s);
}

/* ---- ends ---- */

static void a_failed_request_ends_the_plan(void **state) {
  (void)state;
  plan_scene s;
  static const char *const rows[] = {JANE "}", "{\"email\":\"a@x.io\"}", "{\"email\":\"b@x.io\"}",
                                     "{\"email\":\"c@x.io\"}"};
  for (size_t count = 1; count <= COUNT(rows); count += COUNT(rows) - 1) {
    CHECK_OK(plan_open(&s));
    const privy_sandbox_fault fault = {.http_status = 403, .retry_after = -1};
    CHECK_OK(privy_sandbox_add_fault(s.sandbox, &fault));
    CHECK_STATUS(make_plan(&s, rows, count), PRIVY_PERMISSION_DENIED);
    assert_int_equal(privy_plan_error(s.plan)->http_status, 403);
    assert_int_equal(requests_of(&s), 1);
    CHECK_STATUS(apply(&s), PRIVY_CONFIG_ERROR);
    plan_close(&s);
  }
  CHECK_OK(plan_open(&s));
done:
  plan_close(&s);
}

static void a_closed_plan_sends_nothing_more(void **state) {
  (void)state;
  plan_scene s;
  privy_plan_row row;
  CHECK_OK(plan_open(&s));
  CHECK_OK(plan_begin(&s));
  CHECK_OK(add_plan_row(&s, JANE "}"));
  privy_plan_end_rows(s.plan);
  if (privy_plan_next(s.plan) == PRIVY_PLAN_END) CHECK_OK(privy_plan_error(s.plan)->code);
  privy_plan_close(s.plan);
  assert_int_equal(privy_plan_next(s.plan), PRIVY_PLAN_END);
  CHECK_STATUS(privy_plan_error(s.plan)->code, PRIVY_INTERRUPTED);
  assert_int_equal(privy_group_count(s.group), 0);
  assert_false(privy_plan_row_at(s.plan, 0, &row));
  assert_int_equal(requests_of(&s), 0);
done:
  plan_close(&s);
}

static void a_plan_is_applied_once(void **state) {
  (void)state;
  plan_scene s;
  privy_bulk *again = NULL;
  static const char *const rows[] = {JANE "}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(make_plan(&s, ROWS(rows)));
  CHECK_OK(apply(&s));
  CHECK_STATUS(privy_plan_apply(s.plan, s.apply_group, &s.run, &again, &s.error), PRIVY_CONFIG_ERROR);
done:
  plan_close(&s);
}

static void settings_are_checked(void **state) {
  (void)state;
  plan_scene s;
  privy_plan_mode mode = PRIVY_PLAN_REPLACE;
  CHECK_OK(plan_open(&s));
  s.config.max_age = 60;
  CHECK_STATUS(plan_begin(&s), PRIVY_CONFIG_ERROR);
  plan_drop(&s);
  s.config.snapshot = "x.db";
  s.config.max_age = -1;
  CHECK_STATUS(plan_begin(&s), PRIVY_CONFIG_ERROR);
  plan_drop(&s);
  CHECK_STATUS(privy_plan_mode_read("tags", "union", 5, &mode, &s.error), PRIVY_CONFIG_ERROR);
  assert_string_equal(s.error.message, "tags must be \"replace\" or \"merge\"");
  CHECK_OK(privy_plan_mode_read("tags", "merge", 5, &mode, &s.error));
  assert_int_equal(mode, PRIVY_PLAN_MERGE);
done:
  plan_close(&s);
}

static void progress_counts_the_requests(void **state) {
  (void)state;
  plan_scene s;
  privy_plan_progress progress;
  CHECK_OK(plan_open(&s));
  CHECK_OK(fill(&s, harness_rounds(250, 1)));
  CHECK_OK(plan_for(&s, 0, 5, 100));
  privy_plan_get_progress(s.plan, &progress);
  assert_int_equal(progress.requests, harness_rounds(3, 1));
  assert_int_equal(progress.expected, harness_rounds(3, 1));
  assert_int_equal(progress.rows, 5);
  assert_true(privy_plan_take_progress(s.plan, &progress));
  assert_false(privy_plan_take_progress(s.plan, &progress));
done:
  plan_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(look_ups_are_chosen_when_they_take_fewer_requests),
      TEST(the_cheapest_way_is_read),
      TEST(rows_without_any_key_read_nothing),
      TEST(a_phone_number_is_looked_up_if_the_address_finds_nothing),
      TEST(a_contact_that_has_both_is_looked_up_once),
      TEST(a_contact_that_has_another_number_is_looked_up_once),
      TEST(an_address_and_a_number_of_two_contacts_are_blocked),
      TEST(rows_of_one_contact_share_a_request),
      TEST(a_change_that_a_later_row_takes_back_is_not_sent),
      TEST(a_plan_is_readable),
      TEST(the_time_of_applying_is_that_of_the_rate_limits),
      TEST(a_failed_request_ends_the_plan),
      TEST(a_closed_plan_sends_nothing_more),
      TEST(a_plan_is_applied_once),
      TEST(settings_are_checked),
      TEST(progress_counts_the_requests),
  };
  return HARNESS_RUN(tests);
}
