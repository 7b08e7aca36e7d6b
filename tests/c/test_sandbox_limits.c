/* The sandbox's limits, its clock, and its faults on demand. */
#include "test_sandbox.h"

#define CONTACTS "/v1/contacts"

static void a_spent_minute(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  privy_sandbox_set_limits(kit.sandbox, 2, 0, 60);
  privy_sandbox_advance(kit.sandbox, 0.5);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_header(kit, "X-RateLimit-Limit-Minute: 2");
  assert_header(kit, "X-RateLimit-Remaining-Minute: 1");
  assert_header(kit, "X-RateLimit-Reset-Minute: 1778580060");
  assert_no_header(kit, "X-RateLimit-Limit-Day");
  assert_no_header(kit, "X-RateLimit-Remaining-Day");
  assert_no_header(kit, "X-RateLimit-Reset-Day");
  privy_sandbox_advance(kit.sandbox, 10);
  ASK(kit, "POST", CONTACTS, "{}", 422);
  assert_header(kit, "X-RateLimit-Remaining-Minute: 0");
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 429);
  assert_has(kit, "{'error':{'code':'rate_limited','message':'");
  assert_header(kit, "Retry-After: 50");
  assert_header(kit, "X-RateLimit-Remaining-Minute: 0");
  assert_header(kit, "X-RateLimit-Reset-Minute: 1778580060");
  assert_count(kit, contacts, 0);
  privy_sandbox_advance(kit.sandbox, 49.25);
  ASK(kit, "GET", CONTACTS, NULL, 429);
  assert_header(kit, "Retry-After: 1");
  privy_sandbox_advance(kit.sandbox, 0.25);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_header(kit, "X-RateLimit-Remaining-Minute: 1");
  assert_header(kit, "X-RateLimit-Reset-Minute: 1778580120");
done:
  kit_close(&kit);
}

static void a_spent_day(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  privy_sandbox_set_limits(kit.sandbox, 2, 3, 60);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  ASK(kit, "GET", CONTACTS, NULL, 429);
  assert_header(kit, "Retry-After: 60");
  privy_sandbox_advance(kit.sandbox, 60);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_header(kit, "X-RateLimit-Remaining-Minute: 1");
  assert_header(kit, "X-RateLimit-Remaining-Day: 0");
  ASK(kit, "GET", CONTACTS, NULL, 429);
  assert_header(kit, "Retry-After: 86340");
  assert_header(kit, "X-RateLimit-Remaining-Minute: 1");
  assert_header(kit, "X-RateLimit-Reset-Day: 1778666400");
  privy_sandbox_advance(kit.sandbox, 86340);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_header(kit, "X-RateLimit-Remaining-Day: 2");
  /* A minute that ends after the day does. */
  privy_sandbox_advance(kit.sandbox, 86390);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  ASK(kit, "GET", CONTACTS, NULL, 429);
  assert_header(kit, "Retry-After: 60");
done:
  kit_close(&kit);
}

static void a_minute_may_be_short(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  assert_int_equal(privy_sandbox_set_limits(kit.sandbox, 2, 10, 5), PRIVY_OK);
  privy_sandbox_advance(kit.sandbox, 0.5);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_header(kit, "X-RateLimit-Reset-Minute: 1778580005");
  assert_header(kit, "X-RateLimit-Reset-Day: 1778666400");
  ASK(kit, "GET", CONTACTS, NULL, 200);
  privy_sandbox_advance(kit.sandbox, 2);
  ASK(kit, "GET", CONTACTS, NULL, 429);
  assert_header(kit, "Retry-After: 3");
  assert_header(kit, "X-RateLimit-Reset-Minute: 1778580005");
  privy_sandbox_advance(kit.sandbox, 2.5);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_header(kit, "X-RateLimit-Remaining-Minute: 1");
  assert_header(kit, "X-RateLimit-Reset-Minute: 1778580010");
  assert_int_equal(privy_sandbox_set_limits(kit.sandbox, 2, 10, 0), PRIVY_VALIDATION);
  assert_int_equal(privy_sandbox_set_limits(kit.sandbox, 2, 10, 61), PRIVY_VALIDATION);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_header(kit, "X-RateLimit-Remaining-Minute: 0");
done:
  kit_close(&kit);
}

static void what_limits_do_not_count(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  privy_sandbox_set_limits(kit.sandbox, 1, 1, 60);
  kit.token = NULL;
  ASK(kit, "GET", CONTACTS, NULL, 401);
  assert_header(kit, "X-RateLimit-Remaining-Minute: 1");
  ASK(kit, "POST", "/oauth/token", "grant_type=x", 400);
  kit.token = PRIVY_SANDBOX_TOKEN;
  ASK(kit, "GET", "/nowhere", NULL, 404);
  assert_header(kit, "X-RateLimit-Remaining-Minute: 0");
  ASK(kit, "GET", CONTACTS, NULL, 429);
  privy_sandbox_set_limits(kit.sandbox, 1, 0, 60);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  ASK(kit, "GET", CONTACTS, NULL, 429);
  privy_sandbox_set_clock(kit.sandbox, START - 1000);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  ASK(kit, "GET", CONTACTS, NULL, 429);
  privy_sandbox_reset(kit.sandbox);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  ASK(kit, "GET", CONTACTS, NULL, 429);
  privy_sandbox_set_limits(kit.sandbox, 0, 0, 60);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_no_header(kit, "X-RateLimit-Limit-Minute");
  assert_no_header(kit, "X-RateLimit-Limit-Day");
done:
  kit_close(&kit);
}

