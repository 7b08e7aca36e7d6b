/* Parameters that are null and omitted, and the names of columns. */
#include "harness.h"

#include <string.h>

#include "message_text.h"

static void body_is(privy_request *request, const char *expected) {
  size_t length;
  const char *body = privy_request_body(request, &length);
  assert_int_equal(length, strlen(expected));
  assert_memory_equal(body, expected, length);
}

static const struct {
  const char *operation, *params, *body;
} omitted[] = {
    {"contacts.upsert", "{\"email\":\"a@b\",\"first_name\":null,\"tags\":[]}", "{\"email\":\"a@b\",\"tags\":[]}"},
    {"contacts.upsert", "{\"first_name\":null,\"email\":\"a@b\",\"last_name\":null}", "{\"email\":\"a@b\"}"},
    {"contacts.upsert", "{\"email\":null,\"email\":\"a@b\"}", "{\"email\":\"a@b\"}"},
    {"contacts.upsert", "{\"email\":\"a@b\",\"custom_fields\":{\"a\":null}}",
     "{\"email\":\"a@b\",\"custom_fields\":{\"a\":null}}"},
    {"events.ingest",
     "{\"event_type\":\"x\",\"phone\":null,\"privy_id\":null,\"email\":\"a@b\",\"event_data\":{\"a\":[null]}}",
     "{\"event_type\":\"x\",\"email\":\"a@b\",\"event_data\":{\"a\":[null]}}"},
    {"orders.upsert",
     "{\"order_id\":1,\"email\":\"a@b\",\"total\":1,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\","
     "\"integration_token\":null,\"phone\":null}",
     "{\"order_id\":1,\"email\":\"a@b\",\"total\":1,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\"}"},
};

static void a_null_parameter_is_as_if_not_given(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(omitted); i++) {
    CHECK_OK(privy_request_new(privy_operation_find(omitted[i].operation), &request));
    privy_request_omit_nulls(request);
    ask(request, omitted[i].params);
    CHECK_OK(privy_request_finish(request, &error));
    body_is(request, omitted[i].body);
    privy_request_free(request);
    request = NULL;
  }
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void missing_values_and_nan_are_nulls(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("orders.upsert"), &request));
  privy_request_omit_nulls(request);
  privy_request_key(request, "order_id", 8);
  privy_request_number(request, "nan", 3);
  privy_request_key(request, "total", 5);
  privy_request_number(request, "inf", 3);
  privy_request_key(request, "order_date", 10);
  privy_request_missing(request, "NaT");
  assert_true(privy_request_next(request, true)); /* order_id again, by its place */
  privy_request_number(request, "-NaN", 4);
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "total: is infinite: must be a finite number\n"
                                 "order_id: is required\n"
                                 "currency: is required\n"
                                 "order_date: is required\n"
                                 "base: at least one of email, phone is required");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static void what_is_inside_or_extra_stays(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_request_new(privy_operation_find("events.ingest"), &request));
  privy_request_omit_nulls(request);
  ask(request, "{\"event_type\":\"x\",\"email\":\"a@b\",\"unknown\":null}");
  privy_request_key(request, "event_data", 10);
  privy_request_begin_object(request);
  privy_request_key(request, "a", 1);
  privy_request_missing(request, "NaT");
  privy_request_key(request, "b", 1);
  privy_request_number(request, "NaN", 3);
  privy_request_end_object(request);
  privy_request_extra(request);
  privy_request_key(request, "more", 4);
  privy_request_null(request);
  CHECK_STATUS(privy_request_finish(request, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "unknown: is not a parameter of events.ingest; use extra to send it\n"
                                 "event_data.a: is NaT: omit a field that has no value\n"
                                 "event_data.b: is NaN: omit a field that has no value");
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

static const struct {
  const char *operation, *names, *details;
} tables[] = {
    {"orders.upsert", "{\"order_id\":0,\"phone\":0,\"total\":0,\"currency\":0,\"order_date\":0}", ""},
    {"orders.upsert", "{\"Order ID\":0,\"mail\":0,\"currency\":0,\"total\":0,\"total\":0,\"order_date\":0}",
     "Order ID: is not a parameter of orders.upsert: did you mean order_id?\n"
     "mail: is not a parameter of orders.upsert: did you mean email?\n"
     "total: is given twice\n"
     "order_id: is required\n"
     "base: at least one of email, phone is required"},
    {"events.ingest", "{\"event_type\":0,\"email\":0,\"phone\":0}", ""},
    {"contacts.upsert", "{\"id\":0,\"email\":0,\"created_at\":0}",
     "id: is not a parameter of contacts.upsert; use extra to send it\n"
     "created_at: is read-only"},
};

static void the_names_of_columns(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(tables); i++) {
    privy_cursor cursor;
    privy_value key, value;
    CHECK_OK(privy_request_new(privy_operation_find(tables[i].operation), &request));
    privy_cursor_init(&cursor, json_of(tables[i].names));
    while (privy_cursor_next(&cursor, &key, &value)) privy_request_key(request, key.text, key.length);
    const privy_status expected = *tables[i].details ? PRIVY_VALIDATION : PRIVY_OK;
    CHECK_STATUS(privy_request_finish_names(request, &error), expected);
    assert_details(&error.details, tables[i].details);
    privy_request_free(request);
    request = NULL;
    privy_error_clear(&error);
  }
done:
  privy_request_free(request);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_null_parameter_is_as_if_not_given),
      TEST(missing_values_and_nan_are_nulls),
      TEST(what_is_inside_or_extra_stays),
      TEST(the_names_of_columns),
  };
  return HARNESS_RUN(tests);
}
