/* Requests built: bodies to the byte, places, encodings, limits, extra, what cannot be sent. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "message_text.h"

/* Headers as lines "Name: value". */
static void assert_headers(const privy_request *request, const char *expected) {
  char lines[1024];
  size_t length = 0;
  const char *name, *value;
  lines[0] = '\0';
  for (size_t i = 0; privy_request_header_at(request, i, &name, &value); i++) {
    length += (size_t)snprintf(lines + length, sizeof lines - length, "%s: %s\n", name, value);
    assert_true(length < sizeof lines);
  }
  assert_string_equal(lines, expected);
}

#define ACCEPT "Accept: application/json\n"
#define TYPED ACCEPT "Content-Type: application/json\n"
#define ORDER                                                                                                          \
  "\"order_id\":1001,\"total\":\"95.00\",\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\","                \
  "\"email\":\"a@b\""

static const struct {
  const char *operation, *params, *method, *target, *headers, *body;
} sent[] = {
    {"contacts.create", "{\"email\":\"a@b\",\"first_name\":null,\"tags\":[],\"custom_fields\":{}}", "POST", "/contacts",
     TYPED, "{\"email\":\"a@b\",\"first_name\":null,\"tags\":[],\"custom_fields\":{}}"},
    {"contacts.create", "{\"custom_fields\":{\"b\":1.50,\"a\":[]},\"email\":\"a@b\"}", NULL, NULL, NULL, NULL},
    {"contacts.create",
     "{\"custom_fields\":{\"b\":1.50,\"a\":true,\"c\":null},\"tags\":[\"x\",\"y\"],\"email\":\"a@b\"}", "POST",
     "/contacts", TYPED,
     "{\"custom_fields\":{\"b\":1.50,\"a\":true,\"c\":null},\"tags\":[\"x\",\"y\"],\"email\":\"a@b\"}"},
    {"contacts.update", "{\"id\":\"" CONTACT "\",\"last_name\":\"D\"}", "PATCH", "/contacts/" CONTACT, TYPED,
     "{\"last_name\":\"D\"}"},
    {"contacts.update", "{\"last_name\":\"D\",\"id\":\"" CONTACT "\"}", "PATCH", "/contacts/" CONTACT, TYPED,
     "{\"last_name\":\"D\"}"},
    {"contacts.get", "{\"id\":\"" CONTACT "\"}", "GET", "/contacts/" CONTACT, ACCEPT, ""},
    {"contacts.delete", "{\"id\":\"" CONTACT "\"}", "DELETE", "/contacts/" CONTACT, ACCEPT, ""},
    {"contacts.unsubscribe", "{\"id\":\"" CONTACT "\"}", "POST", "/contacts/" CONTACT "/unsubscribe", ACCEPT, ""},
    {"contacts.unsubscribe", "{\"id\":\"" CONTACT "\",\"reason\":\"\"}", "POST", "/contacts/" CONTACT "/unsubscribe",
     TYPED, "{\"reason\":\"\"}"},
    {"contacts.list", "{}", "GET", "/contacts", ACCEPT, ""},
    {"contacts.list",
     "{\"page\":2,\"email\":\"a+b@c.d\",\"phone_number\":\"+14155550171\",\"sms_consent\":\"pending\"}", "GET",
     "/contacts?page=2&email=a%2Bb%40c.d&phone_number=%2B14155550171&sms_consent=pending", ACCEPT, ""},
    {"orders.upsert",
     "{" ORDER ",\"subtotal\":90,\"discounts\":[{\"code\":\"A\",\"amount\":\"5.00\",\"own\":[\"5.00\"]}]}", "POST",
     "/orders/placed", TYPED,
     "{\"order_id\":1001,\"total\":95.00,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\",\"email\":\"a@"
     "b\","
     "\"subtotal\":90,\"discounts\":[{\"code\":\"A\",\"amount\":5.00,\"own\":[\"5.00\"]}]}"},
    {"orders.upsert", "{\"integration_token\":\"t-1\"," ORDER "}", "POST", "/orders/placed",
     ACCEPT "X-Privy-Integration-Token: t-1\nContent-Type: application/json\n",
     "{\"order_id\":1001,\"total\":95.00,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\",\"email\":\"a@"
     "b\"}"},
    {"events.ingest",
     "{\"event_type\":\"x\",\"idempotency_key\":\"k\",\"email\":\"a@b\",\"event_data\":{\"a\":[1,{}]}}", "POST",
     "/events", ACCEPT "Idempotency-Key: k\nContent-Type: application/json\n",
     "{\"event_type\":\"x\",\"email\":\"a@b\",\"event_data\":{\"a\":[1,{}]}}"},
};

