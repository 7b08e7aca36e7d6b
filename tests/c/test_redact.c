/* What may be shown: texts masked, header fields joined, bodies cut. */
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "base/random.h"
#include "base/text.h"
#include "base/visible.h"
#include "call/call.h"
#include "message/error.h"
#include "message/response.h"
#include "response_text.h"
#include "vectors.h"

/* ---- masks ------------------------------------------------------------------------------------------------------- */

typedef struct mask_case {
  char *text, *masked;
  size_t length;
} mask_case;

static mask_case masks[100];
static size_t mask_count;

/* Before the tests, so that no allocation fails here. */
static bool read_masks(void) {
  static char json[16384];
  FILE *file = fopen("tests/vectors/texts/masks.json", "rb");
  if (!file) return false;
  const size_t length = fread(json, 1, sizeof json, file);
  fclose(file);
  privy_cursor cursor;
  privy_value list, key, one;
  privy_reader reader;
  privy_reader_init(&reader, json, length);
  if (!privy_reader_value(&reader, &list) || !privy_reader_end(&reader)) return false;
  privy_cursor_init(&cursor, list);
  for (; mask_count < COUNT(masks) && privy_cursor_next(&cursor, &key, &one); mask_count++) {
    mask_case *mask = &masks[mask_count];
    mask->text = vector_text(vector_member(one, "text"), &mask->length);
    mask->masked = vector_text(vector_member(one, "masked"), NULL);
  }
  return true;
}

static void free_masks(void) {
  for (size_t i = 0; i < mask_count; i++) {
    free(masks[i].text);
    free(masks[i].masked);
  }
}

static void addresses_and_numbers_are_masked(void **state) {
  (void)state;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  assert_true(mask_count >= 40);
  for (size_t i = 0; i < mask_count; i++) {
    out.length = 0;
    CHECK_OK(privy_mask(masks[i].text, masks[i].length, &out));
    assert_text(out.data, out.length, masks[i].masked);
  }
done:
  privy_buffer_clear(&out);
}

/* Anywhere in a text, only one character of an address's local part remains. */
static void no_address_is_left(void **state) {
  (void)state;
  static const char *const before[] = {"", " ", "\n", "<", "(", "\"", ":", ",", "x ", "\xE2\x82\xAC "};
  static const char *const behind[] = {"", " ", "\n", ">", ")", "\"", ":", ",", " x", "x", "\xE2\x82\xAC"};
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  char text[128];
  for (size_t i = 0; i < COUNT(before); i++)
    for (size_t j = 0; j < COUNT(behind); j++) {
      snprintf(text, sizeof text, "%ssecret@x.io%s", before[i], behind[j]);
      out.length = 0;
      CHECK_OK(privy_mask(text, strlen(text), &out));
      CHECK_MEMORY(privy_buffer_terminate(&out));
      assert_null(strstr(out.data, "ecret"));
      assert_non_null(strstr(out.data, "s***@x.io"));
    }
done:
  privy_buffer_clear(&out);
}

/* The same in texts made at random, which stay the UTF-8 that they are. */
static void no_address_is_left_in_random_texts(void **state) {
  (void)state;
  static const char *const parts[] = {
      "a", "1", "415",  "555-0171",    "+1",        " ", "(",  ")",   "-", ".",        "@",
      "<", ">", "\"",   ",",           ":",         "/", "\n", "%40", "_", "\xC3\xA9", "\xE2\x82\xAC",
      "=", "&", "x.io", "secret@x.io", "2026-05-12"};
  uint64_t random = 7;
  privy_buffer text = PRIVY_BUFFER_EMPTY, out = PRIVY_BUFFER_EMPTY;
  for (size_t round = 0; round < harness_rounds(20000, 30); round++) {
    text.length = out.length = 0;
    for (size_t i = 1 + privy_random(&random) % 9; i > 0; i--)
      CHECK_MEMORY(privy_buffer_text(&text, parts[privy_random(&random) % COUNT(parts)]));
    CHECK_OK(privy_mask(text.data, text.length, &out));
    CHECK_MEMORY(privy_buffer_terminate(&text) && privy_buffer_terminate(&out));
    assert_int_equal(privy_utf8_valid(out.data, out.length), out.length);
    if (strstr(out.data, "ecret@")) fail_msg("%s\nis shown as %s", text.data, out.data);
  }
done:
  privy_buffer_clear(&text);
  privy_buffer_clear(&out);
}