static void the_clock(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  assert_true(privy_sandbox_now(kit.sandbox) == START);
  privy_sandbox_advance(kit.sandbox, 1.5);
  assert_true(privy_sandbox_now(kit.sandbox) == START + 1.5);
  privy_sandbox_set_clock(kit.sandbox, 951782400);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  assert_has(kit, "'created_at':'2000-02-29T00:00:00Z'");
  privy_sandbox_set_clock(kit.sandbox, 4107542399.999);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':'A'}", 200);
  assert_has(kit, "'updated_at':'2100-02-28T23:59:59.999Z'");
  privy_sandbox_advance(kit.sandbox, 1);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':'A'}", 200);
  assert_has(kit, "'updated_at':'2100-03-01T00:00:00.999Z'");
  privy_sandbox_set_clock(kit.sandbox, 0);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':'A'}", 200);
  assert_has(kit, "'updated_at':'1970-01-01T00:00:00Z'");
  privy_sandbox_advance(kit.sandbox, -5);
  assert_true(privy_sandbox_now(kit.sandbox) == 0);
  privy_sandbox_set_clock(kit.sandbox, 1e300);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':'A'}", 200);
  assert_has(kit, "'updated_at':'9999-12-31T23:59:59Z'");
  privy_sandbox_set_clock(kit.sandbox, -1);
  const double running = privy_sandbox_now(kit.sandbox);
  assert_true(running > START);
  privy_sandbox_advance(kit.sandbox, 3600);
  assert_true(privy_sandbox_now(kit.sandbox) >= running + 3600);
done:
  kit_close(&kit);
}

static privy_sandbox_fault fault_of(int http_status, uint32_t skip, uint32_t count) {
  return (privy_sandbox_fault){.http_status = http_status, .retry_after = -1, .skip = skip, .count = count};
}

static void faults_apply_in_order(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_fault first = fault_of(503, 1, 2), second = fault_of(500, 0, 1), third = fault_of(429, 1, 0);
  static const int expected[] = {200, 503, 503, 500, 200, 429, 429, 429};
  third.retry_after = 1.25;
  first.retry_after = 7;
  CHECK_OK(kit_open(&kit));
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &first));
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &second));
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &third));
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    ASK(kit, "GET", CONTACTS, NULL, expected[i]);
    if (expected[i] == 503) assert_header(kit, "Retry-After: 7");
    if (expected[i] == 500) assert_body(kit, "{'error':{'code':'internal_error','message':'The server failed.'}}");
    if (expected[i] == 500) assert_no_header(kit, "Retry-After");
    if (expected[i] == 429) assert_header(kit, "Retry-After: 1.250");
  }
  privy_sandbox_clear_faults(kit.sandbox);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_count(kit, requests, 9);
done:
  kit_close(&kit);
}

static void faults_respond_instead_of_processing(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char html[] = "<html>Bad gateway</html>";
  privy_sandbox_fault fault = fault_of(502, 0, 1);
  CHECK_OK(kit_open(&kit));
  fault.body = html;
  privy_sandbox_set_limits(kit.sandbox, 60, 0, 60);
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  html[1] = '!';
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 502);
  assert_body(kit, "<html>Bad gateway</html>");
  assert_header(kit, "Content-Type: text/html; charset=utf-8");
  assert_header(kit, "X-RateLimit-Limit-Minute: 60");
  privy_sandbox_set_limits(kit.sandbox, 0, 0, 60);
  assert_count(kit, contacts, 0);
  fault = fault_of(418, 0, 1);
  fault.body = "teapot";
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 418);
  assert_header(kit, "Content-Type: text/plain; charset=utf-8");
  fault = fault_of(204, 0, 1);
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  ASK(kit, "DELETE", CONTACTS, NULL, 204);
  assert_body(kit, "");
  fault = fault_of(200, 0, 1);
  fault.body = "{\"data\":{}}";
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_body(kit, "{'data':{}}");
  assert_header(kit, "Content-Type: application/json; charset=utf-8");
done:
  kit_close(&kit);
}

static void faults_can_delay_and_lose_responses(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_fault fault = fault_of(0, 0, 1);
  CHECK_OK(kit_open(&kit));
  fault.cut = PRIVY_CUT_DROP;
  fault.delay = 0.5;
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  fault.cut = PRIVY_CUT_TRUNCATE;
  fault.delay = -1;
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  assert_int_equal(kit.response.cut, PRIVY_CUT_DROP);
  assert_true(kit.response.delay == 0.5);
  assert_count(kit, contacts, 1);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 409);
  assert_int_equal(kit.response.cut, PRIVY_CUT_TRUNCATE);
  assert_true(kit.response.delay == 0.0);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_int_equal(kit.response.cut, PRIVY_CUT_NONE);
done:
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_spent_minute),
      TEST(a_spent_day),
      TEST(a_minute_may_be_short),
      TEST(what_limits_do_not_count),
      TEST(the_clock),
      TEST(faults_apply_in_order),
      TEST(faults_respond_instead_of_processing),
      TEST(faults_can_delay_and_lose_responses),
  };
  return HARNESS_RUN(tests);
}
