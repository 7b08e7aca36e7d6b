/* Attempts that were lost: which may have been acted on, which are repeated and until when, and what a conflict with
 * our own work comes to. */
#include "harness.h"

#include "made_call.h"

static const privy_options patient = {.timeout = 30, .connect_timeout = 5, .max_wait = 3600, .max_retries = 3};
static const privy_options once = {.timeout = 30, .connect_timeout = 5, .max_wait = 60, .max_retries = 1};

#define JANE "{\"email\":\"jane@b.c\",\"first_name\":\"J\"}"
#define CONFLICT "{\"error\":{\"code\":\"conflict\",\"message\":\"it is there\",\"id\":\"" CONTACT "\"}}"
#define ID "{\"id\":\"" CONTACT "\"}"
#define OPEN "; the request may have been acted on"

/* No connection was to be had: nothing has left. */
static bool is_refused(made_call *made) {
  made->call.never_arrived = true;
  return is_lost(made);
}

static bool fails_with(made_call *made, privy_status code) {
  if (privy_error_set(&made->error, code, "broke") == PRIVY_NO_MEMORY) return false;
  privy_call_failed(&made->call, &made->account, made->now);
  return !(made->call.done && made->call.status == PRIVY_NO_MEMORY);
}

static bool ends_with(const char *text, const char *end) {
  return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* ---- what may have been acted on --------------------------------------------------------------------------------- */

/* How an attempt may fail. */
typedef enum loss { LOST, REFUSED, S408, S429, S500, S502, S503, S503_LATER, S504, LOSSES } loss;

static bool meets(made_call *made, loss how) {
  static const int statuses[] = {0, 0, 408, 429, 500, 502, 503, 503, 504};
  if (how == LOST) return is_lost(made);
  if (how == REFUSED) return is_refused(made);
  return answers(made, statuses[how], how == S503_LATER ? "Retry-After: 1\r\n" : "", "");
}

/* Whether the server may have acted on the request before. */
static bool is_open(loss how) {
  return how != REFUSED && how != S429 && how != S503_LATER;
}

/* After a loss that may have succeeded a 409 is looked into; otherwise it is true. */
static void a_conflict_after_each_loss(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  for (int how = 0; how < LOSSES; how++) {
    CHECK_OK(begin(&made, &defaults, "contacts.create", JANE));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(meets(&made, (loss)how));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(answers(&made, 409, "", CONFLICT));
    assert_int_equal(made.call.done, !is_open((loss)how));
    if (made.call.done) {
      assert_int_equal(made.error.code, PRIVY_CONFLICT);
      assert_false(made.error.may_have_succeeded);
      assert_string_equal(made.error.message, "409 conflict: it is there");
      assert_string_equal(made.error.contact_id, CONTACT);
    } else {
      CHECK_MEMORY(sends(&made));
      assert_string_equal(made.call.outgoing.method, "GET");
    }
    drop(&made);
  }
done:
  drop(&made);
}

static void a_delete_after_each_loss(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  for (int how = 0; how < LOSSES; how++) {
    CHECK_OK(begin(&made, &defaults, "contacts.delete", ID));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(meets(&made, (loss)how));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(answers(&made, 404, "", ""));
    assert_true(made.call.done);
    assert_int_equal(made.call.status, is_open((loss)how) ? PRIVY_OK : PRIVY_NOT_FOUND);
    drop(&made);
  }
done:
  drop(&made);
}

static void a_first_answer_is_believed(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.delete", ID));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 404, "", ""));
  assert_int_equal(made.error.code, PRIVY_NOT_FOUND);
  assert_false(made.error.may_have_succeeded);
done:
  drop(&made);
}

/* The error of the last attempt says so, whatever it is. */
static void errors_say_what_may_have_been_acted_on(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  for (int how = 0; how < LOSSES; how++) {
    CHECK_OK(begin(&made, &once, "contacts.update", "{\"id\":\"" CONTACT "\",\"first_name\":\"J\"}"));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(meets(&made, (loss)how));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(answers(&made, 422, "", ""));
    assert_true(made.call.done);
    assert_int_equal(made.error.may_have_succeeded, is_open((loss)how));
    assert_int_equal(ends_with(made.error.message, OPEN), is_open((loss)how));
    drop(&made);
  }
done:
  drop(&made);
}

static void reads_are_never_in_doubt(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &once, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(is_lost(&made));
  assert_true(made.call.done && !made.error.may_have_succeeded);
  assert_string_equal(made.error.message, "broke");
done:
  drop(&made);
}

/* An answer that cannot be read is one of success; a call that is stopped on the way may have been one. */
static void what_else_may_have_succeeded(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &once, "contacts.create", JANE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 201, "", "<html>"));
  assert_int_equal(made.error.code, PRIVY_STATUS);
  assert_true(made.error.may_have_succeeded);
  drop(&made);
  CHECK_OK(begin(&made, &once, "contacts.create", JANE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(fails_with(&made, PRIVY_INTERRUPTED));
  assert_true(made.error.may_have_succeeded);
  drop(&made);
  CHECK_OK(begin(&made, &once, "contacts.create", JANE));
  CHECK_MEMORY(fails_with(&made, PRIVY_INTERRUPTED));
  assert_false(made.error.may_have_succeeded);
done:
  drop(&made);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static char client_id[] = "client", client_secret[] = "secret", token_url[] = "https://api.example/oauth/token";
static const privy_settings with_oauth = {.client_id = client_id,
                                          .client_secret = client_secret,
                                          .base_url = base_url,
                                          .base_path = "/v1",
                                          .token_url = token_url};

static privy_status begin_with_oauth(made_call *made, const privy_options *options, const char *operation,
                                     const char *params) {
  privy_status status = begin(made, options, operation, params);
  made->call.settings = &with_oauth;
  return status;
}

#define TOKEN "{\"access_token\":\"t1\",\"expires_in\":7200}"

/* A request for a token is not the request of the call. */
static void a_failed_token_request_is_no_lost_attempt(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  for (int how = 0; how < LOSSES; how++) {
    CHECK_OK(begin_with_oauth(&made, &defaults, "contacts.delete", ID));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(meets(&made, (loss)how));
    CHECK_MEMORY(sends(&made));
    assert_int_equal(made.call.goal, PRIVY_GOAL_TOKEN);
    CHECK_MEMORY(answers(&made, 200, "", TOKEN));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(answers(&made, 404, "", ""));
    assert_int_equal(made.call.status, PRIVY_NOT_FOUND);
    drop(&made);
  }
  CHECK_OK(begin_with_oauth(&made, &defaults, "contacts.create", JANE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 200, "", TOKEN));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 409, "", CONFLICT));
  assert_int_equal(made.call.status, PRIVY_CONFLICT);
  assert_false(made.error.may_have_succeeded);
done:
  drop(&made);
}

