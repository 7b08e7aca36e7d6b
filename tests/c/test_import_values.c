/* Amounts, dates and lines, as people and spreadsheets write them. */
#include "harness.h"

#include <stdio.h>

#include "base/buffer.h"
#include "base/time.h"
#include "imports/amount.h"
#include "imports/date.h"
#include "privy_imports.h"

/* ---- amounts ---- */

static const struct {
  const char *text;
  char decimal;
  const char *expected; /* a number; "?" ambiguous, "E" shortened, "!" invalid */
  const char *currencies;
} amounts[] = {
    {"12", 0, "12", ""},
    {" 12.50 ", 0, "12.50", ""},
    {"$12.50", 0, "12.50", "USD CAD"},
    {"US$ 12.50", 0, "12.50", "USD"},
    {"$12.50 USD", 0, "12.50", "USD"},
    {"12,50 \xe2\x82\xac", 0, "12.50", "EUR"},
    {"EUR 12,50", 0, "12.50", "EUR"},
    {"-$5", 0, "-5", "USD CAD"},
    {"$-5", 0, "-5", "USD CAD"},
    {"(12.50)", 0, "-12.50", ""},
    {"($12.50)", 0, "-12.50", "USD CAD"},
    {"12.50-", 0, "-12.50", ""},
    {"\xe2\x88\x92"
     "3.5",
     0, "-3.5", ""},
    {"+3", 0, "3", ""},
    {"-0.00", 0, "0.00", ""},
    {"1,234.50", 0, "1234.50", ""},
    {"1.234,50", 0, "1234.50", ""},
    {"1'234.50", 0, "1234.50", ""},
    {"1\xc2\xa0"
     "234,50",
     0, "1234.50", ""},
    {"12,34,567.89", 0, "1234567.89", ""},
    {"1,234,567", 0, "1234567", ""},
    {"1.234.567", 0, "1234567", ""},
    {"1 234,567", 0, "1234.567", ""},
    {"0,123", 0, "0.123", ""},
    {"1234,567", 0, "1234.567", ""},
    {"12,5", 0, "12.5", ""},
    {",5", 0, "0.5", ""},
    {"5.", 0, "5", ""},
    {"007.50", 0, "7.50", ""},
    {"1,234", 0, "?", ""},
    {"1.234", 0, "?", ""},
    {"1,234", '.', "1234", ""},
    {"1,234", ',', "1.234", ""},
    {"1.234", '.', "1.234", ""},
    {"1.234", ',', "1234", ""},
    {"1.5551E+10", 0, "E", ""},
    {"1,5e+5", 0, "E", ""},
    {"-2E-7", 0, "E", ""},
    {"1E5", 0, "!", ""},
    {"1,23,4.5", 0, "!", ""},
    {"1.2,3.4", 0, "!", ""},
    {"12,3456,789.00", 0, "!", ""},
    {"1234,567,890.00", 0, "!", ""},
    {"", 0, "!", ""},
    {"$", 0, "!", ""},
    {"-", 0, "!", ""},
    {"twelve", 0, "!", ""},
    {"12 apples", 0, "!", ""},
    {"1..5", 0, "!", ""},
    {"111111111111111111111111111111111111111111111111111", 0, "!", ""},
};

static void amounts_are_read(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof amounts / sizeof *amounts; i++) {
    privy_amount amount;
    const privy_amount_result result =
        privy_amount_read(amounts[i].text, strlen(amounts[i].text), amounts[i].decimal, &amount);
    static const char *const results[] = {"", "?", "E", "!"};
    if (result == PRIVY_AMOUNT_READ)
      assert_text(amount.text, amount.length, amounts[i].expected);
    else
      assert_string_equal(results[result], amounts[i].expected);
    if (result != PRIVY_AMOUNT_READ) continue;
    const size_t length = strlen(amounts[i].currencies);
    assert_true(length ? amount.currencies.length >= length &&
                             memcmp(amount.currencies.text, amounts[i].currencies, length) == 0
                       : amount.currencies.length == 0);
  }
}

