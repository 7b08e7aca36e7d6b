/* One call as a state machine: what it sends, and what it does after each response. No socket, no clock. */
#include "harness.h"

#include <string.h>

#include "call/call.h"
#include "message/error.h"
#include "message_text.h"

static char token_text[] = "privy_token";
#define ORIGIN "https://api.example"
#define BASE_PATH "/v1"
static char base_url[] = ORIGIN BASE_PATH;
static char token_url[] = "https://login.example/oauth/token";
static char client_id[] = "client";
static char client_secret[] = "s&cret";
static char scopes[] = "contacts_read contacts_write";
static char suffix[] = "test/1";

static const privy_settings with_token = {
    .token = token_text, .base_url = base_url, .base_path = BASE_PATH, .token_url = token_url};
static const privy_settings with_oauth = {.client_id = client_id,
                                          .client_secret = client_secret,
                                          .scopes = scopes,
                                          .base_url = base_url,
                                          .base_path = BASE_PATH,
                                          .token_url = token_url,
                                          .user_agent = suffix};
static const privy_options options = {.timeout = 7, .connect_timeout = 2, .max_wait = 60, .max_retries = 0};
static const uint64_t random_bits[2] = {1, 2};

/* A call with the request that it makes. */
typedef struct made_call {
  privy_call call;
  privy_account account;
  privy_request *request;
  privy_error error;
  bool begun;
} made_call;

static privy_status begin(made_call *made, const privy_settings *settings, privy_token token, const char *operation,
                          const char *params) {
  privy_account_init(&made->account);
  made->account.token = token;
  privy_status status = ask_for(operation, params, &made->request, &made->error);
  if (status != PRIVY_OK) return status;
  privy_call_init(&made->call, settings, options, random_bits, made->request, &made->error);
  made->begun = true;
  return PRIVY_OK;
}

static void drop(made_call *made) {
  if (made->begun) privy_call_clear(&made->call);
  privy_account_clear(&made->account);
  privy_request_free(made->request);
  privy_error_clear(&made->error);
  made->request = NULL;
  made->begun = false;
}

/* `url`: the token URL, or a URL of the API, which is sent as the base URL and a path. */
static void assert_url(const privy_wire_request *out, const char *url) {
  if (out->path) {
    assert_ptr_equal(out->url, base_url);
    assert_int_equal(strncmp(url, ORIGIN, sizeof ORIGIN - 1), 0);
    assert_string_equal(out->path, url + sizeof ORIGIN - 1);
  } else {
    assert_ptr_equal(out->url, token_url);
    assert_string_equal(token_url, url);
  }
}

/* False when memory runs out; then the call has the error. */
static bool sends(made_call *made, double now, const char *method, const char *url, const char *headers,
                  const char *body) {
  if (privy_call_next(&made->call, &made->account, now) == PRIVY_CALL_DONE) {
    assert_int_equal(made->call.status, PRIVY_NO_MEMORY);
    return false;
  }
  const privy_wire_request *out = &made->call.wire_request;
  assert_string_equal(out->method, method);
  assert_url(out, url);
  assert_text(out->headers.data, out->headers.length, headers);
  assert_text(out->body, out->body_length, body);
  assert_true(out->timeout == 7 && out->connect_timeout == 2);
  return true;
}

/* Passes a response to the call; false when memory runs out. */
static bool receives(made_call *made, double now, int status, const char *headers, const char *body) {
  privy_wire_response wire_response = {.http_status = status};
  const bool built = privy_buffer_text(&wire_response.headers, headers) && privy_buffer_text(&wire_response.body, body);
  if (built) privy_call_received(&made->call, &made->account, now, &wire_response);
  privy_wire_response_clear(&wire_response);
  return built && !(made->call.done && made->call.status == PRIVY_NO_MEMORY);
}

static bool is_done(made_call *made, privy_status status) {
  assert_int_equal(privy_call_next(&made->call, &made->account, 0), PRIVY_CALL_DONE);
  if (made->call.status == PRIVY_NO_MEMORY && status != PRIVY_NO_MEMORY) return false;
  assert_int_equal(made->call.status, status);
  assert_int_equal(privy_call_next(&made->call, &made->account, 0), PRIVY_CALL_DONE);
  return true;
}

#define AGENT "User-Agent: privy/" PRIVY_VERSION
#define LIST_HEADERS AGENT "\r\nAccept: application/json\r\nAuthorization: Bearer privy_token\r\n"
#define OAUTH_HEADERS AGENT " test/1\r\nAccept: application/json\r\nAuthorization: Bearer t1\r\n"
#define TOKEN_HEADERS AGENT " test/1\r\nAccept: application/json\r\nContent-Type: application/x-www-form-urlencoded\r\n"
#define FORM                                                                                                           \
  "grant_type=client_credentials&client_id=client&client_secret=s%26cret&scope=contacts_read%20contacts_write"
