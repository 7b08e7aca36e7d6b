/* Values read: strings decoded and compared, containers walked, and all of it written again. */
#include "harness.h"

#include <stdio.h>

#include "json_text.h"
#include "json/scan.h"
#include "json/writer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static privy_value value_of(const char *text) {
  privy_value value;
  const json_verdict verdict = json_take(text, strlen(text), &value);
  if (verdict.error) fail_msg("%s: %s at %zu", text, verdict.error, verdict.position);
  return value;
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

#define LOST "\xEF\xBF\xBD" /* U+FFFD */

static const struct {
  const char *json, *text;
} strings[] = {
    {"\"\"", ""},
    {"\"plain\"", "plain"},
    {"\"\xC3\xA9\xF0\x9F\x98\x80\"", "\xC3\xA9\xF0\x9F\x98\x80"},
    {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t"},
    {"\"a\\nb\\\\c\"", "a\nb\\c"},
    {"\"\\u0041\\u005a\"", "AZ"},
    {"\"\\u00e9\\u00E9\"", "\xC3\xA9\xC3\xA9"},
    {"\"\\u20AC\\uFFFF\"", "\xE2\x82\xAC\xEF\xBF\xBF"},
    {"\"\\uD83D\\uDE00\"", "\xF0\x9F\x98\x80"},
    {"\"\\ud800\\udc00\\uDBFF\\uDFFF\"", "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
    {"\"\\uD7FF\\uE000\"", "\xED\x9F\xBF\xEE\x80\x80"},
    {"\"\\\\u0041\"", "\\u0041"},
    {"\"\\\\\\u0041\"", "\\A"},
    /* halves of pairs on their own */
    {"\"\\uD83D\"", LOST},
    {"\"\\uDE00\"", LOST},
    {"\"x\\uD83Dy\"", "x" LOST "y"},
    {"\"\\uD83D\\n\"", LOST "\n"},
    {"\"\\uD83D\\u0041\"", LOST "A"},
    {"\"\\uD83D\\uD83D\\uDE00\"", LOST "\xF0\x9F\x98\x80"},
    {"\"\\uDE00\\uD83D\"", LOST LOST},
    {"\"\\uDC00\\uDC00\"", LOST LOST},
    {"\"\\uDBFF\\uE000\"", LOST "\xEE\x80\x80"},
    {"\"\\uD83Du\\uDE00\"", LOST "u" LOST},
};

static void strings_are_decoded(void **state) {
  (void)state;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  for (size_t i = 0; i < COUNT(strings); i++) {
    const privy_value string = value_of(strings[i].json);
    assert_int_equal(string.escaped, strchr(strings[i].json, '\\') != NULL);
    out.length = 0;
    CHECK_OK(privy_value_decode(string, &out));
    assert_text(out.data, out.length, strings[i].text);
  }
done:
  privy_buffer_clear(&out);
}

static void decoding_appends(void **state) {
  (void)state;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  size_t length = 0;
  CHECK_OK(privy_value_decode(value_of("\"\""), &out));
  assert_int_equal(out.length, 0);
  CHECK_MEMORY(privy_buffer_text(&out, "<"));
  length = out.length;
  CHECK_OK(privy_value_decode(value_of("\"a\\u0000b\""), &out));
  assert_int_equal(out.length, 4);
  assert_memory_equal(out.data, "<a\0b", 4);
  length = out.length;
  CHECK_OK(
      privy_value_decode(value_of("\"a\\t012345678901234567890123456789012345678901234567890123456789012\""), &out));
  length = out.length;
  assert_int_equal(length, 69);
done:
  assert_int_equal(out.length, length); /* a failure leaves what was there */
  privy_buffer_clear(&out);
}

static void strings_are_compared_as_decoded(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(strings); i++) {
    for (size_t j = 0; j < COUNT(strings); j++) {
      const bool same = strcmp(strings[i].text, strings[j].text) == 0;
      if (privy_value_is(value_of(strings[i].json), strings[j].text) != same) {
        fail_msg("%s compared with \"%s\"", strings[i].json, strings[j].text);
      }
    }
  }
  assert_true(privy_value_is(value_of("\"em\\u0061il\""), "email"));
  assert_false(privy_value_is(value_of("\"em\\u0061il\""), "emai"));
  assert_false(privy_value_is(value_of("\"em\\u0061i\""), "email"));
  assert_false(privy_value_is(value_of("\"\\u0000\""), ""));
  assert_false(privy_value_is(value_of("\"a\\u0000\""), "a"));
  assert_false(privy_value_is(value_of("1"), "1"));
  assert_false(privy_value_is(value_of("null"), "null"));
  assert_false(privy_value_is((privy_value){.type = PRIVY_ABSENT}, ""));
}

/* ---- cursors ----------------------------------------------------------------------------------------------------- */

static void a_cursor_walks_members_in_order(void **state) {
  (void)state;
  static const struct {
    const char *key, *value;
    privy_type type;
    bool integral, escaped;
  } expected[] = {
      {"a", "1", PRIVY_NUMBER, true, false},
      {"b", "x,\\\"}]", PRIVY_STRING, false, true},
      {"a", "-2.50", PRIVY_NUMBER, false, false},
      {"", "{\"}\":[{}, \"]\\\\\"]}", PRIVY_OBJECT, false, false},
      {"e\\\"", "[ [] , {\"a\" : []} ]", PRIVY_ARRAY, false, false},
      {"t", "true", PRIVY_TRUE, false, false},
      {"f", "false", PRIVY_FALSE, false, false},
      {"n", "null", PRIVY_NULL, false, false},
      {"a", "1e3", PRIVY_NUMBER, false, false},
      {"s", "", PRIVY_STRING, false, false},
      {"z", "[]", PRIVY_ARRAY, false, false},
  };
  const char *text = "{ \"a\" : 1 ,\"b\":\"x,\\\"}]\",\"a\":-2.50\n,\"\":{\"}\":[{}, \"]\\\\\"]}\t,\r\"e\\\"\" :"
                     "[ [] , {\"a\" : []} ],\"t\":true ,\"f\":false,\"n\":null,\"a\":1e3,\"s\":\"\",\"z\":[] }";
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, value_of(text));
  for (size_t i = 0; i < COUNT(expected); i++) {
    assert_true(privy_cursor_next(&cursor, &key, &value));
    assert_int_equal(key.type, PRIVY_STRING);
    assert_text(key.text, key.length, expected[i].key);
    assert_int_equal(key.escaped, strchr(expected[i].key, '\\') != NULL);
    assert_int_equal(value.type, expected[i].type);
    assert_text(value.text, value.length, expected[i].value);
    assert_int_equal(value.integral, expected[i].integral);
    assert_int_equal(value.escaped, expected[i].escaped);
  }
  for (int again = 0; again < 2; again++) {
    assert_false(privy_cursor_next(&cursor, &key, &value));
    assert_int_equal(key.type, PRIVY_ABSENT);
    assert_int_equal(value.type, PRIVY_ABSENT);
  }
}

