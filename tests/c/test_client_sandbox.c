/* A client of an in-process sandbox: each operation once, injected faults, tokens. */
#define _POSIX_C_SOURCE 200809L

#include <stdlib.h>

#include "base/clock.h"
#include "privy_sandbox.h"
#include "response_text.h"

/* The objects of a test. */
typedef struct scene {
  privy_sandbox *sandbox;
  privy_client *client;
  privy_response *response;
  privy_error error;
  privy_config config;
} scene;

static privy_status scene_open(scene *s, const char *client_id, const char *client_secret) {
  *s = (scene){0};
  privy_error_init(&s->error);
  privy_config_init(&s->config);
  privy_status status = privy_sandbox_new(&s->sandbox);
  if (status != PRIVY_OK) return status;
  s->config.sandbox = s->sandbox;
  s->config.client_id = client_id;
  s->config.client_secret = client_secret;
  return privy_client_new(&s->config, &s->client, &s->error);
}

static void forget(scene *s) {
  privy_response_release(s->response);
  s->response = NULL;
  privy_error_clear(&s->error);
}

static void scene_close(scene *s) {
  forget(s);
  privy_client_free(s->client);
  privy_sandbox_release(s->sandbox);
}

static privy_status call_with(scene *s, const privy_options *options, const char *operation, const char *params) {
  privy_request *request = NULL;
  forget(s);
  privy_status status = ask_for(operation, params, &request, &s->error);
  if (status == PRIVY_OK) status = privy_client_call(s->client, request, options, NULL, &s->response, &s->error);
  privy_request_free(request);
  return status;
}

static privy_status call(scene *s, const char *operation, const char *params) {
  return call_with(s, NULL, operation, params);
}

/* The same, with %s replaced by the id. */
static privy_status call_of(scene *s, const char *operation, const char *id, const char *format) {
  char params[256];
  const char *place = strstr(format, "%s");
  assert_non_null(place);
  snprintf(params, sizeof params, "%.*s%s%s", (int)(place - format), format, id, place + 2);
  return call(s, operation, params);
}

static privy_value field_of(const scene *s, size_t slot) {
  assert_int_equal(privy_response_count(s->response), 1);
  return privy_record_get(privy_response_record(s->response, 0), slot);
}

#define FIELD(row) field_of(&s, PRIVY_INDEX_CONTACT_##row)

/* Copies the id of the contact in the response. */
static void keep_id(const scene *s, char id[32]) {
  const privy_value value = field_of(s, PRIVY_INDEX_CONTACT_id);
  assert_int_equal(value.length, 20);
  snprintf(id, 32, "%.*s", (int)value.length, value.text);
}

static void contacts_are_created_updated_and_deleted(void **state) {
  (void)state;
  char id[32];
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  CHECK_OK(
      call(&s, "contacts.create", "{\"email\":\"jane@example.com\",\"tags\":[\"vip\"],\"custom_fields\":{\"n\":1}}"));
  assert_int_equal(privy_response_status(s.response), 201);
  assert_value(FIELD(email_consent), "never_subscribed");
  assert_value(FIELD(tags), "[\"vip\"]");
  keep_id(&s, id);
  CHECK_OK(call_of(&s, "contacts.get", id, "{\"id\":\"%s\"}"));
  assert_value(FIELD(email), "jane@example.com");
  CHECK_OK(call_of(&s, "contacts.update", id, "{\"id\":\"%s\",\"email_consent\":\"subscribed\",\"tags\":[]}"));
  assert_value(FIELD(email_consent), "subscribed");
  assert_value(FIELD(tags), "[]");
  CHECK_OK(call_of(&s, "contacts.unsubscribe", id, "{\"id\":\"%s\",\"reason\":\"enough\"}"));
  assert_value(FIELD(email_consent), "unsubscribed");
  assert_string_equal(privy_response_header(s.response, "Deprecation"), "true");
  CHECK_STATUS(call(&s, "contacts.create", "{\"email\":\"jane@example.com\"}"), PRIVY_CONFLICT);
  assert_string_equal(s.error.contact_id, id);
  CHECK_OK(call(&s, "contacts.upsert", "{\"email\":\"jane@example.com\",\"first_name\":\"Jane\"}"));
  assert_value(FIELD(id), id);
  assert_value(FIELD(first_name), "Jane");
  CHECK_OK(call(&s, "contacts.upsert", "{\"email\":\"jane@example.com\"}"));
  assert_value(FIELD(first_name), "Jane");
  CHECK_OK(call_of(&s, "contacts.delete", id, "{\"id\":\"%s\"}"));
  CHECK_STATUS(call_of(&s, "contacts.get", id, "{\"id\":\"%s\"}"), PRIVY_NOT_FOUND);
  assert_string_equal(s.error.method, "GET");
  assert_int_equal(privy_sandbox_count(s.sandbox).contacts, 0);
done:
  scene_close(&s);
}

