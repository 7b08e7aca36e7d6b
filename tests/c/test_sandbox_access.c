/* Access to the sandbox: tokens, scopes, OAuth, paths, and the headers of every response. */
#include "test_sandbox.h"

#define TOKEN "/oauth/token"
#define FORM "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret"

static void tokens(void **state) {
  static const char *const wrong[] = {"Authorization: Bearer privy_0000\r\n",
                                      "Authorization: Basic " PRIVY_SANDBOX_TOKEN "\r\n", "Authorization: Bearer\r\n",
                                      "Authorization: " PRIVY_SANDBOX_TOKEN "\r\n",
                                      "X-Token: " PRIVY_SANDBOX_TOKEN "\r\n"};
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "GET", "/contacts", NULL, 200);
  kit.token = NULL;
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    kit.headers = wrong[i];
    ASK(kit, "GET", "/contacts", NULL, 401);
    assert_has(kit, "{'error':{'code':'unauthorized','message':'");
  }
  kit.headers = "authorization:  bearer  " PRIVY_SANDBOX_TOKEN " \r\n";
  ASK(kit, "GET", "/contacts", NULL, 200);
  kit.headers = NULL;
  kit.token = "privy_mine";
  ASK(kit, "GET", "/contacts", NULL, 401);
  CHECK_OK(privy_sandbox_add_token(kit.sandbox, "privy_mine", NULL));
  ASK(kit, "GET", "/contacts", NULL, 200);
  assert_true(privy_sandbox_revoke_token(kit.sandbox, "privy_mine"));
  assert_false(privy_sandbox_revoke_token(kit.sandbox, "privy_mine"));
  ASK(kit, "GET", "/contacts", NULL, 401);
  kit.token = PRIVY_SANDBOX_TOKEN;
  ASK(kit, "GET", "/contacts", NULL, 200);
done:
  kit_close(&kit);
}

static void scopes(void **state) {
  static const struct {
    const char *scope, *method, *target, *body;
    int status;
  } cases[] = {
      {"contacts_read", "GET", "/contacts", NULL, 200},
      {"contacts_read", "GET", "/contacts/cus_0000000000000000", NULL, 404},
      {"contacts_write", "POST", "/contacts", "{'email':'a@b.c'}", 201},
      {"contacts_write", "PATCH", "/contacts/cus_0000000000000000", "{}", 404},
      {"contacts_write", "DELETE", "/contacts/cus_0000000000000000", NULL, 404},
      {"contacts_write", "POST", "/contacts/cus_0000000000000000/unsubscribe", NULL, 404},
      {"orders_write", "POST", "/orders/placed", "{}", 422},
      {"events_write", "POST", "/events", "{}", 400},
  };
  static const char *const all[] = {"contacts_read", "contacts_write", "orders_write", "events_write"};
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t s = 0; s < 4; s++) {
    CHECK_OK(privy_sandbox_add_token(kit.sandbox, "privy_one", all[s]));
    kit.token = "privy_one";
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
      const bool may = strcmp(cases[i].scope, all[s]) == 0;
      ASK(kit, cases[i].method, cases[i].target, cases[i].body, may ? cases[i].status : 403);
      if (!may) assert_has(kit, "{'error':{'code':'insufficient_scope','message':'");
    }
  }
  CHECK_OK(privy_sandbox_add_token(kit.sandbox, "privy_one", " contacts_read  unheard_of events_write"));
  ASK(kit, "GET", "/contacts", NULL, 200);
  ASK(kit, "POST", "/events", "{}", 400);
  ASK(kit, "POST", "/orders/placed", "{}", 403);
  CHECK_OK(privy_sandbox_add_token(kit.sandbox, "privy_one", ""));
  ASK(kit, "GET", "/contacts", NULL, 403);
done:
  kit_close(&kit);
}

