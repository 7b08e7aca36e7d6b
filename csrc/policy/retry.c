#include "policy/retry.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

#define QUOTA 500.0
#define COST 5.0
#define COST_OF_TIMEOUT 10.0
#define REFUND 1.0

#define BACKOFF_FIRST 0.5
#define BACKOFF_MOST 20.0
#define DAY 86400.0

void privy_retry_quota_init(privy_retry_quota *quota) {
  quota->tokens = QUOTA;
}

static double cost_of(privy_status failure) {
  return failure == PRIVY_TIMEOUT ? COST_OF_TIMEOUT : COST;
}

bool privy_retry_quota_take(privy_retry_quota *quota, privy_status failure) {
  if (quota->tokens < cost_of(failure)) return false;
  quota->tokens -= cost_of(failure);
  return true;
}

void privy_retry_quota_refund(privy_retry_quota *quota, privy_status taken_for) {
  quota->tokens += taken_for == PRIVY_OK ? REFUND : cost_of(taken_for);
  if (quota->tokens > QUOTA) quota->tokens = QUOTA;
}

bool privy_retry_helps(privy_status failure, int http_status) {
  if (failure == PRIVY_CONNECTION || failure == PRIVY_TIMEOUT) return true;
  static const int passing[] = {408, 429, 500, 502, 503, 504};
  for (size_t i = 0; i < sizeof passing / sizeof passing[0]; i++)
    if (http_status == passing[i]) return true;
  return false;
}

double privy_retry_backoff(int retry, double random) {
  double most = BACKOFF_FIRST * pow(2, retry < 16 ? retry : 16);
  return random * (most < BACKOFF_MOST ? most : BACKOFF_MOST);
}

bool privy_http_date(const char *text, double *seconds) {
  static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (strlen(text) != 29 || memcmp(text + 3, ", ", 2) != 0 || memcmp(text + 25, " GMT", 4) != 0) return false;
  int month = 0;
  while (month < 12 && memcmp(months + 3 * month, text + 8, 3) != 0) month++;
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

static bool read_seconds(const char *text, size_t length, double *seconds) {
  *seconds = 0;
  for (size_t i = 0; i < length; i++) {
    if (!privy_is_digit(text[i])) return text[i] == '.' && i > 0;
    *seconds = *seconds * 10 + (text[i] - '0');
    if (*seconds > DAY) *seconds = DAY;
  }
  return length > 0;
}

double privy_retry_after(const char *text, double now) {
  double seconds;
  if (privy_http_date(text, &seconds))
    seconds = seconds > now ? seconds - now : 0;
  else if (!read_seconds(text, strlen(text), &seconds))
    return -1;
  return seconds < DAY ? seconds : DAY;
}