static void sums_are_exact(void **state) {
  (void)state;
  privy_sum sum = {0};
  char text[PRIVY_AMOUNT_SIZE];
  static const struct {
    const char *quantity, *price, *total;
  } steps[] = {{"3", "0.1", "0.30"},  {"7", "1.005", "7.335"},         {"-1", "0.335", "7.00"},
               {"0", "5", "7.00"},    {"1000000", "0.000001", "8.00"}, {"-2", "10", "-12.00"},
               {"1", "12.00", "0.00"}};
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
    assert_true(privy_sum_add(&sum, (privy_slice){TEXT(steps[i].quantity)}, (privy_slice){TEXT(steps[i].price)}));
    assert_text(text, privy_sum_text(&sum, text), steps[i].total);
  }
  assert_false(privy_sum_add(&sum, (privy_slice){TEXT("9999999999")}, (privy_slice){TEXT("9999999999")}));
  assert_false(privy_sum_add(&sum, (privy_slice){TEXT("1")}, (privy_slice){TEXT("0.0000000001")}));
  assert_false(privy_sum_add(&sum, (privy_slice){TEXT("1")}, (privy_slice){TEXT("99999999999999999999")}));
}

/* ---- dates ---- */

static const struct {
  const char *text;
  privy_date_order order;
  const char *expected; /* by its own clock, with its offset in minutes; "?" ambiguous, "#" serial, "!" invalid */
} dates[] = {
    {"2026-01-02", 0, "2026-01-02T00:00:00Z local"},
    {"2026-01-02 10:05", 0, "2026-01-02T10:05:00Z local"},
    {"2026-01-02T10:05:06.25Z", 0, "2026-01-02T10:05:06.25Z 0"},
    {"2026-01-02 10:05:06 -0500", 0, "2026-01-02T10:05:06Z -300"},
    {"2026-01-02 10:05:06 +05:30", 0, "2026-01-02T10:05:06Z 330"},
    {"2026-01-02 10:05 UTC", 0, "2026-01-02T10:05:00Z 0"},
    {"2026-01-02 10:05 GMT+1", 0, "!"},
    {"2026-01-02 10:05 GMT+01", 0, "2026-01-02T10:05:00Z 60"},
    {"2026-01-02Z", 0, "2026-01-02T00:00:00Z 0"},
    {"2026/1/2", 0, "2026-01-02T00:00:00Z local"},
    {"20260102", 0, "2026-01-02T00:00:00Z local"},
    {"02.01.2026 9:05", 0, "2026-01-02T09:05:00Z local"},
    {"1.2.26", 0, "2026-02-01T00:00:00Z local"},
    {"13/4/2026", 0, "2026-04-13T00:00:00Z local"},
    {"4/13/2026 9:30 PM", 0, "2026-04-13T21:30:00Z local"},
    {"4/13/2026 12:30 am", 0, "2026-04-13T00:30:00Z local"},
    {"4/13/2026 12:30 p.m.", 0, "2026-04-13T12:30:00Z local"},
    {"4/4/2026", 0, "2026-04-04T00:00:00Z local"},
    {"3/4/2026", 0, "?"},
    {"03-04-2026 10:00", 0, "?"},
    {"3/4/2026", PRIVY_DATE_DAY_FIRST, "2026-04-03T00:00:00Z local"},
    {"3/4/2026", PRIVY_DATE_MONTH_FIRST, "2026-03-04T00:00:00Z local"},
    {"12/1/10 8:26", PRIVY_DATE_MONTH_FIRST, "2010-12-01T08:26:00Z local"},
    {"1/2/70", PRIVY_DATE_DAY_FIRST, "1970-02-01T00:00:00Z local"},
    {"1/2/69", PRIVY_DATE_DAY_FIRST, "2069-02-01T00:00:00Z local"},
    {"Mar 4, 2026 10:15:00 AM", 0, "2026-03-04T10:15:00Z local"},
    {"March 4, 2026, 10:15", 0, "2026-03-04T10:15:00Z local"},
    {"Wed, Mar 4, 2026", 0, "2026-03-04T00:00:00Z local"},
    {"Wed, 4 Mar 2026 10:15:00 +0100", 0, "2026-03-04T10:15:00Z 60"},
    {"4-Mar-26", 0, "2026-03-04T00:00:00Z local"},
    {"4 Sept. 2026", 0, "2026-09-04T00:00:00Z local"},
    {"46085", 0, "#"},
    {"46085.4271", 0, "#"},
    {"46085,4271", 0, "#"},
    {"2026-02-29", 0, "!"},
    {"2026-13-01", 0, "!"},
    {"32/1/2026", 0, "!"},
    {"2026-01-02 25:00", 0, "!"},
    {"2026-01-02T", 0, "!"},
    {"4/13/2026 13:30 PM", 0, "!"},
    {"2026-01-02 10:00 EST", 0, "!"},
    {"yesterday", 0, "!"},
    {"", 0, "!"},
    {"2026-01-02 10:00 x", 0, "!"},
    {"1767225600", 0, "!"},
    {"3/4", PRIVY_DATE_DAY_FIRST, "!"},
    {"3/4/126", PRIVY_DATE_DAY_FIRST, "!"},
};

