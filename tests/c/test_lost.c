/* Lost attempts: which may have succeeded, which are repeated and until when, and which conflicts are with our own
 * request. */
#include "harness.h"

#include "lost_call.h"

/* ---- what may have succeeded ------------------------------------------------------------------------------------- */

/* A 409 is verified after a lost attempt that may have succeeded, otherwise not. */
static void a_conflict_after_each_loss(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  for (int how = 0; how < LOSSES; how++) {
    CHECK_OK(begin(&made, &defaults, "contacts.create", JANE));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(meets(&made, (loss)how));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(receives(&made, 409, "", CONFLICT));
    assert_int_equal(made.call.done, !is_open((loss)how));
    if (made.call.done) {
      assert_int_equal(made.error.code, PRIVY_CONFLICT);
      assert_false(made.error.may_have_succeeded);
      assert_string_equal(made.error.message, "409 conflict: it is there");
      assert_string_equal(made.error.contact_id, CONTACT);
    } else {
      CHECK_MEMORY(sends(&made));
      assert_string_equal(made.call.wire_request.method, "GET");
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
    CHECK_MEMORY(receives(&made, 404, "", ""));
    assert_true(made.call.done);
    assert_int_equal(made.call.status, is_open((loss)how) ? PRIVY_OK : PRIVY_NOT_FOUND);
    drop(&made);
  }
done:
  drop(&made);
}

static void a_conflict_without_a_loss_is_an_error(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &defaults, "contacts.delete", ID));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 404, "", ""));
  assert_int_equal(made.error.code, PRIVY_NOT_FOUND);
  assert_false(made.error.may_have_succeeded);
done:
  drop(&made);
}

/* The error of the last attempt has may_have_succeeded, whatever its code. */
static void errors_say_what_may_have_been_acted_on(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  for (int how = 0; how < LOSSES; how++) {
    CHECK_OK(begin(&made, &once, "contacts.update", "{\"id\":\"" CONTACT "\",\"first_name\":\"J\"}"));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(meets(&made, (loss)how));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(receives(&made, 422, "", ""));
    assert_true(made.call.done);
    assert_int_equal(made.error.may_have_succeeded, is_open((loss)how));
    assert_int_equal(ends_with(made.error.message, OPEN), is_open((loss)how));
    drop(&made);
  }
done:
  drop(&made);
}

static void reads_never_may_have_succeeded(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &once, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(loses(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(loses(&made));
  assert_true(made.call.done && !made.error.may_have_succeeded);
  assert_string_equal(made.error.message, "broke");
done:
  drop(&made);
}

/* A response that cannot be parsed is a success; a call that is stopped in flight may be one. */
static void other_failures_that_may_have_succeeded(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &once, "contacts.create", JANE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 201, "", "<html>"));
  assert_int_equal(made.error.code, PRIVY_API_STATUS);
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

/* A token request is not the request of the call. */
static void a_failed_token_request_loses_no_write(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  for (int how = 0; how < LOSSES; how++) {
    CHECK_OK(begin_with_oauth(&made, &defaults, "contacts.delete", ID));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(meets(&made, (loss)how));
    CHECK_MEMORY(sends(&made));
    assert_int_equal(made.call.goal, PRIVY_GOAL_TOKEN);
    CHECK_MEMORY(receives(&made, 200, "", TOKEN));
    CHECK_MEMORY(sends(&made));
    CHECK_MEMORY(receives(&made, 404, "", ""));
    assert_int_equal(made.call.status, PRIVY_NOT_FOUND);
    drop(&made);
  }
  CHECK_OK(begin_with_oauth(&made, &defaults, "contacts.create", JANE));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(loses(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 200, "", TOKEN));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 409, "", CONFLICT));
  assert_int_equal(made.call.status, PRIVY_CONFLICT);
  assert_false(made.error.may_have_succeeded);
done:
  drop(&made);
}

/* ---- raw requests ------------------------------------------------------------------------------------------------ */

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
  CHECK_MEMORY(receives(&made, 429, "", ""));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(loses(&made));
  assert_true(made.call.done);
  assert_int_equal(made.error.attempts, 2);
done:
  drop(&made);
}

/* ---- conflicts with our own request ------------------------------------------------------------------------------ */

/* A create that was lost and sent again, with a 409: the call reads the contact next. */
static bool looks(made_call *made, const privy_options *options) {
  bool looking = false;
  CHECK_OK(begin(made, options, "contacts.create", JANE));
  CHECK_MEMORY(sends(made));
  CHECK_MEMORY(loses(made));
  CHECK_MEMORY(sends(made));
  CHECK_MEMORY(receives(made, 409, "X-Request-Id: r9\r\n", CONFLICT));
  CHECK_MEMORY(sends(made));
  assert_string_equal(made->call.wire_request.method, "GET");
  assert_string_equal(made->call.wire_request.target, "/contacts/" CONTACT);
  looking = true;
done:
  return looking;
}

