#include "base/text.h"
#include "privy.h"

/* Takes exactly `count` digits. */
static bool digits(const char **at, const char *end, int count, int *out) {
  const char *from = *at;
  if (end - from < count) return false;
  int value = 0;
  for (int i = 0; i < count; i++) {
    if (!privy_is_digit(from[i])) return false;
    value = value * 10 + (from[i] - '0');
  }
  *at = from + count;
  *out = value;
  return true;
}

static bool byte(const char **at, const char *end, char wanted) {
  if (*at == end || **at != wanted) return false;
  (*at)++;
  return true;
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
static bool zone(const char **at, const char *end, int *minutes) {
  *minutes = 0;
  if (*at == end) return false;
  char sign = *(*at)++;
  if (sign == 'Z' || sign == 'z') return true;
  int hour, minute = 0;
  if ((sign != '+' && sign != '-') || !digits(at, end, 2, &hour)) return false;
  bool colon = *at != end && **at == ':';
  if (colon) (*at)++;
  if ((colon || *at != end) && !digits(at, end, 2, &minute)) return false;
  if (hour > 23 || minute > 59) return false;
  *minutes = (hour * 60 + minute) * (sign == '-' ? -1 : 1);
  return true;
}

bool privy_time_parse(const char *text, size_t length, privy_time *out) {
  const char *at = text, *end = length ? text + length : text;
  int year, month, day, hour, minute, second, offset;
  int32_t nanos;
  if (!digits(&at, end, 4, &year) || !byte(&at, end, '-') || !digits(&at, end, 2, &month) || !byte(&at, end, '-') ||
      !digits(&at, end, 2, &day) || at == end || !(*at == 'T' || *at == 't' || *at == ' '))
    return false;
  at++;
  if (!digits(&at, end, 2, &hour) || !byte(&at, end, ':') || !digits(&at, end, 2, &minute) || !byte(&at, end, ':') ||
      !digits(&at, end, 2, &second) || !fraction(&at, end, &nanos) || !zone(&at, end, &offset) || at != end)
    return false;
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > days_in_month(year, month) || hour > 23 || minute > 59 ||
      second > 60)
    return false;
  out->nanos = nanos;
  out->seconds = days_of_date(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset * 60;
  out->year = year, out->month = (uint8_t)month, out->day = (uint8_t)day;
  out->hour = (uint8_t)hour, out->minute = (uint8_t)minute, out->second = (uint8_t)second;
  if (offset == 0 && second < 60) return true; /* in UTC as it stands */
  int64_t days = (out->seconds >= 0 ? out->seconds : out->seconds - 86399) / 86400;
  int64_t rest = out->seconds - days * 86400;
  date_of_days(days, out);
  out->hour = (uint8_t)(rest / 3600);
  out->minute = (uint8_t)(rest / 60 % 60);
  out->second = (uint8_t)(rest % 60);
  return out->year >= 1 && out->year <= 9999;
}