static void contacts_are_listed_in_pages(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  for (int i = 0; i < 5; i++) {
    char params[64];
    snprintf(params, sizeof params, "{\"email\":\"%d@example.com\"}", i);
    CHECK_OK(call(&s, "contacts.create", params));
  }
  CHECK_OK(call(&s, "contacts.list", "{\"page\":2,\"per_page\":2}"));
  assert_int_equal(privy_response_count(s.response), 2);
  const privy_record *page = privy_response_pagination(s.response);
  assert_value(privy_record_get(page, PRIVY_INDEX_PAGE_page), "2");
  assert_value(privy_record_get(page, PRIVY_INDEX_PAGE_per_page), "2");
  assert_value(privy_record_get(page, PRIVY_INDEX_PAGE_total_count), "5");
  assert_value(privy_record_get(page, PRIVY_INDEX_PAGE_total_pages), "3");
  CHECK_OK(call(&s, "contacts.list", "{\"page\":9}"));
  assert_int_equal(privy_response_count(s.response), 0);
  CHECK_OK(call(&s, "contacts.list", "{\"email\":\"3@example.com\"}"));
  assert_int_equal(privy_response_count(s.response), 1);
  CHECK_OK(call(&s, "contacts.list", "{\"email_consent\":\"subscribed\"}"));
  assert_int_equal(privy_response_count(s.response), 0);
done:
  scene_close(&s);
}

#define ORDER                                                                                                          \
  "{\"order_id\":1001,\"total\":\"95.00\",\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\","               \
  "\"email\":\"a@example.com\"}"
#define EVENT                                                                                                          \
  "{\"event_type\":\"bought\",\"email\":\"a@example.com\",\"event_data\":{\"a\":[1]},\"idempotency_key\":\"k1\"}"

static void orders_and_events_are_accepted(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  CHECK_OK(call(&s, "orders.upsert", ORDER));
  assert_value(field_of(&s, PRIVY_INDEX_ORDER_created), "true");
  assert_value(field_of(&s, PRIVY_INDEX_ORDER_total_amount), "95.00");
  CHECK_OK(call(&s, "orders.upsert", ORDER));
  assert_value(field_of(&s, PRIVY_INDEX_ORDER_created), "false");
  CHECK_OK(call(&s, "events.ingest", EVENT));
  assert_value(field_of(&s, PRIVY_INDEX_EVENT_status), "accepted");
  assert_value(field_of(&s, PRIVY_INDEX_EVENT_idempotent_replay), "false");
  CHECK_OK(call(&s, "events.ingest", EVENT));
  assert_value(field_of(&s, PRIVY_INDEX_EVENT_idempotent_replay), "true");
  const privy_sandbox_counts counts = privy_sandbox_count(s.sandbox);
  assert_int_equal(counts.orders, 1);
  assert_int_equal(counts.events, 1);
  assert_int_equal(counts.contacts, 1);
  assert_int_equal(counts.requests, 4);
done:
  scene_close(&s);
}

static void errors_of_the_server_are_returned(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  /* A rule that only the server knows: the country of the phone number is not supported. */
  CHECK_STATUS(call(&s, "contacts.create", "{\"phone_number\":\"+4915112345678\",\"sms_consent\":\"subscribed\"}"),
               PRIVY_VALIDATION);
  assert_int_equal(s.error.http_status, 422);
  assert_string_equal(s.error.api_code, "validation_failed");
  assert_true(s.error.details.count > 0);
  assert_non_null(s.error.response);
  /* A request that is not sent. */
  CHECK_STATUS(call(&s, "contacts.create", "{}"), PRIVY_VALIDATION);
  assert_int_equal(s.error.http_status, 0);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 1);
done:
  scene_close(&s);
}

