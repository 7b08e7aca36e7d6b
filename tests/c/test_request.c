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

static void values_without_a_json_form_are_refused(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("contacts.create"), &request));
  privy_request_key(request, "email", 5);
  privy_request_refuse(request, "is a socket");
  privy_request_key(request, "custom_fields", 13);
  privy_request_begin_object(request);
  privy_request_key(request, "a", 1);
  privy_request_refuse(request, "is a socket");
  privy_request_key(request, "b", 1);
  privy_request_number(request, "NaN", 3);
  privy_request_end_object(request);
  privy_request_key(request, "bogus", 5);
  privy_request_refuse(request, "is a socket");
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "email: is a socket\ncustom_fields.a: is a socket\n"
                                 "custom_fields.b: is NaN: omit a field that has no value\n"
                                 "bogus: is not a parameter of contacts.create; use extra to send it");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void types_without_a_form_in_json(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("orders.upsert"), &request));
  static const char *const fields[] = {"order_id",  "total",           "order_date",  "total_items",
                                       "discounts", "billing_address", "initial_sync"};
  for (size_t i = 0; i < COUNT(fields); i++) {
    privy_request_key(request, fields[i], strlen(fields[i]));
    privy_request_other(request, "set");
  }
  privy_request_key(request, "line_items", 10);
  privy_request_begin_array(request);
  privy_request_other(request, "set");
  privy_request_begin_object(request);
  privy_request_key(request, "more", 4);
  privy_request_other(request, "a\nb");
  privy_request_end_object(request);
  privy_request_end_array(request);
  privy_request_key(request, "bogus", 5);
  privy_request_other(request, "set");
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(
      &error.details,
      "order_id: must be a positive integer, or its digits as a string, not set\n"
      "total: must be a number such as 95.00, not set\n"
      "order_date: must be an ISO 8601 date-time with Z or an offset, such as 2026-05-12T10:00:00Z, not set\n"
      "total_items: must be an integer, not set\ndiscounts: must be an array of objects, not set\n"
      "billing_address: must be an object, not set\ninitial_sync: must be true or false, not set\n"
      "line_items[0]: must be an object, not set\n"
      "line_items[1].more: is a \"a\\nb\", which cannot be encoded as JSON\n"
      "bogus: is not a parameter of orders.upsert; use extra to send it\n"
      "currency: is required\nbase: at least one of email, phone is required");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void strings_lists_and_enum_values_of_other_types(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("contacts.create"), &request));
  privy_request_key(request, "email", 5);
  privy_request_other(request, "bytes");
  privy_request_key(request, "sms_consent", 11);
  privy_request_other(request, "bytes");
  privy_request_key(request, "tags", 4);
  privy_request_begin_array(request);
  privy_request_other(request, "bytes");
  privy_request_end_array(request);
  privy_request_key(request, "custom_fields", 13);
  privy_request_begin_object(request);
  privy_request_key(request, "a", 1);
  privy_request_other(request, "bytes");
  privy_request_end_object(request);
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "email: must be a string, not bytes\n"
                                 "sms_consent: must be one of subscribed, never_subscribed, single_opt_in, not bytes\n"
                                 "tags[0]: must be a string, not bytes\n"
                                 "custom_fields.a: must be a string, number, boolean or null, not bytes");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void values_that_are_missing_or_fail(void **state) {
  (void)state;
  static const char *const numbers[] = {"nan", "-NaN", "sNaN", "Infinity", "-inf", "0x1"};
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("events.ingest"), &request));
  privy_request_key(request, "event_type", 10);
  privy_request_number(request, "NaN", 3);
  privy_request_key(request, "email", 5);
  privy_request_missing(request, "NaT");
  privy_request_key(request, "event_time", 10);
  privy_request_raised(request, "Zone", "RuntimeError: two\nlines");
  privy_request_key(request, "event_data", 10);
  privy_request_begin_object(request);
  for (size_t i = 0; i < COUNT(numbers); i++) {
    privy_request_key(request, numbers[i], strlen(numbers[i]));
    privy_request_number(request, numbers[i], strlen(numbers[i]));
  }
  privy_request_end_object(request);
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "event_type: is NaN: omit a field that has no value\n"
                                 "email: is NaT: omit a field that has no value\n"
                                 "event_time: is a Zone whose conversion raised RuntimeError: two\\nlines\n"
                                 "event_data.nan: is NaN: omit a field that has no value\n"
                                 "event_data.-NaN: is NaN: omit a field that has no value\n"
                                 "event_data.sNaN: is NaN: omit a field that has no value\n"
                                 "event_data.Infinity: is infinite: must be a finite number\n"
                                 "event_data.-inf: is infinite: must be a finite number\n"
                                 "event_data.0x1: must be a finite number");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

