/* Bulk runs with a journal: contacts in doubt whose row subscribes them. */
#define _POSIX_C_SOURCE 200809L

#include "bulk_journal_scene.h"

#define ROW "{\"email\":\"x@example.com\",\"first_name\":\"Ada\",\"email_consent\":\"subscribed\"}"
#define ROW_WITH_PHONE                                                                                                 \
  "{\"email\":\"x@example.com\",\"phone_number\":\"+14155550100\",\"email_consent\":\"subscribed\"}"

typedef struct doubt_scene {
  scene s;
  journal_place place;
} doubt_scene;

static privy_status send(scene *s, const char *operation, const char *json) {
  privy_request *request = NULL;
  privy_response *response = NULL;
  privy_status status = ask_for(operation, json, &request, &s->error);
  if (status == PRIVY_OK) status = privy_client_call(s->client, request, NULL, NULL, &response, &s->error);
  privy_request_free(request);
  privy_response_release(response);
  return status;
}

/* Sends a row whose response is lost: after the server has processed it, or before. */
static privy_status lose(doubt_scene *d, const char *const *row, const char *before, bool processed) {
  scene *s = &d->s;
  const privy_sandbox_fault lost = {.cut = PRIVY_CUT_DROP, .retry_after = -1, .count = 1};
  place_make(&d->place);
  privy_status status = open_with_journal(s, &d->place, "contacts.upsert", row, 1);
  s->config.options.max_retries = 0;
  s->config.options.given |= PRIVY_GIVEN(MAX_RETRIES);
  if (status == PRIVY_OK && before) status = send(s, "contacts.upsert", before);
  if (status == PRIVY_OK) privy_sandbox_advance(s->sandbox, 60);
  if (status == PRIVY_OK) status = begin(s);
  if (status == PRIVY_OK && processed) status = privy_sandbox_add_fault(s->sandbox, &lost);
  if (status == PRIVY_OK && !processed) status = fail_once(s, 503, -1, 0, 1);
  if (status == PRIVY_OK) status = drive(s, "contacts.upsert");
  if (status == PRIVY_OK) privy_sandbox_advance(s->sandbox, 60);
  return status;
}

static void close_doubt(doubt_scene *d) {
  scene_close(&d->s);
  place_remove(&d->place);
}

/* email_consent and first_name of x@example.com. */
static privy_status check_stored(scene *s, const char *consent, const char *name) {
  privy_request *request = NULL;
  privy_response *response = NULL;
  privy_status status = ask_for("contacts.list", "{\"email\":\"x@example.com\"}", &request, &s->error);
  if (status == PRIVY_OK) status = privy_client_call(s->client, request, NULL, NULL, &response, &s->error);
  const privy_record *contact = status == PRIVY_OK ? privy_response_record(response, 0) : NULL;
  if (contact) {
    assert_true(privy_value_is(privy_record_get(contact, PRIVY_INDEX_CONTACT_email_consent), consent));
    assert_true(privy_value_is(privy_record_get(contact, PRIVY_INDEX_CONTACT_first_name), name));
  }
  privy_request_free(request);
  privy_response_release(response);
  return status;
}

static uint64_t requests_of(const scene *s) {
  return privy_sandbox_count(s->sandbox).requests;
}

static void check_state(doubt_scene *d, const char *expected) {
  char rows[8192];
  read_journal(d->place.path, "SELECT state, record_id IS NOT NULL FROM rows", rows);
  assert_string_equal(rows, expected);
}

static const char *const rows_of_one[] = {ROW};
static const char *const rows_with_phone[] = {ROW_WITH_PHONE};

static void a_contact_that_unsubscribed_meanwhile_stays_unsubscribed(void **state) {
  (void)state;
  doubt_scene d = {0};
  CHECK_OK(lose(&d, rows_of_one, NULL, true));
  CHECK_OK(send(&d.s, "contacts.upsert", "{\"email\":\"x@example.com\",\"email_consent\":\"unsubscribed\"}"));
  const uint64_t before = requests_of(&d.s);
  CHECK_OK(run_again(&d.s, "contacts.upsert"));
  assert_int_equal(requests_of(&d.s) - before, 1);
  assert_int_equal(d.s.status[0], PRIVY_OK);
  check_state(&d, "created 1\n");
  CHECK_OK(check_stored(&d.s, "unsubscribed", "Ada"));
done:
  close_doubt(&d);
}

static void only_a_request_that_was_not_applied_is_sent_again(void **state) {
  (void)state;
  doubt_scene d = {0};
  CHECK_OK(lose(&d, rows_of_one, "{\"email\":\"x@example.com\",\"first_name\":\"Old\"}", true));
  const uint64_t before = requests_of(&d.s);
  CHECK_OK(run_again(&d.s, "contacts.upsert"));
  /* What was lost is a 409, so the update was not sent. */
  assert_int_equal(requests_of(&d.s) - before, 3);
  check_state(&d, "updated 1\n");
  CHECK_OK(check_stored(&d.s, "subscribed", "Ada"));
  close_doubt(&d);

  d = (doubt_scene){0};
  CHECK_OK(lose(&d, rows_of_one, NULL, true));
  const uint64_t applied = requests_of(&d.s);
  CHECK_OK(run_again(&d.s, "contacts.upsert"));
  assert_int_equal(requests_of(&d.s) - applied, 1);
  check_state(&d, "created 1\n");
done:
  close_doubt(&d);
}

