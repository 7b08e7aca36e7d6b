/* The clocks of a client: windows are kept by a clock that is never set; instants are reported by the wall clock. */
#define _POSIX_C_SOURCE 200809L

#include "base/clock.h"
#include "http_scene.h"

/* A server whose clock is a day off. */
#define SPENT                                                                                                          \
  "HTTP/1.1 200 OK\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\nX-RateLimit-Limit-Minute: 60\r\n"                         \
  "X-RateLimit-Remaining-Minute: 0\r\nX-RateLimit-Reset-Minute: 1800000030\r\nX-RateLimit-Limit-Day: 100\r\n"          \
  "X-RateLimit-Remaining-Day: 50\r\nX-RateLimit-Reset-Day: 1800040000\r\nContent-Length: 11\r\n\r\n{\"data\":[]}"

static const http_reply spent[] = {{HTTP_ANSWER, SPENT, 0}};

/* Whether an instant is `seconds` from now by the wall clock. The test may have taken some seconds. */
static bool is_ahead(double instant, double seconds) {
  double ahead = instant - privy_wall_clock();
  return ahead <= seconds + 1 && ahead > seconds - 25;
}

static void windows_are_reported_by_the_wall_clock(void **state) {
  (void)state;
  scene s;
  privy_rate_limit minute, day;
  scene_open(&s, SERVE(spent));
  s.config.options.max_wait = 0;
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  privy_client_rate_limits(s.client, &minute, &day);
  assert_true(!minute.known && minute.resets_at == 0 && !day.known);
  assert_true(privy_client_forecast(s.client, NULL, 1000) == 0 && !privy_client_is_sandbox(s.client));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  privy_client_rate_limits(s.client, &minute, &day);
  assert_true(minute.known && day.known && minute.remaining == 0 && day.remaining == 50);
  assert_true(is_ahead(minute.resets_at, 30) && is_ahead(day.resets_at, 40000));
  const double soon = privy_client_forecast(s.client, NULL, 1);
  assert_true(soon > 5 && soon <= 30);
  const privy_options reserved = {.reserve = 59, .given = PRIVY_GIVEN(RESERVE)};
  assert_true(privy_client_forecast(s.client, &reserved, 2) > 60);
  assert_true(privy_client_forecast(s.client, NULL, 51) < 0); /* more than the day has left */
  forget(&s);
  CHECK_STATUS(call(s.client, "contacts.list", "{}", &s.response, &s.error), PRIVY_RATE_LIMIT);
  assert_true(s.error.retry_after > 5 && s.error.retry_after <= 30);
  assert_true(is_ahead((double)s.error.resets_at, 30));
done:
  scene_close(&s);
}

static void waits_are_reported_by_the_wall_clock(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  privy_request *request = NULL;
  scene_open(&s, SERVE(spent));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  assert_true(privy_group_waiting_until(group) == 0);
  CHECK_OK(ask_for("contacts.list", "{}", &request, &s.error));
  privy_status status = privy_group_start(group, request, NULL, 1, &s.error);
  request = NULL;
  CHECK_OK(status);
  privy_group_wait(group, 0);
  assert_true(is_ahead(privy_group_waiting_until(group), 30));
done:
  privy_request_free(request);
  privy_group_free(group);
  scene_close(&s);
}

static void the_clocks_advance(void **state) {
  (void)state;
  double before = privy_steady_clock();
  assert_true(before > 0 && privy_steady_clock() >= before);
  assert_true(privy_wall_clock() > 1.7e9);
}

int main(void) {
  static harness_test tests[] = {
      TEST(windows_are_reported_by_the_wall_clock),
      TEST(waits_are_reported_by_the_wall_clock),
      TEST(the_clocks_advance),
  };
  return HARNESS_RUN(tests);
}
