/* Numbers and times in response values, and suggestions for parameter names. */
#include "harness.h"

#include <stdio.h>

#include "response_text.h"
#include "schema/reason.h"

/* "-" for what is no number, "int " before an integer. */
static bool read_number(privy_value value, privy_kind kind, privy_buffer *out) {
  privy_buffer room = PRIVY_BUFFER_EMPTY;
  privy_value number;
  const privy_status status = privy_value_number(value, kind, &room, &number);
  bool done = status == PRIVY_OK;
  out->length = 0;
  if (done && number.type == PRIVY_ABSENT)
    done = privy_buffer_text(out, "-");
  else if (done)
    done =
        privy_buffer_text(out, number.integral ? "int " : "") && privy_buffer_append(out, number.text, number.length);
  privy_buffer_clear(&room);
  return done;
}

static void numbers_of_responses(void **state) {
  (void)state;
  static const struct {
    privy_kind kind;
    const char *json, *expected;
  } cases[] = {
      {PRIVY_KIND_INTEGER, "5", "int 5"},
      {PRIVY_KIND_INTEGER, "-0", "int -0"},
      {PRIVY_KIND_INTEGER, "5.0", "int 5"},
      {PRIVY_KIND_INTEGER, "-5.000", "int -5"},
      {PRIVY_KIND_INTEGER, "5e0", "int 5"},
      {PRIVY_KIND_INTEGER, "1E3", "int 1000"},
      {PRIVY_KIND_INTEGER, "0.05e+2", "int 5"},
      {PRIVY_KIND_INTEGER, "50e-1", "int 5"},
      {PRIVY_KIND_INTEGER, "1.50e1", "int 15"},
      {PRIVY_KIND_INTEGER, "0.0", "int 0"},
      {PRIVY_KIND_INTEGER, "-0.0e5", "int 0"},
      {PRIVY_KIND_INTEGER, "0e000000000000", "int 0"},
      {PRIVY_KIND_INTEGER, "0.000e-3", "int 0"},
      {PRIVY_KIND_INTEGER, "1e00000000000003", "int 1000"},
      {PRIVY_KIND_INTEGER, "5.5", "5.5"},
      {PRIVY_KIND_INTEGER, "5e-1", "5e-1"},
      {PRIVY_KIND_INTEGER, "1e-999999", "1e-999999"},
      {PRIVY_KIND_INTEGER, "1e1001", "1e1001"},
      {PRIVY_KIND_INTEGER, "1e1000000", "-"},
      {PRIVY_KIND_INTEGER, "1e-1000000", "-"},
      {PRIVY_KIND_INTEGER, "\"5\"", "-"},
      {PRIVY_KIND_INTEGER, "null", "-"},
      {PRIVY_KIND_INTEGER, "[5]", "-"},
      {PRIVY_KIND_ORDER_ID, "1001.0", "int 1001"},
      {PRIVY_KIND_ORDER_ID, "\"1001\"", "-"},
      {PRIVY_KIND_MONEY, "95", "95"},
      {PRIVY_KIND_MONEY, "95.00", "95.00"},
      {PRIVY_KIND_MONEY, "\"95.00\"", "95.00"},
      {PRIVY_KIND_MONEY, "\"9\\u0035.00\"", "95.00"},
      {PRIVY_KIND_MONEY, "\"95\"", "95"},
      {PRIVY_KIND_MONEY, "\"\"", "-"},
      {PRIVY_KIND_MONEY, "\"\\u0020\"", "-"},
      {PRIVY_KIND_MONEY, "\" 95\"", "-"},
      {PRIVY_KIND_MONEY, "\"95 USD\"", "-"},
      {PRIVY_KIND_MONEY, "\"1e1000000\"", "-"},
      {PRIVY_KIND_ANY, "5.0", "5.0"},
      {PRIVY_KIND_ANY, "5", "int 5"},
      {PRIVY_KIND_ANY, "1e999999", "1e999999"},
      {PRIVY_KIND_ANY, "1e1000000", "-"},
  };
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_MEMORY(read_number(json_of(cases[i].json), cases[i].kind, &out));
    assert_text(out.data, out.length, cases[i].expected);
  }
done:
  privy_buffer_clear(&out);
}

static void long_integers_keep_their_digits(void **state) {
  (void)state;
  char digits[1100], json[1110];
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  for (size_t count = 995; count <= 1005; count++) {
    memset(digits, '7', count);
    digits[count] = '\0';
    snprintf(json, sizeof json, "%s.0", digits);
    CHECK_MEMORY(read_number(json_of(json), PRIVY_KIND_INTEGER, &out));
    assert_int_equal(privy_text_starts(out.data, out.length, "int "), count <= 1000);
    assert_int_equal(out.length, count <= 1000 ? count + 4 : count + 2);
  }
done:
  privy_buffer_clear(&out);
}

