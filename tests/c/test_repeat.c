/* Until when a lost write is repeated, and whether its error is retryable. */
#include "harness.h"

#include "lost_call.h"

/* ---- within 30 seconds ------------------------------------------------------------------------------------------- */

#define SUBSCRIBE "{\"id\":\"" CONTACT "\",\"email_consent\":\"subscribed\"}"

/* Whether a loss with this Retry-After is repeated. */
static void a_write_is_repeated_within_30_seconds_or_not_at_all(void **state) {
  (void)state;
  static const struct {
    const char *operation, *params;
    int status;
    const char *after;
    bool repeated;
  } cases[] = {
      {"contacts.update", SUBSCRIBE, 500, "30", true},
      {"contacts.update", SUBSCRIBE, 500, "30.5", false},
      {"contacts.update", SUBSCRIBE, 500, "3000", false},
      {"contacts.create", JANE, 502, "31", false},
      {"contacts.upsert", JANE, 504, "31", false},
      {"contacts.delete", ID, 408, "31", false},
      {"contacts.unsubscribe", ID, 500, "31", false},
      {"orders.upsert",
       "{\"order_id\":1,\"email\":\"a@b.c\",\"total\":1,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\"}",
       500, "31", false},
      /* The idempotency key makes a repetition safe at any time. */
      {"events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b.c\"}", 500, "3000", true},
      {"events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b.c\",\"idempotency_key\":\"k\"}", 500, "3000", true},
      /* The server did not process the request, or it is a read. */
      {"contacts.update", SUBSCRIBE, 429, "3000", true},
      {"contacts.update", SUBSCRIBE, 503, "3000", true},
      {"contacts.get", ID, 500, "3000", true},
  };
  char header[32];
  made_call made = {0};
  privy_error_init(&made.error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    snprintf(header, sizeof header, "Retry-After: %s\r\n", cases[i].after);
    CHECK_OK(begin(&made, &patient, cases[i].operation, cases[i].params));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(receives(&made, cases[i].status, header, ""));
    if (made.call.done == cases[i].repeated) fail_msg("%s after %s s", cases[i].operation, cases[i].after);
    if (cases[i].repeated) CHECK_MEMORY(sends(&made));
    if (!cases[i].repeated) {
      assert_true(made.error.may_have_succeeded && ends_with(made.error.message, OPEN));
      assert_int_equal(made.error.http_status, cases[i].status);
    }
    drop(&made);
  }
done:
  drop(&made);
}

#define SPENT(reset)                                                                                                   \
  "X-RateLimit-Limit-Minute: 60\r\nX-RateLimit-Remaining-Minute: 0\r\nX-RateLimit-Reset-Minute: " reset "\r\n"

/* The error is the loss, not the wait that takes too long. */
static void a_lost_write_does_not_wait_for_budget_for_long(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &patient, "contacts.update", SUBSCRIBE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 500, SPENT("1045"), "{\"error\":{\"message\":\"oops\"}}"));
  CHECK_MEMORY(!sends(&made));
  assert_true(made.now < 1031);
  CHECK_STATUS(made.call.status, PRIVY_SERVER);
  assert_string_equal(made.error.message, "500: oops" OPEN);
  assert_int_equal(made.error.attempts, 1);
  drop(&made);
  CHECK_OK(begin(&made, &patient, "contacts.update", SUBSCRIBE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 500, SPENT("1025"), ""));
  CHECK_MEMORY(sends(&made));
  assert_true(made.now >= 1025 && made.now <= 1030);
done:
  drop(&made);
}

/* The 30 seconds end between two attempts: the error is the first loss, although a 429 came later. */
static void the_30_seconds_begin_with_the_first_loss(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &patient, "contacts.update", SUBSCRIBE));
  CHECK_MEMORY(sends(&made));
  made.now += 29; /* a long attempt */
  CHECK_MEMORY(loses(&made));
  CHECK_MEMORY(sends(&made));
  made.now = 1029 + 20;
  CHECK_MEMORY(receives(&made, 429, "Retry-After: 10\r\n", ""));
  made.now = 1029 + 31; /* the call was not driven */
  CHECK_MEMORY(!sends(&made));
  CHECK_STATUS(made.call.status, PRIVY_CONNECTION);
  assert_string_equal(made.error.message, "broke" OPEN);
  assert_int_equal(made.error.attempts, 2);
done:
  drop(&made);
}

static void a_lost_write_does_not_wait_for_a_token_for_long(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin_with_oauth(&made, &patient, "contacts.update", SUBSCRIBE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 200, "", TOKEN));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(loses(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 401, "", ""));
  CHECK_MEMORY(sends(&made));
  assert_int_equal(made.call.goal, PRIVY_GOAL_TOKEN);
  made.now += 40;
  CHECK_MEMORY(receives(&made, 200, "", TOKEN));
  CHECK_MEMORY(!sends(&made));
  CHECK_STATUS(made.call.status, PRIVY_CONNECTION);
  assert_string_equal(made.error.message, "broke" OPEN);
  assert_string_equal(made.error.path, "/contacts/" CONTACT);
done:
  drop(&made);
}

