#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "base/host.h"
#include "base/text.h"

/* ---- UTF-8 ------------------------------------------------------------------------------------------------------- */

/* Text whose first `valid` bytes are valid, and no more. */
static const struct {
  const char *text;
  size_t length, valid;
} utf8_cases[] = {
    {"", 0, 0},
    {"a", 1, 1},
    {"a\0b", 3, 3},
    {"\x7F", 1, 1},
    {"\xC2\x80", 2, 2},
    {"\xDF\xBF", 2, 2},
    {"\xE0\xA0\x80", 3, 3},
    {"\xEC\xBF\xBF", 3, 3},
    {"\xED\x9F\xBF", 3, 3},
    {"\xEE\x80\x80", 3, 3},
    {"\xEF\xBB\xBF", 3, 3},
    {"\xEF\xBF\xBF", 3, 3},
    {"\xF0\x90\x80\x80", 4, 4},
    {"\xF3\xBF\xBF\xBF", 4, 4},
    {"\xF4\x8F\xBF\xBF", 4, 4},
    /* continuation bytes alone, and bytes that never occur */
    {"\x80", 1, 0},
    {"\xBF", 1, 0},
    {"ab\xFE", 3, 2},
    {"\xFF\xFF", 2, 0},
    /* overlong forms */
    {"\xC0\x80", 2, 0},
    {"\xC0\xAF", 2, 0},
    {"\xC1\xBF", 2, 0},
    {"\xE0\x80\xAF", 3, 0},
    {"\xE0\x9F\xBF", 3, 0},
    {"\xF0\x80\x80\xAF", 4, 0},
    {"\xF0\x8F\xBF\xBF", 4, 0},
    /* surrogates, also in pairs */
    {"\xED\xA0\x80", 3, 0},
    {"\xED\xAF\xBF", 3, 0},
    {"\xED\xB0\x80", 3, 0},
    {"\xED\xBF\xBF", 3, 0},
    {"\xED\xA0\xBD\xED\xB8\x80", 6, 0},
    /* past U+10FFFF, and the longer forms of old */
    {"\xF4\x90\x80\x80", 4, 0},
    {"\xF5\x80\x80\x80", 4, 0},
    {"\xF7\xBF\xBF\xBF", 4, 0},
    {"\xF8\x88\x80\x80\x80", 5, 0},
    {"\xFC\x84\x80\x80\x80\x80", 6, 0},
    /* cut short, at the end and in the middle */
    {"\xC2", 1, 0},
    {"\xE2\x82", 2, 0},
    {"\xF0\x9F\x98", 3, 0},
    {"x\xF0\x9F\x98", 4, 1},
    {"\xC2y", 2, 0},
    {"\xE2\x82y", 3, 0},
    {"\xE2y\xAC", 3, 0},
    {"\xF0\x9F\x98y", 4, 0},
    {"\xF0\x9Fy\x80", 4, 0},
    {"\xC3\xA9\xC3", 3, 2},
    {"\xC3\xA9\xC3\xC3\xA9", 5, 2},
    {"\xC3\xA9\xA9", 3, 2},
};

static void utf8_is_told_from_other_bytes(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof utf8_cases / sizeof *utf8_cases; i++) {
    const size_t valid = privy_utf8_valid(utf8_cases[i].text, utf8_cases[i].length);
    if (valid != utf8_cases[i].valid) fail_msg("case %zu: %zu bytes found valid", i, valid);
  }
}

/* The same cases after and before runs of ASCII of every length around a machine word. */
static void utf8_is_told_at_any_place(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof utf8_cases / sizeof *utf8_cases; i++) {
    for (size_t before = 0; before < 20; before++) {
      char text[64];
      memset(text, 'x', sizeof text);
      memcpy(text + before, utf8_cases[i].text, utf8_cases[i].length);
      const bool whole = utf8_cases[i].valid == utf8_cases[i].length;
      const size_t expected = whole ? sizeof text : before + utf8_cases[i].valid;
      assert_int_equal(privy_utf8_valid(text, sizeof text), expected);
    }
  }
}

