/* The checker of parameters: paths, faults counted once, refused containers, verdicts, depths. */
#include "harness.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "check_text.h"

/* ---- paths ------------------------------------------------------------------------------------------------------- */

static void nested_errors_have_their_paths(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"contacts.create", "{\"email\":\"a@b\",\"tags\":[\"a\",1,\"b\",null,true,[\"x\"],{}]}",
       "tags[1]: must be a string\ntags[3]: must be a string\ntags[4]: must be a string\n"
       "tags[5]: must be a string\ntags[6]: must be a string"},
      {"contacts.create", "{\"email\":\"a@b\",\"custom_fields\":{\"a\":1,\"size\":{\"b\":[]},\"c\":[1],\"d\":null}}",
       "custom_fields.size: must be a string, number, boolean or null: nested values are not accepted\n"
       "custom_fields.c: must be a string, number, boolean or null: nested values are not accepted"},
      {"orders.upsert",
       "{" ORDER ",\"line_items\":[{\"sku\":\"a\"},{\"price\":\"x\",\"quantity\":1.5,\"sku\":7},8,[],null,"
       "{\"sku\":null,\"own\":{\"sku\":1}}]}",
       "line_items[1].price: must be a number such as 95.00\nline_items[1].quantity: must be an integer\n"
       "line_items[1].sku: must be a string\nline_items[2]: must be an object\nline_items[3]: must be an object\n"
       "line_items[4]: must be an object"},
      {"orders.upsert", "{" ORDER ",\"shipping_address\":{\"city\":1,\"geo\":{\"city\":1}},\"billing_address\":[]}",
       "shipping_address.city: must be a string\nbilling_address: must be an object"},
      {"orders.upsert", "{" ORDER ",\"discounts\":{\"code\":1},\"tax_lines\":\"x\"}",
       "discounts: must be an array of objects\ntax_lines: must be an array of objects"},
      {"contacts.create", "{\"email\":\"a@b\",\"custom_fields\":{\"\":{},\"a.b\":{},\"c[0]\":{}}}",
       "custom_fields.\"\": must be a string, number, boolean or null: nested values are not accepted\n"
       "custom_fields.a.b: must be a string, number, boolean or null: nested values are not accepted\n"
       "custom_fields.c[0]: must be a string, number, boolean or null: nested values are not accepted"},
  };
  run_cases(cases, COUNT(cases), PRIVY_CHECK_STRICT);
}

static void what_is_refused_is_walked_in_silence(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"contacts.create", "{\"email\":{\"a\":[1,{\"b\":{}}],\"tags\":[1]},\"tags\":[1]}",
       "email: must be a string\ntags[0]: must be a string"},
      {"contacts.create", "{\"email\":\"a@b\",\"tags\":{\"a\":[1]},\"custom_fields\":[{\"a\":{}}]}",
       "tags: must be an array of strings\ncustom_fields: must be an object without nested values"},
      {"events.ingest", "{" EVENT ",\"bogus\":{\"email\":1,\"x\":[[]]},\"event_data\":[{\"a\":1}]}",
       "bogus: is not a parameter of events.ingest; use extra to send it\nevent_data: must be an object"},
      {"contacts.create", "{\"email\":\"a@b\",\"email\":[[1]],\"email\":{\"email\":null}}",
       "email: is given twice\nemail: is given twice"},
  };
  run_cases(cases, COUNT(cases), PRIVY_CHECK_STRICT);
}