static void a_cursor_walks_elements(void **state) {
  (void)state;
  static const char *const expected[] = {"1", "2", "[3,[4]]", "{\"a\":5}", "6"};
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, value_of(" [1, 2 ,[3,[4]],{\"a\":5} ,\"6\"] "));
  for (size_t i = 0; i < COUNT(expected); i++) {
    assert_true(privy_cursor_next(&cursor, &key, &value));
    assert_int_equal(key.type, PRIVY_ABSENT);
    assert_text(value.text, value.length, expected[i]);
  }
  assert_false(privy_cursor_next(&cursor, &key, &value));
}

static void a_cursor_finds_nothing_where_nothing_is(void **state) {
  (void)state;
  static const char *const texts[] = {"[]", "{}", "[ \n ]", "{ }", "1", "\"[1]\"", "null", "true"};
  privy_cursor cursor;
  privy_value key, value;
  for (size_t i = 0; i < COUNT(texts); i++) {
    privy_cursor_init(&cursor, value_of(texts[i]));
    assert_false(privy_cursor_next(&cursor, &key, &value));
    assert_int_equal(value.type, PRIVY_ABSENT);
  }
  privy_cursor_init(&cursor, (privy_value){.type = PRIVY_ABSENT});
  assert_false(privy_cursor_next(&cursor, &key, &value));
}

/* ---- the writer -------------------------------------------------------------------------------------------------- */

