/* One OAuth token for all calls of a client: which call fetches it, waits, or takes over. The tests interleave the
 * steps. */
#include "harness.h"

#include <string.h>

#include "call/call.h"
#include "message/error.h"
#include "message_text.h"

static char base_url[] = "https://api.example/v1", token_url[] = "https://api.example/oauth/token";
static char client_id[] = "client", client_secret[] = "secret";
static const privy_settings settings = {.client_id = client_id,
                                        .client_secret = client_secret,
                                        .base_url = base_url,
                                        .base_path = "/v1",
                                        .token_url = token_url};
static const privy_options options = {.timeout = 7, .connect_timeout = 2, .max_wait = 5, .max_retries = 2};

#define CALLS 3

/* Calls of one client, each driven separately. */
typedef struct scene {
  privy_account account;
  privy_request *request;
  privy_call calls[CALLS];
  privy_error errors[CALLS];
  int begun;
  double now;
} scene;

static privy_status open_scene(scene *s) {
  const uint64_t random[2] = {1, 2};
  *s = (scene){.now = 1000};
  privy_account_init(&s->account);
  privy_error_init(&s->errors[0]);
  privy_status status = ask_for("contacts.list", "{}", &s->request, &s->errors[0]);
  for (; status == PRIVY_OK && s->begun < CALLS; s->begun++) {
    privy_error_init(&s->errors[s->begun]);
    privy_call_init(&s->calls[s->begun], &settings, options, random, s->request, &s->errors[s->begun]);
  }
  return status;
}

static void close_scene(scene *s) {
  for (int i = 0; i < s->begun; i++) {
    privy_call_clear(&s->calls[i]);
    privy_error_clear(&s->errors[i]);
  }
  privy_request_free(s->request);
  privy_account_clear(&s->account);
}

/* False when memory runs out; then the call has the error. */
static bool does(scene *s, int which, privy_call_step expected, privy_call_goal goal) {
  privy_call *call = &s->calls[which];
  privy_call_step step = privy_call_next(call, &s->account, s->now);
  if (step == PRIVY_CALL_DONE && call->status == PRIVY_NO_MEMORY) return false;
  assert_int_equal(step, expected);
  if (step == PRIVY_CALL_SEND) assert_int_equal(call->goal, goal);
  return true;
}

#define FETCHES(which) CHECK_MEMORY(does(&s, which, PRIVY_CALL_SEND, PRIVY_GOAL_TOKEN))
#define ASKS(which) CHECK_MEMORY(does(&s, which, PRIVY_CALL_SEND, PRIVY_GOAL_RESPONSE))
#define WAITS(which) CHECK_MEMORY(does(&s, which, PRIVY_CALL_WAIT, PRIVY_GOAL_RESPONSE))
#define ENDS(which, code)                                                                                              \
  CHECK_MEMORY(does(&s, which, PRIVY_CALL_DONE, PRIVY_GOAL_RESPONSE));                                                 \
  assert_int_equal(s.calls[which].status, code)

static bool receives(scene *s, int which, int status, const char *body) {
  privy_wire_response wire_response = {.http_status = status};
  bool built = privy_buffer_text(&wire_response.body, body);
  if (built) privy_call_received(&s->calls[which], &s->account, s->now, &wire_response);
  privy_wire_response_clear(&wire_response);
  return built && !(s->calls[which].done && s->calls[which].status == PRIVY_NO_MEMORY);
}

static bool fails(scene *s, int which, privy_status code) {
  if (privy_error_set(&s->errors[which], code, "broke") == PRIVY_NO_MEMORY) return false;
  privy_call_failed(&s->calls[which], &s->account, s->now);
  return !(s->calls[which].done && s->calls[which].status == PRIVY_NO_MEMORY);
}

#define TOKEN(name) "{\"access_token\":\"" name "\",\"expires_in\":7200}"
#define PAGE "{\"data\":[]}"

static bool carries(const scene *s, int which, const char *token) {
  char line[64];
  const privy_buffer *headers = &s->calls[which].wire_request.headers;
  snprintf(line, sizeof line, "Bearer %s\r\n", token);
  return headers->length >= strlen(line) &&
         memcmp(headers->data + headers->length - strlen(line), line, strlen(line)) == 0;
}

/* Lets a call wait for the token until it sends, or for `seconds`. In between, the call that fetches the token is
 * driven, or not. */
static privy_call_step polls(scene *s, int which, double seconds, int driven) {
  const double until = s->now + seconds;
  privy_call_step step;
  while ((step = privy_call_next(&s->calls[which], &s->account, s->now)) == PRIVY_CALL_WAIT && s->now < until) {
    if (driven >= 0) privy_account_drive_fetch(&s->account, s->calls[driven].fetch);
    assert_true(s->calls[which].until > s->now);
    s->now = s->calls[which].until;
  }
  return step;
}

/* ---- waiting ---- */