static void accepts_unknown_credentials(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  kit.token = "privy_any";
  CHECK_OK(privy_sandbox_accept(kit.sandbox, "privy_any", NULL, NULL));
  ASK(kit, "GET", "/contacts", NULL, 200);
  CHECK_OK(privy_sandbox_add_token(kit.sandbox, "privy_any", "events_write"));
  CHECK_OK(privy_sandbox_accept(kit.sandbox, "privy_any", NULL, NULL));
  ASK(kit, "GET", "/contacts", NULL, 403);
  assert_true(privy_sandbox_revoke_token(kit.sandbox, "privy_any"));
  CHECK_OK(privy_sandbox_accept(kit.sandbox, "privy_any", NULL, NULL));
  ASK(kit, "GET", "/contacts", NULL, 401);
  CHECK_OK(privy_sandbox_add_token(kit.sandbox, "privy_any", NULL));
  ASK(kit, "GET", "/contacts", NULL, 200);
  kit.token = NULL;
  kit.headers = "Content-Type: application/x-www-form-urlencoded\r\n";
  ASK(kit, "POST", TOKEN, "grant_type=client_credentials&client_id=mine&client_secret=one", 401);
  CHECK_OK(privy_sandbox_accept(kit.sandbox, NULL, "mine", "one"));
  ASK(kit, "POST", TOKEN, "grant_type=client_credentials&client_id=mine&client_secret=one", 200);
  CHECK_OK(privy_sandbox_accept(kit.sandbox, NULL, "mine", "two"));
  ASK(kit, "POST", TOKEN, "grant_type=client_credentials&client_id=mine&client_secret=two", 401);
done:
  kit_close(&kit);
}

static void unknown_paths(void **state) {
  static const struct {
    const char *method, *target;
  } cases[] = {
      {"GET", "/"},
      {"GET", ""},
      {"GET", "/v1"},
      {"GET", "/v1/"},
      {"GET", "/contact"},
      {"GET", "/contacts/"},
      {"GET", "/v1/v1/contacts"},
      {"PUT", "/contacts"},
      {"get", "/contacts"},
      {"DELETE", "/contacts"},
      {"POST", "/contacts/cus_1"},
      {"GET", "/events"},
      {"POST", "/orders"},
      {"POST", "/contacts//unsubscribe"},
      {"POST", "/contacts/x/unsubscribe/y"},
      {"GET", "/oauth/token"},
      {"PATCH", "/contacts/a/b"},
  };
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ASK(kit, cases[i].method, cases[i].target, NULL, 404);
    assert_has(kit, "{'error':{'code':'not_found','message':'");
  }
done:
  kit_close(&kit);
}

/* Uses the access token of the last response for the next requests. */
static void use_token(sandbox_kit *kit, char token[64]) {
  const char *start = kit->response.body.data + strlen("{'access_token':'");
  const char *end = memchr(start, '"', kit->response.body.length - strlen("{'access_token':'"));
  assert_non_null(end);
  const size_t length = (size_t)(end - start);
  assert_true(length > 40 && length < 64);
  memcpy(token, start, length);
  token[length] = '\0';
  kit->token = token;
}

static void grants_tokens_that_expire(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char first[64], second[64];
  CHECK_OK(kit_open(&kit));
  kit.token = NULL;
  ASK(kit, "POST", TOKEN, FORM, 200);
  assert_has(kit, "{'access_token':'privy_oauth_");
  assert_has(kit, "','token_type':'Bearer','expires_in':7200,"
                  "'scope':'contacts_read contacts_write orders_write events_write','created_at':1778580000}");
  assert_header(kit, "Cache-Control: no-store");
  use_token(&kit, first);
  ASK(kit, "GET", "/contacts", NULL, 200);
  privy_sandbox_advance(kit.sandbox, 7199);
  ASK(kit, "GET", "/contacts", NULL, 200);
  privy_sandbox_advance(kit.sandbox, 1);
  ASK(kit, "GET", "/contacts", NULL, 401);
  ASK(kit, "POST", "/v1" TOKEN, FORM "&scope=events_write+contacts_read&scope_=x", 200);
  assert_has(kit, "'scope':'contacts_read events_write','created_at':1778587200}");
  use_token(&kit, second);
  assert_string_not_equal(first, second);
  ASK(kit, "GET", "/contacts", NULL, 200);
  ASK(kit, "POST", "/contacts", "{'email':'a@b.c'}", 403);
  assert_true(privy_sandbox_revoke_token(kit.sandbox, second));
  ASK(kit, "GET", "/contacts", NULL, 401);
done:
  kit_close(&kit);
}