static void the_writer_puts_the_commas(void **state) {
  (void)state;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  privy_writer writer;
  privy_writer_init(&writer, &out);
  privy_writer_begin_object(&writer);
  privy_writer_key(&writer, "a", 1);
  privy_writer_begin_array(&writer);
  privy_writer_integer(&writer, INT64_MIN);
  privy_writer_integer(&writer, INT64_MAX);
  privy_writer_begin_array(&writer);
  privy_writer_end_array(&writer);
  privy_writer_begin_object(&writer);
  privy_writer_end_object(&writer);
  privy_writer_boolean(&writer, true);
  privy_writer_boolean(&writer, false);
  privy_writer_null(&writer);
  privy_writer_string(&writer, "x", 1);
  privy_writer_string(&writer, NULL, 0);
  privy_writer_end_array(&writer);
  privy_writer_key(&writer, "", 0);
  privy_writer_raw(&writer, "95.00", 5);
  privy_writer_key(&writer, "b", 1);
  privy_writer_begin_object(&writer);
  privy_writer_key(&writer, "c", 1);
  privy_writer_null(&writer);
  privy_writer_end_object(&writer);
  privy_writer_key(&writer, "d", 1);
  privy_writer_raw(&writer, "[1, 2]", 6);
  privy_writer_end_object(&writer);
  CHECK_MEMORY(!writer.failed);
  assert_text(out.data, out.length,
              "{\"a\":[-9223372036854775808,9223372036854775807,[],{},true,false,null,\"x\",\"\"],\"\":95.00,"
              "\"b\":{\"c\":null},\"d\":[1, 2]}");
done:
  privy_buffer_clear(&out);
}

static void a_value_needs_no_container(void **state) {
  (void)state;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  privy_writer writer;
  privy_writer_init(&writer, &out);
  privy_writer_string(&writer, "x", 1);
  CHECK_MEMORY(!writer.failed);
  assert_text(out.data, out.length, "\"x\"");
done:
  privy_buffer_clear(&out);
}

static bool write_byte(privy_buffer *out, char byte) {
  privy_writer writer;
  out->length = 0;
  privy_writer_init(&writer, out);
  privy_writer_string(&writer, &byte, 1);
  return !writer.failed;
}

static void only_what_must_be_is_escaped(void **state) {
  (void)state;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  static const char *const short_forms[] = {"\b\\b", "\t\\t", "\n\\n", "\f\\f", "\r\\r", "\"\\\"", "\\\\\\"};
  for (int byte = 0; byte < 0x80; byte++) {
    char expected[16] = {'"', (char)byte, '"'};
    if (byte < 0x20) snprintf(expected, sizeof expected, "\"\\u%04x\"", (unsigned)byte);
    for (size_t i = 0; i < COUNT(short_forms); i++) {
      if (short_forms[i][0] == byte) snprintf(expected, sizeof expected, "\"%s\"", short_forms[i] + 1);
    }
    CHECK_MEMORY(write_byte(&out, (char)byte));
    assert_text(out.data, out.length, expected);
  }
done:
  privy_buffer_clear(&out);
}

static void strings_survive_the_way_there_and_back(void **state) {
  (void)state;
  static const char text[] =
      "\0\1\x1F\"\\/ ab\x7F\xC3\xA9\xE2\x80\xA8\xE2\x80\xA9\xEF\xBF\xBF\xF0\x9F\x98\x80\\u0041\n";
  privy_buffer out = PRIVY_BUFFER_EMPTY, back = PRIVY_BUFFER_EMPTY;
  privy_writer writer;
  privy_writer_init(&writer, &out);
  privy_writer_begin_object(&writer);
  privy_writer_key(&writer, text, sizeof text);
  privy_writer_string(&writer, text, sizeof text);
  privy_writer_end_object(&writer);
  CHECK_MEMORY(!writer.failed);
  privy_value object, key, value;
  privy_cursor cursor;
  assert_null(json_take(out.data, out.length, &object).error);
  privy_cursor_init(&cursor, object);
  assert_true(privy_cursor_next(&cursor, &key, &value));
  CHECK_OK(privy_value_decode(key, &back));
  CHECK_OK(privy_value_decode(value, &back));
  assert_int_equal(back.length, 2 * sizeof text);
  assert_memory_equal(back.data, text, sizeof text);
  assert_memory_equal(back.data + sizeof text, text, sizeof text);
done:
  privy_buffer_clear(&out);
  privy_buffer_clear(&back);
}

/* Strings are searched eight bytes at a time: each byte in each of their places, among bytes that are nearly special.
 */
