/* Bulk runs that end at an instant: from then on no request is sent. */
#include <math.h>

#include "bulk_scene.h"

static privy_status open_until(scene *s, size_t count, double seconds) {
  privy_status status = scene_open(s, "orders.upsert", NULL, count);
  number_orders(s);
  s->config.until = START + seconds;
  return status == PRIVY_OK ? begin(s) : status;
}

static uint64_t requests_of(const scene *s) {
  return privy_sandbox_count(s->sandbox).requests;
}

static void check_end(const scene *s) {
  const privy_error *error = privy_bulk_error(s->bulk);
  assert_non_null(error);
  assert_int_equal(error->code, PRIVY_DEADLINE);
  assert_string_equal(error->api_code, "until_reached");
}

static void a_run_ends_when_the_next_request_would_be_late(void **state) {
  (void)state;
  scene s;
  privy_bulk_row rows[MANY];
  CHECK_OK(open_until(&s, 50, 150));
  privy_sandbox_set_limits(s.sandbox, 10, 10000, 60);
  CHECK_OK(drive(&s, "orders.upsert"));
  check_end(&s);
  assert_int_equal(requests_of(&s), 30); /* of three minutes, the last of which begins after 120 seconds */
  assert_int_equal(s.results, 30);
  const size_t open = privy_bulk_open_rows(s.bulk, rows, MANY);
  assert_int_equal(open + s.results, s.given);
  for (size_t i = 0; i < open; i++) assert_false(rows[i].in_doubt);
done:
  scene_close(&s);
}

static void an_instant_that_has_passed_allows_no_request(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_until(&s, 5, 0));
  CHECK_OK(drive(&s, "orders.upsert"));
  check_end(&s);
  assert_string_equal(privy_bulk_error(s.bulk)->message,
                      "no request is sent from 2026-05-12T10:00:00Z on, as `until` says; run again to continue");
  assert_int_equal(requests_of(&s), 0);
  assert_int_equal(s.results, 0);
done:
  scene_close(&s);
}

/* It has sent a request, so its failure is the result. */
static void a_row_is_not_retried_late(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_until(&s, 1, 60));
  CHECK_OK(fail_once(&s, 503, 59, 0, 1));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_null(privy_bulk_error(s.bulk));
  assert_int_equal(s.status[0], PRIVY_OK);
  assert_int_equal(requests_of(&s), 2);
  scene_close(&s);

  CHECK_OK(open_until(&s, 1, 60));
  CHECK_OK(fail_once(&s, 503, 60, 0, 1));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.status[0], PRIVY_SERVER);
  assert_int_equal(requests_of(&s), 1);
done:
  scene_close(&s);
}

/* Eight requests are in flight before the first response shows the limit of the minute, and the next minute is late. */
static void rows_that_got_a_429_and_would_be_retried_late_are_unsent(void **state) {
  (void)state;
  const privy_sandbox_fault slow = {.delay = 0.01, .retry_after = -1, .count = 8};
  scene s;
  CHECK_OK(open_until(&s, 20, 30));
  privy_sandbox_set_limits(s.sandbox, 6, 10000, 60);
  CHECK_OK(privy_sandbox_add_fault(s.sandbox, &slow));
  CHECK_OK(drive(&s, "orders.upsert"));
  check_end(&s);
  assert_in_range(s.given, 8, 8 + 6); /* a result makes room for another row */
  check_open(&s, 6, s.given);
  assert_int_equal(requests_of(&s), 8);
done:
  scene_close(&s);
}

/* Waiting for the next day ends at the instant too. */
static void a_run_does_not_wait_for_a_day_that_comes_late(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  number_orders(&s);
  privy_sandbox_set_limits(s.sandbox, 60, 5, 60);
  s.config.on_spent_day = PRIVY_SPENT_DAY_WAITS;
  s.config.until = START + 3600;
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "orders.upsert"));
  check_end(&s);
  assert_int_equal(requests_of(&s), 5);
  privy_bulk_free(s.bulk);
  s.bulk = NULL;

  s.config.on_spent_day = PRIVY_SPENT_DAY_STOPS; /* the day is the reason */
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_RATE_LIMIT);
done:
  scene_close(&s);
}

static void instants_are_checked(void **state) {
  (void)state;
  static const double wrong[] = {-1, NAN, INFINITY, 253402300800.0};
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 0));
  for (size_t i = 0; i < COUNT(wrong); i++) {
    s.config.until = wrong[i];
    CHECK_STATUS(begin(&s), PRIVY_CONFIG_ERROR);
    assert_string_equal(s.error.message, "until must be a time from 1970 to 9999");
    privy_error_clear(&s.error);
  }
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(a_run_ends_when_the_next_request_would_be_late),
      TEST(an_instant_that_has_passed_allows_no_request),
      TEST(a_row_is_not_retried_late),
      TEST_UNSWEPT(rows_that_got_a_429_and_would_be_retried_late_are_unsent),
      TEST_UNSWEPT(a_run_does_not_wait_for_a_day_that_comes_late),
      TEST(instants_are_checked),
  };
  return HARNESS_RUN(tests);
}
