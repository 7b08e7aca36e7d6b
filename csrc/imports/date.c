#include "imports/date.h"

#include <stdio.h>

/* What is left of a text. */
typedef struct scan {
  const char *at, *end;
} scan;

/* ---- pieces ---- */

static bool take(scan *text, char byte) {
  if (text->at == text->end || *text->at != byte) return false;
  text->at++;
  return true;
}

static void skip_spaces(scan *text) {
  while (text->at < text->end && (*text->at == ' ' || *text->at == '\t')) text->at++;
}

/* A number of at most `most` digits; returns how many it has. */
static size_t take_number(scan *text, size_t most, int *out) {
  size_t digits = 0;
  *out = 0;
  while (digits < most && text->at < text->end && privy_is_digit(*text->at)) {
    *out = *out * 10 + (*text->at++ - '0');
    digits++;
  }
  return digits;
}

static bool is_letter(char byte) {
  const char lower = privy_lower(byte);
  return lower >= 'a' && lower <= 'z';
}

static privy_slice take_word(scan *text) {
  const char *from = text->at;
  while (text->at < text->end && is_letter(*text->at)) text->at++;
  return (privy_slice){from, (size_t)(text->at - from)};
}

/* The month of its English name or the first three letters of it; 0: no month has that name. */
static int month_of(privy_slice word) {
  static const char *const names[] = {"january", "february", "march",     "april",   "may",      "june",
                                      "july",    "august",   "september", "october", "november", "december"};
  for (int i = 0; i < 12; i++) {
    const bool whole = privy_text_is_nocase(word.text, word.length, names[i]);
    if (whole || (word.length == 3 && privy_text_equal_nocase(word.text, 3, names[i], 3))) return i + 1;
  }
  return privy_text_is_nocase(word.text, word.length, "sept") ? 9 : 0;
}

/* ---- the day ---- */

typedef struct day {
  int year, month, day;
} day;

/* Two digits are years from 1970 to 2069. */
static int whole_year(int year, size_t digits) {
  return digits > 2 ? year : year < 70 ? 2000 + year : 1900 + year;
}

/* "Mar 4, 2026", after its first word. */
static bool month_word_first(scan *text, int month, day *out) {
  out->month = month;
  (void)take(text, '.');
  skip_spaces(text);
  if (!take_number(text, 2, &out->day)) return false;
  (void)take(text, ',');
  skip_spaces(text);
  const size_t digits = take_number(text, 4, &out->year);
  out->year = whole_year(out->year, digits);
  return digits == 4;
}

/* "4 Mar 2026" or "4-Mar-26", after its first number. */
static bool month_word_second(scan *text, int first, day *out) {
  const privy_slice word = take_word(text);
  out->day = first;
  out->month = month_of(word);
  (void)take(text, '.');
  (void)(take(text, '-') || take(text, '/') || take(text, ','));
  skip_spaces(text);
  const size_t digits = take_number(text, 4, &out->year);
  out->year = whole_year(out->year, digits);
  return out->month && (digits == 4 || digits == 2);
}

/* 03/04/2026, whose numbers are read: the order decides what the first two are. */
static privy_date_result order_day(int first, int second, char separator, privy_date_order order, day *out,
                                   privy_date_order *proof) {
  if (first > 12 && second <= 12) *proof = PRIVY_DATE_DAY_FIRST;
  if (second > 12 && first <= 12) *proof = PRIVY_DATE_MONTH_FIRST;
  privy_date_order use = *proof != PRIVY_DATE_UNKNOWN ? *proof : order;
  if (separator == '.') use = PRIVY_DATE_DAY_FIRST;
  if (use == PRIVY_DATE_UNKNOWN && first != second) return PRIVY_DATE_AMBIGUOUS;
  out->day = use == PRIVY_DATE_MONTH_FIRST ? second : first;
  out->month = use == PRIVY_DATE_MONTH_FIRST ? first : second;
  return PRIVY_DATE_READ;
}

static char take_separator(scan *text) {
  static const char separators[] = {'-', '/', '.'};
  for (size_t i = 0; i < sizeof separators; i++)
    if (take(text, separators[i])) return separators[i];
  return 0;
}

/* The rest of a day that begins with the four digits of a year. */
static privy_date_result year_first(scan *text, int year, day *out) {
  const char separator = take_separator(text);
  out->year = year;
  const bool read =
      take_number(text, 2, &out->month) && (!separator || take(text, separator)) && take_number(text, 2, &out->day);
  return read ? PRIVY_DATE_READ : PRIVY_DATE_INVALID;
}

/* The rest of a day that begins with one or two digits. */
static privy_date_result year_last(scan *text, int first, privy_date_order order, day *out, privy_date_order *proof) {
  const char separator = take_separator(text);
  int second;
  skip_spaces(text);
  if (text->at < text->end && is_letter(*text->at))
    return month_word_second(text, first, out) ? PRIVY_DATE_READ : PRIVY_DATE_INVALID;
  if (!separator || !take_number(text, 2, &second) || !take(text, separator)) return PRIVY_DATE_INVALID;
  skip_spaces(text);
  const size_t digits = take_number(text, 4, &out->year);
  if (digits != 2 && digits != 4) return PRIVY_DATE_INVALID;
  out->year = whole_year(out->year, digits);
  return order_day(first, second, separator, order, out, proof);
}