/* By the server's clock, from its Date: 1000 of the call's clock is noon of the server. */
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
    /* A restored contact. */
    {"",
     "{\"data\":{\"email\":\"jane@b.c\",\"first_name\":\"J\",\"created_at\":\"1960-01-01T00:00:00Z\","
     "\"updated_at\":\"1970-01-01T00:16:41Z\"}}",
     true},
    {"", "{\"data\":{\"email\":\"jane@b.c\",\"first_name\":\"\\u004a\",\"created_at\":\"1970-01-01T00:16:41Z\"}}",
     true},
    /* A contact that another client has created meanwhile. */
    {"", "{\"data\":{\"email\":\"jane@b.c\",\"first_name\":\"A\",\"created_at\":\"1970-01-01T00:16:41Z\"}}", false},
    {"", "{\"data\":{\"email\":\"jane@b.c\",\"created_at\":\"1970-01-01T00:16:41Z\"}}", false},
};

static void a_contact_is_ours_if_it_has_what_was_sent(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  for (size_t i = 0; i < COUNT(contacts); i++) {
    CHECK_MEMORY(looks(&made, &defaults));
    CHECK_MEMORY(receives(&made, 200, contacts[i].headers, contacts[i].contact));
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

/* The error is the 409 with its contact; whether we created the contact is unknown. */
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

static void a_failed_verification_leaves_the_conflict(void **state) {
  (void)state;
  static const int statuses[] = {204, 302, 400, 401, 403, 404, 409, 501};
  made_call made = {0};
  privy_error_init(&made.error);
  for (size_t i = 0; i < COUNT(statuses); i++) {
    CHECK_MEMORY(looks(&made, &defaults));
    CHECK_MEMORY(receives(&made, statuses[i], "", ""));
    CHECK_MEMORY(is_the_conflict(&made));
    assert_int_equal(made.error.attempts, 3);
    drop(&made);
  }
  CHECK_MEMORY(looks(&made, &defaults));
  CHECK_MEMORY(receives(&made, 200, "", "<html>"));
  CHECK_MEMORY(is_the_conflict(&made));
  drop(&made);
  CHECK_MEMORY(looks(&made, &defaults));
  CHECK_MEMORY(receives(&made, 409, "", "{\"id\":\"cus_another\"}"));
  CHECK_MEMORY(is_the_conflict(&made));
done:
  drop(&made);
}

static void a_verification_is_retried(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_MEMORY(looks(&made, &defaults));
  CHECK_MEMORY(receives(&made, 500, "", ""));
  CHECK_MEMORY(sends(&made));
  assert_string_equal(made.call.wire_request.method, "GET");
  CHECK_MEMORY(loses(&made));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 503, "", ""));
  CHECK_MEMORY(is_the_conflict(&made)); /* no retries are left */
  assert_int_equal(made.error.attempts, 5);
  drop(&made);
  CHECK_MEMORY(looks(&made, &defaults));
  CHECK_MEMORY(receives(&made, 500, "", ""));
  CHECK_MEMORY(sends(&made));
  CHECK_MEMORY(receives(&made, 200, "", PERSON("1970-01-01T00:16:41Z")));
  assert_int_equal(made.call.status, PRIVY_OK);
done:
  drop(&made);
}

static void a_verification_without_budget_leaves_the_conflict(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_MEMORY(looks(&made, &defaults));
  made.account.pacer.day = (privy_budget){.known = true, .limit = 10, .resets_at = made.now + 40000};
  CHECK_MEMORY(receives(&made, 429, "", ""));
  CHECK_MEMORY(!sends(&made));
  CHECK_MEMORY(is_the_conflict(&made));
done:
  drop(&made);
}

static void a_verification_can_be_stopped(void **state) {
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

int main(void) {
  static harness_test tests[] = {
      TEST(a_conflict_after_each_loss),
      TEST(a_delete_after_each_loss),
      TEST(a_conflict_without_a_loss_is_an_error),
      TEST(errors_say_what_may_have_been_acted_on),
      TEST(reads_never_may_have_succeeded),
      TEST(other_failures_that_may_have_succeeded),
      TEST(a_failed_token_request_loses_no_write),
      TEST(raw_writes_are_repeated_where_nothing_was_acted_on),
      TEST(a_raw_write_that_is_lost_later_is_not_repeated_either),
      TEST(a_contact_is_ours_if_it_has_what_was_sent),
      TEST(a_failed_verification_leaves_the_conflict),
      TEST(a_verification_is_retried),
      TEST(a_verification_without_budget_leaves_the_conflict),
      TEST(a_verification_can_be_stopped),
  };
  return HARNESS_RUN(tests);
}