static void refuses_tokens(void **state) {
  static const struct {
    const char *form;
    int status;
    const char *error;
  } cases[] = {
      {"", 400, "{'error':'unsupported_grant_type','error_description':'"},
      {"grant_type=password&client_id=sandbox-client&client_secret=sandbox-secret", 400, "'unsupported_grant_type'"},
      {"grant_type=client_credentials", 401, "{'error':'invalid_client','error_description':'"},
      {"grant_type=client_credentials&client_id=sandbox-client&client_secret=wrong", 401, "'invalid_client'"},
      {"grant_type=client_credentials&client_id=nobody&client_secret=sandbox-secret", 401, "'invalid_client'"},
      {FORM "&scope=contacts_read%20everything", 401, "{'error':'invalid_scope','error_description':'"},
  };
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ASK(kit, "POST", TOKEN, cases[i].form, cases[i].status);
    assert_has(kit, cases[i].error);
  }
done:
  kit_close(&kit);
}

static void clients_have_scopes_of_their_own(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  static const char form[] = "client_secret=s%26%3d+1&client_id=me&grant_type=client%5Fcredentials";
  char with_scope[160];
  CHECK_OK(kit_open(&kit));
  CHECK_OK(privy_sandbox_add_client(kit.sandbox, "me", "s&= 1", "orders_write"));
  ASK(kit, "POST", TOKEN, form, 200);
  assert_has(kit, "'scope':'orders_write'");
  snprintf(with_scope, sizeof with_scope, "%s&scope=contacts_read", form);
  ASK(kit, "POST", TOKEN, with_scope, 401);
  assert_has(kit, "'invalid_scope'");
  CHECK_OK(privy_sandbox_add_client(kit.sandbox, "me", "other", "contacts_read"));
  ASK(kit, "POST", TOKEN, form, 401);
  ASK(kit, "POST", TOKEN, "grant_type=client_credentials&client_id=me&client_secret=other&scope=contacts_read", 200);
done:
  kit_close(&kit);
}

static void every_response_has_its_headers(void **state) {
  static const struct {
    const char *method, *target, *body;
    int status;
  } cases[] = {
      {"GET", "/contacts", NULL, 200},      {"POST", "/contacts", "{'email':'a@b.c'}", 201},
      {"POST", "/events", "{}", 400},       {"GET", "/nowhere", NULL, 404},
      {"POST", "/contacts", "{}", 422},     {"POST", TOKEN, FORM, 200},
      {"POST", TOKEN, "grant_type=x", 400},
  };
  (void)state;
  sandbox_kit kit = KIT;
  char id[21], last[21] = "";
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    privy_sandbox_set_limits(kit.sandbox, 60, 10000, 60);
    ASK(kit, cases[i].method, cases[i].target, cases[i].body, cases[i].status);
    assert_memory_equal(kit.response.headers.data, "X-Request-Id: req_", 18);
    memcpy(id, kit.response.headers.data + 14, 20);
    id[20] = '\0';
    assert_string_not_equal(id, last);
    memcpy(last, id, sizeof last);
    assert_header(kit, "X-RateLimit-Limit-Minute: 60");
    const bool counted = strcmp(cases[i].target, TOKEN) != 0;
    const char *left = counted ? "X-RateLimit-Remaining-Minute: 59\r\n" : "X-RateLimit-Remaining-Minute: 60\r\n";
    assert_true(kit_contains(&kit.response.headers, left));
    left = counted ? "X-RateLimit-Remaining-Day: 9999\r\n" : "X-RateLimit-Remaining-Day: 10000\r\n";
    assert_true(kit_contains(&kit.response.headers, left));
    assert_header(kit, "X-RateLimit-Reset-Minute: 1778580060");
    assert_header(kit, "X-RateLimit-Limit-Day: 10000");
    assert_header(kit, "X-RateLimit-Reset-Day: 1778666400");
    assert_header(kit, "Content-Type: application/json; charset=utf-8");
    assert_no_header(kit, "Retry-After");
  }
  assert_count(kit, requests, sizeof cases / sizeof *cases);
done:
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {
      TEST(tokens),
      TEST(scopes),
      TEST(accepts_unknown_credentials),
      TEST(unknown_paths),
      TEST(grants_tokens_that_expire),
      TEST(refuses_tokens),
      TEST(clients_have_scopes_of_their_own),
      TEST(every_response_has_its_headers),
  };
  return HARNESS_RUN(tests);
}