static void show_date(const privy_date *date, char out[64]) {
  privy_time time;
  char text[PRIVY_TIME_TEXT_SIZE];
  privy_time_at(date->local, date->nanos, &time);
  privy_time_text(text, &time);
  if (date->zoned)
    snprintf(out, 64, "%.40s %d", text, date->offset / 60);
  else
    snprintf(out, 64, "%.40s local", text);
}

static void dates_are_read(void **state) {
  (void)state;
  static const char *const results[] = {"", "?", "#", "!"};
  for (size_t i = 0; i < sizeof dates / sizeof *dates; i++) {
    privy_date date;
    char shown[64];
    const privy_date_result result = privy_date_read(dates[i].text, strlen(dates[i].text), dates[i].order, &date);
    snprintf(shown, sizeof shown, "%s", results[result]);
    if (result == PRIVY_DATE_READ) show_date(&date, shown);
    if (strcmp(shown, dates[i].expected) != 0) print_message("%s\n", dates[i].text);
    assert_string_equal(shown, dates[i].expected);
  }
}

/* ---- lines ---- */

static const struct {
  const char *file;
  size_t length;        /* 0: that of the string */
  const char *expected; /* number: cells in brackets; a line each */
  const char *encoding;
  char delimiter;
} files[] = {
    {"a,b\n1,2\n", 0, "1:[a][b]\n2:[1][2]\n", "utf-8", ','},
    {"a;b\r\n\"1\n;\"\"x\"\"\";2\r\n3;", 0, "1:[a][b]\n2:[1\n;\"x\"][2]\n4:[3][]\n", "utf-8", ';'},
    {"a\tb\r1\t2", 0, "1:[a][b]\n2:[1][2]\n", "utf-8", '\t'},
    {"a|b\n\n\n1|5\" pipe\n", 0, "1:[a][b]\n4:[1][5\" pipe]\n", "utf-8", '|'},
    {"\xef\xbb\xbfsep=;\na,b;c\n", 0, "2:[a,b][c]\n", "utf-8", ';'},
    {"\"a,b\";c\n", 0, "1:[a,b][c]\n", "utf-8", ';'},
    {"\"a\"x,b\n", 0, "1:[ax][b]\n", "utf-8", ','},
    {"a\n\xe9t\xe9,\x80\n", 0, "1:[a]\n2:[\xc3\xa9t\xc3\xa9][\xe2\x82\xac]\n", "windows-1252", ','},
    {"\xc3\xa9,\xff\n", 0, "1:[\xc3\xa9][\xef\xbf\xbd]\n", "utf-8", ','},
    {"\xff\xfe"
     "a\0,\0\xac\x20\n\0",
     10, "1:[a][\xe2\x82\xac]\n", "utf-16-le", ','},
    {"\xfe\xff\0a\0\t\xd8\x3d\xde\0\0\n", 12, "1:[a][\xf0\x9f\x98\x80]\n", "utf-16-be", '\t'},
    {"", 0, "", "utf-8", ','},
    {"\n\r\n", 0, "", "utf-8", ','},
};