/* ---- requests of the user's own ---------------------------------------------------------------------------------- */

static privy_status begin_raw(made_call *made, const char *method, bool key) {
  privy_account_init(&made->account);
  made->now = 1000;
  privy_status status = privy_request_new_raw(TEXT(method), TEXT("/events"), &made->request);
  if (status != PRIVY_OK) return status;
  if (key) {
    privy_request_header(made->request);
    privy_request_key(made->request, "Idempotency-Key", 15);
    privy_request_string(made->request, "k1", 2);
  }
  status = privy_request_finish(made->request, &made->error);
  if (status != PRIVY_OK) return status;
  privy_call_init(&made->call, &settings, defaults, random_bits, made->request, &made->error);
  made->begun = true;
  return PRIVY_OK;
}

static void raw_writes_are_repeated_where_nothing_was_acted_on(void **state) {
  (void)state;
  static const struct {
    const char *method;
    bool key, always;
  } cases[] = {{"POST", false, false}, {"PATCH", false, false}, {"POST", true, true},
               {"PATCH", true, true},  {"PUT", false, true},    {"DELETE", false, true},
               {"GET", false, true},   {"HEAD", false, true},   {"OPTIONS", false, true}};
  made_call made = {0};
  privy_error_init(&made.error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    for (int how = 0; how < LOSSES; how++) {
      const bool repeated = cases[i].always || !is_open((loss)how);
      CHECK_OK(begin_raw(&made, cases[i].method, cases[i].key));
      CHECK_MEMORY(sends(&made));
      CHECK_MEMORY(meets(&made, (loss)how));
      if (made.call.done == repeated) fail_msg("%s after loss %d", cases[i].method, how);
      if (made.call.done) {
        assert_true(made.error.may_have_succeeded && ends_with(made.error.message, OPEN));
        assert_int_equal(made.error.attempts, 1);
      }
      drop(&made);
    }
  }
done:
  drop(&made);
}