static void a_request_that_was_not_applied_is_sent(void **state) {
  (void)state;
  doubt_scene d = {0};
  CHECK_OK(lose(&d, rows_of_one, NULL, false));
  const uint64_t before = requests_of(&d.s);
  CHECK_OK(run_again(&d.s, "contacts.upsert"));
  assert_int_equal(requests_of(&d.s) - before, 2);
  check_state(&d, "created 1\n");
  CHECK_OK(check_stored(&d.s, "subscribed", "Ada"));
  close_doubt(&d);

  /* The contact unsubscribed long before the row was sent: the row is what subscribes it. */
  d = (doubt_scene){0};
  CHECK_OK(lose(&d, rows_of_one, "{\"email\":\"x@example.com\",\"email_consent\":\"unsubscribed\"}", false));
  CHECK_OK(run_again(&d.s, "contacts.upsert"));
  check_state(&d, "updated 1\n");
  CHECK_OK(check_stored(&d.s, "subscribed", "Ada"));
done:
  close_doubt(&d);
}

static void a_contact_is_looked_up_by_each_identifier(void **state) {
  (void)state;
  doubt_scene d = {0};
  CHECK_OK(lose(&d, rows_with_phone, NULL, false));
  CHECK_OK(send(&d.s, "contacts.upsert", "{\"phone_number\":\"+14155550100\",\"email_consent\":\"suppressed\"}"));
  const uint64_t before = requests_of(&d.s);
  CHECK_OK(run_again(&d.s, "contacts.upsert"));
  assert_int_equal(requests_of(&d.s) - before, 2);
  assert_int_equal(d.s.status[0], PRIVY_JOURNAL); /* the contact has no such e-mail address */
done:
  close_doubt(&d);
}

/* The error of the row's result. The run waits for it to be acknowledged. */
static privy_status run_to_result(scene *s, privy_bulk_result_view *result) {
  s->leave_after = 0;
  privy_status status = run_again(s, "contacts.upsert");
  if (status == PRIVY_OK) assert_true(privy_bulk_result(s->bulk, result));
  return status == PRIVY_OK && result->status == PRIVY_NO_MEMORY ? PRIVY_NO_MEMORY : status;
}

static void a_doubt_that_remains_is_left_to_the_user(void **state) {
  (void)state;
  doubt_scene d = {0};
  privy_bulk_result_view result;
  CHECK_OK(lose(&d, rows_of_one, NULL, false));
  CHECK_OK(send(&d.s, "contacts.upsert",
                "{\"email\":\"x@example.com\",\"first_name\":\"Eve\",\"email_consent\":\"suppressed\"}"));
  CHECK_OK(run_to_result(&d.s, &result));
  assert_string_equal(result.error->api_code, "in_doubt_consent");
  assert_non_null(strstr(result.error->message, "has opted out"));
  assert_true(result.error->may_have_succeeded);
  check_state(&d, "sent 0\n");
done:
  close_doubt(&d);
}

static void without_the_right_to_read_contacts_the_user_decides(void **state) {
  (void)state;
  doubt_scene d = {0};
  privy_bulk_result_view result;
  CHECK_OK(lose(&d, rows_of_one, NULL, true));
  CHECK_OK(fail_once(&d.s, 403, -1, 0, 1));
  CHECK_OK(run_to_result(&d.s, &result));
  assert_string_equal(result.error->api_code, "in_doubt_consent");
  assert_non_null(strstr(result.error->message, "may not read contacts"));
  assert_null(privy_bulk_error(d.s.bulk));
  check_state(&d, "sent 0\n");
done:
  close_doubt(&d);
}

static void a_look_up_that_fails_leaves_the_row_in_doubt(void **state) {
  (void)state;
  doubt_scene d = {0};
  privy_bulk_result_view result;
  CHECK_OK(lose(&d, rows_of_one, NULL, true));
  CHECK_OK(fail_once(&d.s, 500, -1, 0, 1));
  CHECK_OK(run_to_result(&d.s, &result));
  assert_int_equal(result.status, PRIVY_SERVER);
  assert_true(result.error->may_have_succeeded);
  check_state(&d, "sent 0\n");
  d.s.leave_after = NONE;
  CHECK_OK(run_again(&d.s, "contacts.upsert"));
  check_state(&d, "created 1\n");
done:
  close_doubt(&d);
}

/* The account's day is spent: the row is not sent in this run, and the next run looks the contact up. */
static void a_look_up_that_ends_the_run_leaves_the_row_in_doubt(void **state) {
  (void)state;
  doubt_scene d = {0};
  CHECK_OK(lose(&d, rows_of_one, NULL, true));
  privy_sandbox_set_limits(d.s.sandbox, 60, 1, 60);
  CHECK_OK(send_from_elsewhere(&d.s));
  CHECK_OK(run_again(&d.s, "contacts.upsert"));
  check_open(&d.s, 0, 1);
  assert_int_equal(privy_bulk_error(d.s.bulk)->http_status, 429);
  check_state(&d, "sent 0\n");
  privy_sandbox_set_limits(d.s.sandbox, 60, 10000, 60);
  privy_sandbox_advance(d.s.sandbox, 86400);
  CHECK_OK(run_again(&d.s, "contacts.upsert"));
  check_state(&d, "created 1\n");
done:
  close_doubt(&d);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(a_contact_that_unsubscribed_meanwhile_stays_unsubscribed),
      TEST(only_a_request_that_was_not_applied_is_sent_again),
      TEST(a_request_that_was_not_applied_is_sent),
      TEST(a_contact_is_looked_up_by_each_identifier),
      TEST(a_doubt_that_remains_is_left_to_the_user),
      TEST(without_the_right_to_read_contacts_the_user_decides),
      TEST(a_look_up_that_fails_leaves_the_row_in_doubt),
      TEST(a_look_up_that_ends_the_run_leaves_the_row_in_doubt),
  };
  return HARNESS_RUN(tests);
}
