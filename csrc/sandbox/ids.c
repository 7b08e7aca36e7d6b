#include "sandbox/ids.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Spreads a serial over all 64 bits. Every step can be undone, so that no two serials give the same. */
static uint64_t scatter(uint64_t value) {
  value += UINT64_C(0x9E3779B97F4A7C15);
  value ^= value >> 31;
  value *= UINT64_C(0xD6E8FEB86659FD93);
  value ^= value >> 29;
  value *= UINT64_C(0xA0761D6478BD642F);
  return value ^ value >> 32;
}

void privy_make_id(char out[PRIVY_ID_SIZE], const char *prefix, uint64_t serial) {
  snprintf(out, PRIVY_ID_SIZE, "%.7s%016" PRIx64, prefix, scatter(serial ^ (uint64_t)(unsigned char)*prefix << 56));
}

void privy_make_secret(char out[PRIVY_SECRET_SIZE], uint64_t serial) {
  const uint64_t first = scatter(serial), second = scatter(~first), third = scatter(second ^ serial);
  snprintf(out, PRIVY_SECRET_SIZE, "privy_oauth_%016" PRIx64 "%016" PRIx64 "%08" PRIx32, first, second,
           (uint32_t)(third >> 32));
}

static bool is_leap(int32_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* Days from 1970-01-01 to the first day of the year. */
static int64_t days_before(int32_t year) {
  const int64_t past = year - 1;
  return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static void set_date(privy_time *time, int64_t days) {
  static const uint8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  time->year = 1970 + (int32_t)(days / 366);
  while (days_before(time->year + 1) <= days) time->year++;
  days -= days_before(time->year);
  for (time->month = 1; time->month < 12; time->month++) {
    const int64_t length = lengths[time->month - 1] + (time->month == 2 && is_leap(time->year) ? 1 : 0);
    if (days < length) break;
    days -= length;
  }
  time->day = (uint8_t)(days + 1);
}

static privy_time time_of(double now) {
  const int64_t millis = (int64_t)(now * 1000.0 + 0.5);
  const int64_t seconds = millis / 1000;
  privy_time time = {.seconds = seconds, .nanos = (int32_t)(millis % 1000) * 1000000};
  set_date(&time, seconds / 86400);
  time.hour = (uint8_t)(seconds / 3600 % 24);
  time.minute = (uint8_t)(seconds / 60 % 60);
  time.second = (uint8_t)(seconds % 60);
  return time;
}

void privy_now_text(char out[PRIVY_TIME_TEXT_SIZE], double now) {
  const privy_time time = time_of(now);
  privy_time_text(out, &time);
}

void privy_http_stamp(char out[PRIVY_TIME_TEXT_SIZE], double now) {
  static const char days[][4] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"}; /* 1970-01-01 was a Thursday */
  static const char months[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const privy_time time = time_of(floor(now));
  snprintf(out, PRIVY_TIME_TEXT_SIZE, "%s, %02u %s %04" PRId32 " %02u:%02u:%02u GMT", days[time.seconds / 86400 % 7],
           (unsigned)time.day, months[time.month - 1], time.year, (unsigned)time.hour, (unsigned)time.minute,
           (unsigned)time.second);
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
