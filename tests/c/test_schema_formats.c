/* Formats of strings, each at its boundaries, and times. */
#include "base/time.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/format.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef bool format_function(const char *text, size_t length);

/* The text is in a block of exactly its size, so that ASan and valgrind report any read past the end. */
static bool holds(format_function *format, const char *text, size_t length) {
  char *copy = malloc(length ? length : 1);
  assert_non_null(copy);
  if (length) memcpy(copy, text, length);
  const bool result = format(copy, length);
  free(copy);
  return result;
}

static void assert_all(format_function *format, const char *const *texts, size_t count, bool expected) {
  for (size_t i = 0; i < count; i++)
    if (holds(format, texts[i], strlen(texts[i])) != expected)
      fail_msg("\"%s\" is %s", texts[i], expected ? "refused" : "accepted");
}

#define ACCEPTS(format, ...)                                                                                           \
  do {                                                                                                                 \
    static const char *const right[] = {__VA_ARGS__};                                                                  \
    assert_all(format, right, COUNT(right), true);                                                                     \
  } while (0)
#define REFUSES(format, ...)                                                                                           \
  do {                                                                                                                 \
    static const char *const wrong[] = {__VA_ARGS__};                                                                  \
    assert_all(format, wrong, COUNT(wrong), false);                                                                    \
  } while (0)

/* `first`, then as many of `filler` as make `length`. */
static bool holds_filled(format_function *format, const char *first, char filler, size_t length) {
  char text[600];
  assert_true(length < sizeof text && strlen(first) <= length);
  memset(text, filler, length);
  memcpy(text, first, strlen(first));
  return holds(format, text, length);
}

static void email(void **state) {
  (void)state;
  ACCEPTS(privy_format_email, "a@b", "jane@example.com", "jane+tag@example.com", "\"j\"@x",
          "j\xC3\xB6rg@b\xC3\xBC"
          "cher.example",
          "a@[127.0.0.1]", "!#$%&'*+-/=?^_`{|}~@x", "a@b.c.d", "o'brien@example.com",
          "\xE7\x94\xB2\xE6\x96\x90@\xE9\xBB\x92\xE5\xB7\x9D.example",
          "\xD8\xB9\xD9\x84\xD9\x8A@\xD9\x85\xD8\xAB\xD8\xA7\xD9\x84.example");
  REFUSES(privy_format_email, "", "@", "a", "a@", "@b", "a@@b", "a@b@c", "a b@c", " a@b", "a@b ", "a@b\n", "a\t@b",
          "a@b\x7f", "\x01@b", "<a@b.c>", "a@b.c>", "mailto:a@b.c", "a@b.c,", "a@b.c;", "(a)a@b.c", "a\\@b.c",
          "\"a@b.c\"", "'a@b.c'", "a@[IPv6:1]");
  /* no-break space, zero width space, byte order mark, line separator, ideographic space, bidirectional marks */
  REFUSES(privy_format_email, "a@b.c\xC2\xA0", "a@b.c\xE2\x80\x8B",
          "\xEF\xBB\xBF"
          "a@b.c",
          "a@b.c\xE2\x80\xA8", "a\xE3\x80\x80@b.c",
          "\xE2\x80\xAE"
          "a@b.c",
          "a@b\xE2\x81\xA6.c",
          "a@\xC2\xAD"
          "b.c",
          "a\xF3\xA0\x80\xA0@b.c");
  assert_false(holds(privy_format_email, "a\0@b", 4));
  assert_true(holds_filled(privy_format_email, "a@", 'x', 254));
  assert_false(holds_filled(privy_format_email, "a@", 'x', 255));
}

static void phone(void **state) {
  (void)state;
  ACCEPTS(privy_format_phone, "+1234567", "+14155550171", "+123456789012345", "+999999999");
  REFUSES(privy_format_phone, "", "+", "+123456", "+1234567890123456", "14155550171", "+04155550171", "+1 4155550171",
          "+1-415-5550171", "+1415555017a", "++4155550171", "0014155550171", "+14155550171 ", "(+14155550171)");
}