static void a_raw_write_that_is_lost_later_is_not_repeated_either(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin_raw(&made, "POST", false));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 429, "", ""));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(is_lost(&made));
  assert_true(made.call.done);
  assert_int_equal(made.error.attempts, 2);
done:
  drop(&made);
}

/* ---- conflicts with our own work --------------------------------------------------------------------------------- */

/* A create that was lost, sent again and answered 409: the look at the contact is next. */
static bool looks(made_call *made, const privy_options *options) {
  bool looking = false;
  CHECK_OK(begin(made, options, "contacts.create", JANE));
  CHECK_MEMORY(sends(made));
  CHECK_MEMORY(is_lost(made));
  CHECK_MEMORY(sends(made));
  CHECK_MEMORY(answers(made, 409, "X-Request-Id: r9\r\n", CONFLICT));
  CHECK_MEMORY(sends(made));
  assert_string_equal(made->call.outgoing.method, "GET");
  assert_string_equal(made->call.outgoing.target, "/contacts/" CONTACT);
  looking = true;
done:
  return looking;
}

/* By the server's clock, which the Date tells: 1000 here is noon there. */
#define NOON "Date: Tue, 12 May 2026 12:00:00 GMT\r\n"

static const struct {
  const char *headers, *contact;
  bool ours;
} contacts[] = {
    {"", PERSON("1970-01-01T00:16:41Z"), true},
    {"", PERSON("1970-01-01T00:10:00Z"), false},
    {NOON, PERSON("2026-05-12T12:00:00Z"), true},
    {NOON, PERSON("2026-05-12T11:59:00Z"), false},
    {NOON, PERSON("1970-01-01T00:16:41Z"), false},
    /* A deleted contact that was restored. */
    {"",
     "{\"data\":{\"email\":\"jane@b.c\",\"first_name\":\"J\",\"created_at\":\"1960-01-01T00:00:00Z\","
     "\"updated_at\":\"1970-01-01T00:16:41Z\"}}",
     true},
    /* Somebody else's, made meanwhile. */
    {"", "{\"data\":{\"email\":\"jane@b.c\",\"first_name\":\"A\",\"created_at\":\"1970-01-01T00:16:41Z\"}}", false},
    {"", "{\"data\":{\"email\":\"jane@b.c\",\"created_at\":\"1970-01-01T00:16:41Z\"}}", false},
};

static void a_contact_is_ours_when_it_holds_what_was_sent(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  for (size_t i = 0; i < COUNT(contacts); i++) {
    CHECK_MEMORY(looks(&made, &defaults));
    CHECK_MEMORY(answers(&made, 200, contacts[i].headers, contacts[i].contact));
    assert_true(made.call.done);
    if (contacts[i].ours) {
      assert_int_equal(made.call.status, PRIVY_OK);
      assert_int_equal(privy_response_count(made.call.response), 1);
    } else {
      assert_int_equal(made.call.status, PRIVY_CONFLICT);
      assert_string_equal(made.error.contact_id, CONTACT);
      assert_string_equal(made.error.message, "409 conflict: it is there");
      assert_false(made.error.may_have_succeeded);
      assert_null(made.call.response);
    }
    drop(&made);
  }
done:
  drop(&made);
}