static void raw_requests_reach_the_sandbox(void **state) {
  (void)state;
  privy_request *request = NULL;
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  CHECK_OK(privy_request_new_raw(TEXT("POST"), TEXT("/contacts"), &request));
  ask_value(request, json_of("{\"email\":\"a@example.com\"}"));
  CHECK_OK(privy_request_finish(request, &s.error));
  CHECK_OK(privy_client_call(s.client, request, NULL, NULL, &s.response, &s.error));
  assert_int_equal(privy_response_status(s.response), 201);
  assert_int_equal(privy_response_count(s.response), 0);
  assert_int_equal(privy_response_json(s.response).type, PRIVY_OBJECT);
  privy_request_free(request);
  request = NULL;
  forget(&s);
  CHECK_OK(privy_request_new_raw(TEXT("GET"), TEXT("/account"), &request));
  CHECK_OK(privy_request_finish(request, &s.error));
  CHECK_STATUS(privy_client_call(s.client, request, NULL, NULL, &s.response, &s.error), PRIVY_NOT_FOUND);
done:
  privy_request_free(request);
  scene_close(&s);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static void oauth_tokens_are_fetched_once_and_renewed(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, PRIVY_SANDBOX_CLIENT_ID, PRIVY_SANDBOX_CLIENT_SECRET));
  privy_sandbox_set_clock(s.sandbox, 1778580000);
  CHECK_OK(call(&s, "contacts.list", "{}"));
  CHECK_OK(call(&s, "contacts.list", "{}"));
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 3);
  privy_sandbox_advance(s.sandbox, 7200);
  CHECK_OK(call(&s, "contacts.list", "{}"));
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 5);
done:
  scene_close(&s);
}

static void wrong_credentials_are_authentication_errors(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, PRIVY_SANDBOX_CLIENT_ID, "wrong-secret"));
  CHECK_STATUS(call(&s, "contacts.list", "{}"), PRIVY_AUTHENTICATION);
  assert_string_equal(s.error.api_code, "invalid_client");
  assert_string_equal(s.error.path, "/oauth/token");
  assert_null(strstr(s.error.message, "wrong-secret"));
  scene_close(&s);
  CHECK_OK(scene_open(&s, NULL, NULL));
  assert_true(privy_sandbox_revoke_token(s.sandbox, PRIVY_SANDBOX_TOKEN));
  CHECK_STATUS(call(&s, "contacts.list", "{}"), PRIVY_AUTHENTICATION);
  assert_string_equal(s.error.api_code, "unauthorized");
  CHECK_OK(privy_sandbox_add_token(s.sandbox, PRIVY_SANDBOX_TOKEN, "contacts_read"));
  CHECK_OK(call(&s, "contacts.list", "{}"));
  CHECK_STATUS(call(&s, "contacts.create", "{\"email\":\"a@example.com\"}"), PRIVY_PERMISSION_DENIED);
  assert_string_equal(s.error.api_code, "insufficient_scope");
done:
  scene_close(&s);
}

/* ---- injected faults --------------------------------------------------------------------------------------------- */

static void injected_faults_are_met(void **state) {
  (void)state;
  static const struct {
    privy_sandbox_fault fault;
    privy_status status;
  } cases[] = {
      {{.http_status = 503, .retry_after = -1, .count = 1}, PRIVY_SERVER},
      {{.http_status = 429, .retry_after = 3, .count = 1}, PRIVY_RATE_LIMIT},
      {{.http_status = 502, .retry_after = -1, .body = "<html>", .count = 1}, PRIVY_SERVER},
      {{.http_status = 200, .retry_after = -1, .body = "<html>", .count = 1}, PRIVY_API_STATUS},
      {{.cut = PRIVY_CUT_DROP, .retry_after = -1, .count = 1}, PRIVY_CONNECTION},
      {{.cut = PRIVY_CUT_TRUNCATE, .retry_after = -1, .count = 1}, PRIVY_CONNECTION},
      {{.delay = 5, .retry_after = -1, .count = 1}, PRIVY_TIMEOUT},
      {{.delay = 0.001, .retry_after = -1, .count = 1}, PRIVY_OK},
  };
  const privy_options options = {.timeout = 0.02, .given = PRIVY_GIVEN(TIMEOUT) | PRIVY_GIVEN(MAX_RETRIES)};
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_OK(privy_sandbox_add_fault(s.sandbox, &cases[i].fault));
    CHECK_STATUS(call_with(&s, &options, "contacts.list", "{}"), cases[i].status);
    if (cases[i].status == PRIVY_OK) continue;
    assert_string_equal(s.error.path, "/contacts");
    assert_true(s.error.retry_after == cases[i].fault.retry_after);
    if (i < 3) assert_int_equal(s.error.http_status, cases[i].fault.http_status);
    CHECK_OK(call(&s, "contacts.list", "{}"));
  }
done:
  scene_close(&s);
}

static bool at_once(void *context) {
  return ++*(int *)context > 1;
}