static void currency(void **state) {
  (void)state;
  ACCEPTS(privy_format_currency, "USD", "EUR", "AAA", "ZZZ");
  REFUSES(privy_format_currency, "", "uSD", "US", "USDX", "usd", "Usd", "U5D", "US ", "US$", "@@@", "[[[");
}

static void event_type(void **state) {
  (void)state;
  ACCEPTS(privy_format_event_type, "a", "Z", "0", "_", "-", "purchase_completed", "A-Z_a-z_0-9");
  REFUSES(privy_format_event_type, "", "!a", "a b", "a.b", "a/b", "\xC3\xA9", "a\n", "a:b", "@", "[", "`", "{");
  assert_true(holds_filled(privy_format_event_type, "", 'x', 128));
  assert_false(holds_filled(privy_format_event_type, "", 'x', 129));
}

static void contact_id(void **state) {
  (void)state;
  ACCEPTS(privy_format_contact_id, "cus_A1b2C3d4E5f6G7h8", "cus_0000000000000000", "cus_zzzzzzzzzzzzzzzz", "cus_1",
          "cus_A1b2C3d4E5f6G7h8x", "cus_A1b2C3d4E5f6G7_8", "cus_-", "cus_01-9f_Zz");
  assert_true(holds_filled(privy_format_contact_id, "cus_", 'x', 68));
  assert_false(holds_filled(privy_format_contact_id, "cus_", 'x', 69));
  REFUSES(privy_format_contact_id, "", "cus", "cus_", "CUS_A1b2C3d4E5f6G7h8", "cux_A1b2C3d4E5f6G7h8",
          "cus-A1b2C3d4E5f6G7h8", "cus_A1b2C3d4E5f6G7h/", "cus_A1b2C3d4E5f6G7h.", "cus_A1b2C3d4E5f6G7h ",
          "A1b2C3d4E5f6G7h8cus_", "cus_\xC3\xA9", "cus_a/..");
}

static void order_id(void **state) {
  (void)state;
  ACCEPTS(privy_format_order_id, "1", "0042", "10", "9007199254740993", "123456789012345678901234567890");
  REFUSES(privy_format_order_id, "", "0", "000", "-1", "+1", "1.0", "1e3", " 1", "1 ", "1a", "\xD9\xA3");
}

/* What a reader overlooks in a text that was refused. */
static void odd_characters(void **state) {
  (void)state;
  static const struct {
    privy_format format;
    const char *text;
    size_t odd;
  } cases[] = {
      {PRIVY_FORMAT_EMAIL, "a@b.c", 5},          {PRIVY_FORMAT_EMAIL, "ab", 2},
      {PRIVY_FORMAT_EMAIL, "<a@b.c>", 0},        {PRIVY_FORMAT_EMAIL, "mailto:a@b.c", 6},
      {PRIVY_FORMAT_EMAIL, "a b@c", 1},          {PRIVY_FORMAT_EMAIL, "a@b.c\xE2\x80\x8B", 5},
      {PRIVY_FORMAT_EMAIL, "\"a@b.c\"", 6},      {PRIVY_FORMAT_EMAIL, "a@b\xFF", 4},
      {PRIVY_FORMAT_PHONE, "+1415555 0171", 13}, {PRIVY_FORMAT_PHONE, "+14155550171\xC2\xA0", 12},
      {PRIVY_FORMAT_CONTACT_ID, "cus_1\n", 5},
  };
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_int_equal(privy_format_odd(cases[i].format, cases[i].text, strlen(cases[i].text)), cases[i].odd);
}

static void header(void **state) {
  (void)state;
  ACCEPTS(privy_format_header, "a", "!", "~", "order-1001:placed/2026");
  REFUSES(privy_format_header, "", " ", "a b", "a\r\nX: y", "a\n", "\x7f", "\xC3\xA9", "a\t");
  assert_false(holds(privy_format_header, "a\0b", 3));
  assert_true(holds_filled(privy_format_header, "", 'x', 255));
  assert_false(holds_filled(privy_format_header, "", 'x', 256));
}