static void words_of_wrong_types(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"contacts.list", "{\"page\":\"1\",\"per_page\":0}", "page: must be an integer\nper_page: must be from 1 to 100"},
      {"contacts.list", "{\"page\":0,\"per_page\":101}", "page: must be at least 1\nper_page: must be from 1 to 100"},
      {"contacts.list", "{\"page\":1e2,\"per_page\":1.0}", "page: must be an integer\nper_page: must be an integer"},
      {"contacts.list", "{\"page\":99999999999999999999,\"per_page\":-99999999999999999999}",
       "page: must be at most 9223372036854775807\nper_page: must be from 1 to 100"},
      {"contacts.list", "{\"page\":9223372036854775807,\"per_page\":100}", ""},
      {"contacts.create", "{\"email\":\"a@b\",\"send_welcome_sms\":\"true\",\"first_name\":1,\"last_name\":false}",
       "send_welcome_sms: must be true or false\nfirst_name: must be a string\nlast_name: must be a string"},
      {"contacts.create", "{\"email\":\"a@b\",\"email_consent\":1,\"sms_consent\":{}}",
       "email_consent: must be one of subscribed, unsubscribed, never_subscribed, suppressed\n"
       "sms_consent: must be one of subscribed, never_subscribed, single_opt_in"},
      {"contacts.create",
       "{\"email\":\"a@b\",\"email_consent\":\"compliance_suppressed\",\"sms_consent\":\"unsubscribed\"}",
       "email_consent: compliance_suppressed is read-only: only the API sets it\n"
       "sms_consent: unsubscribed is not accepted on create: there is nothing to revoke"},
      {"contacts.update", "{\"id\":\"" CONTACT "\",\"sms_consent\":\"pending\",\"email_consent\":\"non_subscribed\"}",
       "sms_consent: pending is read-only: only the API sets it\n"
       "email_consent: must be one of subscribed, unsubscribed, never_subscribed, suppressed"},
      {"orders.upsert", "{" ORDER ",\"total_items\":-1,\"subtotal\":\"1,000\",\"initial_sync\":0,\"customer_id\":5}",
       "total_items: must be at least 0\nsubtotal: must be a number such as 95.00\n"
       "initial_sync: must be true or false\ncustomer_id: must be a string"},
      {"events.ingest", "{" EVENT ",\"event_data\":null,\"event_time\":5,\"idempotency_key\":\"a b\"}",
       "event_data: must not be null\nevent_time: must be an ISO 8601 date-time in UTC, such as 2026-05-12T10:00:00Z\n"
       "idempotency_key: must be 1 to 255 visible ASCII characters: it is sent as a header"},
      {"contacts.unsubscribe", "{\"id\":5,\"reason\":5}", "id: must be a string\nreason: must be a string"},
  };
  run_cases(cases, COUNT(cases), PRIVY_CHECK_STRICT);
}

static void order_ids_are_positive_integers_or_digits(void **state) {
  (void)state;
  static const struct {
    const char *text;
    bool right;
  } ids[] = {{"1", true},       {"123456789012345678901234567890", true},
             {"0", false},      {"-1", false},
             {"1.0", false},    {"1e3", false},
             {"\"0\"", false},  {"\"0042\"", true},
             {"\"00\"", false}, {"9223372036854775808", true},
             {"\"\"", false},   {"\"-1\"", false},
             {"\"a\"", false},  {"null", false},
             {"true", false},   {"[1]", false},
             {"{}", false}};
  for (size_t i = 0; i < COUNT(ids); i++) {
    char json[256];
    privy_check check;
    snprintf(json, sizeof json,
             "{\"order_id\":%s,\"total\":\"1\",\"currency\":\"USD\",\"order_date\":"
             "\"2026-05-12T10:00:00Z\",\"email\":\"a@b\"}",
             ids[i].text);
    const bool complete = check_text(&check, "orders.upsert", PRIVY_CHECK_STRICT, json, 0);
    if (complete)
      assert_details(&check.details, ids[i].right ? ""
                                     : strcmp(ids[i].text, "null") == 0
                                         ? "order_id: must not be null"
                                         : "order_id: must be a positive integer, or its digits as a string");
    privy_check_clear(&check);
    CHECK_MEMORY(complete);
  }
done:
  return;
}

/* ---- what a verdict says ----------------------------------------------------------------------------------------- */

