/* The pacer: which headers it accepts, and what it learns from them. */
#include "harness.h"

#include <stdio.h>

#include "policy/forecast.h"
#include "policy/pacer.h"
#include "response_text.h"

#define NOW 5000.0                                     /* of the caller's clock */
#define WALL 1800000000.0                              /* of the wall clock at the same instant */
#define DATE "Date: Fri, 15 Jan 2027 08:00:00 GMT\r\n" /* WALL */

/* Passes one response to a pacer with a request in flight. */
static bool comes(privy_pacer *pacer, double now, double wall, const char *headers) {
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  privy_status status = parse_response(NULL, 200, headers, "{}", &response, &error);
  if (status == PRIVY_OK) {
    privy_pacer_sent(pacer);
    privy_pacer_returned(pacer, now, wall, response);
  }
  privy_response_release(response);
  privy_error_clear(&error);
  return status == PRIVY_OK;
}

/* The headers of the minute only, as texts. */
static const char *minute(char out[512], const char *limit, const char *remaining, const char *reset,
                          const char *more) {
  snprintf(out, 512,
           "X-RateLimit-Limit-Minute: %s\r\nX-RateLimit-Remaining-Minute: %s\r\nX-RateLimit-Reset-Minute: %s\r\n%s",
           limit, remaining, reset, more);
  return out;
}

static void impossible_limits_are_ignored(void **state) {
  (void)state;
  static const struct {
    const char *limit, *remaining, *reset;
    bool believed;
  } cases[] = {
      {"60", "59", "1800000030", true},
      {"60", "60", "1800000030", true},
      {"60", "0", "1800000030", true},
      {"60", "61", "1800000030", false},
      {"60", "-1", "1800000030", false},
      {"60", "-9223372036854775808", "1800000030", false},
      {"9223372036854775807", "-9223372036854775808", "1800000030", false},
      {"9223372036854775807", "0", "1800000030", false},
      {"9007199254740992", "9007199254740992", "1800000030", true},
      {"9007199254740993", "0", "1800000030", false},
      {"0", "0", "1800000030", false},
      {"-60", "-60", "1800000030", false},
      {"60", "18446744073709551617", "1800000030", false},
      {"60", "0", "-9223372036854775808", false},
      {"60", "0", "9223372036854775807", false},
      {"60", "0", "0", false},
      {"60.0", "0", "1800000030", false},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    privy_pacer pacer = {0};
    char headers[512];
    double until = 0;
    CHECK_MEMORY(comes(&pacer, NOW, WALL, minute(headers, cases[i].limit, cases[i].remaining, cases[i].reset, DATE)));
    if (pacer.minute.known != cases[i].believed) fail_msg("%s of %s", cases[i].remaining, cases[i].limit);
    if (!cases[i].believed) assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_NOW);
  }
done:
  return;
}

/* By the server's clock if the response has a Date, otherwise by the wall clock. */
static void a_reset_after_the_end_of_the_window_is_ignored(void **state) {
  (void)state;
  static const struct {
    const char *reset, *more;
    double wall;
    double resets_at; /* 0: ignored */
  } cases[] = {
      {"1800000030", DATE, WALL, NOW + 30},
      {"1800000030", DATE, WALL - 7200, NOW + 30},
      {"1800000030", DATE, WALL + 7200, NOW + 30},
      {"1800000030", "", WALL, NOW + 30},
      {"1800000030", "", WALL - 7200, 0},
      {"1800000030", "", WALL + 7200, 0},
      {"1800000030", "Date: yesterday\r\n", WALL, NOW + 30},
      {"1800000062", DATE, WALL, NOW + 62},
      {"1800000063", DATE, WALL, 0},
      {"1800007260", DATE, WALL, 0},
      {"1800000000", DATE, WALL, NOW},
      {"1799999999", DATE, WALL, NOW}, /* the Date is after the reset of a window that has just ended */
      {"1799999998", DATE, WALL, 0},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    privy_pacer pacer = {0};
    char headers[512];
    CHECK_MEMORY(comes(&pacer, NOW, cases[i].wall, minute(headers, "60", "0", cases[i].reset, cases[i].more)));
    assert_int_equal(pacer.minute.known, cases[i].resets_at != 0);
    assert_true(pacer.minute.resets_at == cases[i].resets_at);
  }
done:
  return;
}