/* Texts on which each step could look at all of the rest: twice the text takes twice the time, not four times. */
static void long_texts_take_their_time(void **state) {
  (void)state;
  static const char *const patterns[] = {"1 ", "+1234567", "a",         "1",  "@",   "(",
                                         "+",  "1-",       "12345678 ", "a@", "%40", "1a "};
  const size_t length = harness_rounds(400000, 100);
  privy_buffer text = PRIVY_BUFFER_EMPTY, out = PRIVY_BUFFER_EMPTY;
  for (size_t i = 0; i < COUNT(patterns); i++) {
    text.length = out.length = 0;
    while (text.length < length) CHECK_MEMORY(privy_buffer_text(&text, patterns[i]));
    CHECK_MEMORY(privy_buffer_byte(&text, 'a'));
    CHECK_OK(privy_mask(text.data, text.length, &out));
    assert_true(out.length > 0);
  }
done:
  privy_buffer_clear(&text);
  privy_buffer_clear(&out);
}

/* ---- header fields ----------------------------------------------------------------------------------------------- */

static void secrets_are_known_by_name(void **state) {
  (void)state;
  static const char *const secret[] = {"Set-Cookie",
                                       "set-cookie2",
                                       "COOKIE",
                                       "authorization",
                                       "Proxy-Authorization",
                                       "X-Privy-Integration-Token",
                                       "X-Api-Key",
                                       "X-APIKEY",
                                       "x-amz-security-token",
                                       "X-Client-Secret"};
  static const char *const open[] = {"Cookies", "X-Request-Id", "Retry-After", "WWW-Authenticate", "X-Api", "tok", ""};
  for (size_t i = 0; i < COUNT(secret); i++) assert_true(privy_header_is_secret(secret[i]));
  for (size_t i = 0; i < COUNT(open); i++) assert_false(privy_header_is_secret(open[i]));
}

/* The fields as "name=value|name=value|". */
static void assert_fields(privy_buffer *fields, const char *expected) {
  for (size_t i = 0, nul = 0; i < fields->length; i++)
    if (fields->data[i] == '\0') fields->data[i] = nul++ % 2 ? '|' : '=';
  assert_text(fields->data, fields->length, expected);
}

static void fields_of_one_name_are_joined(void **state) {
  (void)state;
  static const struct {
    const char *headers, *fields;
  } cases[] = {
      {"", ""},
      {"A: 1\r\n", "A=1|"},
      {"A: 1\r\nB: 2\r\na: 3\r\nA: 4\r\n", "A=1, 3, 4|B=2|"},
      {"A:\r\nA: x\r\n", "A=, x|"},
      {"X-A: 1\r\nX-B: 2\r\nX: 3\r\nX-AB: 4\r\n", "X-A=1|X-B=2|X=3|X-AB=4|"},
      {"Set-Cookie: a=b\r\nX: 1\r\nset-cookie: c=d\r\nAuthorization: Bearer x\r\n", "X=1|"},
      {"X: \xFF\r\n", "X=\xEF\xBF\xBD|"},
      {"no colon\r\nX: 1\n", "X=1|"},
  };
  privy_response *response = NULL;
  privy_buffer body = PRIVY_BUFFER_EMPTY, fields = PRIVY_BUFFER_EMPTY;
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_MEMORY(response = privy_response_start(200, cases[i].headers, strlen(cases[i].headers), &body));
    fields.length = 0;
    CHECK_OK(privy_response_fields(response, &fields));
    assert_fields(&fields, cases[i].fields);
    privy_response_release(response);
    response = NULL;
  }
done:
  privy_response_release(response);
  privy_buffer_clear(&body);
  privy_buffer_clear(&fields);
}

/* ---- bodies ------------------------------------------------------------------------------------------------------ */