static void verdicts(void **state) {
  (void)state;
  privy_check check;
  privy_check_init(&check, privy_operation_find("orders.upsert"), PRIVY_CHECK_STRICT);
  const privy_field *field = privy_check_key(&check, "total", 5);
  CHECK_MEMORY(!check.no_memory);
  assert_ptr_equal(field, &privy_object_order.fields[PRIVY_FIELD_ORDER_total]);
  assert_int_equal(privy_check_string(&check, "95.00", 5), PRIVY_VERDICT_NUMBER);
  privy_check_key(&check, "subtotal", 8);
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_number(&check, "-1.5e-3", 7), PRIVY_VERDICT_PASSED);
  privy_check_key(&check, "line_items", 10);
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_begin(&check, true), PRIVY_VERDICT_PASSED);
  assert_int_equal(privy_check_begin(&check, false), PRIVY_VERDICT_PASSED);
  field = privy_check_key(&check, "price", 5);
  CHECK_MEMORY(!check.no_memory);
  assert_string_equal(field->name, "price");
  assert_int_equal(privy_check_string(&check, "1", 1), PRIVY_VERDICT_NUMBER);
  assert_null(privy_check_key(&check, "colour", 6));
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_string(&check, "1", 1), PRIVY_VERDICT_PLAIN);
  privy_check_end(&check);
  privy_check_end(&check);
  assert_int_equal(check.depth, 1);
  assert_int_equal(check.details.count, 0);
  privy_check_end(&check); /* one too many does no harm */
  assert_int_equal(check.depth, 1);
  assert_null(privy_check_key(&check, "bogus", 5));
  assert_int_equal(privy_check_boolean(&check, true), PRIVY_VERDICT_REFUSED);
done:
  privy_check_clear(&check);
}

static void money_as_text_is_a_json_number(void **state) {
  (void)state;
  static const char *const right[] = {"0", "95", "95.00", "-5.25", "1e3", "0.10"};
  static const char *const wrong[] = {"",    " 95",      "95 ",  "+5", ".5", "5.", "1,000",
                                      "NaN", "Infinity", "0x10", "05", "$5", "--1"};
  privy_check check;
  privy_check_init(&check, privy_operation_find("orders.upsert"), PRIVY_CHECK_LENIENT);
  privy_check_key(&check, "total", 5);
  CHECK_MEMORY(!check.no_memory);
  for (size_t i = 0; i < COUNT(right); i++)
    assert_int_equal(privy_check_string(&check, right[i], strlen(right[i])), PRIVY_VERDICT_NUMBER);
  for (size_t i = 0; i < COUNT(wrong); i++) {
    assert_int_equal(privy_check_string(&check, wrong[i], strlen(wrong[i])), PRIVY_VERDICT_REFUSED);
    assert_int_equal(privy_check_number(&check, wrong[i], strlen(wrong[i])), PRIVY_VERDICT_REFUSED);
    CHECK_MEMORY(!check.no_memory);
  }
  assert_int_equal(check.details.count, 2 * COUNT(wrong));
done:
  privy_check_clear(&check);
}

static void texts_that_are_no_utf8(void **state) {
  (void)state;
  privy_check check;
  privy_check_init(&check, privy_operation_find("contacts.create"), PRIVY_CHECK_STRICT);
  privy_check_key(&check, "first_name", 10);
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_string(&check, "J\xF6rg", 4), PRIVY_VERDICT_REFUSED);
  privy_check_key(&check, "bogus", 5);
  CHECK_MEMORY(!check.no_memory);
  privy_check_null(&check);
  /* The name after one that was refused is judged for itself. */
  assert_null(privy_check_key(&check, "na\xFFme", 5));
  CHECK_MEMORY(!check.no_memory);
  privy_check_null(&check);
  privy_check_key(&check, "custom_fields", 13);
  CHECK_MEMORY(!check.no_memory);
  privy_check_begin(&check, false);
  privy_check_key(&check, "\xC3", 1);
  CHECK_MEMORY(!check.no_memory);
  privy_check_null(&check);
  privy_check_key(&check, "a", 1);
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_string(&check, "\xED\xA0\x80", 3), PRIVY_VERDICT_REFUSED);
  privy_check_end(&check);
  CHECK_MEMORY(!check.no_memory);
  assert_details(&check.details, "first_name: is not valid UTF-8\n"
                                 "bogus: is not a parameter of contacts.create; use extra to send it\n"
                                 "\"na\xEF\xBF\xBD"
                                 "me\": has a name that is not valid UTF-8\n"
                                 "custom_fields.\"\xEF\xBF\xBD\": has a name that is not valid UTF-8\n"
                                 "custom_fields.a: is not valid UTF-8");