static void the_window_of_a_day_is_a_day_long(void **state) {
  (void)state;
  static const char far[] =
      "X-RateLimit-Limit-Day: 100\r\nX-RateLimit-Remaining-Day: 0\r\nX-RateLimit-Reset-Day: 1800086402\r\n" DATE;
  static const char too_far[] =
      "X-RateLimit-Limit-Day: 100\r\nX-RateLimit-Remaining-Day: 0\r\nX-RateLimit-Reset-Day: 1800086403\r\n" DATE;
  privy_pacer pacer = {0}, other = {0};
  double until = 0;
  CHECK_MEMORY(comes(&pacer, NOW, WALL, far));
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_DAY);
  assert_true(until == NOW + 86402);
  CHECK_MEMORY(comes(&other, NOW, WALL, too_far));
  assert_int_equal(privy_pacer_ask(&other, 0, NOW, &until), PRIVY_PACE_NOW);
done:
  return;
}

/* Only a sandbox's clock can be set back. */
static void no_window_blocks_for_longer_than_it_lasts(void **state) {
  (void)state;
  privy_pacer pacer = {0};
  char headers[512];
  double until = 0;
  CHECK_MEMORY(comes(&pacer, NOW, WALL, minute(headers, "60", "0", "1800000060", DATE)));
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_MINUTE);
  assert_true(until == NOW + 60);
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW - 2, &until), PRIVY_PACE_MINUTE);
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW - 3, &until), PRIVY_PACE_NOW);
  assert_true(pacer.minute.remaining == 60 && pacer.minute.resets_at == 0);
done:
  return;
}

/* Requests in flight may use all that is left: then the pacer waits for their responses, not for the next window. */
static void waits_for_requests_in_flight_are_no_waits_for_budget(void **state) {
  (void)state;
  privy_pacer pacer = {0};
  char headers[512];
  double until = 0;
  for (int i = 0; i < 8; i++) {
    assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_NOW);
    privy_pacer_sent(&pacer);
  }
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_IN_FLIGHT);
  assert_true(until > NOW && until < NOW + 1);
  privy_pacer_returned(&pacer, NOW, WALL, NULL);
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_NOW);
  CHECK_MEMORY(comes(&pacer, NOW, WALL, minute(headers, "60", "7", "1800000060", DATE)));
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_IN_FLIGHT);
  CHECK_MEMORY(comes(&pacer, NOW, WALL, minute(headers, "60", "0", "1800000060", DATE)));
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_MINUTE);
  assert_true(until == NOW + 60);
done:
  return;
}

static void the_limit_of_the_day_comes_before_that_of_the_minute(void **state) {
  (void)state;
  static const char headers[] =
      "X-RateLimit-Limit-Minute: 60\r\nX-RateLimit-Remaining-Minute: 0\r\nX-RateLimit-Reset-Minute: 1800000030\r\n"
      "X-RateLimit-Limit-Day: 100\r\nX-RateLimit-Remaining-Day: 1\r\nX-RateLimit-Reset-Day: 1800003600\r\n" DATE;
  privy_pacer pacer = {0};
  double until = 0;
  CHECK_MEMORY(comes(&pacer, NOW, WALL, headers));
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_MINUTE);
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW + 30, &until), PRIVY_PACE_NOW);
  privy_pacer_sent(&pacer);
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW + 30, &until), PRIVY_PACE_IN_FLIGHT);
  pacer.day.remaining = 0;
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW + 30, &until), PRIVY_PACE_DAY);
  assert_true(until == NOW + 3600);
done:
  return;
}

static void others_hold_back_half_of_a_minute_at_most(void **state) {
  (void)state;
  privy_pacer pacer = {.has_result = true};
  double until = 0;
  pacer.minute = (privy_budget){.known = true, .limit = 60, .remaining = 31, .resets_at = NOW + 30, .others = 1000};
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_NOW);
  pacer.minute.remaining = 30;
  assert_int_equal(privy_pacer_ask(&pacer, 0, NOW, &until), PRIVY_PACE_MINUTE);
}

/* A response that arrives after one of the next window. */
static void a_response_of_an_older_window_changes_nothing(void **state) {
  (void)state;
  privy_pacer pacer = {0};
  char headers[512];
  CHECK_MEMORY(comes(&pacer, NOW, WALL, minute(headers, "60", "40", "1800000050", DATE)));
  CHECK_MEMORY(comes(&pacer, NOW, WALL, minute(headers, "60", "0", "1800000010", DATE)));
  assert_int_equal(pacer.minute.remaining, 40);
  assert_true(pacer.minute.resets_at == NOW + 50 && pacer.minute.others == 0);
done:
  return;
}