/* Reads nothing past the end: each prefix is in a block of its size, for ASan and valgrind. */
static void utf8_is_judged_within_its_length(void **state) {
  (void)state;
  static const char text[] = "12345678\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80";
  static const size_t valid[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 10, 11, 11, 11, 14, 15, 15, 15, 15, 19};
  assert_int_equal(sizeof valid / sizeof *valid, sizeof text);
  for (size_t length = 0; length < sizeof text; length++) {
    char *copy = malloc(length ? length : 1);
    assert_non_null(copy);
    memcpy(copy, text, length);
    assert_int_equal(privy_utf8_valid(copy, length), valid[length]);
    free(copy);
  }
}

static void every_scalar_value_is_valid(void **state) {
  (void)state;
  for (uint32_t scalar = 0; scalar <= 0x110000; scalar += scalar < 0x11000 ? 1 : 61) {
    const char text[4] = {(char)(0xF0 | scalar >> 18), (char)(0x80 | (scalar >> 12 & 63)),
                          (char)(0x80 | (scalar >> 6 & 63)), (char)(0x80 | (scalar & 63))};
    const bool four = scalar >= 0x10000 && scalar <= 0x10FFFF;
    assert_int_equal(privy_utf8_valid(text, 4), four ? 4 : 0);
    const char three[3] = {(char)(0xE0 | scalar >> 12), text[2], text[3]};
    const bool surrogate = scalar >= 0xD800 && scalar <= 0xDFFF;
    if (scalar < 0x10000) assert_int_equal(privy_utf8_valid(three, 3), scalar >= 0x800 && !surrogate ? 3 : 0);
  }
}

static void characters_are_counted(void **state) {
  (void)state;
  assert_int_equal(privy_utf8_count("", 0), 0);
  assert_int_equal(privy_utf8_count("abc", 3), 3);
  assert_int_equal(privy_utf8_count("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z", 10), 4);
}

/* ---- comparisons ------------------------------------------------------------------------------------------------- */

static void text_is_compared(void **state) {
  (void)state;
  assert_true(privy_text_is("abc", 3, "abc"));
  assert_true(privy_text_is(NULL, 0, ""));
  assert_false(privy_text_is("abc", 2, "abc"));
  assert_false(privy_text_is("abc", 3, "ab"));
  assert_false(privy_text_is("ab\0", 3, "ab"));
  assert_false(privy_text_is("ABC", 3, "abc"));
  assert_true(privy_text_is_nocase("X-Id[", 5, "x-iD["));
  assert_false(privy_text_is_nocase("X-Id{", 5, "x-id["));
  assert_false(privy_text_is_nocase("X-Id", 4, "x-id2"));
  assert_true(privy_text_equal_nocase("ABz", 3, "abZ", 3));
  assert_false(privy_text_equal_nocase("ab", 2, "abc", 3));
  assert_true(privy_text_equal_nocase(NULL, 0, NULL, 0));
  assert_false(privy_text_equal_nocase("\xC3\x89", 2, "\xC3\xA9", 2));
  assert_true(privy_text_starts("cus_1", 5, "cus_"));
  assert_true(privy_text_starts(NULL, 0, ""));
  assert_false(privy_text_starts("cus", 3, "cus_"));
  assert_false(privy_text_starts("Cus_", 4, "cus_"));
}