#define TOKEN_ANSWER "{\"access_token\":\"t1\",\"expires_in\":7200}"
#define LIST "https://api.example/v1/contacts"
#define ONE LIST "/" CONTACT

static void a_call_sends_one_request_and_returns_its_response(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &with_token, (privy_token){0}, "contacts.list", "{\"page\":2}"));
  CHECK_MEMORY(sends(&made, 5, "GET", LIST "?page=2", LIST_HEADERS, ""));
  CHECK_MEMORY(receives(&made, 6, 200, "X-A: b\r\n", "{\"data\":[{}]}"));
  CHECK_MEMORY(is_done(&made, PRIVY_OK));
  assert_int_equal(made.call.attempts, 1);
  assert_int_equal(privy_response_count(made.call.response), 1);
  assert_string_equal(privy_response_header(made.call.response, "x-a"), "b");
done:
  drop(&made);
}

static void the_body_sent_is_that_of_the_request(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &with_token, (privy_token){0}, "events.ingest",
                 "{\"event_type\":\"x\",\"email\":\"a@b\",\"idempotency_key\":\"k1\"}"));
  CHECK_MEMORY(sends(&made, 0, "POST", "https://api.example/v1/events",
                     AGENT "\r\nAccept: application/json\r\nIdempotency-Key: k1\r\nContent-Type: application/json\r\n"
                           "Authorization: Bearer privy_token\r\n",
                     "{\"event_type\":\"x\",\"email\":\"a@b\"}"));
  CHECK_MEMORY(receives(&made, 0, 500, "X-Request-Id: r9\r\n", ""));
  CHECK_MEMORY(is_done(&made, PRIVY_SERVER));
  assert_string_equal(made.error.method, "POST");
  assert_string_equal(made.error.path, "/events");
  assert_string_equal(made.error.idempotency_key, "k1");
  assert_string_equal(made.error.request_id, "r9");
  assert_int_equal(made.error.attempts, 1);
done:
  drop(&made);
}

static void a_token_is_fetched_before_the_request(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &with_oauth, (privy_token){0}, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made, 100, "POST", token_url, TOKEN_HEADERS, FORM));
  CHECK_MEMORY(receives(&made, 101, 200, "", TOKEN_ANSWER));
  assert_true(made.account.token.expires_at == 7301);
  CHECK_MEMORY(sends(&made, 102, "GET", LIST, OAUTH_HEADERS, ""));
  CHECK_MEMORY(receives(&made, 103, 200, "", "{\"data\":[]}"));
  CHECK_MEMORY(is_done(&made, PRIVY_OK));
  assert_int_equal(made.call.attempts, 2);
done:
  drop(&made);
}

/* A token of the client; its text is NULL when memory runs out. */
static privy_token token_until(double expires_at) {
  privy_token token = {privy_alloc(3), expires_at};
  if (token.text) memcpy(token.text, "t1", 3);
  return token;
}

static void a_valid_token_is_used_again(void **state) {
  (void)state;
  made_call made = {0};
  privy_token token = token_until(1000);
  privy_error_init(&made.error);
  CHECK_MEMORY(token.text);
  CHECK_OK(begin(&made, &with_oauth, token, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made, 900, "GET", LIST, OAUTH_HEADERS, ""));
  CHECK_MEMORY(receives(&made, 901, 200, "", "{\"data\":[]}"));
  CHECK_MEMORY(is_done(&made, PRIVY_OK));
done:
  drop(&made);
}

static void an_expiring_token_is_replaced(void **state) {
  (void)state;
  made_call made = {0};
  privy_token token = token_until(1000);
  privy_error_init(&made.error);
  CHECK_MEMORY(token.text);
  CHECK_OK(begin(&made, &with_oauth, token, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made, 975, "POST", token_url, TOKEN_HEADERS, FORM));
  CHECK_MEMORY(receives(&made, 976, 200, "", "{\"access_token\":\"t1\",\"expires_in\":60}"));
  CHECK_MEMORY(sends(&made, 977, "GET", LIST, OAUTH_HEADERS, ""));
  assert_true(made.account.token.expires_at == 1036);
done:
  drop(&made);
}

static void a_received_token_that_has_expired_fails_the_call(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &with_oauth, (privy_token){0}, "contacts.list", "{}"));
  CHECK_MEMORY(sends(&made, 0, "POST", token_url, TOKEN_HEADERS, FORM));
  CHECK_MEMORY(receives(&made, 0, 200, "", "{\"access_token\":\"t1\",\"expires_in\":5}"));
  CHECK_MEMORY(is_done(&made, PRIVY_API_STATUS));
  assert_string_equal(made.error.message, "the token endpoint returned a token that has already expired");
  assert_string_equal(made.error.path, "/oauth/token");
  assert_int_equal(made.account.fetch, 0);