static void requests_are_exact(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(sent); i++) {
    CHECK_STATUS(ask_for(sent[i].operation, sent[i].params, &request, &error),
                 sent[i].method ? PRIVY_OK : PRIVY_VALIDATION);
    if (sent[i].method) {
      size_t length;
      const char *body = privy_request_body(request, &length);
      assert_string_equal(privy_request_method(request), sent[i].method);
      assert_string_equal(privy_request_target(request), sent[i].target);
      assert_headers(request, sent[i].headers);
      assert_text(body, length, sent[i].body);
      assert_non_null(body);
    }
    privy_request_free(request);
    request = NULL;
    privy_error_clear(&error);
  }
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void texts_are_escaped_once(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("contacts.create"), &request));
  privy_request_key(request, "email", 5);
  privy_request_string(request, "\"j\"@x", 5);
  privy_request_key(request, "first_name", 10);
  privy_request_string(request, "a\\b\n\t\0\x1f\x7f\xC3\xA9</script>", 19);
  privy_request_key(request, "custom_fields", 13);
  privy_request_begin_object(request);
  privy_request_key(request, "k\"\n", 3);
  privy_request_integer(request, INT64_MIN);
  privy_request_end_object(request);
  CHECK_OK(privy_request_finish(request, &error));
  const char *body = privy_request_body(request, &length);
  assert_text(body, length,
              "{\"email\":\"\\\"j\\\"@x\",\"first_name\":\"a\\\\b\\n\\t\\u0000\\u001f\x7f\xC3\xA9</script>\","
              "\"custom_fields\":{\"k\\\"\\n\":-9223372036854775808}}");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void parameters_follow_one_another(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("contacts.update"), &request));
  assert_true(privy_request_next(request, true));
  privy_request_string(request, CONTACT, strlen(CONTACT));
  assert_true(privy_request_next(request, false));
  assert_true(privy_request_next(request, false));
  assert_true(privy_request_next(request, true));
  privy_request_string(request, "Jane", 4);
  for (size_t i = 4; i < privy_operation_count(privy_operation_find("contacts.update")); i++)
    assert_true(privy_request_next(request, false));
  assert_false(privy_request_next(request, true));
  CHECK_OK(privy_request_finish(request, &error));
  assert_string_equal(privy_request_target(request), "/contacts/" CONTACT);
  const char *body = privy_request_body(request, &length);
  assert_text(body, length, "{\"first_name\":\"Jane\"}");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void all_errors_are_reported_together(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_STATUS(ask_for("contacts.update", "{\"id\":\"1\",\"tags\":[1],\"bogus\":1}", &request, &error),
               PRIVY_VALIDATION);
  assert_details(&error.details,
                 "id: must be a contact's id: cus_ and 1 to 64 of A-Z, a-z, 0-9, _ and -\ntags[0]: must be a string\n"
                 "bogus: is not a parameter of contacts.update; use extra to send it");
  assert_string_equal(
      error.message,
      "invalid request: id must be a contact's id: cus_ and 1 to 64 of A-Z, a-z, 0-9, _ and -; tags[0] must be "
      "a string; bogus is not a parameter of contacts.update; use extra to send it");
  assert_int_equal(error.code, PRIVY_VALIDATION);
  assert_int_equal(error.http_status, 0);
  assert_int_equal(error.attempts, 0);
  assert_string_equal(error.method, "PATCH");
  assert_string_equal(error.path, "/contacts/{id}");
  assert_null(error.response);
  privy_request_free(request);
  request = NULL;
  CHECK_STATUS(ask_for("contacts.create", "{}", &request, &error), PRIVY_VALIDATION);
  assert_string_equal(error.message, "invalid request: at least one of email, phone_number is required");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void what_travels_outside_the_body_is_scalar(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_STATUS(ask_for("contacts.list",
                       "{\"email\":[\"a@b\",{\"x\":[]}],\"page\":{\"email\":1},\"bogus\":[[1]],\"per_page\":null,"
                       "\"sms_consent\":[]}",
                       &request, &error),
               PRIVY_VALIDATION);
  assert_details(&error.details, "email: must be a string\npage: must be an integer\n"
                                 "bogus: is not a parameter of contacts.list; use extra to send it\n"
                                 "per_page: must not be null\nsms_consent: must be one of subscribed, unsubscribed, "
                                 "never_subscribed, single_opt_in, pending");
  privy_request_free(request);
  request = NULL;
  privy_error_clear(&error);
  CHECK_OK(privy_request_new(privy_operation_find("contacts.list"), &request));
  privy_request_extra(request);
  ask(request, "{\"sort\":{\"by\":\"x\"},\"q\":null,\"page\":[1]}");
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "sort: must be a string, number or boolean: it is not sent in the body\n"
                                 "q: must be a string, number or boolean: it is not sent in the body\n"
                                 "page: must be a string, number or boolean: it is not sent in the body");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void extra_travels_with_the_rest(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("contacts.list"), &request));
  ask(request, "{\"page\":1}");
  privy_request_extra(request);
  ask(request, "{\"so rt\":\"a&b=c/\",\"deep\":false,\"n\":1.50}");
  CHECK_OK(privy_request_finish(request, &error));
  assert_string_equal(privy_request_target(request), "/contacts?page=1&so%20rt=a%26b%3Dc%2F&deep=false&n=1.50");
  privy_request_free(request);
  request = NULL;
  CHECK_OK(privy_request_new(privy_operation_find("events.ingest"), &request));
  ask(request, "{\"event_type\":\"x\"}");
  privy_request_extra(request);
  ask(request, "{\"email\":5,\"idempotency_key\":7,\"new\":{\"a\":[null]}}");
  CHECK_OK(privy_request_finish(request, &error));
  assert_headers(request, ACCEPT "Idempotency-Key: 7\nContent-Type: application/json\n");
  const char *body = privy_request_body(request, &length);
  assert_text(body, length, "{\"event_type\":\"x\",\"email\":5,\"new\":{\"a\":[null]}}");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