static void a_stalled_sandbox_can_be_stopped(void **state) {
  (void)state;
  const privy_sandbox_fault stall = {.delay = 20, .retry_after = -1, .count = 1};
  privy_request *request = NULL;
  int asked = 0;
  const privy_hooks hooks = {.stop = at_once, .context = &asked};
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  CHECK_OK(privy_sandbox_add_fault(s.sandbox, &stall));
  CHECK_OK(ask_for("contacts.list", "{}", &request, &s.error));
  const double before = privy_monotonic();
  CHECK_STATUS(privy_client_call(s.client, request, NULL, &hooks, &s.response, &s.error), PRIVY_INTERRUPTED);
  assert_true(privy_monotonic() - before < 15);
  assert_int_equal(asked, 2);
  CHECK_OK(privy_client_call(s.client, request, NULL, NULL, &s.response, &s.error));
done:
  privy_request_free(request);
  scene_close(&s);
}

static void the_client_keeps_the_sandbox_alive(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  assert_true(privy_client_is_sandbox(s.client));
  privy_sandbox_release(s.sandbox);
  s.sandbox = NULL;
  CHECK_OK(call(&s, "contacts.list", "{}"));
done:
  scene_close(&s);
}

static void the_sandbox_accepts_the_credentials_of_a_client(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  privy_client_free(s.client);
  s.client = NULL;
  s.config.token = "privy_any";
  s.config.accepted = true;
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  CHECK_OK(call(&s, "contacts.list", "{}"));
  privy_client_free(s.client);
  s.client = NULL;
  s.config.token = NULL;
  s.config.client_id = "mine";
  s.config.client_secret = "secret";
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  CHECK_OK(call(&s, "contacts.list", "{}"));
done:
  scene_close(&s);
}

static void a_sandbox_stands_in_for_the_network(void **state) {
  (void)state;
  scene s;
  privy_client *network = NULL;
  CHECK_OK(scene_open(&s, NULL, NULL));
  privy_client_free(s.client);
  s.client = NULL;
  privy_config config;
  privy_config_init(&config);
  config.token = "privy_real";
  config.base_url = "http://127.0.0.1:1";
  config.options.timeout = 0.5;
  CHECK_OK(privy_client_new(&config, &network, &s.error));
  CHECK_OK(privy_client_stand_in(network, s.sandbox, &s.client, &s.error));
  CHECK_OK(call(&s, "contacts.list", "{}"));
  const privy_sandbox_fault slow = {.delay = 5, .retry_after = -1, .count = 1};
  CHECK_OK(privy_sandbox_add_fault(s.sandbox, &slow));
  const privy_options once = {.max_retries = 0, .given = PRIVY_GIVEN(MAX_RETRIES)};
  CHECK_STATUS(call_with(&s, &once, "contacts.list", "{}"), PRIVY_TIMEOUT);
done:
  privy_client_free(network);
  scene_close(&s);
}

static void a_sandbox_may_skip_waits(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, NULL, NULL));
  const double start = 1778580000;
  privy_sandbox_set_clock(s.sandbox, start);
  assert_false(privy_sandbox_skip_wait(s.sandbox, start + 60));
  privy_sandbox_set_skipping(s.sandbox, true);
  assert_true(privy_sandbox_skip_wait(s.sandbox, start - 1));
  assert_true(privy_sandbox_now(s.sandbox) == start);
  const privy_sandbox_fault limited = {.http_status = 429, .retry_after = 42, .count = 2};
  const privy_sandbox_fault slow = {.delay = 600, .retry_after = -1, .count = 1};
  CHECK_OK(privy_sandbox_add_fault(s.sandbox, &limited));
  CHECK_OK(call(&s, "contacts.list", "{}"));
  assert_true(privy_sandbox_now(s.sandbox) >= start + 84);
  CHECK_OK(privy_sandbox_add_fault(s.sandbox, &slow));
  const privy_options once = {.max_retries = 0, .given = PRIVY_GIVEN(MAX_RETRIES)};
  CHECK_STATUS(call_with(&s, &once, "contacts.list", "{}"), PRIVY_TIMEOUT);
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(contacts_are_created_updated_and_deleted),
      TEST(contacts_are_listed_in_pages),
      TEST(orders_and_events_are_accepted),
      TEST(errors_of_the_server_are_returned),
      TEST(raw_requests_reach_the_sandbox),
      TEST(oauth_tokens_are_fetched_once_and_renewed),
      TEST(wrong_credentials_are_authentication_errors),
      TEST(injected_faults_are_met),
      TEST(a_stalled_sandbox_can_be_stopped),
      TEST(the_client_keeps_the_sandbox_alive),
      TEST(the_sandbox_accepts_the_credentials_of_a_client),
      TEST(a_sandbox_stands_in_for_the_network),
      TEST(a_sandbox_may_skip_waits),
  };
  return HARNESS_RUN(tests);
}