done:
  privy_check_clear(&check);
}

static void values_that_cannot_be_encoded_are_errors(void **state) {
  (void)state;
  privy_check check;
  privy_check_init(&check, privy_operation_find("contacts.create"), PRIVY_CHECK_STRICT);
  privy_check_key(&check, "tags", 4);
  CHECK_MEMORY(!check.no_memory);
  privy_check_begin(&check, true);
  privy_check_string(&check, "a", 1);
  privy_check_unusable(&check, PRIVY_CODE_NOT_ENCODABLE, "is a set");
  privy_check_end(&check);
  privy_check_key(&check, "bogus", 5);
  CHECK_MEMORY(!check.no_memory);
  privy_check_unusable(&check, PRIVY_CODE_NOT_ENCODABLE, "is a set");
  CHECK_MEMORY(!check.no_memory);
  assert_details(&check.details,
                 "tags[1]: is a set\nbogus: is not a parameter of contacts.create; use extra to send it");
done:
  privy_check_clear(&check);
}

/* Both verdicts on one value of a parameter, and their faults, must be the same. */
static bool check_both(const privy_operation *operation, const char *name, int64_t value) {
  bool checked = false;
  char text[24];
  privy_check given, number;
  const size_t length = (size_t)snprintf(text, sizeof text, "%" PRId64, value);
  privy_check_init(&given, operation, PRIVY_CHECK_STRICT);
  privy_check_init(&number, operation, PRIVY_CHECK_STRICT);
  privy_check_key(&given, name, strlen(name));
  privy_check_key(&number, name, strlen(name));
  const privy_verdict verdict = privy_check_integer(&given, value);
  assert_int_equal(verdict, privy_check_number(&number, text, length));
  CHECK_MEMORY(!given.no_memory && !number.no_memory);
  assert_int_equal(given.details.count, number.details.count);
  for (size_t i = 0; i < given.details.count; i++)
    assert_string_equal(given.details.items[i].message, number.details.items[i].message);
  checked = true;
done:
  privy_check_clear(&given);
  privy_check_clear(&number);
  return checked;
}

static void an_integer_is_judged_as_its_text(void **state) {
  (void)state;
  static const int64_t values[] = {INT64_MIN, -1, 0, 1, 100, 101, INT64_MAX};
  const privy_operation *operation;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++) {
    privy_field_info info;
    for (size_t param = 0; privy_operation_param(operation, param, &info); param++)
      for (size_t value = 0; value < COUNT(values); value++)
        CHECK_MEMORY(check_both(operation, info.name, values[value]));
  }
done:
  return;
}

static void lengths_are_counted_in_characters(void **state) {
  (void)state;
  char reason[1002];
  privy_check check;
  for (size_t i = 0; i < 501; i++) memcpy(reason + 2 * i, "\xC3\xA9", 2);
  privy_check_init(&check, privy_operation_find("contacts.unsubscribe"), PRIVY_CHECK_LENIENT);
  privy_check_key(&check, "reason", 6);
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_string(&check, reason, 1000), PRIVY_VERDICT_PLAIN);
  assert_int_equal(privy_check_string(&check, reason, 1002), PRIVY_VERDICT_REFUSED);
  CHECK_MEMORY(!check.no_memory);
  assert_details(&check.details, "reason: must be at most 500 characters");
done:
  privy_check_clear(&check);
}

/* ---- depth ------------------------------------------------------------------------------------------------------- */

/* Opens `levels` containers, arrays and objects in turn, puts a number inside and closes them. */
static bool nest(privy_check *check, size_t levels) {
  for (size_t i = 0; i < levels; i++) {
    const bool array = i % 2 == 1;
    privy_check_begin(check, array);
    if (!array) privy_check_key(check, "a", 1);
    if (check->no_memory) return false;
  }
  privy_check_number(check, "1", 1);
  for (size_t i = 0; i < levels; i++) privy_check_end(check);
  return !check->no_memory;
}

