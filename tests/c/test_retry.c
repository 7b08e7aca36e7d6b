/* The policies, and how a call uses them: retries, waits, lost attempts. No socket, no clock. */
#include "harness.h"

#include <math.h>
#include <string.h>

#include "made_call.h"
#include "message/rate_headers.h"

/* ---- pure functions ---------------------------------------------------------------------------------------------- */

static void invalid_retry_after_values_are_ignored(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double seconds;
  } cases[] = {{"0", 0},
               {"7", 7},
               {"7.5", 7.5},
               {"7.", -1},
               {".5", -1},
               {"1.2.3", -1},
               {"1e3", -1},
               {"86400.5", 86400},
               {"86400", 86400},
               {"99999999999999999999999", 86400},
               {"", -1},
               {"-3", -1},
               {"soon", -1},
               {"3 seconds", -1},
               {"Sun, 06 Nov 1994 08:49:47 GMT", 10},
               {"Sun, 06 Nov 1994 08:49:07 GMT", 0},
               {"Sun, 06 Nov 2094 08:49:37 GMT", 86400},
               {"Sun, 06 Non 1994 08:49:47 GMT", -1},
               {"Sun, 31 Feb 1994 08:49:47 GMT", -1}};
  const double now = 784111777; /* Sun, 06 Nov 1994 08:49:37 GMT */
  for (size_t i = 0; i < COUNT(cases); i++) {
    if (privy_retry_after(cases[i].text, now) != cases[i].seconds) fail_msg("Retry-After: %s", cases[i].text);
  }
  /* Without a clock a date is useless. */
  assert_true(privy_retry_after("Sun, 06 Nov 1994 08:49:47 GMT", NAN) == -1);
  assert_true(privy_retry_after("7", NAN) == 7);
}

static void backoff_grows_to_a_bound(void **state) {
  (void)state;
  double before = 0;
  for (int retry = 1; retry < 100; retry++) {
    const double most = privy_retry_backoff(retry, 0.999999);
    assert_true(most >= before && most < 20);
    assert_true(privy_retry_backoff(retry, 0) == 0);
    before = most;
  }
}

static void an_outage_empties_the_quota(void **state) {
  (void)state;
  privy_retry_quota quota;
  int taken = 0;
  privy_retry_quota_init(&quota);
  for (; privy_retry_quota_covers(&quota, PRIVY_SERVER); taken++) privy_retry_quota_charge(&quota, PRIVY_SERVER);
  assert_int_equal(taken, 100);
  privy_retry_quota_refund(&quota, PRIVY_OK);
  assert_false(privy_retry_quota_covers(&quota, PRIVY_SERVER));
  privy_retry_quota_refund(&quota, PRIVY_TIMEOUT);
  assert_true(privy_retry_quota_covers(&quota, PRIVY_TIMEOUT));
  for (int i = 0; i < 10000; i++) privy_retry_quota_refund(&quota, PRIVY_OK);
  assert_true(quota.tokens == 500);
  taken = 0;
  for (; privy_retry_quota_covers(&quota, PRIVY_TIMEOUT); taken++) privy_retry_quota_charge(&quota, PRIVY_TIMEOUT);
  assert_int_equal(taken, 50); /* a retry after a timeout costs twice as much */
}

static void failures_that_may_pass(void **state) {
  (void)state;
  static const int passing[] = {408, 429, 500, 502, 503, 504},
                   lasting[] = {0, 200, 400, 401, 403, 404, 409, 413, 422, 501};
  for (size_t i = 0; i < COUNT(passing); i++) assert_true(privy_error_may_pass(PRIVY_API_STATUS, passing[i]));
  for (size_t i = 0; i < COUNT(lasting); i++) assert_false(privy_error_may_pass(PRIVY_API_STATUS, lasting[i]));
  assert_true(privy_error_may_pass(PRIVY_CONNECTION, 0) && privy_error_may_pass(PRIVY_TIMEOUT, 0));
  assert_true(privy_error_may_pass(PRIVY_RATE_LIMIT, 0));
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static void a_failure_that_passes_is_retried(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.get", "{\"id\":\"" CONTACT "\"}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 503, "Retry-After: 7\r\n", ""));
  CHECK_MEMORY(sends(&made));
  assert_true(made.now >= 1007);
  CHECK_MEMORY(loses(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 200, "", PERSON("2026-01-01T00:00:00Z")));
  assert_int_equal(made.call.status, PRIVY_OK);
  assert_int_equal(made.call.attempts, 3);
  assert_int_equal(made.account.pacer.in_flight, 0);
done:
  drop(&made);
}

static void retries_come_to_an_end(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.list", "{}"));
  for (int i = 0; i < 4; i++) {
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(receives(&made, 500, "", ""));
  }
  assert_true(made.call.done);
  assert_int_equal(made.error.code, PRIVY_SERVER);
  assert_int_equal(made.error.attempts, 4);
  assert_true(fabs(made.error.waited - (made.now - 1000)) < 1e-6);
done:
  drop(&made);
}

static void a_wait_as_long_as_max_wait_is_allowed(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 429, "Retry-After: 60\r\n", ""));
  CHECK_MEMORY(sends(&made));
  assert_true(made.now == 1060 && made.call.wait_left == 0);
  /* A wait for budget may also use all of it. */
  drop(&made);
  CHECK_OK(begin(&made, &defaults, "contacts.list", "{}"));
  made.account.pacer.minute = (privy_budget){.known = true, .limit = 60, .resets_at = 1060};
  CHECK_MEMORY(sends(&made));
  assert_true(made.now == 1060);
done:
  drop(&made);
}

