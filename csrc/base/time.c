#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* The number of two digits; above 99 when either is not a digit. */
static int two_digits(const char *at) {
  const unsigned tens = (unsigned char)at[0] - '0', ones = (unsigned char)at[1] - '0';
  return tens < 10 && ones < 10 ? (int)(tens * 10 + ones) : 100;
}

static int days_in_month(int year, int month) {
  static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : days[month - 1];
}

/* Days from 1970-01-01, in the proleptic Gregorian calendar. The year, which is positive, begins in March. */
static int64_t days_of_date(int year, int month, int day) {
  const uint32_t y = (uint32_t)(month <= 2 ? year - 1 : year);
  const uint32_t day_of_year = (uint32_t)((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1);
  return (int64_t)(y * 365 + y / 4 - y / 100 + y / 400 + day_of_year) - 719468;
}

/* The inverse of days_of_date, by cycles of 400 years. */
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

void privy_time_at(int64_t seconds, int32_t nanos, privy_time *out) {
  const int64_t days = (seconds >= 0 ? seconds : seconds - 86399) / 86400, rest = seconds - days * 86400;
  out->seconds = seconds;
  out->nanos = nanos;
  date_of_days(days, out);
  out->hour = (uint8_t)(rest / 3600);
  out->minute = (uint8_t)(rest / 60 % 60);
  out->second = (uint8_t)(rest % 60);
}

/* ---- ISO 8601 ---- */

static bool read_fraction(const char **at, const char *end, int32_t *nanos) {
  *nanos = 0;
  if (*at == end || **at != '.') return true;
  const char *const first = *at + 1, *digit = first;
  int32_t unit = 100000000;
  for (; digit != end && privy_is_digit(*digit); digit++, unit /= 10) *nanos += (*digit - '0') * unit;
  *at = digit;
  return digit != first;
}

/* Z, or an offset of hours and minutes, with or without the colon. */
static bool read_zone(const char *at, const char *end, int *minutes) {
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

/* Eight bytes as a number, the first one lowest. Compilers make one instruction of it. */
static uint64_t eight_bytes(const char *text) {
  const unsigned char *at = (const unsigned char *)text;
  return (uint64_t)at[0] | (uint64_t)at[1] << 8 | (uint64_t)at[2] << 16 | (uint64_t)at[3] << 24 |
         (uint64_t)at[4] << 32 | (uint64_t)at[5] << 40 | (uint64_t)at[6] << 48 | (uint64_t)at[7] << 56;
}

/* Numbers of two digits in eight bytes: the byte of the first digit becomes the number. `like` has a 0 in place of each
 * digit, and the separators, whose bytes `separators` selects. False for any other text. */
static bool read_pairs(const char *text, const char *like, uint64_t separators, uint64_t *pairs) {
  const uint64_t digits = eight_bytes(text) ^ eight_bytes(like);
  *pairs = digits * 10 + (digits >> 8);
  const uint64_t beyond_nine = (digits + UINT64_C(0x7676767676767676)) | digits;
  return !(beyond_nine & UINT64_C(0x8080808080808080)) && !(digits & separators);
}

static uint8_t pair_at(uint64_t pairs, unsigned byte) {
  return (uint8_t)(pairs >> 8 * byte);
}

static bool is_time_mark(char byte) {
  return byte == 'T' || byte == 't' || byte == ' ';
}

/* Date and time of day; false when a digit or a separator is missing, or when there is no such day or hour. */
static bool read_clock(const char *text, privy_time *out) {
  uint64_t date, clock;
  char rest[8];
  memcpy(rest, text + 8, sizeof rest);
  rest[2] = 'T';
  if (!read_pairs(text, "0000-00-", UINT64_C(0xff0000ff00000000), &date) ||
      !read_pairs(rest, "00T00:00", UINT64_C(0x0000ff0000ff0000), &clock) || !is_time_mark(text[10]) || text[16] != ':')
    return false;
  out->year = pair_at(date, 0) * 100 + pair_at(date, 2), out->month = pair_at(date, 5);
  out->day = pair_at(clock, 0), out->hour = pair_at(clock, 3), out->minute = pair_at(clock, 6);
  const int second = two_digits(text + 17);
  out->second = (uint8_t)second;
  if (out->year == 0 || out->month < 1 || out->month > 12 || out->day < 1 || out->hour > 23 || out->minute > 59 ||
      second > 60)
    return false;
  return out->day <= 28 || out->day <= days_in_month(out->year, out->month);
}

bool privy_time_parse(const char *text, size_t length, privy_time *out) {
  if (length <= CLOCK_LENGTH || !read_clock(text, out)) return false;
  const char *at = text + CLOCK_LENGTH, *const end = text + length;
  int offset;
  if (!read_fraction(&at, end, &out->nanos) || !read_zone(at, end, &offset)) return false;
  out->seconds = days_of_date(out->year, out->month, out->day) * 86400 + out->hour * 3600 + out->minute * 60 +
                 out->second - offset * 60;
  if (offset == 0 && out->second < 60) return true; /* no conversion to UTC needed */
  privy_time_at(out->seconds, out->nanos, out);
  return out->year >= 1 && out->year <= 9999;
}

void privy_time_text(char out[PRIVY_TIME_TEXT_SIZE], const privy_time *time) {
  char fraction[16] = "";
  if (time->nanos > 0) {
    int length = snprintf(fraction, sizeof fraction, ".%09" PRId32, time->nanos);
    while (length > 1 && fraction[length - 1] == '0') fraction[--length] = '\0';
  }
  snprintf(out, PRIVY_TIME_TEXT_SIZE, "%04" PRId32 "-%02u-%02uT%02u:%02u:%02u%sZ", time->year, (unsigned)time->month,
           (unsigned)time->day, (unsigned)time->hour, (unsigned)time->minute, (unsigned)time->second, fraction);
}

/* ---- HTTP dates ---- */

static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

bool privy_http_date(const char *text, double *seconds) {
  if (strlen(text) != 29 || memcmp(text + 3, ", ", 2) != 0 || memcmp(text + 25, " GMT", 4) != 0) return false;
  int month = 0;
  while (month < 12 && memcmp(months[month], text + 8, 3) != 0) month++;
  if (month == 12) return false;
  char iso[] = "0000-00-00T00:00:00Z";
  memcpy(iso, text + 12, 4);
  iso[5] = (char)('0' + (month + 1) / 10);
  iso[6] = (char)('0' + (month + 1) % 10);
  memcpy(iso + 8, text + 5, 2);
  memcpy(iso + 11, text + 17, 8);
  privy_time time;
  if (!privy_time_parse(iso, sizeof iso - 1, &time)) return false;
  *seconds = (double)time.seconds;
  return true;
}

void privy_http_date_text(char out[PRIVY_TIME_TEXT_SIZE], int64_t seconds) {
  static const char days[7][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* 1970-01-01 was a Thursday */
  privy_time time;
  privy_time_at(seconds, 0, &time);
  snprintf(out, PRIVY_TIME_TEXT_SIZE, "%s, %02u %s %04" PRId32 " %02u:%02u:%02u GMT", days[seconds / 86400 % 7],
           (unsigned)time.day, months[time.month - 1], time.year, (unsigned)time.hour, (unsigned)time.minute,
           (unsigned)time.second);
}