done:
  drop(&made);
}

static void no_error_tells_a_secret(const made_call *made) {
  const char *const texts[] = {made->error.message, made->error.path, made->error.method, made->error.api_code};
  for (size_t i = 0; i < COUNT(texts); i++) {
    if (!texts[i]) continue;
    assert_null(strstr(texts[i], "cret"));
    assert_null(strstr(texts[i], token_text));
  }
}

static void a_refused_token_request_fails_the_call(void **state) {
  (void)state;
  static const struct {
    int status;
    const char *body;
    privy_status code;
    const char *message;
  } cases[] = {
      {401, "{\"error\":\"invalid_client\"}", PRIVY_AUTHENTICATION,
       "401 invalid_client: The token is missing, expired, revoked or wrong."},
      {500, "", PRIVY_SERVER, "500: The server failed (any 5xx)."},
      {200, "{}", PRIVY_API_STATUS, "the token endpoint's response has no access_token"},
      {200, "<html>", PRIVY_API_STATUS, "the token endpoint's response has no access_token"},
      {302, "", PRIVY_API_STATUS, "302: unexpected redirect"},
  };
  made_call made = {0};
  privy_error_init(&made.error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_OK(begin(&made, &with_oauth, (privy_token){0}, "contacts.list", "{}"));
    CHECK_MEMORY(sends(&made, 0, "POST", token_url, TOKEN_HEADERS, FORM));
    CHECK_MEMORY(receives(&made, 0, cases[i].status, "", cases[i].body));
    CHECK_MEMORY(is_done(&made, cases[i].code));
    assert_string_equal(made.error.message, cases[i].message);
    assert_int_equal(made.error.http_status, cases[i].status);
    assert_string_equal(made.error.method, "POST");
    assert_string_equal(made.error.path, "/oauth/token");
    assert_int_equal(made.error.attempts, 1);
    no_error_tells_a_secret(&made);
    drop(&made);
  }
done:
  drop(&made);
}

/* ---- upserts ----------------------------------------------------------------------------------------------------- */

#define CONFLICT "{\"error\":{\"code\":\"conflict\",\"id\":\"" CONTACT "\"}}"
#define TYPED_HEADERS                                                                                                  \
  AGENT "\r\nAccept: application/json\r\nContent-Type: application/json\r\nAuthorization: Bearer privy_token\r\n"

static void an_upsert_becomes_an_update_after_a_conflict(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &with_token, (privy_token){0}, "contacts.upsert", "{\"email\":\"a@b\",\"first_name\":\"J\"}"));
  CHECK_MEMORY(sends(&made, 0, "POST", LIST, TYPED_HEADERS, "{\"email\":\"a@b\",\"first_name\":\"J\"}"));
  CHECK_MEMORY(receives(&made, 0, 409, "", CONFLICT));
  assert_int_equal(made.error.code, PRIVY_OK);
  CHECK_MEMORY(sends(&made, 0, "PATCH", ONE, TYPED_HEADERS, "{\"first_name\":\"J\"}"));
  CHECK_MEMORY(receives(&made, 0, 200, "", "{\"data\":{\"email\":\"a@b\"}}"));
  CHECK_MEMORY(is_done(&made, PRIVY_OK));
  assert_int_equal(made.call.attempts, 2);
  assert_int_equal(privy_response_count(made.call.response), 1);
done:
  drop(&made);
}

static void an_upsert_without_changes_becomes_a_get(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &with_token, (privy_token){0}, "contacts.upsert", "{\"email\":\"a@b\"}"));
  CHECK_MEMORY(sends(&made, 0, "POST", LIST, TYPED_HEADERS, "{\"email\":\"a@b\"}"));
  CHECK_MEMORY(receives(&made, 0, 409, "", CONFLICT));
  CHECK_MEMORY(sends(&made, 0, "GET", ONE, LIST_HEADERS, ""));
  CHECK_MEMORY(receives(&made, 0, 404, "", ""));
  CHECK_MEMORY(is_done(&made, PRIVY_NOT_FOUND));
  assert_string_equal(made.error.method, "GET");
  assert_string_equal(made.error.path, "/contacts/" CONTACT);
  assert_int_equal(made.error.attempts, 2);
done:
  drop(&made);
}