static bool show_lines(privy_lines *lines, privy_buffer *out, privy_error *error) {
  const privy_line *line;
  bool shown = false;
  for (;;) {
    CHECK_OK(privy_lines_next(lines, &line, error));
    if (!line) return true;
    char number[32];
    snprintf(number, sizeof number, "%d:", (int)line->number);
    CHECK_MEMORY(privy_buffer_text(out, number));
    for (size_t i = 0; i < line->count; i++)
      CHECK_MEMORY(privy_buffer_byte(out, '[') &&
                   privy_buffer_append(out, line->cells[i].text, line->cells[i].length) && privy_buffer_byte(out, ']'));
    CHECK_MEMORY(privy_buffer_byte(out, '\n'));
  }
done:
  return shown;
}

/* In pieces of every size. */
static bool read_file(size_t index, size_t piece) {
  privy_lines *lines = NULL;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  privy_error error;
  bool read = false;
  const char *file = files[index].file;
  const size_t length = files[index].length ? files[index].length : strlen(file);
  privy_error_init(&error);
  CHECK_OK(privy_lines_new(0, &lines));
  for (size_t at = 0; at < length; at += piece) {
    CHECK_OK(privy_lines_feed(lines, file + at, length - at < piece ? length - at : piece));
    CHECK_MEMORY(show_lines(lines, &out, &error));
  }
  CHECK_OK(privy_lines_end(lines));
  CHECK_MEMORY(show_lines(lines, &out, &error));
  assert_text(out.data, out.length, files[index].expected);
  assert_string_equal(privy_lines_encoding(lines), files[index].encoding);
  assert_int_equal(privy_lines_delimiter(lines), files[index].delimiter);
  read = true;
done:
  privy_lines_free(lines);
  privy_buffer_clear(&out);
  privy_error_clear(&error);
  return read;
}

static void files_are_read_in_any_pieces(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof files / sizeof *files; i++)
    for (size_t piece = 1; piece <= 40; piece += harness_sweeping() ? 39 : 1) CHECK_MEMORY(read_file(i, piece));
done:;
}

static void a_line_has_an_end(void **state) {
  (void)state;
  privy_lines *lines = NULL;
  const privy_line *line;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_lines_new(',', &lines));
  CHECK_OK(privy_lines_feed(lines, TEXT("a\n\"b\nc\n")));
  CHECK_OK(privy_lines_next(lines, &line, &error));
  assert_text(line->cells[0].text, line->cells[0].length, "a");
  CHECK_OK(privy_lines_next(lines, &line, &error));
  assert_null(line);
  CHECK_OK(privy_lines_end(lines));
  CHECK_STATUS(privy_lines_next(lines, &line, &error), PRIVY_VALIDATION);
  assert_string_equal(error.message,
                      "line 2: a text in quotes begins here and does not end: close the quote, or double it");
done:
  privy_lines_free(lines);
  privy_error_clear(&error);
}

static void cells_are_written_as_they_are_read(void **state) {
  (void)state;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  const privy_span cells[] = {{TEXT("a")}, {TEXT("b,c")}, {TEXT("\"d\"\n")}, {TEXT("")}, {TEXT(" e ")}};
  CHECK_MEMORY(privy_csv_append(&out, cells, 5, ','));
  assert_text(out.data, out.length, "a,\"b,c\",\"\"\"d\"\"\n\",,\" e \"");
done:
  privy_buffer_clear(&out);
}

int main(void) {
  static harness_test tests[] = {
      TEST(amounts_are_read),  TEST(sums_are_exact),
      TEST(dates_are_read),    TEST(files_are_read_in_any_pieces),
      TEST(a_line_has_an_end), TEST(cells_are_written_as_they_are_read),
  };
  return HARNESS_RUN(tests);
}