/* Not even `extra` reaches another path or another header. */
static void extra_smuggles_nothing(void **state) {
  (void)state;
  static const struct {
    const char *id, *target;
  } ids[] = {{"..", NULL},
             {".", NULL},
             {"", NULL},
             {"../orders", "/contacts/..%2Forders"},
             {"a?b#c", "/contacts/a%3Fb%23c"},
             {"...", "/contacts/..."},
             {"\r\nX: y", "/contacts/%0D%0AX%3A%20y"}};
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(ids); i++) {
    CHECK_OK(privy_request_new(privy_operation_find("contacts.get"), &request));
    privy_request_extra(request);
    privy_request_key(request, "id", 2);
    privy_request_string(request, ids[i].id, strlen(ids[i].id));
    CHECK_STATUS(privy_request_finish(request, &error), ids[i].target ? PRIVY_OK : PRIVY_VALIDATION);
    if (ids[i].target)
      assert_string_equal(privy_request_target(request), ids[i].target);
    else
      assert_details(&error.details, "id: must not be empty, . or ..: it is a segment of the path");
    privy_request_free(request);
    request = NULL;
  }
  CHECK_OK(privy_request_new(privy_operation_find("events.ingest"), &request));
  ask(request, "{\"event_type\":\"x\",\"email\":\"a@b\"}");
  privy_request_extra(request);
  privy_request_key(request, "idempotency_key", 15);
  privy_request_string(request, "k\r\nX-Evil: 1", 12);
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "idempotency_key: must be a valid header: its name a token, its value visible ASCII");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void headers_are_found_whatever_their_case(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  const char *name, *value;
  privy_error_init(&error);
  CHECK_OK(ask_for("events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b\"}", &request, &error));
  assert_null(privy_request_find_header(request, "Idempotency-Key"));
  CHECK_MEMORY(privy_request_add_header(request, "Idempotency-Key", 15, "one", 3));
  CHECK_MEMORY(privy_request_add_header(request, "idempotency-KEY", 15, "two", 3));
  assert_string_equal(privy_request_find_header(request, "IDEMPOTENCY-key"), "two");
  assert_headers(request, TYPED "Idempotency-Key: two\n");
  assert_false(privy_request_header_at(request, 3, &name, &value));
  assert_false(privy_request_header_at(request, SIZE_MAX, &name, &value));
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(requests_are_exact),
      TEST(texts_are_escaped_once),
      TEST(parameters_follow_one_another),
      TEST(all_errors_are_reported_together),
      TEST(what_travels_outside_the_body_is_scalar),
      TEST(extra_travels_with_the_rest),
      TEST(extra_smuggles_nothing),
      TEST(headers_are_found_whatever_their_case),
  };
  return HARNESS_RUN(tests);
}