static void messages_of_formats(void **state) {
  (void)state;
  for (int format = PRIVY_FORMAT_NONE + 1; format < PRIVY_FORMAT_COUNT; format++) {
    const char *words = privy_format_check((privy_format)format, "\x01", 1);
    assert_non_null(words);
    assert_int_equal(strncmp(words, "must be ", 8), 0);
  }
  assert_null(privy_format_check(PRIVY_FORMAT_NONE, "\x01", 1));
  assert_null(privy_format_check(PRIVY_FORMAT_CURRENCY, "USD", 3));
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

static void times(void **state) {
  (void)state;
  ACCEPTS(privy_format_time, "2026-05-12T10:00:00Z", "2026-05-12t10:00:00z", "2026-05-12 10:00:00Z",
          "2026-05-12T10:00:00+00:00", "2026-05-12T10:00:00-07:00", "2026-05-12T10:00:00+0530",
          "2026-05-12T10:00:00+05", "2026-05-12T10:00:00.5Z", "2026-05-12T10:00:00.123456789012Z",
          "2026-05-12T23:59:60Z", "2026-05-12T10:00:00+23:59", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
          "2024-02-29T00:00:00Z", "2000-02-29T00:00:00Z");
  REFUSES(privy_format_time, "", "2026-05-12", "2026-05-12T10:00:00", "2026-05-12T10:00Z", "2026-05-12T24:00:00Z",
          "2026-05-12T10:60:00Z", "2026-05-12T10:00:61Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
          "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z", "2026-04-31T00:00:00Z", "2026-02-29T00:00:00Z",
          "1900-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "0000-01-01T00:00:00Z", "2026-05-12T10:00:00+24:00",
          "2026-05-12T10:00:00+00:60", "2026-05-12T10:00:00+5", "2026-05-12T10:00:00+00:", "2026-05-12T10:00:00+00:0",
          "2026-05-12T10:00:00.Z", "2026-05-12T10:00:00,5Z", "2026-05-12T10:00:00ZZ", "2026-05-12T10:00:00Z ",
          " 2026-05-12T10:00:00Z", "2026-5-12T10:00:00Z", "26-05-12T10:00:00Z", "+2026-05-12T10:00:00Z",
          "2026-05-12_10:00:00Z", "20260512T100000Z", "2026-05-12T10:00:00UTC", "2026-05-12T1:00:00Z",
          "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01");
}

static void times_in_utc(void **state) {
  (void)state;
  ACCEPTS(privy_format_time_utc, "2026-05-12T10:00:00Z", "2026-05-12T10:00:00z", "2026-05-12T10:00:00+00:00",
          "2026-05-12T10:00:00-00:00", "2026-05-12T10:00:00+0000", "2026-05-12T10:00:00+00",
          "2026-05-12T10:00:00.5+00:00");
  REFUSES(privy_format_time_utc, "", "Z", "2026-05-12T10:00:00", "2026-05-12T10:00:00+00:01",
          "2026-05-12T10:00:00+01:00", "2026-05-12T10:00:00-10:00", "2026-05-12T10:00:00-0700");
}

static const struct {
  const char *text;
  int64_t seconds;
  int32_t nanos;
  int year, month, day, hour, minute, second;
} instants[] = {
    {"1970-01-01T00:00:00Z", 0, 0, 1970, 1, 1, 0, 0, 0},
    {"1969-12-31T23:59:59.25Z", -1, 250000000, 1969, 12, 31, 23, 59, 59},
    {"2026-05-12T10:00:00Z", 1778580000, 0, 2026, 5, 12, 10, 0, 0},
    {"2026-05-12T10:00:00-07:30", 1778607000, 0, 2026, 5, 12, 17, 30, 0},
    {"2026-01-01T00:30:00+01:00", 1767223800, 0, 2025, 12, 31, 23, 30, 0},
    {"2024-02-29T23:59:59.000000001Z", 1709251199, 1, 2024, 2, 29, 23, 59, 59},
    {"2024-03-01T00:00:00+00:01", 1709251140, 0, 2024, 2, 29, 23, 59, 0},
    {"2016-12-31T23:59:60Z", 1483228800, 0, 2017, 1, 1, 0, 0, 0},
    {"0001-01-01T00:00:00Z", INT64_C(-62135596800), 0, 1, 1, 1, 0, 0, 0},
    {"9999-12-31T23:59:59.999999999Z", INT64_C(253402300799), 999999999, 9999, 12, 31, 23, 59, 59},
    {"2026-05-12T10:00:00.1234567899Z", 1778580000, 123456789, 2026, 5, 12, 10, 0, 0},
};

static void times_are_parsed_into_parts(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(instants); i++) {
    privy_time time;
    if (!privy_time_parse(instants[i].text, strlen(instants[i].text), &time)) fail_msg("%s", instants[i].text);
    assert_true(time.seconds == instants[i].seconds);
    assert_int_equal(time.nanos, instants[i].nanos);
    assert_int_equal(time.year, instants[i].year);
    assert_int_equal(time.month, instants[i].month);
    assert_int_equal(time.day, instants[i].day);
    assert_int_equal(time.hour, instants[i].hour);
    assert_int_equal(time.minute, instants[i].minute);
    assert_int_equal(time.second, instants[i].second);
  }
}