/* The 409 as it came, with the contact: all that is missing is whether it is our own work. */
static bool is_the_conflict(const made_call *made) {
  const privy_error *error = &made->error;
  assert_true(made->call.done);
  if (error->code == PRIVY_NO_MEMORY) return false;
  assert_int_equal(error->code, PRIVY_CONFLICT);
  assert_int_equal(error->http_status, 409);
  assert_string_equal(error->contact_id, CONTACT);
  assert_string_equal(error->api_code, "conflict");
  assert_string_equal(error->request_id, "r9");
  assert_string_equal(error->method, "POST");
  assert_string_equal(error->path, "/contacts");
  assert_int_equal(privy_response_status(error->response), 409);
  assert_string_equal(error->message, "409 conflict: it is there" OPEN);
  assert_true(error->may_have_succeeded);
  return true;
}

static void a_look_that_fails_leaves_the_conflict(void **state) {
  (void)state;
  static const int statuses[] = {204, 302, 400, 401, 403, 404, 409, 501};
  made_call made = {0};
  privy_error_init(&made.error);
  for (size_t i = 0; i < COUNT(statuses); i++) {
    CHECK_MEMORY(looks(&made, &defaults));
    CHECK_MEMORY(answers(&made, statuses[i], "", ""));
    CHECK_MEMORY(is_the_conflict(&made));
    assert_int_equal(made.error.attempts, 3);
    drop(&made);
  }
  CHECK_MEMORY(looks(&made, &defaults));
  CHECK_MEMORY(answers(&made, 200, "", "<html>"));
  CHECK_MEMORY(is_the_conflict(&made));
  drop(&made);
  CHECK_MEMORY(looks(&made, &defaults));
  CHECK_MEMORY(answers(&made, 409, "", "{\"id\":\"cus_another\"}"));
  CHECK_MEMORY(is_the_conflict(&made));
done:
  drop(&made);
}

static void a_look_is_tried_again_before_it_fails(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_MEMORY(looks(&made, &defaults));
  CHECK_MEMORY(answers(&made, 500, "", ""));
  CHECK_MEMORY(sends(&made));
  assert_string_equal(made.call.outgoing.method, "GET");
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 503, "", ""));
  CHECK_MEMORY(is_the_conflict(&made)); /* the retries are used up */
  assert_int_equal(made.error.attempts, 5);
  drop(&made);
  CHECK_MEMORY(looks(&made, &defaults));
  CHECK_MEMORY(answers(&made, 500, "", ""));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 200, "", PERSON("1970-01-01T00:16:41Z")));
  assert_int_equal(made.call.status, PRIVY_OK);
done:
  drop(&made);
}

static void a_look_without_budget_leaves_the_conflict(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_MEMORY(looks(&made, &defaults));
  made.account.pacer.day = (privy_budget){.known = true, .limit = 10, .resets_at = made.now + 40000};
  CHECK_MEMORY(answers(&made, 429, "", ""));
  CHECK_MEMORY(!sends(&made));
  CHECK_MEMORY(is_the_conflict(&made));
done:
  drop(&made);
}

static void a_look_that_is_stopped_is_stopped(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_MEMORY(looks(&made, &defaults));
  CHECK_MEMORY(fails_with(&made, PRIVY_INTERRUPTED));
  assert_int_equal(made.call.status, PRIVY_INTERRUPTED);
  assert_true(made.error.may_have_succeeded);
done:
  drop(&made);
}

/* ---- not later than half a minute -------------------------------------------------------------------------------- */

#define SUBSCRIBE "{\"id\":\"" CONTACT "\",\"email_consent\":\"subscribed\"}"

