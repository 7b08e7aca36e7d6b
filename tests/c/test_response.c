/* Responses: records and their fields, pages, aliases, unknown fields, wrong shapes. */
#include "harness.h"

#include <string.h>

#include "response_text.h"

#define GET(row) privy_record_get(record, PRIVY_INDEX_CONTACT_##row)

static void known_fields_have_positions(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(parse_response("contacts.get", 200, "X-A: 1\r\n",
                          " {\"meta\":[1],\"data\": {\"new\":{\"a\":[1]},\"email\":\"j\\u0040x\",\"id\":\"" CONTACT
                          "\",\"tags\":[\"a\" , \"b\"],\"email_consent\":\"subscribed\",\"sms_consent\":\"brand_new\","
                          "\"first_name\":null,\"custom_fields\":{\"n\":1.50}} , \"x\":null} ",
                          &response, &error));
  assert_int_equal(privy_response_status(response), 200);
  assert_int_equal(privy_response_count(response), 1);
  assert_null(privy_response_pagination(response));
  assert_null(privy_response_record(response, 1));
  const privy_record *record = privy_response_record(response, 0);
  assert_ptr_equal(privy_record_object(record), &privy_object_contact);
  assert_value(GET(id), CONTACT);
  assert_value(GET(email), "j\\u0040x");
  assert_int_equal(GET(email).escaped, 1);
  assert_value(GET(tags), "[\"a\" , \"b\"]");
  assert_value(GET(email_consent), "subscribed");
  assert_int_equal(GET(email_consent).enum_value, 1 + PRIVY_email_consent_subscribed);
  assert_value(GET(sms_consent), "brand_new");
  assert_int_equal(GET(sms_consent).enum_value, 0);
  assert_int_equal(GET(first_name).type, PRIVY_NULL);
  assert_value(GET(last_name), "-");
  assert_value(GET(custom_fields), "{\"n\":1.50}");
  assert_value(privy_record_get(record, PRIVY_CONTACT_INDEXES), "-");
  assert_value(privy_record_get(record, SIZE_MAX), "-");
  assert_int_equal(privy_record_json(record).type, PRIVY_OBJECT);
  assert_int_equal(privy_record_json(record).text[0], '{');
  assert_int_equal(privy_response_json(response).text[0], '{');
  assert_int_equal(privy_response_json(response).text[privy_response_json(response).length - 1], '}');
  assert_true(privy_response_size(response) > 200);
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

static const struct {
  const char *json, *email, *sms;
} consents[] = {
    {"{\"email_permission\":\"non_subscribed\",\"phone_permission\":\"subscribed\"}", "never_subscribed", "subscribed"},
    {"{\"contact_phone_permission\":\"non_subscribed\"}", "-", "never_subscribed"},
    /* the current name takes precedence, in any order */
    {"{\"email_permission\":\"unsubscribed\",\"email_consent\":\"subscribed\"}", "subscribed", "-"},
    {"{\"email_consent\":\"subscribed\",\"email_permission\":\"unsubscribed\"}", "subscribed", "-"},
    {"{\"sms_consent\":null,\"phone_permission\":\"subscribed\"}", "-", "null"},
    /* of two older names the first, of two of the same the last */
    {"{\"phone_permission\":\"subscribed\",\"contact_phone_permission\":\"pending\"}", "-", "subscribed"},
    {"{\"email_consent\":\"subscribed\",\"email_consent\":\"suppressed\"}", "suppressed", "-"},
    {"{\"email\\u005fpermission\":\"non\\u005fsubscribed\",\"sms\\u005fconsent\":\"p\\u0065nding\"}",
     "never_subscribed", "pending"},
    {"{\"email_consent\":5,\"sms_consent\":[\"subscribed\"]}", "5", "[\"subscribed\"]"},
    {"{\"email_consent\":\"SUBSCRIBED\",\"sms_consent\":\"\"}", "SUBSCRIBED", ""},
};

static void consents_have_present_names(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(consents); i++) {
    CHECK_OK(privy_response_load(&privy_object_contact, consents[i].json, strlen(consents[i].json), &response, &error));
    const privy_record *record = privy_response_record(response, 0);
    assert_value(GET(email_consent), consents[i].email);
    assert_value(GET(sms_consent), consents[i].sms);
    assert_int_equal(GET(email_consent).escaped, 0);
    privy_response_release(response);
    response = NULL;
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

static void what_the_body_does_not_say(void **state) {
  (void)state;
  static const struct {
    const char *operation, *body;
    int status;
    size_t slot;
    const char *value;
  } cases[] = {
      {"orders.upsert", "{\"data\":{\"order_id\":1}}", 201, PRIVY_INDEX_ORDER_created, "true"},
      {"orders.upsert", "{\"data\":{\"order_id\":1}}", 200, PRIVY_INDEX_ORDER_created, "false"},
      {"orders.upsert", "{\"data\":{\"order_id\":1}}", 202, PRIVY_INDEX_ORDER_created, "false"},
      {"events.ingest", "{\"event_id\":\"e\"}", 200, PRIVY_INDEX_EVENT_idempotent_replay, "false"},
      {"events.ingest", "{\"idempotent_replay\":true}", 200, PRIVY_INDEX_EVENT_idempotent_replay, "true"},
      {"events.ingest", "{}", 201, PRIVY_INDEX_EVENT_status, "-"},
      {"contacts.create", "{\"data\":{}}", 201, PRIVY_INDEX_CONTACT_id, "-"},
  };
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_OK(parse_response(cases[i].operation, cases[i].status, "", cases[i].body, &response, &error));
    assert_value(privy_record_get(privy_response_record(response, 0), cases[i].slot), cases[i].value);
    privy_response_release(response);
    response = NULL;
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* ---- writing and loading ----------------------------------------------------------------------------------------- */

static const struct {
  const char *received, *written;
} written[] = {
    {"{}", "{}"},
    {"{\"z\":1,\"last_name\":\"D\",\"a\\n\":{\"b\":[]},\"id\":null,\"email_permission\":\"non_subscribed\"}",
     "{\"id\":null,\"last_name\":\"D\",\"email_consent\":\"never_subscribed\",\"z\":1,\"a\\n\":{\"b\":[]}}"},
    {"{ \"x\" : \"y\" , \"x\" : 2 }", "{\"x\" : \"y\",\"x\" : 2}"},
    {"{\"phone_permission\":\"subscribed\",\"sms_consent\":\"new\",\"email\":\"j\\u0040x\"}",
     "{\"email\":\"j\\u0040x\",\"sms_consent\":\"new\"}"},
    {"{\"custom_fields\":{\"a\":1.0},\"tags\":[],\"n\":\"\"}",
     "{\"tags\":[],\"custom_fields\":{\"a\":1.0},\"n\":\"\"}"},
};

static void records_come_back_as_written(void **state) {
  (void)state;
  privy_response *first = NULL, *second = NULL;
  privy_buffer once = PRIVY_BUFFER_EMPTY, twice = PRIVY_BUFFER_EMPTY;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(written); i++) {
    once.length = twice.length = 0;
    CHECK_OK(
        privy_response_load(&privy_object_contact, written[i].received, strlen(written[i].received), &first, &error));
    CHECK_OK(privy_record_write(privy_response_record(first, 0), &once));
    assert_text(once.data, once.length, written[i].written);
    CHECK_OK(privy_response_load(&privy_object_contact, once.data, once.length, &second, &error));
    CHECK_OK(privy_record_write(privy_response_record(second, 0), &twice));
    assert_text(twice.data, twice.length, written[i].written);
    for (size_t slot = 0; slot < PRIVY_CONTACT_INDEXES; slot++) {
      const privy_value one = privy_record_get(privy_response_record(first, 0), slot);
      const privy_value two = privy_record_get(privy_response_record(second, 0), slot);
      assert_int_equal(one.type, two.type);
      assert_int_equal(one.enum_value, two.enum_value);
      assert_int_equal(one.length, two.length);
    }
    privy_response_release(first);
    privy_response_release(second);
    first = second = NULL;
  }
done:
  privy_response_release(first);
  privy_response_release(second);
  privy_buffer_clear(&once);
  privy_buffer_clear(&twice);
  privy_error_clear(&error);
}

static void created_survives_a_round_trip(void **state) {
  (void)state;
  privy_response *first = NULL, *second = NULL;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(parse_response("orders.upsert", 201, "", "{\"data\":{\"total_amount\":\"95.00\"}}", &first, &error));
  CHECK_OK(privy_record_write(privy_response_record(first, 0), &text));
  assert_text(text.data, text.length, "{\"total_amount\":\"95.00\",\"created\":true}");
  CHECK_OK(privy_response_load(&privy_object_order, text.data, text.length, &second, &error));
  assert_value(privy_record_get(privy_response_record(second, 0), PRIVY_INDEX_ORDER_created), "true");
done:
  privy_response_release(first);
  privy_response_release(second);
  privy_buffer_clear(&text);
  privy_error_clear(&error);
}

static void what_is_no_object_is_not_loaded(void **state) {
  (void)state;
  static const char *const texts[] = {"", " ", "[]", "null", "\"x\"", "{", "{}x", "{\"a\"}", "{\"a\":1,}"};
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(texts); i++) {
    CHECK_STATUS(privy_response_load(&privy_object_contact, texts[i], strlen(texts[i]), &response, &error),
                 PRIVY_API_STATUS);
    assert_null(response);
    assert_non_null(error.message);
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* ---- pages ------------------------------------------------------------------------------------------------------- */

static void pages_hold_records(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_buffer body = PRIVY_BUFFER_EMPTY;
  privy_error error;
  const size_t count = harness_rounds(100, 10);
  privy_error_init(&error);
  CHECK_MEMORY(privy_buffer_text(&body, "{\"pagination\":{\"total_count\":250,\"page\":2,\"next\":\"x\"},\"data\":["));
  for (size_t i = 0; i < count; i++)
    CHECK_MEMORY(privy_buffer_format(&body, "%s{\"last_name\":\"%zu\",\"email\":null}", i ? "," : "", i));
  CHECK_MEMORY(privy_buffer_text(&body, "]}"));
  CHECK_OK(privy_response_parse(privy_operation_find("contacts.list"), 200, "", 0, &body, &response, &error));
  assert_int_equal(privy_response_count(response), count);
  for (size_t i = 0; i < count; i++) {
    char name[24];
    const privy_record *record = privy_response_record(response, i);
    snprintf(name, sizeof name, "%zu", i);
    assert_value(GET(last_name), name);
    assert_int_equal(GET(email).type, PRIVY_NULL);
    assert_value(GET(first_name), "-");
  }
  const privy_record *pagination = privy_response_pagination(response);
  assert_ptr_equal(privy_record_object(pagination), &privy_object_page);
  assert_value(privy_record_get(pagination, PRIVY_INDEX_PAGE_page), "2");
  assert_int_equal(privy_record_get(pagination, PRIVY_INDEX_PAGE_page).integral, 1);
  assert_value(privy_record_get(pagination, PRIVY_INDEX_PAGE_total_count), "250");
  assert_value(privy_record_get(pagination, PRIVY_INDEX_PAGE_total_pages), "-");
done:
  privy_response_release(response);
  privy_buffer_clear(&body);
  privy_error_clear(&error);
}

/* The members of record `index`: rotated, every other time backwards, one left out, something unknown among them. */
static bool append_shuffled(privy_buffer *body, size_t index) {
  const char *comma = index ? ",{" : "{";
  for (size_t i = 0; i < PRIVY_CONTACT_INDEXES; i++) {
    const size_t step = (i + index) % PRIVY_CONTACT_INDEXES;
    const size_t slot = index % 2 ? PRIVY_CONTACT_INDEXES - 1 - step : step;
    privy_field_info field;
    assert_true(privy_object_field(&privy_object_contact, slot, &field));
    if (slot == index % 13) continue;
    if (!privy_buffer_format(body, "%s\"%s\":\"%zu of %zu\"", comma, field.name, slot, index)) return false;
    if (slot == 3 && !privy_buffer_text(body, ",\"unknown\":{}")) return false;
    comma = ",";
  }
  return privy_buffer_byte(body, '}');
}

static void the_order_of_members_means_nothing(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_buffer body = PRIVY_BUFFER_EMPTY;
  privy_error error;
  char expected[32];
  privy_error_init(&error);
  const size_t records = 30;
  CHECK_MEMORY(privy_buffer_text(&body, "{\"data\":["));
  for (size_t i = 0; i < records; i++) CHECK_MEMORY(append_shuffled(&body, i));
  CHECK_MEMORY(privy_buffer_text(&body, "]}"));
  CHECK_OK(privy_response_parse(privy_operation_find("contacts.list"), 200, "", 0, &body, &response, &error));
  assert_int_equal(privy_response_count(response), records);
  for (size_t i = 0; i < records; i++) {
    for (size_t slot = 0; slot < PRIVY_CONTACT_INDEXES; slot++) {
      snprintf(expected, sizeof expected, slot == i % 13 ? "-" : "%zu of %zu", slot, i);
      assert_value(privy_record_get(privy_response_record(response, i), slot), expected);
    }
  }
done:
  privy_buffer_clear(&body);
  privy_response_release(response);
  privy_error_clear(&error);
}

static void pages_without_pagination(void **state) {
  (void)state;
  static const char *const bodies[] = {"{\"data\":[]}", "{\"data\":[],\"pagination\":null}",
                                       "{\"pagination\":[],\"data\":[]}", "{\"data\":{},\"data\":[]}"};
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(bodies); i++) {
    CHECK_OK(parse_response("contacts.list", 200, "", bodies[i], &response, &error));
    assert_int_equal(privy_response_count(response), 0);
    assert_null(privy_response_pagination(response));
    privy_response_release(response);
    response = NULL;
  }
  CHECK_OK(parse_response("contacts.list", 200, "",
                          "{\"data\":[{\"last_name\":\"a\"}],\"data\":[{\"last_name\":\"b\"},{}]}", &response, &error));
  assert_int_equal(privy_response_count(response), 2);
  const privy_record *record = privy_response_record(response, 0);
  assert_value(GET(last_name), "b");
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* ---- invalid responses ------------------------------------------------------------------------------------------- */

static const struct {
  const char *operation, *body, *message;
} wrong[] = {
    {"contacts.get", "", "the response to contacts.get is empty (HTTP 200)"},
    {"contacts.get", "{}", "unexpected response body for contacts.get"},
    {"contacts.get", "{\"data\":null}", "unexpected response body for contacts.get"},
    {"contacts.get", "{\"data\":[{}]}", "unexpected response body for contacts.get"},
    {"contacts.get", "{\"data\":{},\"data\":1}", "unexpected response body for contacts.get"},
    {"contacts.get", "[]", "unexpected response body for contacts.get"},
    {"contacts.get", "true", "unexpected response body for contacts.get"},
    {"contacts.list", "{\"data\":{}}", "unexpected response body for contacts.list"},
    {"contacts.list", "{\"data\":[{},1,{}]}", "unexpected response body for contacts.list"},
    {"contacts.list", "{\"data\":[null]}", "unexpected response body for contacts.list"},
    {"events.ingest", "[]", "unexpected response body for events.ingest"},
    {"contacts.get", "<html>", "the response is not JSON: expected a value at byte 0"},
    {"contacts.get", "{\"data\":{\"email\":\"a", "the response is not JSON: unexpected end of text at byte 19"},
    {"contacts.get", "{\"data\":{}}x", "the response is not JSON: unexpected trailing data at byte 11"},
    {"contacts.get", "{\"data\":{\"email\":\"\xFF\"}}",
     "the response is not JSON: invalid UTF-8 in a string at byte 18"},
    {"contacts.list", "{\"data\":[{\"id\":\"a\"},{\"id\":]}", "the response is not JSON: expected a value at byte 26"},
    {"contacts.list", "{\"data\":[{}],\"pagination\":{\"page\":1",
     "the response is not JSON: unexpected end of text at byte 35"},
    {"events.ingest", "{\"event_id\":}", "the response is not JSON: expected a value at byte 12"},
};

static void wrong_shapes_are_errors(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(wrong); i++) {
    CHECK_STATUS(parse_response(wrong[i].operation, 200, "X-Request-Id: r7\r\n", wrong[i].body, &response, &error),
                 PRIVY_API_STATUS);
    assert_null(response);
    assert_string_equal(error.message, wrong[i].message);
    assert_int_equal(error.http_status, 200);
    assert_string_equal(error.request_id, "r7");
    const char *body = privy_response_body(error.response, &length);
    assert_text(body, length, wrong[i].body);
    /* No record is left half read. */
    assert_int_equal(privy_response_count(error.response), 0);
    assert_null(privy_response_record(error.response, 0));
    assert_null(privy_response_pagination(error.response));
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

static void responses_without_a_body(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  CHECK_OK(parse_response("contacts.delete", 204, "", "", &response, &error));
  assert_int_equal(privy_response_count(response), 0);
  assert_null(privy_response_record(response, 0));
  assert_int_equal(privy_response_json(response).type, PRIVY_ABSENT);
  assert_string_equal(privy_response_body(response, &length), "");
  assert_int_equal(length, 0);
  privy_response_release(response);
  response = NULL;
  CHECK_OK(parse_response("contacts.delete", 200, "", "", &response, &error));
  privy_response_release(response);
  response = NULL;
  static const char *const promised[] = {"contacts.get",    "contacts.list",   "contacts.create",
                                         "contacts.update", "contacts.upsert", "contacts.unsubscribe",
                                         "orders.upsert",   "events.ingest"};
  for (size_t i = 0; i < COUNT(promised); i++) {
    CHECK_STATUS(parse_response(promised[i], 204, "", "", &response, &error), PRIVY_API_STATUS);
    assert_null(response);
    assert_int_equal(error.http_status, 204);
    assert_non_null(strstr(error.message, promised[i]));
    assert_non_null(strstr(error.message, "is empty (HTTP 204)"));
    privy_error_clear(&error);
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

static void raw_responses_are_not_checked(void **state) {
  (void)state;
  static const struct {
    const char *body;
    privy_type type;
  } cases[] = {{"", PRIVY_ABSENT},      {"<html>", PRIVY_ABSENT}, {"{\"a\":1}", PRIVY_OBJECT}, {" [1] ", PRIVY_ARRAY},
               {"\"x\"", PRIVY_STRING}, {"1 2", PRIVY_ABSENT},    {"null", PRIVY_NULL},        {"{", PRIVY_ABSENT}};
  privy_response *response = NULL;
  privy_error error;
  size_t length;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_OK(parse_response(NULL, 299, "", cases[i].body, &response, &error));
    assert_int_equal(privy_response_json(response).type, cases[i].type);
    assert_int_equal(privy_response_count(response), 0);
    const char *body = privy_response_body(response, &length);
    assert_text(body, length, cases[i].body);
    privy_response_release(response);
    response = NULL;
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* ---- headers, life ----------------------------------------------------------------------------------------------- */

static void headers_are_read(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  const char *name, *value;
  privy_error_init(&error);
  CHECK_OK(parse_response(NULL, 200,
                          "Content-Type:application/json\r\nX-Empty:\r\nX-Blank:  \t \r\n: nameless\r\nno colon\r\n"
                          "Link: <https://x>; rel=\"a\"\t\nlink: second\r\n\r\nX-Last:end",
                          "{}", &response, &error));
  assert_string_equal(privy_response_header(response, "content-type"), "application/json");
  assert_string_equal(privy_response_header(response, "X-Empty"), "");
  assert_string_equal(privy_response_header(response, "X-Blank"), "");
  assert_string_equal(privy_response_header(response, "LINK"), "<https://x>; rel=\"a\"");
  assert_string_equal(privy_response_header(response, "X-Last"), "end");
  assert_null(privy_response_header(response, "X-None"));
  assert_null(privy_response_header(response, ""));
  assert_true(privy_response_header_at(response, 4, &name, &value));
  assert_string_equal(name, "link");
  assert_string_equal(value, "second");
  assert_true(privy_response_header_at(response, 5, &name, &value));
  assert_false(privy_response_header_at(response, 6, &name, &value));
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

static void references_keep_it_alive(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(parse_response("contacts.get", 200, "", "{\"data\":{\"email\":\"a@b\"}}", &response, &error));
  const privy_record *record = privy_response_record(response, 0);
  assert_ptr_equal(privy_response_retain(response), response);
  privy_response_release(response);
  assert_value(GET(email), "a@b");
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* A name that a NUL cuts is found by the part before the NUL. */
static void a_nul_ends_a_header_name(void **state) {
  (void)state;
  static const char headers[] = "X-R\0quest-Id: r1\r\nX-Last: end\r\n";
  privy_response *response = NULL;
  privy_error error;
  privy_buffer body = PRIVY_BUFFER_EMPTY;
  const char *name, *value;
  privy_error_init(&error);
  CHECK_MEMORY(privy_buffer_text(&body, "{}"));
  CHECK_OK(privy_response_parse(NULL, 200, headers, sizeof headers - 1, &body, &response, &error));
  for (size_t i = 0; privy_response_header_at(response, i, &name, &value); i++)
    assert_string_equal(privy_response_header(response, name), value);
  assert_string_equal(privy_response_header(response, "x-r"), "r1");
  assert_string_equal(privy_response_header(response, "X-Last"), "end");
done:
  privy_buffer_clear(&body);
  privy_response_release(response);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(known_fields_have_positions),
      TEST(consents_have_present_names),
      TEST(what_the_body_does_not_say),
      TEST(records_come_back_as_written),
      TEST(created_survives_a_round_trip),
      TEST(what_is_no_object_is_not_loaded),
      TEST(pages_hold_records),
      TEST(the_order_of_members_means_nothing),
      TEST(pages_without_pagination),
      TEST(wrong_shapes_are_errors),
      TEST(responses_without_a_body),
      TEST(raw_responses_are_not_checked),
      TEST(headers_are_read),
      TEST(a_nul_ends_a_header_name),
      TEST(references_keep_it_alive),
  };
  return HARNESS_RUN(tests);
}
