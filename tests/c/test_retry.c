/* The policies by themselves, and what a call makes of them: retries, waits, lost attempts. No socket, no clock. */
#include "harness.h"

#include <math.h>
#include <string.h>

#include "client/call.h"
#include "message/error.h"
#include "message/http_time.h"
#include "message_text.h"

static char token_text[] = "privy_token";
static char base_url[] = "https://api.example/v1";
static const privy_settings settings = {.token = token_text, .base_url = base_url, .base_path = "/v1"};
static const uint64_t random_bits[2] = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)};
static const privy_options defaults = {.timeout = 30, .connect_timeout = 5, .max_wait = 60, .max_retries = 3};

/* ---- pure functions ---------------------------------------------------------------------------------------------- */

static void retry_after_is_read_with_suspicion(void **state) {
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
  /* Without a clock a date says nothing. */
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
  while (privy_retry_quota_take(&quota, PRIVY_SERVER)) taken++;
  assert_int_equal(taken, 100);
  privy_retry_quota_refund(&quota, PRIVY_OK);
  assert_false(privy_retry_quota_take(&quota, PRIVY_SERVER));
  privy_retry_quota_refund(&quota, PRIVY_TIMEOUT);
  assert_true(privy_retry_quota_take(&quota, PRIVY_TIMEOUT));
  for (int i = 0; i < 10000; i++) privy_retry_quota_refund(&quota, PRIVY_OK);
  assert_true(quota.tokens == 500);
  for (taken = 0; privy_retry_quota_take(&quota, PRIVY_TIMEOUT);) taken++;
  assert_int_equal(taken, 50); /* a timeout has cost its caller more */
}

static void what_a_retry_can_help(void **state) {
  (void)state;
  static const int passing[] = {408, 429, 500, 502, 503, 504},
                   lasting[] = {0, 200, 400, 401, 403, 404, 409, 413, 422, 501};
  for (size_t i = 0; i < COUNT(passing); i++) assert_true(privy_retry_helps(PRIVY_STATUS, passing[i]));
  for (size_t i = 0; i < COUNT(lasting); i++) assert_false(privy_retry_helps(PRIVY_STATUS, lasting[i]));
  assert_true(privy_retry_helps(PRIVY_CONNECTION, 0) && privy_retry_helps(PRIVY_TIMEOUT, 0));
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

typedef struct made_call {
  privy_call call;
  privy_account account;
  privy_request *request;
  privy_error error;
  bool begun;
  double now;
} made_call;

static privy_status begin(made_call *made, const privy_options *options, const char *operation, const char *params) {
  privy_account_init(&made->account);
  made->now = 1000;
  privy_status status = ask_for(operation, params, &made->request, &made->error);
  if (status != PRIVY_OK) return status;
  privy_call_init(&made->call, &settings, *options, random_bits, made->request, &made->error);
  made->begun = true;
  return PRIVY_OK;
}

static void drop(made_call *made) {
  if (made->begun) privy_call_clear(&made->call);
  privy_account_clear(&made->account);
  privy_request_free(made->request);
  privy_error_clear(&made->error);
  *made = (made_call){.error = made->error};
}

/* Lets time pass until the call sends; false when it ended. */
static bool sends(made_call *made) {
  privy_call_step step;
  while ((step = privy_call_next(&made->call, &made->account, made->now)) == PRIVY_CALL_WAIT) {
    assert_true(made->call.until > made->now);
    made->now = made->call.until;
  }
  return step == PRIVY_CALL_SEND;
}

static bool answers(made_call *made, int status, const char *headers, const char *body) {
  privy_incoming incoming = {.http_status = status};
  const bool built = privy_buffer_text(&incoming.headers, headers) && privy_buffer_text(&incoming.body, body);
  if (built) privy_call_answered(&made->call, &made->account, made->now, &incoming);
  privy_incoming_clear(&incoming);
  return built && !(made->call.done && made->call.status == PRIVY_NO_MEMORY);
}

static bool is_lost(made_call *made) {
  if (privy_error_set(&made->error, PRIVY_CONNECTION, "broke") == PRIVY_NO_MEMORY) return false;
  privy_call_failed(&made->call, &made->account, made->now);
  return !(made->call.done && made->call.status == PRIVY_NO_MEMORY);
}

#define JANE "{\"email\":\"jane@b.c\",\"first_name\":\"J\"}"
#define PERSON(created) "{\"data\":{\"id\":\"" CONTACT "\",\"created_at\":\"" created "\"}}"
#define CONFLICT "{\"error\":{\"code\":\"conflict\",\"id\":\"" CONTACT "\"}}"

static void a_failure_that_passes_is_retried(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.get", "{\"id\":\"" CONTACT "\"}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 503, "Retry-After: 7\r\n", ""));
  CHECK_MEMORY(sends(&made));
  assert_true(made.now >= 1007);
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 200, "", PERSON("2026-01-01T00:00:00Z")));
  assert_int_equal(made.call.status, PRIVY_OK);
  assert_int_equal(made.call.attempts, 3);
  assert_int_equal(made.account.pacer.flying, 0);
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
    CHECK_MEMORY(answers(&made, 500, "", ""));
  }
  assert_true(made.call.done);
  assert_int_equal(made.error.code, PRIVY_SERVER);
  assert_int_equal(made.error.attempts, 4);
  assert_true(fabs(made.error.waited - (made.now - 1000)) < 1e-6);