/* What a loss with this Retry-After comes to: repeated, or the end. */
static void a_write_is_repeated_soon_or_not_at_all(void **state) {
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
      /* A key makes it safe at any time. */
      {"events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b.c\"}", 500, "3000", true},
      {"events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b.c\",\"idempotency_key\":\"k\"}", 500, "3000", true},
      /* Nothing was acted on, or there was nothing to act on. */
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
    CHECK_MEMORY(answers(&made, cases[i].status, header, ""));
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

/* The loss is what is reported, not the wait that there is no time for. */
static void a_lost_write_does_not_wait_for_budget_for_long(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &patient, "contacts.update", SUBSCRIBE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 500, SPENT("1045"), "{\"error\":{\"message\":\"oops\"}}"));
  CHECK_MEMORY(!sends(&made));
  assert_true(made.now < 1031);
  CHECK_STATUS(made.call.status, PRIVY_SERVER);
  assert_string_equal(made.error.message, "500: oops" OPEN);
  assert_int_equal(made.error.attempts, 1);
  drop(&made);
  CHECK_OK(begin(&made, &patient, "contacts.update", SUBSCRIBE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 500, SPENT("1025"), ""));
  CHECK_MEMORY(sends(&made));
  assert_true(made.now >= 1025 && made.now <= 1030);
done:
  drop(&made);
}

/* The time runs out between the attempts: the first loss is reported, though a 429 came later. */
static void time_runs_from_the_first_loss(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &patient, "contacts.update", SUBSCRIBE));
  CHECK_MEMORY(sends(&made));
  made.now += 29; /* an attempt may take long */
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  made.now = 1029 + 20;
  CHECK_MEMORY(answers(&made, 429, "Retry-After: 10\r\n", ""));
  made.now = 1029 + 31; /* nobody drove it */
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
  CHECK_MEMORY(answers(&made, 200, "", TOKEN));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 401, "", ""));
  CHECK_MEMORY(sends(&made));
  assert_int_equal(made.call.goal, PRIVY_GOAL_TOKEN);
  made.now += 40;
  CHECK_MEMORY(answers(&made, 200, "", TOKEN));
  CHECK_MEMORY(!sends(&made));
  CHECK_STATUS(made.call.status, PRIVY_CONNECTION);
  assert_string_equal(made.error.message, "broke" OPEN);
  assert_string_equal(made.error.path, "/contacts/" CONTACT);
done:
  drop(&made);
}

/* The update that follows a create has a time of its own: it has not been sent before. */
static void the_update_of_an_upsert_is_a_write_of_its_own(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &patient, "contacts.upsert", JANE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(is_lost(&made));
  CHECK_MEMORY(sends(&made));
  made.now = 1025;
  CHECK_MEMORY(answers(&made, 409, "", CONFLICT));
  made.now = 1060;
  CHECK_MEMORY(sends(&made));
  assert_string_equal(made.call.outgoing.method, "PATCH");
  CHECK_MEMORY(answers(&made, 500, "Retry-After: 20\r\n", "{\"error\":{\"message\":\"second\"}}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(answers(&made, 500, "Retry-After: 20\r\n", ""));
  assert_true(made.call.done);
  assert_true(made.error.may_have_succeeded);
done:
  drop(&made);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_conflict_after_each_loss),
      TEST(a_delete_after_each_loss),
      TEST(a_first_answer_is_believed),
      TEST(errors_say_what_may_have_been_acted_on),
      TEST(reads_are_never_in_doubt),
      TEST(what_else_may_have_succeeded),
      TEST(a_failed_token_request_is_no_lost_attempt),
      TEST(raw_writes_are_repeated_where_nothing_was_acted_on),
      TEST(a_raw_write_that_is_lost_later_is_not_repeated_either),
      TEST(a_contact_is_ours_when_it_holds_what_was_sent),
      TEST(a_look_that_fails_leaves_the_conflict),
      TEST(a_look_is_tried_again_before_it_fails),
      TEST(a_look_without_budget_leaves_the_conflict),
      TEST(a_look_that_is_stopped_is_stopped),
      TEST(a_write_is_repeated_soon_or_not_at_all),
      TEST(a_lost_write_does_not_wait_for_budget_for_long),
      TEST(time_runs_from_the_first_loss),
      TEST(a_lost_write_does_not_wait_for_a_token_for_long),
      TEST(the_update_of_an_upsert_is_a_write_of_its_own),
  };
  return HARNESS_RUN(tests);
}