static void one_call_fetches_the_token_and_the_others_wait(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  FETCHES(0);
  WAITS(1);
  WAITS(2);
  assert_int_equal(polls(&s, 1, 3, 0), PRIVY_CALL_WAIT); /* the server is slow, but the fetch is driven */
  CHECK_MEMORY(receives(&s, 0, 200, TOKEN("t1")));
  s.now += 1;
  for (int i = 0; i < CALLS; i++) {
    ASKS(i);
    assert_true(carries(&s, i, "t1"));
    CHECK_MEMORY(receives(&s, i, 200, PAGE));
    ENDS(i, PRIVY_OK);
  }
  assert_int_equal(s.account.fetch_count, 1);
  assert_int_equal(s.calls[0].attempts, 2);
  assert_int_equal(s.calls[1].attempts, 1);
done:
  close_scene(&s);
}

/* First `timeout`, then `max_wait`: 7 and 5 seconds. */
static void the_wait_for_a_token_is_bounded(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  FETCHES(0);
  assert_int_equal(polls(&s, 1, 11.9, 0), PRIVY_CALL_WAIT);
  privy_call_step step = polls(&s, 1, 0.2, 0);
  CHECK_MEMORY(step != PRIVY_CALL_DONE || s.calls[1].status != PRIVY_NO_MEMORY);
  assert_int_equal(step, PRIVY_CALL_DONE);
  assert_int_equal(s.errors[1].code, PRIVY_TIMEOUT);
  assert_string_equal(s.errors[1].path, "/oauth/token");
  assert_string_equal(s.errors[1].method, "POST");
  assert_non_null(strstr(s.errors[1].message, "max_wait"));
  assert_int_equal(s.errors[1].attempts, 0);
  assert_true(s.errors[1].waited > 4.9 && s.errors[1].waited <= 5);
  assert_int_equal(s.account.fetch_count, 1);
done:
  close_scene(&s);
}

static void a_failed_fetch_is_left_to_the_next_one(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  FETCHES(0);
  WAITS(1);
  CHECK_MEMORY(receives(&s, 0, 401, "{\"error\":\"invalid_client\"}"));
  ENDS(0, PRIVY_AUTHENTICATION);
  s.now += 1;
  FETCHES(1);
  WAITS(2);
  CHECK_MEMORY(fails(&s, 1, PRIVY_INTERRUPTED));
  ENDS(1, PRIVY_INTERRUPTED);
  s.now += 1;
  FETCHES(2);
done:
  close_scene(&s);
}

/* A token request is retried like any other one: after a response that may pass, and after none. */
static void a_fetch_is_retried(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  FETCHES(0);
  CHECK_MEMORY(receives(&s, 0, 503, ""));
  assert_int_equal(s.account.fetch, 0);
  s.now += 10;
  FETCHES(0);
  CHECK_MEMORY(fails(&s, 0, PRIVY_CONNECTION));
  s.now += 10;
  FETCHES(0);
  CHECK_MEMORY(receives(&s, 0, 200, TOKEN("t1")));
  ASKS(0);
  CHECK_MEMORY(receives(&s, 0, 200, PAGE));
  ENDS(0, PRIVY_OK);
  assert_int_equal(s.calls[0].attempts, 4);
done:
  close_scene(&s);
}

/* ---- taking over ---- */

/* The first call's driver stops; the second call takes over after 0.25 seconds. */
static bool take_over(scene *s) {
  bool complete = does(s, 0, PRIVY_CALL_SEND, PRIVY_GOAL_TOKEN);
  if (!complete) return false;
  assert_int_equal(polls(s, 1, 0.22, -1), PRIVY_CALL_WAIT);
  privy_call_step step = polls(s, 1, 0.05, -1);
  if (step == PRIVY_CALL_DONE) return false;
  assert_int_equal(step, PRIVY_CALL_SEND);
  assert_int_equal(s->calls[1].goal, PRIVY_GOAL_TOKEN);
  assert_int_equal(s->account.fetch_count, 2);
  return true;
}

static void a_fetch_without_a_driver_is_taken_over(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_MEMORY(take_over(&s));
  assert_int_equal(polls(&s, 2, 1, 1), PRIVY_CALL_WAIT); /* the new fetch is driven: the third call waits for it */
  CHECK_MEMORY(receives(&s, 1, 200, TOKEN("t2")));
  s.now += 1;
  ASKS(1);
  ASKS(2);
  assert_true(carries(&s, 1, "t2") && carries(&s, 2, "t2"));
done:
  close_scene(&s);
}

/* Drives of the old fetch do not count for the new one. */
static void a_fetch_that_was_taken_over_no_longer_counts(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_MEMORY(take_over(&s));
  privy_call_step step = polls(&s, 2, 1, 0);
  CHECK_MEMORY(step != PRIVY_CALL_DONE);
  assert_int_equal(step, PRIVY_CALL_SEND);
  assert_int_equal(s.account.fetch_count, 3);
done:
  close_scene(&s);
}

static void a_late_token_does_not_replace_a_newer_one(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_MEMORY(take_over(&s));
  CHECK_MEMORY(receives(&s, 1, 200, TOKEN("t2")));
  CHECK_MEMORY(receives(&s, 0, 200, TOKEN("t1")));
  for (int i = 0; i < CALLS; i++) {
    ASKS(i);
    assert_true(carries(&s, i, "t2"));
  }
done:
  close_scene(&s);
}

