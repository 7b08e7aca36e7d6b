#include "base/text.h"
#include "json/reader.h"

/* Two digits; what is none of them takes the number past 99. */
static int two_digits(const char *at) {
  const unsigned tens = (unsigned char)at[0] - '0', ones = (unsigned char)at[1] - '0';
  return tens < 10 && ones < 10 ? (int)(tens * 10 + ones) : 100;
}

static int days_in_month(int year, int month) {
  static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/* Days from 1970-01-01 to a date of the proleptic Gregorian calendar, counted in 400-year cycles that begin in March.
 */
static int64_t days_of_date(int year, int month, int day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t cycle = (y >= 0 ? y : y - 399) / 400;
  int64_t year_of_cycle = y - cycle * 400;
  int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  int64_t day_of_cycle = year_of_cycle * 365 + year_of_cycle / 4 - year_of_cycle / 100 + day_of_year;
  return cycle * 146097 + day_of_cycle - 719468;
}

static void date_of_days(int64_t days, privy_time *out) {
  int64_t shifted = days + 719468;
  int64_t cycle = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
  int64_t day_of_cycle = shifted - cycle * 146097;
  int64_t year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365;
  int64_t day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  out->day = (uint8_t)(day_of_year - (153 * month + 2) / 5 + 1);
  out->month = (uint8_t)(month < 10 ? month + 3 : month - 9);
  out->year = (int32_t)(year_of_cycle + cycle * 400 + (out->month <= 2));
}

static bool fraction(const char **at, const char *end, int32_t *nanos) {
  *nanos = 0;
  if (*at == end || **at != '.') return true;
  const char *const first = *at + 1, *digit = first;
  int32_t unit = 100000000;
  for (; digit != end && privy_is_digit(*digit); digit++, unit /= 10) *nanos += (*digit - '0') * unit;
  *at = digit;
  return digit != first;
}

/* Z, or an offset of hours and minutes, with or without the colon. */
static bool zone(const char *at, const char *end, int *minutes) {
  *minutes = 0;
  if (at == end) return false;
  const char sign = *at++;
  if (sign == 'Z' || sign == 'z') return at == end;
  if ((sign != '+' && sign != '-') || end - at < 2) return false;
  const int hour = two_digits(at);
  at += 2;
  const bool colon = at != end && *at == ':';
  if (colon) at++;
  if (end - at != 2 && (colon || at != end)) return false;
  const int minute = at == end ? 0 : two_digits(at);
  if (hour > 23 || minute > 59) return false;
  *minutes = (hour * 60 + minute) * (sign == '-' ? -1 : 1);
  return true;
}

#define CLOCK_LENGTH 19 /* 2026-11-20T10:15:30 */

/* Date and time of day; false when a digit or a separator is missing, or when there is no such day or hour. */
static bool clock_of(const char *text, privy_time *out) {
  if (text[4] != '-' || text[7] != '-' || text[13] != ':' || text[16] != ':') return false;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return false;
  const int century = two_digits(text), year = two_digits(text + 2), month = two_digits(text + 5);
  const int day = two_digits(text + 8), hour = two_digits(text + 11), minute = two_digits(text + 14);
  const int second = two_digits(text + 17);
  if (century > 99 || year > 99 || century + year == 0 || month < 1 || month > 12 || day < 1 || hour > 23 ||
      minute > 59 || second > 60)
    return false;
  out->year = century * 100 + year, out->month = (uint8_t)month, out->day = (uint8_t)day;
  out->hour = (uint8_t)hour, out->minute = (uint8_t)minute, out->second = (uint8_t)second;
  return day <= days_in_month(out->year, month);
}

bool privy_time_parse(const char *text, size_t length, privy_time *out) {
  if (length <= CLOCK_LENGTH || !clock_of(text, out)) return false;
  const char *at = text + CLOCK_LENGTH, *const end = text + length;
  int offset;
  if (!fraction(&at, end, &out->nanos) || !zone(at, end, &offset)) return false;
  out->seconds = days_of_date(out->year, out->month, out->day) * 86400 + out->hour * 3600 + out->minute * 60 +
                 out->second - offset * 60;
  if (offset == 0 && out->second < 60) return true; /* in UTC as it stands */
  int64_t days = (out->seconds >= 0 ? out->seconds : out->seconds - 86399) / 86400;
  int64_t rest = out->seconds - days * 86400;
  date_of_days(days, out);
  out->hour = (uint8_t)(rest / 3600);
  out->minute = (uint8_t)(rest / 60 % 60);
  out->second = (uint8_t)(rest % 60);
  return out->year >= 1 && out->year <= 9999;
}

/* Longer than any time that is written with escapes. */
#define LONGEST_ESCAPED 256

bool privy_value_time(privy_value value, privy_time *out) {
  char text[LONGEST_ESCAPED];
  if (value.type != PRIVY_STRING) return false;
  if (!value.escaped) return privy_time_parse(value.text, value.length, out);
  privy_buffer plain = {text, 0, sizeof text}; /* never grows: decoded text is not longer than its escapes */
  return value.length <= sizeof text && privy_value_decode(value, &plain) == PRIVY_OK &&
         privy_time_parse(plain.data, plain.length, out);
}
