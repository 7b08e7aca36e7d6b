/* Requests built from values of a language: what JSON cannot represent, times, names, sizes. */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "message_text.h"

static void values_without_a_json_form_are_refused(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("contacts.create"), &request));
  privy_request_key(request, "email", 5);
  privy_request_refuse(request, PRIVY_CODE_NOT_ENCODABLE, "is a socket");
  privy_request_key(request, "custom_fields", 13);
  privy_request_begin_object(request);
  privy_request_key(request, "a", 1);
  privy_request_refuse(request, PRIVY_CODE_NOT_ENCODABLE, "is a socket");
  privy_request_key(request, "b", 1);
  privy_request_number(request, "NaN", 3);
  privy_request_end_object(request);
  privy_request_key(request, "bogus", 5);
  privy_request_refuse(request, PRIVY_CODE_NOT_ENCODABLE, "is a socket");
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

/* A journal keeps them, so that the user can correct them. */
static void refused_values_stay_in_the_body(void **state) {
  (void)state;
  static const char expected[] =
      "{\"order_id\":-5,\"email\":true,\"total\":\"x\",\"currency\":7.5,\"order_date\":\"2026-05-12T10:00:00\","
      "\"phone\":\"\xef\xbf\xbd\",\"customer_id\":null,\"line_items\":[{\"sku\":5}],\"no_field\":null,\"\":\"more\"}";
  privy_request *request = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("orders.upsert"), &request));
  privy_request_key(request, TEXT("order_id"));
  privy_request_integer(request, -5);
  privy_request_key(request, TEXT("email"));
  privy_request_boolean(request, true);
  privy_request_key(request, TEXT("total"));
  privy_request_string(request, TEXT("x"));
  privy_request_key(request, TEXT("currency"));
  privy_request_number(request, TEXT("7.5"));
  privy_request_key(request, TEXT("order_date"));
  privy_request_time(request, TEXT("2026-05-12T10:00:00"));
  privy_request_key(request, TEXT("phone"));
  privy_request_string(request, TEXT("\xff"));
  privy_request_key(request, TEXT("customer_id"));
  privy_request_other(request, "Thing");
  privy_request_key(request, TEXT("line_items"));
  privy_request_begin_array(request);
  privy_request_begin_object(request);
  privy_request_key(request, TEXT("sku"));
  privy_request_integer(request, 5);
  privy_request_end_object(request);
  privy_request_end_array(request);
  privy_request_key(request, TEXT("no_field"));
  privy_request_null(request);
  privy_request_no_key(request, NULL, 0);
  privy_request_string(request, TEXT("more"));
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  const char *body = privy_request_body(request, &length);
  assert_text(body, length, expected);
done:
  privy_error_clear(&error);
  privy_request_free(request);
}

int main(void) {
  static harness_test tests[] = {
      TEST(refused_values_stay_in_the_body),
      TEST(values_without_a_json_form_are_refused),
      TEST(types_without_a_form_in_json),
      TEST(strings_lists_and_enum_values_of_other_types),
      TEST(values_that_are_missing_or_fail),
      TEST(events_are_at_most_256_kib),
      TEST(nothing_can_be_freed),
      TEST(times_and_dates_of_a_language),
      TEST(times_without_a_zone),
      TEST(names_that_are_no_text),
  };
  return HARNESS_RUN(tests);
}