static void bodies_are_cut_between_characters(void **state) {
  (void)state;
  static char text[4096], long_body[] = "\xE2\x82\xAC";
  privy_response *response = NULL;
  privy_buffer body = PRIVY_BUFFER_EMPTY, out = PRIVY_BUFFER_EMPTY;
  for (size_t shift = 0; shift < 4; shift++) {
    memset(text, 'x', sizeof text);
    for (size_t at = shift; at + 3 <= sizeof text; at += 3) memcpy(text + at, long_body, 3);
    CHECK_MEMORY(privy_buffer_append(&body, text, sizeof text));
    CHECK_MEMORY(response = privy_response_start(500, "", 0, &body));
    out.length = 0;
    CHECK_OK(privy_response_excerpt(response, &out));
    assert_in_range(out.length, 2046, 2048);
    assert_int_equal(privy_utf8_valid(out.data, out.length), out.length);
    assert_memory_equal(out.data, text, out.length);
    privy_response_release(response);
    response = NULL;
  }
  CHECK_MEMORY(privy_buffer_append(&body,
                                   "a\xFF"
                                   "b\xE2\x82",
                                   5));
  CHECK_MEMORY(response = privy_response_start(500, "", 0, &body));
  out.length = 0;
  CHECK_OK(privy_response_excerpt(response, &out));
  assert_text(out.data, out.length,
              "a\xEF\xBF\xBD"
              "b\xEF\xBF\xBD\xEF\xBF\xBD");
done:
  privy_response_release(response);
  privy_buffer_clear(&body);
  privy_buffer_clear(&out);
}

/* ---- words of the server ----------------------------------------------------------------------------------------- */

static void words_of_the_server_stay_in_their_line(void **state) {
  (void)state;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  CHECK_STATUS(
      parse_response("contacts.get", 422, "X-Request-Id: a\x1B[1mb\r\n",
                     "{\"error\":{\"code\":\"bad\\nnews\",\"message\":\"jane@x.io\\r\\n\\u001b[2JINFO ok\\u0000\","
                     "\"details\":[{\"field\":\"e\\nmail\",\"message\":\"call +14155550171\\u202e\"}]}}",
                     &response, &error),
      PRIVY_VALIDATION);
  assert_string_equal(error.message, "422 bad\\nnews: j***@x.io\\r\\n\\u001b[2JINFO ok\\u0000; \"e\\nmail\" call "
                                     "+1415*****71\\u202e");
  assert_string_equal(error.api_code, "bad\\nnews");
  assert_string_equal(error.request_id, "a\\u001b[1mb");
  /* Details are data. */
  assert_string_equal(error.details.items[0].field, "e\nmail");
  assert_string_equal(error.details.items[0].message, "call +14155550171\xE2\x80\xAE");
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

static void a_body_that_is_not_json_is_an_error(void **state) {
  (void)state;
  static const struct {
    const char *body, *message;
  } cases[] = {{"", NULL},
               {"<html>", "the response is not JSON: expected a value at byte 0"},
               {"{\"a\":1", "the response is not JSON: unexpected end of text at byte 6"}};
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    CHECK_OK(parse_response(NULL, 200, "", cases[i].body, &response, &error));
    assert_int_equal(privy_response_json(response).type, PRIVY_ABSENT);
    CHECK_STATUS(privy_json_refuse(201, cases[i].body, strlen(cases[i].body), &error), PRIVY_API_STATUS);
    assert_string_equal(error.message, i ? cases[i].message : "the response is empty (HTTP 201)");
    assert_int_equal(error.http_status, 201);
    size_t length;
    const char *body = privy_response_body(error.response, &length);
    assert_text(body, length, cases[i].body);
    privy_response_release(response);
    response = NULL;
    privy_error_clear(&error);
  }
done:
  privy_response_release(response);
  privy_error_clear(&error);
}

/* ---- names and characters ---------------------------------------------------------------------------------------- */