done:
  drop(&made);
}

static void a_wait_past_max_wait_is_not_begun(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 429, "Retry-After: 61\r\n", ""));
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
  CHECK_MEMORY(answers(&made, 200, LIMITS("0", "20"), "{\"data\":[]}"));
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
    const privy_buffer *headers = &made.call.outgoing.headers;
    CHECK_MEMORY(privy_buffer_terminate(&made.call.outgoing.headers));
    assert_non_null(strstr(headers->data, line));
    CHECK_MEMORY(is_lost(&made));
  }
  assert_string_equal(made.error.idempotency_key, "0123456789abcdeffedcba9876543210");
done:
  drop(&made);
}

/* ---- attempts that were lost ------------------------------------------------------------------------------------- */

static void a_create_that_had_succeeded_gives_its_contact(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.create", JANE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 409, "", CONFLICT));
  CHECK_MEMORY(sends(&made));
  assert_string_equal(made.call.outgoing.target, "/contacts/" CONTACT);
  CHECK_MEMORY(answers(&made, 200, "", PERSON("1970-01-01T00:16:41Z")));
  assert_int_equal(made.call.status, PRIVY_OK);
  assert_int_equal(privy_response_count(made.call.response), 1);
done:
  drop(&made);
}

static void a_contact_that_was_there_before_is_a_conflict(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.create", JANE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 409, "", CONFLICT));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 200, "", PERSON("1970-01-01T00:10:00Z")));
  assert_true(made.call.done);
  assert_int_equal(made.error.code, PRIVY_CONFLICT);
  assert_string_equal(made.error.contact_id, CONTACT);
  assert_int_equal(made.error.http_status, 409);
done:
  drop(&made);
}

static void a_delete_that_had_succeeded_is_done(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.delete", "{\"id\":\"" CONTACT "\"}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 404, "", ""));
  assert_int_equal(made.call.status, PRIVY_OK);
  assert_int_equal(privy_response_count(made.call.response), 0);
done:
  drop(&made);
}

/* A connection that was silent may be dead; one that brought an answer is not. */
static void after_silence_comes_a_new_connection(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made));
  assert_false(made.call.outgoing.fresh);
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  assert_true(made.call.outgoing.fresh);
  CHECK_MEMORY(answers(&made, 500, "", ""));
  CHECK_MEMORY(sends(&made));
  assert_false(made.call.outgoing.fresh);
done:
  drop(&made);
}

static void a_first_answer_is_believed(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.delete", "{\"id\":\"" CONTACT "\"}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 404, "", ""));
  assert_int_equal(made.error.code, PRIVY_NOT_FOUND);
done:
  drop(&made);
}

int main(void) {
  static harness_test tests[] = {
      TEST(retry_after_is_read_with_suspicion),
      TEST(backoff_grows_to_a_bound),
      TEST(an_outage_empties_the_quota),
      TEST(what_a_retry_can_help),
      TEST(a_failure_that_passes_is_retried),
      TEST(retries_come_to_an_end),
      TEST(a_wait_past_max_wait_is_not_begun),
      TEST(a_spent_minute_is_waited_for_and_a_spent_day_is_not),
      TEST(an_event_keeps_its_key),
      TEST(a_create_that_had_succeeded_gives_its_contact),
      TEST(a_contact_that_was_there_before_is_a_conflict),
      TEST(a_delete_that_had_succeeded_is_done),
      TEST(a_first_answer_is_believed),
      TEST(after_silence_comes_a_new_connection),
  };
  return HARNESS_RUN(tests);
}