static void bytes_are_classed(void **state) {
  (void)state;
  for (int byte = 0; byte < 256; byte++) {
    const char one = (char)byte;
    const bool digit = byte >= '0' && byte <= '9';
    const bool upper = byte >= 'A' && byte <= 'Z';
    const bool lower = byte >= 'a' && byte <= 'z';
    assert_int_equal(privy_is_digit(one), digit);
    assert_int_equal(privy_is_alnum(one), digit || upper || lower);
    assert_int_equal(privy_lower(one), upper ? (char)(byte + 32) : one);
    const char *hex = byte ? strchr("0123456789abcdefABCDEF", byte) : NULL;
    const long place = hex ? hex - strchr("0123456789abcdefABCDEF", '0') : -1;
    assert_int_equal(privy_hex_value(one), place > 15 ? place - 6 : place);
  }
}

/* ---- slices ------------------------------------------------------------------------------------------------------ */

static void blanks_are_trimmed(void **state) {
  (void)state;
  static const char *const cases[][2] = {
      {"", ""}, {" \t ", ""}, {"a", "a"}, {" \ta b\t ", "a b"}, {"\na", "\na"}, {"a ", "a"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const privy_slice trimmed = privy_trim(cases[i][0], strlen(cases[i][0]));
    assert_text(trimmed.text, trimmed.length, cases[i][1]);
  }
  assert_int_equal(privy_trim(NULL, 0).length, 0);
}

static void words_are_taken_in_turn(void **state) {
  (void)state;
  const char *text = "  one two   three ";
  privy_slice list = {text, strlen(text)}, word, empty = {NULL, 0}, blank = {"   ", 3};
  assert_true(privy_next_word(&list, ' ', &word));
  assert_text(word.text, word.length, "one");
  assert_true(privy_next_word(&list, ' ', &word));
  assert_text(word.text, word.length, "two");
  assert_true(privy_next_word(&list, ' ', &word));
  assert_text(word.text, word.length, "three");
  assert_false(privy_next_word(&list, ' ', &word));
  assert_false(privy_next_word(&list, ' ', &word));
  assert_false(privy_next_word(&empty, ' ', &word));
  assert_false(privy_next_word(&blank, ' ', &word));
}

static void integers_are_read(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int64_t value;
  } good[] = {
      {"0", 0},
      {"-0", 0},
      {"7", 7},
      {"007", 7},
      {"-12", -12},
      {"9223372036854775807", INT64_MAX},
      {"-9223372036854775807", -INT64_MAX},
      {"-9223372036854775808", INT64_MIN},
      {"00000000000000000000000000001", 1},
  };
  static const char *const bad[] = {
      "",
      "-",
      "+1",
      " 1",
      "1 ",
      "1.0",
      "1e3",
      "0x10",
      "--1",
      "9223372036854775808",
      "-9223372036854775809",
      "18446744073709551616", /* 2 to the 64th, */
      "18446744073709551617", /* which wraps round to 0, 1… */
      "-18446744073709551617",
      "92233720368547758070",
      "1-2",
      "\xB2",
      "1,0",
      "99999999999999999999",
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    int64_t value = 99;
    assert_true(privy_parse_int64(good[i].text, strlen(good[i].text), &value));
    assert_true(value == good[i].value);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    int64_t value = 99;
    if (privy_parse_int64(bad[i], strlen(bad[i]), &value)) fail_msg("\"%s\" was read", bad[i]);
    assert_true(value == 99);
  }
  int64_t value = 0;
  assert_true(privy_parse_int64("123", 2, &value));
  assert_true(value == 12);
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

static const char block[] =
    "HTTP/1.1 200 OK\r\nX-Id:  a:b \r\n\r\nEmpty:\r\nnonsense\n: odd\r\nx-ID: second\nLast:\tend";

static void header_lines_are_taken_in_turn(void **state) {
  (void)state;
  static const char *const expected[][2] = {{"X-Id", "a:b"}, {"Empty", ""}, {"x-ID", "second"}, {"Last", "end"}};
  privy_slice rest = {block, strlen(block)};
  privy_header header;
  for (size_t i = 0; i < 4; i++) {
    assert_true(privy_next_header(&rest, &header));
    assert_text(header.name.text, header.name.length, expected[i][0]);
    assert_text(header.value.text, header.value.length, expected[i][1]);
  }
  assert_false(privy_next_header(&rest, &header));
  assert_false(privy_next_header(&rest, &header));
}

static void a_header_is_found_by_name(void **state) {
  (void)state;
  privy_slice value = {NULL, 0};
  assert_true(privy_find_header(block, strlen(block), "x-id", &value));
  assert_text(value.text, value.length, "a:b");
  assert_true(privy_find_header(block, strlen(block), "LAST", &value));
  assert_text(value.text, value.length, "end");
  assert_true(privy_find_header(block, strlen(block), "empty", &value));
  assert_int_equal(value.length, 0);
  assert_false(privy_find_header(block, strlen(block), "X-I", &value));
  assert_false(privy_find_header(block, strlen(block), "nonsense", &value));
  assert_false(privy_find_header(NULL, 0, "x-id", &value));
}

static void integers_are_written(void **state) {
  (void)state;
  static const struct {
    int64_t value;
    const char *text;
  } cases[] = {{0, "0"},
               {7, "7"},
               {-7, "-7"},
               {10, "10"},
               {1234567890, "1234567890"},
               {INT64_MAX, "9223372036854775807"},
               {INT64_MIN, "-9223372036854775808"}};
  char text[PRIVY_INT64_LENGTH];
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    assert_text(text, privy_format_int64(cases[i].value, text), cases[i].text);
}

/* ---- hosts ------------------------------------------------------------------------------------------------------- */

static bool loopback(const char *host) {
  return privy_host_is_loopback((privy_slice){host, strlen(host)});
}

static bool address(const char *host) {
  return privy_host_is_address((privy_slice){host, strlen(host)});
}

static void loopback_hosts(void **state) {
  (void)state;
  static const char *const right[] = {"localhost", "LocalHost", "127.0.0.1",        "127.255.255.255",
                                      "::1",       "[::1]",     "[0:0:0:0:0:0:0:1]"};
  static const char *const wrong[] = {
      "",     "127.", "127.1", "127.0.0.1.5", "127.0.0.256", "0x7f.0.0.1", "2130706433",         "0.0.0.0",     "[::2]",
      "[::1", "::1]", "[]",    "128.0.0.1",   "[::]",        "[::1%1]",    "localhost.evil.com", "127.evil.com"};
  for (size_t i = 0; i < sizeof right / sizeof *right; i++) assert_true(loopback(right[i]));
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(loopback(wrong[i]));
  assert_false(privy_host_is_loopback((privy_slice){"127.0.0.1\0x", 11}));
}

static void addresses_of_hosts(void **state) {
  (void)state;
  static const char *const right[] = {"127.0.0.1", "10.1.2.3", "0.0.0.0",
                                      "[fe80::1]", "fe80::1",  "[::ffff:255.255.255.255]"};
  static const char *const wrong[] = {"", "localhost", "10.1", "1.2.3.4.5", "[10.1.2.3", "fe80::1::", "evil.com"};
  for (size_t i = 0; i < sizeof right / sizeof *right; i++) assert_true(address(right[i]));
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) assert_false(address(wrong[i]));
}

int main(void) {
  static harness_test tests[] = {
      TEST(utf8_is_told_from_other_bytes),
      TEST(utf8_is_told_at_any_place),
      TEST(utf8_is_judged_within_its_length),
      TEST(every_scalar_value_is_valid),
      TEST(characters_are_counted),
      TEST(text_is_compared),
      TEST(bytes_are_classed),
      TEST(blanks_are_trimmed),
      TEST(words_are_taken_in_turn),
      TEST(integers_are_read),
      TEST(integers_are_written),
      TEST(header_lines_are_taken_in_turn),
      TEST(a_header_is_found_by_name),
      TEST(loopback_hosts),
      TEST(addresses_of_hosts),
  };
  return HARNESS_RUN(tests);
}