/* An event whose body is exactly `size` bytes. */
static privy_status event_of(size_t size, privy_request **out, privy_error *error) {
  static const char frame[] = "{\"event_type\":\"x\",\"email\":\"a@b\",\"event_data\":{\"d\":\"\"}}";
  const size_t length = size - strlen(frame);
  char *text = malloc(length);
  assert_non_null(text);
  memset(text, 'd', length);
  privy_status status = privy_request_new(privy_operation_find("events.ingest"), out);
  if (status == PRIVY_OK) {
    ask(*out, "{\"event_type\":\"x\",\"email\":\"a@b\"}");
    privy_request_key(*out, "event_data", 10);
    privy_request_begin_object(*out);
    privy_request_key(*out, "d", 1);
    privy_request_string(*out, text, length);
    privy_request_end_object(*out);
    status = privy_request_finish(*out, error);
  }
  free(text);
  return status;
}

static void events_are_at_most_256_kib(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  CHECK_OK(event_of(262144, &request, &error));
  privy_request_body(request, &length);
  assert_int_equal(length, 262144);
  privy_request_free(request);
  request = NULL;
  CHECK_STATUS(event_of(262145, &request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "base: the body is 262145 bytes; at most 262144 are accepted");
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

static void nothing_can_be_freed(void **state) {
  (void)state;
  privy_request_free(NULL);
  privy_response_release(NULL);
  privy_error_clear(NULL);
  privy_buffer_clear(NULL);
}

static privy_status start_event(privy_request **out) {
  privy_status status = privy_request_new(privy_operation_find("events.ingest"), out);
  if (status == PRIVY_OK) ask(*out, "{\"event_type\":\"x\",\"email\":\"a@b\"}");
  return status;
}

static void times_and_dates_of_a_language(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  CHECK_OK(start_event(&request));
  privy_request_key(request, TEXT("event_time"));
  privy_request_time(request, TEXT("2026-05-12T10:00:00Z"));
  privy_request_key(request, TEXT("event_data"));
  privy_request_begin_object(request);
  privy_request_key(request, TEXT("at"));
  privy_request_time(request, TEXT("2026-05-12T10:00:00Z"));
  privy_request_key(request, TEXT("on"));
  privy_request_date(request, TEXT("2026-05-12"));
  privy_request_end_object(request);
  CHECK_OK(privy_request_finish(request, &error));
  const char *body = privy_request_body(request, &length);
  assert_text(body, length,
              "{\"event_type\":\"x\",\"email\":\"a@b\",\"event_time\":\"2026-05-12T10:00:00Z\","
              "\"event_data\":{\"at\":\"2026-05-12T10:00:00Z\",\"on\":\"2026-05-12\"}}");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void times_without_a_zone(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(start_event(&request));
  privy_request_key(request, TEXT("event_time"));
  privy_request_date(request, TEXT("2026-05-12"));
  privy_request_key(request, TEXT("event_data"));
  privy_request_begin_object(request);
  privy_request_key(request, TEXT("at"));
  privy_request_time(request, TEXT("2026-05-12T10:00:00"));
  privy_request_end_object(request);
  privy_request_extra(request);
  privy_request_key(request, TEXT("more"));
  privy_request_time(request, TEXT("2026-05-12T10:00:00+02:00"));
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "event_time: is a date: pass a time with a time zone\n"
                                 "event_data.at: is a time without a time zone: add one, such as UTC\n"
                                 "more: is a time without a time zone: add one, such as UTC");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void names_that_are_no_text(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(start_event(&request));
  privy_request_no_key(request, NULL, 0);
  privy_request_key(request, TEXT("event_data"));
  privy_request_begin_object(request);
  privy_request_no_key(request, TEXT("5"));
  privy_request_key(request, TEXT("a"));
  privy_request_begin_array(request);
  privy_request_begin_object(request);
  privy_request_no_key(request, NULL, 0);
  privy_request_end_object(request);
  privy_request_end_array(request);
  privy_request_end_object(request);
  privy_request_key(request, TEXT("bogus"));
  privy_request_begin_object(request);
  privy_request_no_key(request, TEXT("6"));
  privy_request_end_object(request);
  privy_request_no_key(request, TEXT("\xFF"));
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "base: a value has no name: the row has more cells than its header\n"
                                 "event_data.5: must have a string as its name\n"
                                 "event_data.a[0]: a value has no name: the row has more cells than its header\n"
                                 "bogus: is not a parameter of events.ingest; use extra to send it\n"
                                 "\"\xEF\xBF\xBD\": has a name that is not valid UTF-8");
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
      TEST(values_without_a_json_form_are_refused),
      TEST(types_without_a_form_in_json),
      TEST(strings_lists_and_enum_values_of_other_types),
      TEST(values_that_are_missing_or_fail),
      TEST(events_are_at_most_256_kib),
      TEST(headers_are_found_whatever_their_case),
      TEST(nothing_can_be_freed),
      TEST(times_and_dates_of_a_language),
      TEST(times_without_a_zone),
      TEST(names_that_are_no_text),
  };
  return HARNESS_RUN(tests);
}