/* Every day of 800 years follows the one before, and comes back as it was written. */
static void every_day_comes_back(void **state) {
  (void)state;
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t expected = INT64_C(-11676096000); /* 1600-01-01 */
  for (int year = 1600; year < (harness_sweeping() ? 1601 : 2400); year++) {
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    for (int month = 1; month <= 12; month++) {
      const int length = lengths[month - 1] + (month == 2 && leap);
      for (int day = 1; day <= length; day++, expected += 86400) {
        char text[32];
        privy_time time;
        snprintf(text, sizeof text, "%04d-%02d-%02dT00:00:00Z", year, month, day);
        assert_true(privy_time_parse(text, strlen(text), &time));
        assert_true(time.seconds == expected);
        assert_true(time.year == year && time.month == month && time.day == day);
      }
    }
  }
}

/* No text makes the parser read past its end, whatever is cut off. */
static void times_cut_anywhere_are_refused(void **state) {
  (void)state;
  const char *text = "2026-05-12T10:00:00.123456+05:30";
  for (size_t length = 0; length < strlen(text); length++) {
    /* The offset's minutes may be left out with their colon. */
    if (length == strlen("2026-05-12T10:00:00.123456+05")) continue;
    if (holds(privy_format_time, text, length)) fail_msg("%.*s", (int)length, text);
    assert_false(holds(privy_format_time_utc, text, length));
  }
}

/* Whether a byte may be at that place of "2026-01-20T10:15:35Z", where the other bytes stay. */
static bool may_be(size_t place, unsigned char byte) {
  static const char same[] = "    -  -  T  :  :  Z";
  if (place == 10) return byte == 'T' || byte == 't' || byte == ' ';
  if (place == 19) return byte == 'Z' || byte == 'z';
  if (same[place] != ' ') return byte == (unsigned char)same[place];
  if (byte < '0' || byte > '9') return false;
  switch (place) {
  case 5: return byte <= '0' + 1;
  case 6: return byte != '0';
  case 8: return byte != '0' && byte <= '0' + 3;
  case 11: return byte <= '0' + 2;
  case 14:
  case 17: return byte <= '0' + 5;
  default: return true;
  }
}

static void every_byte_of_a_time_counts(void **state) {
  (void)state;
  for (size_t place = 0; place < 20; place++) {
    for (int byte = 0; byte < 256; byte++) {
      char text[] = "2026-01-20T10:15:35Z";
      privy_time time;
      text[place] = (char)byte;
      const bool expected = may_be(place, (unsigned char)byte);
      if (privy_time_parse(text, 20, &time) != expected) fail_msg("byte %d at %zu", byte, place);
      if (!expected) continue;
      char again[PRIVY_TIME_TEXT_SIZE];
      privy_time_text(again, &time);
      text[10] = 'T';
      text[19] = 'Z';
      assert_string_equal(again, text);
    }
  }
}

int main(void) {
  static harness_test tests[] = {
      TEST(every_byte_of_a_time_counts),
      TEST(email),
      TEST(phone),
      TEST(currency),
      TEST(event_type),
      TEST(contact_id),
      TEST(order_id),
      TEST(odd_characters),
      TEST(header),
      TEST(messages_of_formats),
      TEST(times),
      TEST(times_in_utc),
      TEST(times_are_parsed_into_parts),
      TEST(every_day_comes_back),
      TEST(times_cut_anywhere_are_refused),
  };
  return HARNESS_RUN(tests);
}