/* The process did not run for two seconds. The next responses, read at once, are of the same window. */
static void a_response_that_was_read_late_hides_no_other(void **state) {
  (void)state;
  privy_pacer pacer = {0};
  char headers[512];
  CHECK_MEMORY(comes(&pacer, NOW + 2, WALL + 2, minute(headers, "60", "40", "1800000050", DATE)));
  assert_true(pacer.minute.resets_at == NOW + 52);
  CHECK_MEMORY(comes(&pacer, NOW, WALL, minute(headers, "60", "0", "1800000050", DATE)));
  assert_int_equal(pacer.minute.remaining, 0);
  assert_true(pacer.minute.resets_at == NOW + 50);
done:
  return;
}

static void a_forecast_leaves_the_reserve_to_others(void **state) {
  (void)state;
  const privy_rate_limit minute = {.known = true, .limit = 60, .remaining = 20, .resets_at = NOW + 30}, day = {0};
  assert_true(privy_forecast(&minute, &day, 10, 10, NOW) == 0);
  assert_true(privy_forecast(&minute, &day, 10, 11, NOW) == 30);
  assert_true(privy_forecast(&minute, &day, 10, 60, NOW) == 30);
  assert_true(privy_forecast(&minute, &day, 10, 61, NOW) == 90);
}

static void a_forecast_of_days_continues_on_the_next_day(void **state) {
  (void)state;
  const privy_rate_limit unknown = {0};
  const privy_rate_limit minute = {.known = true, .limit = 100, .remaining = 100};
  const privy_rate_limit day = {.known = true, .limit = 1000, .remaining = 400, .resets_at = NOW + 3600};
  assert_true(privy_forecast_days(&minute, &day, 0, 400, NOW) == 180);
  assert_true(privy_forecast_days(&minute, &day, 0, 401, NOW) == 3600);
  assert_true(privy_forecast_days(&minute, &day, 0, 1400, NOW) == 3600 + 540);
  assert_true(privy_forecast_days(&minute, &day, 0, 1401, NOW) == 3600 + 86400);
  assert_true(privy_forecast_days(&minute, &day, 50, 1400, NOW) == 3600 + 1140);
  assert_true(privy_forecast_days(&unknown, &unknown, 0, 60, NOW) == 0);
  assert_true(privy_forecast_days(&unknown, &unknown, 0, 10000, NOW) == 166 * 60);
  assert_true(privy_forecast_days(&unknown, &unknown, 0, 100000, NOW) == 9 * 86400 + 166 * 60);
}

/* The first request of a window shows how long windows are. */
static void a_forecast_uses_the_length_of_windows(void **state) {
  (void)state;
  privy_pacer pacer = {0};
  char headers[512];
  privy_rate_limit limit = {.known = true, .limit = 10, .remaining = 0, .resets_at = NOW + 5};
  const privy_rate_limit day = {0};
  CHECK_MEMORY(comes(&pacer, NOW, WALL, minute(headers, "10", "7", "1800000003", DATE)));
  assert_true(pacer.minute.window == 0);
  CHECK_MEMORY(comes(&pacer, NOW + 4, WALL + 4.25, minute(headers, "10", "9", "1800000009", "")));
  assert_true(pacer.minute.window == 5);
  CHECK_MEMORY(comes(&pacer, NOW + 6, WALL + 6, minute(headers, "10", "8", "1800000009", "")));
  assert_true(pacer.minute.window == 5);
  assert_true(privy_forecast(&limit, &day, 0, 30, NOW) == 125);
  limit.window = pacer.minute.window;
  assert_true(privy_forecast(&limit, &day, 0, 30, NOW) == 15);
  limit.resets_at = 0;
  assert_true(privy_forecast(&limit, &day, 0, 10, NOW) == 5);
done:
  return;
}

int main(void) {
  static harness_test tests[] = {
      TEST(impossible_limits_are_ignored),
      TEST(a_reset_after_the_end_of_the_window_is_ignored),
      TEST(the_window_of_a_day_is_a_day_long),
      TEST(no_window_blocks_for_longer_than_it_lasts),
      TEST(waits_for_requests_in_flight_are_no_waits_for_budget),
      TEST(the_limit_of_the_day_comes_before_that_of_the_minute),
      TEST(others_hold_back_half_of_a_minute_at_most),
      TEST(a_response_of_an_older_window_changes_nothing),
      TEST(a_response_that_was_read_late_hides_no_other),
      TEST(a_forecast_leaves_the_reserve_to_others),
      TEST(a_forecast_uses_the_length_of_windows),
      TEST(a_forecast_of_days_continues_on_the_next_day),
  };
  return HARNESS_RUN(tests);
}