static bool nest_event(privy_check *check, size_t levels) {
  privy_check_init(check, privy_operation_find("events.ingest"), PRIVY_CHECK_STRICT);
  privy_check_key(check, "event_data", 10);
  return !check->no_memory && nest(check, levels);
}

static void events_are_nested_ten_levels(void **state) {
  (void)state;
  privy_check check = {0};
  CHECK_MEMORY(nest_event(&check, 10));
  assert_int_equal(check.details.count, 0);
  assert_int_equal(check.any_levels, 0);
  assert_int_equal(check.depth, 1);
  privy_check_clear(&check);
  CHECK_MEMORY(nest_event(&check, 11));
  assert_details(&check.details, "event_data.a[0].a[0].a[0].a[0].a[0]: is nested deeper than 10 levels");
  assert_int_equal(check.any_levels, 0);
  assert_int_equal(check.depth, 1);
  privy_check_clear(&check);
  /* However deep: one fault, and the walk comes back to the top. */
  CHECK_MEMORY(nest_event(&check, 500));
  assert_int_equal(check.details.count, 1);
  assert_int_equal(check.depth, 1);
  assert_int_equal(check.too_deep, 0);
done:
  privy_check_clear(&check);
}

static void levels_are_given_back(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"events.ingest",
       "{" EVENT
       ",\"event_data\":{\"a\":[[[[[[[[[1]]]]]]]]],\"b\":[[[[[[[[[2]]]]]]]]],\"c\":{\"d\":[[[[[[[[3]]]]]]]]}}}",
       ""},
      {"events.ingest",
       "{" EVENT ",\"event_data\":{\"a\":[[[[[[[[[[1]]]]]]]]]],\"b\":[[[[[[[[[2]]]]]]]]],\"c\":[[[[[[[[[{}]]]]]]]]]}}",
       "event_data.a[0][0][0][0][0][0][0][0][0]: is nested deeper than 10 levels\n"
       "event_data.c[0][0][0][0][0][0][0][0][0]: is nested deeper than 10 levels"},
  };
  run_cases(cases, COUNT(cases), PRIVY_CHECK_STRICT);
}

static bool nest_raw(privy_check *check, size_t levels) {
  privy_check_init(check, NULL, PRIVY_CHECK_STRICT);
  privy_check_key(check, "body", 4);
  return !check->no_memory && nest(check, levels);
}

static void anything_else_is_nested_sixty_four_levels(void **state) {
  (void)state;
  privy_check check = {0};
  CHECK_MEMORY(nest_raw(&check, PRIVY_CHECK_DEPTH));
  assert_int_equal(check.details.count, 0);
  privy_check_clear(&check);
  CHECK_MEMORY(nest_raw(&check, PRIVY_CHECK_DEPTH + 1));
  assert_int_equal(check.details.count, 1);
  assert_string_equal(check.details.items[0].message, "is nested too deep");
  assert_int_equal(check.depth, 1);
  privy_check_clear(&check);
  CHECK_MEMORY(nest_raw(&check, 1000));
  assert_int_equal(check.details.count, 1);
  assert_int_equal(check.depth, 1);
  assert_int_equal(check.too_deep, 0);
  privy_check_finish(&check, 0);
  assert_int_equal(check.details.count, 1);
done:
  privy_check_clear(&check);
}

int main(void) {
  static harness_test tests[] = {
      TEST(nested_errors_have_their_paths),
      TEST(what_is_refused_is_walked_in_silence),
      TEST(words_of_wrong_types),
      TEST(order_ids_are_positive_integers_or_digits),
      TEST(verdicts),
      TEST(money_as_text_is_a_json_number),
      TEST(texts_that_are_no_utf8),
      TEST(values_that_cannot_be_encoded_are_errors),
      TEST(an_integer_is_judged_as_its_text),
      TEST(lengths_are_counted_in_characters),
      TEST(events_are_nested_ten_levels),
      TEST(levels_are_given_back),
      TEST(anything_else_is_nested_sixty_four_levels),
  };
  return HARNESS_RUN(tests);
}