/* The update that follows a create has its own 30 seconds: it has not been sent before. */
static void the_update_of_an_upsert_is_a_write_of_its_own(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &patient, "contacts.upsert", JANE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(loses(&made));
  CHECK_MEMORY(sends(&made));
  made.now = 1025;
  CHECK_MEMORY(receives(&made, 409, "", CONFLICT));
  made.now = 1060;
  CHECK_MEMORY(sends(&made));
  assert_string_equal(made.call.wire_request.method, "PATCH");
  CHECK_MEMORY(receives(&made, 500, "Retry-After: 20\r\n", "{\"error\":{\"message\":\"second\"}}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 500, "Retry-After: 20\r\n", ""));
  assert_true(made.call.done);
  assert_true(made.error.may_have_succeeded);
done:
  drop(&made);
}

/* ---- retryable --------------------------------------------------------------------------------------------------- */

/* Whether the error of a lost last attempt is retryable: the same call made again has no second effect. */
static void errors_report_whether_they_are_retryable(void **state) {
  (void)state;
  static const struct {
    const char *operation, *params;
    bool repeats; /* a second call has no second effect */
  } cases[] = {
      {"contacts.update", SUBSCRIBE, true},
      {"contacts.create", JANE, true},
      {"contacts.get", ID, true},
      {"events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b.c\",\"idempotency_key\":\"k\"}", true},
      {"events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b.c\"}", false}, /* it would have another key */
  };
  static const privy_options never = {.timeout = 30, .connect_timeout = 5, .max_wait = 60, .max_retries = 0};
  made_call made = {0};
  privy_error_init(&made.error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int how = 0; how < LOSSES; how++) {
      CHECK_OK(begin(&made, &never, cases[i].operation, cases[i].params));
      CHECK_MEMORY(sends(&made));
      CHECK_MEMORY(meets(&made, (loss)how));
      assert_true(made.call.done);
      assert_int_equal(made.error.retryable, cases[i].repeats || !is_open((loss)how));
      drop(&made);
    }
  }
  CHECK_OK(begin_raw(&made, "POST", false));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(loses(&made));
  assert_false(made.error.retryable);
done:
  drop(&made);
}

/* By the wall clock, not by the clock of the call. */
static void errors_report_when_to_retry(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.get", ID));
  made.account.wall_offset = 5000;
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 503, "Retry-After: 300\r\n", ""));
  assert_true(made.error.retryable && made.error.retry_after == 300 && made.error.retry_at == 6300);
  assert_true(made.error.resets_at == 0);
  drop(&made);
  CHECK_OK(begin(&made, &defaults, "contacts.get", ID));
  made.account.wall_offset = 5000;
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 429, "Retry-After: Thu, 01 Jan 1970 01:45:00 GMT\r\n", "")); /* 6300 */
  assert_true(made.error.retry_after == 300 && made.error.retry_at == 6300 && made.error.resets_at == 6300);
  drop(&made);
  CHECK_OK(begin(&made, &defaults, "contacts.get", ID));
  made.account.wall_offset = 5000;
  made.account.pacer.day = (privy_budget){.known = true, .limit = 10, .resets_at = 1000 + 400};
  CHECK_MEMORY(!sends(&made));
  CHECK_STATUS(made.call.status, PRIVY_RATE_LIMIT);
  assert_true(made.error.retryable && made.error.retry_after == 400);
  assert_true(made.error.retry_at == 6400 && made.error.resets_at == 6400);
  drop(&made);
  CHECK_OK(begin(&made, &defaults, "contacts.get", ID));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 404, "Retry-After: 300\r\n", ""));
  assert_true(!made.error.retryable && made.error.retry_after < 0 && made.error.retry_at == 0);
done:
  drop(&made);
}

/* A Retry-After of the token endpoint is one of the call. */
static void token_errors_report_when_to_retry(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin_with_oauth(&made, &defaults, "contacts.get", ID));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 503, "Retry-After: 300\r\n", ""));
  assert_true(made.error.retryable && made.error.retry_after == 300 && made.error.retry_at == 1300);
done:
  drop(&made);
}

/* retry_after of a loss that is reported later counts from the report. */
static void a_wait_that_is_reported_later_is_shorter(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &patient, "contacts.update", SUBSCRIBE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 500, "Retry-After: 20\r\n" SPENT("1055"), ""));
  made.now = 1020; /* the minute's limit resets after the write's 30 seconds */
  CHECK_MEMORY(!sends(&made));
  CHECK_STATUS(made.call.status, PRIVY_SERVER);
  assert_true(made.error.retry_at == 1020 && made.error.retry_after == 1020 - fmin(made.now, 1020));
done:
  drop(&made);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_write_is_repeated_within_30_seconds_or_not_at_all),
      TEST(a_lost_write_does_not_wait_for_budget_for_long),
      TEST(the_30_seconds_begin_with_the_first_loss),
      TEST(a_lost_write_does_not_wait_for_a_token_for_long),
      TEST(the_update_of_an_upsert_is_a_write_of_its_own),
      TEST(errors_report_whether_they_are_retryable),
      TEST(errors_report_when_to_retry),
      TEST(token_errors_report_when_to_retry),
      TEST(a_wait_that_is_reported_later_is_shorter),
  };
  return HARNESS_RUN(tests);
}