static void every_byte_is_judged_alike_at_every_place(void **state) {
  (void)state;
  privy_buffer written = PRIVY_BUFFER_EMPTY;
  static const char nearly[] = {' ', '!', '#', '[', ']', '\x7f', 'a'};
  const size_t longest = harness_rounds(19, 9);
  for (size_t length = 1; length <= longest; length++) {
    for (size_t i = 0; i < length * 128; i++) {
      char text[24];
      const char byte = (char)(i % 128);
      for (size_t j = 0; j < length; j++) text[1 + j] = nearly[(i + j) % sizeof nearly];
      text[1 + i / 128] = byte;
      text[0] = text[length + 1] = '"';
      privy_value value;
      const bool special = byte < ' ' || byte == '"' || byte == '\\';
      if (json_take(text, length + 2, &value).error == NULL ? special : !special)
        fail_msg("byte 0x%02x at %zu of %zu", (unsigned)byte, i / 128, length);
      privy_writer writer;
      written.length = 0;
      privy_writer_init(&writer, &written);
      privy_writer_string(&writer, text + 1, length);
      CHECK_MEMORY(!writer.failed);
      assert_null(json_take(written.data, written.length, &value).error);
      assert_int_equal(value.escaped, special);
      assert_int_equal(written.length - length - 2, !special                                       ? 0
                                                    : byte >= ' ' || memchr("\b\f\n\r\t", byte, 5) ? 1
                                                                                                   : 5);
      const size_t before = written.length;
      CHECK_OK(privy_value_decode(value, &written));
      assert_int_equal(written.length - before, length);
      assert_memory_equal(written.data + before, text + 1, length);
    }
  }
done:
  privy_buffer_clear(&written);
}

static void values_are_written_as_they_were_read(void **state) {
  (void)state;
  static const char *const texts[] = {
      "\"\"",
      "\"a\\u0041\\/\xC3\xA9\"",
      "-0.50e+01",
      "12345678901234567890123",
      "true",
      "false",
      "null",
      "[]",
      "{ \"a\" : [ 1, 1.00 ], \"a\":\"\\ud800\" }",
  };
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  for (size_t i = 0; i < COUNT(texts); i++) {
    privy_writer writer;
    out.length = 0;
    privy_writer_init(&writer, &out);
    privy_writer_begin_array(&writer);
    privy_writer_value(&writer, value_of(texts[i]));
    privy_writer_value(&writer, (privy_value){.type = PRIVY_ABSENT});
    privy_writer_end_array(&writer);
    CHECK_MEMORY(!writer.failed);
    const size_t length = strlen(texts[i]);
    assert_int_equal(out.length, length + strlen("[,null]"));
    assert_memory_equal(out.data + 1, texts[i], length);
    assert_memory_equal(out.data + 1 + length, ",null]", 6);
  }
done:
  privy_buffer_clear(&out);
}

/* In the sweep each growth fails in turn: from then on nothing more is written. */
static void a_writer_that_failed_stays_silent(void **state) {
  (void)state;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  privy_writer writer;
  privy_writer_init(&writer, &out);
  privy_writer_begin_array(&writer);
  for (int64_t i = 0; i < 100; i++) {
    const bool before = writer.failed;
    const size_t length = out.length;
    privy_writer_string(&writer, "some text", 9);
    privy_writer_integer(&writer, i);
    if (!before) continue;
    assert_true(writer.failed);
    assert_int_equal(out.length, length);
  }
  privy_writer_end_array(&writer);
  CHECK_MEMORY(!writer.failed);
  privy_value array;
  assert_null(json_take(out.data, out.length, &array).error);
done:
  privy_buffer_clear(&out);
}

/* ---- scanning ---------------------------------------------------------------------------------------------------- */

static void a_plain_text_holds_nothing_to_escape(void **state) {
  (void)state;
  char text[26];
  for (size_t length = 0; length < sizeof text; length++)
    for (size_t at = 0; at < length; at++)
      for (unsigned byte = 0; byte < 256; byte++) {
        memset(text, 'a', length);
        text[at] = (char)byte;
        bool ascii, plain = privy_is_plain(text, length, &ascii);
        assert_int_equal(plain, byte >= ' ' && byte != '"' && byte != '\\');
        assert_int_equal(ascii, byte < 0x80);
      }
}

int main(void) {
  static harness_test tests[] = {
      TEST(strings_are_decoded),
      TEST(decoding_appends),
      TEST(strings_are_compared_as_decoded),
      TEST(a_cursor_walks_members_in_order),
      TEST(a_cursor_walks_elements),
      TEST(a_cursor_finds_nothing_where_nothing_is),
      TEST(the_writer_puts_the_commas),
      TEST(a_value_needs_no_container),
      TEST(only_what_must_be_is_escaped),
      TEST(strings_survive_the_way_there_and_back),
      TEST(every_byte_is_judged_alike_at_every_place),
      TEST(values_are_written_as_they_were_read),
      TEST(a_writer_that_failed_stays_silent),
      TEST(a_plain_text_holds_nothing_to_escape),
  };
  return HARNESS_RUN(tests);
}