static void times_of_responses(void **state) {
  (void)state;
  static const struct {
    const char *json;
    int64_t seconds;
  } cases[] = {
      {"\"2026-05-12T10:00:00Z\"", 1778580000},
      {"\"2026-05-12T12:00:00+02:00\"", 1778580000},
      {"\"2026-05-12T12:00:00\\u002b02:00\"", 1778580000},
      {"\"\\u0032\\u0030\\u0032\\u0036\\u002d05-12T10:00:00Z\"", 1778580000},
      {"\"2026-05-12\"", -1},
      {"\"2026-05-12T10:00:00\\u0000Z\"", -1},
      {"\"\"", -1},
      {"5", -1},
      {"null", -1},
  };
  privy_time time;
  for (size_t i = 0; i < COUNT(cases); i++) {
    const bool is_time = privy_value_time(json_of(cases[i].json), &time);
    assert_int_equal(is_time, cases[i].seconds >= 0);
    if (is_time) assert_int_equal(time.seconds, cases[i].seconds);
  }
}

/* An escaped text that is longer than any time, its escapes at the end. */
static void a_long_text_is_no_time(void **state) {
  (void)state;
  char json[700];
  privy_time time;
  for (size_t length = 250; length < 270; length++) {
    memset(json, '0', sizeof json);
    json[0] = '"';
    memcpy(json + 1, "2026-05-12T10:00:00.", 20);
    memcpy(json + length - 5, "\\u005a\"", 8);
    assert_int_equal(privy_value_time(json_of(json), &time), length <= 256);
  }
}

static void similar_names_suggest_parameters(void **state) {
  (void)state;
  static const char *const cases[][3] = {
      {"orders.upsert", "\xEF\xBB\xBForder_id", "order_id"},
      {"orders.upsert", "order_id", "order_id"},
      {"orders.upsert", "orderId", "order_id"},
      {"orders.upsert", "OrderID", "order_id"},
      {"orders.upsert", "ORDER ID", "order_id"},
      {"orders.upsert", " 'order-id' ", "order_id"},
      {"orders.upsert", "odrer_id", "order_id"},
      {"orders.upsert", "emial", "email"},
      {"orders.upsert", "mail", "email"},
      {"orders.upsert", "e-mail", "email"},
      {"orders.upsert", "phone_number", "phone"},
      {"orders.upsert", "billing", "billing_address"},
      {"orders.upsert", "fulfilment_status", "fulfillment_status"},
      {"contacts.create", "phone", "phone_number"},
      {"contacts.create", "tag", "tags"},
      {"contacts.create", "tgas", "tags"},
      {"contacts.list", "apge", "page"},
      {"orders.upsert", "phoneMobile", "phone"},
      {"orders.upsert", "order", NULL},
      {"orders.upsert", "email_of_the_customer_who_placed_the_order", NULL},
      {"contacts.create", "email_permission", "email_consent"},
      {"contacts.create", "contact_phone_permission", "sms_consent"},
      {"contacts.create", "name", NULL},
      {"contacts.create", "id", NULL},
      {"contacts.create", "x", NULL},
      {"contacts.create", "", NULL},
      {"contacts.create", "\xE2\x80\x8B", NULL},
      {"contacts.create", "\xFF\xFE", NULL},
      {"contacts.create", "a_name_that_is_longer_than_any_name_of_the_tables", NULL},
      {"events.ingest", "type", NULL},
      {"events.ingest", "event", NULL},
      {"events.ingest", "eventType", "event_type"},
      {"events.ingest", "idempotencyKey", "idempotency_key"},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const privy_field *meant = privy_suggest(privy_operation_find(cases[i][0]), cases[i][1], strlen(cases[i][1]));
    if (meant && cases[i][2])
      assert_string_equal(meant->name, cases[i][2]);
    else if (meant || cases[i][2])
      fail_msg("%s stands for %s", cases[i][1], meant ? meant->name : "nothing");
  }
}

/* Every parameter is found by its own name, and never by one of another operation's alone. */
static void parameters_suggest_themselves(void **state) {
  (void)state;
  const privy_operation *operation;
  privy_field_info param;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++)
    for (size_t j = 0; privy_operation_param(operation, j, &param); j++)
      assert_string_equal(privy_suggest(operation, param.name, strlen(param.name))->name, param.name);
}

int main(void) {
  static harness_test tests[] = {
      TEST(numbers_of_responses),   TEST(long_integers_keep_their_digits),  TEST(times_of_responses),
      TEST(a_long_text_is_no_time), TEST(similar_names_suggest_parameters), TEST(parameters_suggest_themselves),
  };
  return HARNESS_RUN(tests);
}