static void a_wait_longer_than_max_wait_is_not_started(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 429, "Retry-After: 61\r\n", ""));
  assert_true(made.call.done);
  assert_int_equal(made.error.code, PRIVY_RATE_LIMIT);
  assert_true(made.error.retry_after == 61 && made.error.waited == 0);
done:
  drop(&made);
}

#define LIMITS(minute, day)                                                                                            \
  "X-RateLimit-Limit-Minute: 60\r\nX-RateLimit-Remaining-Minute: " minute                                              \
  "\r\nX-RateLimit-Reset-Minute: 1050\r\nX-RateLimit-Limit-Day: 10000\r\nX-RateLimit-Remaining-Day: " day              \
  "\r\nX-RateLimit-Reset-Day: 50000\r\n"

static void a_spent_minute_is_waited_for_and_a_spent_day_is_not(void **state) {
  (void)state;
  privy_call second = {0};
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 200, LIMITS("0", "20"), "{\"data\":[]}"));
  privy_call_init(&second, &settings, defaults, random_bits, made.request, &made.error);
  assert_int_equal(privy_call_next(&second, &made.account, 1001), PRIVY_CALL_WAIT);
  assert_true(second.until == 1050);
  privy_call_clear(&second);
  made.account.pacer.day.remaining = 0;
  privy_call_init(&second, &settings, defaults, random_bits, made.request, &made.error);
  assert_int_equal(privy_call_next(&second, &made.account, 1001), PRIVY_CALL_DONE);
  CHECK_STATUS(second.status, PRIVY_RATE_LIMIT);
  assert_int_equal(made.error.resets_at, 50000);
  assert_int_equal(made.error.attempts, 0);
done:
  privy_call_clear(&second);
  drop(&made);
}

static void an_event_keeps_its_key(void **state) {
  (void)state;
  static const char line[] = "Idempotency-Key: 0123456789abcdeffedcba9876543210\r\n";
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b\"}"));
  for (int i = 0; i < 4; i++) {
    CHECK_MEMORY(sends(&made));
    const privy_buffer *headers = &made.call.wire_request.headers;
    CHECK_MEMORY(privy_buffer_terminate(&made.call.wire_request.headers));
    assert_non_null(strstr(headers->data, line));
    CHECK_MEMORY(loses(&made));
  }
  assert_string_equal(made.error.idempotency_key, "0123456789abcdeffedcba9876543210");
done:
  drop(&made);
}

/* A connection without a response may be dead; one with a response is not. */
static void a_retry_after_a_lost_connection_uses_a_new_one(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made));
  assert_false(made.call.wire_request.on_new_connection);
  CHECK_MEMORY(loses(&made));
  CHECK_MEMORY(sends(&made));
  assert_true(made.call.wire_request.on_new_connection);
  CHECK_MEMORY(receives(&made, 500, "", ""));
  CHECK_MEMORY(sends(&made));
  assert_false(made.call.wire_request.on_new_connection);
done:
  drop(&made);
}

int main(void) {
  static harness_test tests[] = {
      TEST(invalid_retry_after_values_are_ignored),
      TEST(backoff_grows_to_a_bound),
      TEST(an_outage_empties_the_quota),
      TEST(failures_that_may_pass),
      TEST(a_failure_that_passes_is_retried),
      TEST(retries_come_to_an_end),
      TEST(a_wait_as_long_as_max_wait_is_allowed),
      TEST(a_wait_longer_than_max_wait_is_not_started),
      TEST(a_spent_minute_is_waited_for_and_a_spent_day_is_not),
      TEST(an_event_keeps_its_key),
      TEST(a_retry_after_a_lost_connection_uses_a_new_one),
  };
  return HARNESS_RUN(tests);
}