static void a_second_conflict_fails_the_upsert(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &with_token, (privy_token){0}, "contacts.upsert", "{\"email\":\"a@b\",\"first_name\":\"J\"}"));
  CHECK_MEMORY(sends(&made, 0, "POST", LIST, TYPED_HEADERS, "{\"email\":\"a@b\",\"first_name\":\"J\"}"));
  CHECK_MEMORY(receives(&made, 0, 409, "", CONFLICT));
  CHECK_MEMORY(sends(&made, 0, "PATCH", ONE, TYPED_HEADERS, "{\"first_name\":\"J\"}"));
  CHECK_MEMORY(receives(&made, 0, 409, "", CONFLICT));
  CHECK_MEMORY(is_done(&made, PRIVY_CONFLICT));
  assert_string_equal(made.error.contact_id, CONTACT);
  assert_string_equal(made.error.method, "PATCH");
done:
  drop(&made);
}

static void other_conflicts_are_errors(void **state) {
  (void)state;
  static const struct {
    const char *operation, *params, *body;
  } cases[] = {
      {"contacts.create", "{\"email\":\"a@b\",\"first_name\":\"J\"}", CONFLICT},
      {"contacts.upsert", "{\"email\":\"a@b\",\"first_name\":\"J\"}", "{}"},
      {"contacts.upsert", "{\"email\":\"a@b\",\"first_name\":\"J\"}", "{\"id\":\"../orders\"}"},
      {"contacts.upsert", "{\"email\":\"a@b\",\"first_name\":\"J\"}", "{\"id\":7}"},
  };
  made_call made = {0};
  privy_error_init(&made.error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_OK(begin(&made, &with_token, (privy_token){0}, cases[i].operation, cases[i].params));
    CHECK_MEMORY(sends(&made, 0, "POST", LIST, TYPED_HEADERS, cases[i].params));
    CHECK_MEMORY(receives(&made, 0, 409, "", cases[i].body));
    CHECK_MEMORY(is_done(&made, PRIVY_CONFLICT));
    assert_int_equal(made.error.http_status, 409);
    assert_int_equal(made.error.attempts, 1);
    drop(&made);
  }
done:
  drop(&made);
}

/* ---- no response ------------------------------------------------------------------------------------------------- */

static void the_error_of_a_failed_call_describes_its_request(void **state) {
  (void)state;
  made_call made = {0};
  privy_error_init(&made.error);
  CHECK_OK(begin(&made, &with_token, (privy_token){0}, "contacts.list", "{\"email\":\"a@b\"}"));
  CHECK_MEMORY(sends(&made, 0, "GET", LIST "?email=a%40b", LIST_HEADERS, ""));
  CHECK_STATUS(privy_error_set(&made.error, PRIVY_TIMEOUT, "too late"), PRIVY_TIMEOUT);
  privy_call_failed(&made.call, &made.account, 0);
  CHECK_MEMORY(is_done(&made, PRIVY_TIMEOUT));
  assert_string_equal(made.error.message, "too late");
  assert_string_equal(made.error.method, "GET");
  /* The path has no query, which may contain an address. */
  assert_string_equal(made.error.path, "/contacts");
  assert_int_equal(made.error.attempts, 1);
  assert_int_equal(made.error.http_status, 0);
  assert_null(made.error.response);
done:
  drop(&made);
}

static void a_call_can_be_cleared_after_each_step(void **state) {
  (void)state;
  for (int steps = 0; steps < 4; steps++) {
    made_call made = {0};
    bool complete = false;
    privy_error_init(&made.error);
    if (begin(&made, &with_oauth, (privy_token){0}, "contacts.upsert", "{\"email\":\"a@b\"}") == PRIVY_OK) {
      complete = steps < 1 || privy_call_next(&made.call, &made.account, 0) == PRIVY_CALL_SEND;
      complete = complete && (steps < 2 || receives(&made, 0, 200, "", TOKEN_ANSWER));
      complete = complete && (steps < 3 || privy_call_next(&made.call, &made.account, 0) == PRIVY_CALL_SEND);
      complete = complete && (steps < 3 || receives(&made, 0, 409, "", CONFLICT));
    }
    drop(&made);
    CHECK_MEMORY(complete);
  }
done:
  return;
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_call_sends_one_request_and_returns_its_response),
      TEST(the_body_sent_is_that_of_the_request),
      TEST(a_token_is_fetched_before_the_request),
      TEST(a_valid_token_is_used_again),
      TEST(an_expiring_token_is_replaced),
      TEST(a_received_token_that_has_expired_fails_the_call),
      TEST(a_refused_token_request_fails_the_call),
      TEST(an_upsert_becomes_an_update_after_a_conflict),
      TEST(an_upsert_without_changes_becomes_a_get),
      TEST(a_second_conflict_fails_the_upsert),
      TEST(other_conflicts_are_errors),
      TEST(the_error_of_a_failed_call_describes_its_request),
      TEST(a_call_can_be_cleared_after_each_step),
  };
  return HARNESS_RUN(tests);
}