static void a_late_token_is_used_while_there_is_no_other(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_MEMORY(take_over(&s));
  CHECK_MEMORY(receives(&s, 0, 200, TOKEN("t1")));
  ASKS(0);
  ASKS(2);
  assert_true(carries(&s, 0, "t1") && carries(&s, 2, "t1"));
  assert_int_equal(s.account.fetch, s.calls[1].fetch); /* still in flight */
  CHECK_MEMORY(receives(&s, 1, 200, TOKEN("t2")));
  assert_int_equal(s.account.fetch, 0);
done:
  close_scene(&s);
}

static void a_late_failure_is_ignored(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_MEMORY(take_over(&s));
  CHECK_MEMORY(receives(&s, 0, 401, "{\"error\":\"invalid_client\"}"));
  assert_int_equal(s.account.fetch, s.calls[1].fetch);
  WAITS(0);
  CHECK_MEMORY(receives(&s, 1, 200, TOKEN("t2")));
  s.now += 1;
  ASKS(0);
  assert_true(carries(&s, 0, "t2"));
  assert_int_equal(s.errors[0].code, PRIVY_OK);
done:
  close_scene(&s);
}

static void a_late_loss_is_ignored_and_a_late_stop_is_not(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_MEMORY(take_over(&s));
  CHECK_MEMORY(fails(&s, 0, PRIVY_TIMEOUT));
  assert_int_equal(s.errors[0].code, PRIVY_OK);
  assert_int_equal(s.account.fetch, s.calls[1].fetch);
  CHECK_MEMORY(polls(&s, 2, 1, -1) != PRIVY_CALL_DONE);
  assert_int_equal(s.account.fetch_count, 3);
  CHECK_MEMORY(fails(&s, 1, PRIVY_INTERRUPTED));
  ENDS(1, PRIVY_INTERRUPTED);
  assert_int_equal(s.account.fetch, s.calls[2].fetch);
done:
  close_scene(&s);
}

/* ---- prefetching ---- */

static void a_prefetch_starts_no_token_request(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  s.calls[0].prefetch = true;
  assert_int_equal(polls(&s, 0, 100, -1), PRIVY_CALL_WAIT);
  assert_int_equal(s.account.fetch_count, 0);
  FETCHES(1);
  WAITS(0);
  CHECK_MEMORY(receives(&s, 1, 200, TOKEN("t1")));
  s.now += 1;
  ASKS(0);
  CHECK_MEMORY(receives(&s, 0, 401, ""));
  WAITS(0); /* nor after the token was refused */
  s.calls[0].prefetch = false;
  s.now += 1;
  FETCHES(0);
done:
  close_scene(&s);
}

/* ---- after a 401 ---- */

static void a_refused_token_is_renewed_once(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  FETCHES(0);
  CHECK_MEMORY(receives(&s, 0, 200, TOKEN("t1")));
  ASKS(0);
  CHECK_MEMORY(receives(&s, 0, 401, ""));
  FETCHES(0);
  CHECK_MEMORY(receives(&s, 0, 200, TOKEN("t2")));
  ASKS(0);
  assert_true(carries(&s, 0, "t2"));
  CHECK_MEMORY(receives(&s, 0, 401, ""));
  ENDS(0, PRIVY_AUTHENTICATION);
  assert_int_equal(s.calls[0].attempts, 4);
done:
  close_scene(&s);
}

/* Two calls were sent with the old token. The 401 of the first leads to a new token, which the 401 of the second keeps.
 */
static void a_401_to_an_old_token_keeps_the_newer_one(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  FETCHES(0);
  CHECK_MEMORY(receives(&s, 0, 200, TOKEN("t1")));
  ASKS(0);
  ASKS(1);
  CHECK_MEMORY(receives(&s, 0, 401, ""));
  FETCHES(0);
  CHECK_MEMORY(receives(&s, 0, 200, TOKEN("t2")));
  CHECK_MEMORY(receives(&s, 1, 401, ""));
  assert_string_equal(s.account.token.text, "t2");
  ASKS(1);
  assert_true(carries(&s, 1, "t2"));
  assert_int_equal(s.account.fetch_count, 2);
done:
  close_scene(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(one_call_fetches_the_token_and_the_others_wait),
      TEST(the_wait_for_a_token_is_bounded),
      TEST(a_failed_fetch_is_left_to_the_next_one),
      TEST(a_fetch_is_retried),
      TEST(a_fetch_without_a_driver_is_taken_over),
      TEST(a_fetch_that_was_taken_over_no_longer_counts),
      TEST(a_late_token_does_not_replace_a_newer_one),
      TEST(a_late_token_is_used_while_there_is_no_other),
      TEST(a_late_failure_is_ignored),
      TEST(a_late_loss_is_ignored_and_a_late_stop_is_not),
      TEST(a_prefetch_starts_no_token_request),
      TEST(a_refused_token_is_renewed_once),
      TEST(a_401_to_an_old_token_keeps_the_newer_one),
  };
  return HARNESS_RUN(tests);
}