static privy_date_result read_day(scan *text, privy_date_order order, day *out, privy_date_order *proof) {
  int number;
  if (text->at < text->end && is_letter(*text->at)) {
    const int month = month_of(take_word(text));
    if (month) return month_word_first(text, month, out) ? PRIVY_DATE_READ : PRIVY_DATE_INVALID;
    (void)take(text, '.'); /* the day of the week */
    (void)take(text, ',');
    skip_spaces(text);
    const scan rest = *text;
    const int after = month_of(take_word(text));
    if (after) return month_word_first(text, after, out) ? PRIVY_DATE_READ : PRIVY_DATE_INVALID;
    *text = rest;
  }
  const size_t digits = take_number(text, 4, &number);
  if (digits == 4) return year_first(text, number, out);
  return digits == 1 || digits == 2 ? year_last(text, number, order, out, proof) : PRIVY_DATE_INVALID;
}

/* ---- the time of day ---- */

typedef struct clock_time {
  int hour, minute, second;
  int32_t nanos;
} clock_time;

static void read_fraction(scan *text, int32_t *nanos) {
  if (!take(text, '.')) return;
  int32_t unit = 100000000;
  for (; text->at < text->end && privy_is_digit(*text->at); text->at++, unit /= 10) *nanos += (*text->at - '0') * unit;
}

/* AM and PM, also as "a.m.". */
static bool read_half(scan *text, int *hour) {
  skip_spaces(text);
  const scan before = *text;
  if (text->at == text->end) return true;
  const char half = privy_lower(*text->at);
  if (half != 'a' && half != 'p') return true;
  text->at++;
  (void)take(text, '.');
  if (text->at == text->end || privy_lower(*text->at) != 'm') {
    *text = before;
    return true;
  }
  text->at++;
  (void)take(text, '.');
  if (*hour < 1 || *hour > 12) return false;
  *hour = *hour % 12 + (half == 'p' ? 12 : 0);
  return true;
}

/* No time of day is midnight. */
static bool read_clock(scan *text, clock_time *out) {
  *out = (clock_time){0};
  (void)take(text, ',');
  const bool marked = take(text, 'T') || take(text, 't');
  if (!marked) skip_spaces(text);
  if (privy_text_starts(text->at, (size_t)(text->end - text->at), "at ")) text->at += 3;
  if (!marked && (text->at == text->end || !privy_is_digit(*text->at))) return true;
  if (!take_number(text, 2, &out->hour) || !take(text, ':') || !take_number(text, 2, &out->minute)) return false;
  if (take(text, ':')) {
    if (!take_number(text, 2, &out->second)) return false;
    read_fraction(text, &out->nanos);
  }
  return read_half(text, &out->hour) && out->hour < 24 && out->minute < 60 && out->second < 60;
}

/* ---- the zone ---- */

static bool read_offset(scan *text, int *offset) {
  int hours, minutes = 0;
  const bool minus = *text->at++ == '-';
  if (take_number(text, 2, &hours) != 2) return false;
  const bool colon = take(text, ':');
  const size_t digits = take_number(text, 2, &minutes);
  if (hours > 23 || minutes > 59 || (digits != 2 && (colon || digits))) return false;
  *offset = (hours * 3600 + minutes * 60) * (minus ? -1 : 1);
  return true;
}

static bool read_zone(scan *text, privy_date *out) {
  skip_spaces(text);
  if (text->at == text->end) return true;
  out->zoned = true;
  if (*text->at == '+' || *text->at == '-') {
    if (!read_offset(text, &out->offset)) return false;
  } else {
    const privy_slice word = take_word(text);
    if (!privy_text_is_nocase(word.text, word.length, "z") && !privy_text_is_nocase(word.text, word.length, "utc") &&
        !privy_text_is_nocase(word.text, word.length, "gmt"))
      return false;
    if (text->at < text->end && (*text->at == '+' || *text->at == '-') && !read_offset(text, &out->offset))
      return false;
  }
  skip_spaces(text);
  return text->at == text->end;
}

/* ---- all of it ---- */

/* "46085" or "46085.4271". */
static bool is_serial(privy_slice text) {
  size_t whole = 0, at;
  while (whole < text.length && privy_is_digit(text.text[whole])) whole++;
  if (whole != 5) return false;
  if (whole == text.length) return true;
  if (text.text[whole] != '.' && text.text[whole] != ',') return false;
  for (at = whole + 1; at < text.length && privy_is_digit(text.text[at]);) at++;
  return at == text.length;
}

static bool set_local(const day *date, const clock_time *time, privy_date *out) {
  char iso[64];
  privy_time read;
  const int length = snprintf(iso, sizeof iso, "%04d-%02d-%02dT%02d:%02d:%02dZ", date->year, date->month, date->day,
                              time->hour, time->minute, time->second);
  if (length != 20 || !privy_time_parse(iso, (size_t)length, &read)) return false;
  out->local = read.seconds;
  out->nanos = time->nanos;
  return true;
}

privy_date_result privy_date_read(const char *text, size_t length, privy_date_order order, privy_date *out) {
  const privy_slice whole = privy_trim(text, length);
  scan rest = {whole.text, whole.text + whole.length};
  day date = {0};
  clock_time time;
  *out = (privy_date){.proof = PRIVY_DATE_UNKNOWN};
  if (is_serial(whole)) return PRIVY_DATE_SERIAL;
  const privy_date_result result = read_day(&rest, order, &date, &out->proof);
  if (result == PRIVY_DATE_INVALID || !read_clock(&rest, &time) || !read_zone(&rest, out)) return PRIVY_DATE_INVALID;
  if (result == PRIVY_DATE_AMBIGUOUS) return result;
  return set_local(&date, &time, out) ? PRIVY_DATE_READ : PRIVY_DATE_INVALID;
}