static void names_are_shown_as_they_can_be_seen(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"order_id", "order_id"},
      {"a b.c[0]", "a b.c[0]"},
      {"\xC3\xA9t\xC3\xA9", "\xC3\xA9t\xC3\xA9"},
      {"say \"hi\"", "say \"hi\""},
      {"", "\"\""},
      {" a", "\" a\""},
      {"a ", "\"a \""},
      {"\xEF\xBB\xBForder_id", "\"\\ufefforder_id\""},
      {"a\nb\t\"c\\", "\"a\\nb\\t\\\"c\\\\\""},
      {"\x1B[1m", "\"\\u001b[1m\""},
      {"\xF3\xA0\x80\xA0x", "\"\\udb40\\udc20x\""},
      {"\xFFx", "\"\xEF\xBF\xBDx\""},
  };
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  for (size_t i = 0; i < COUNT(cases); i++) {
    out.length = 0;
    CHECK_MEMORY(privy_buffer_name(&out, cases[i][0], strlen(cases[i][0])));
    assert_text(out.data, out.length, cases[i][1]);
  }
  out.length = 0;
  CHECK_MEMORY(privy_buffer_name(&out, "a\0b", 3));
  assert_text(out.data, out.length, "\"a\\u0000b\"");
done:
  privy_buffer_clear(&out);
}

static void what_can_be_seen_fits_its_room(void **state) {
  (void)state;
  char out[8];
  static const char *const cases[][2] = {
      {"", ""},
      {"abcdefg", "abcdefg"},
      {"abcdefgh", "abcdefg"},
      {"abcdef\n", "abcdef"},
      {"a\nb", "a\\nb"},
      {"\x1B"
       "ab",
       "\\u001ba"},
      {"abcde\xE2\x82\xAC", "abcde"},
      {"ab\xFF", "ab\xEF\xBF\xBD"},
      {"\xFF"
       "b\xFF",
       "\xEF\xBF\xBD"
       "b\xEF\xBF\xBD"},
      {"\xF3\xA0\x80\xA0", ""},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    privy_copy_visible(out, sizeof out, cases[i][0], strlen(cases[i][0]));
    assert_string_equal(out, cases[i][1]);
  }
}

static void characters_have_names(void **state) {
  (void)state;
  static const struct {
    uint32_t scalar;
    bool invisible;
    const char *name;
  } cases[] = {
      {'a', false, "U+0061 (a)"},
      {' ', false, "U+0020 (space)"},
      {0, true, "U+0000 (NUL)"},
      {'\n', true, "U+000A (line feed)"},
      {1, true, "U+0001"},
      {0x7F, true, "U+007F (delete)"},
      {0x9B, true, "U+009B"},
      {0xA0, true, "U+00A0 (no-break space)"},
      {0xA1, false, "U+00A1"},
      {0xE9, false, "U+00E9"},
      {0x200B, true, "U+200B (zero width space)"},
      {0x202E, true, "U+202E (bidirectional mark)"},
      {0x2028, true, "U+2028 (line separator)"},
      {0x20AC, false, "U+20AC"},
      {0x3000, true, "U+3000 (ideographic space)"},
      {0xFEFF, true, "U+FEFF (byte order mark)"},
      {0x1F600, false, "U+1F600"},
      {0xE0001, true, "U+E0001"},
      {0x10FFFF, false, "U+10FFFF"},
  };
  char name[PRIVY_CHARACTER_ROOM];
  for (size_t i = 0; i < COUNT(cases); i++) {
    assert_int_equal(privy_is_invisible(cases[i].scalar), cases[i].invisible);
    privy_name_character(cases[i].scalar, name);
    assert_string_equal(name, cases[i].name);
  }
}

int main(void) {
  static harness_test tests[] = {
      TEST(addresses_and_numbers_are_masked),    TEST(no_address_is_left),
      TEST(no_address_is_left_in_random_texts),  TEST(long_texts_take_their_time),
      TEST(secrets_are_known_by_name),           TEST(fields_of_one_name_are_joined),
      TEST(bodies_are_cut_between_characters),   TEST(words_of_the_server_stay_in_their_line),
      TEST(a_body_that_is_not_json_is_an_error), TEST(names_are_shown_as_they_can_be_seen),
      TEST(what_can_be_seen_fits_its_room),      TEST(characters_have_names),
  };
  if (!read_masks()) return EXIT_FAILURE;
  const int result = HARNESS_RUN(tests);
  free_masks();
  return result;
}
