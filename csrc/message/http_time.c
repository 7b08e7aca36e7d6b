#include "message/http_time.h"

#include <math.h>
#include <string.h>

#include "base/text.h"

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

/* Digits, and a fraction that some servers add. */
static bool read_seconds(const char *text, size_t length, double *seconds) {
  double unit = 1;
  bool fraction = false;
  *seconds = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] == '.' && !fraction && i > 0 && i + 1 < length)
      fraction = true;
    else if (!privy_is_digit(text[i]))
      return false;
    else if (fraction)
      *seconds += (text[i] - '0') * (unit /= 10);
    else
      *seconds = fmin(*seconds * 10 + (text[i] - '0'), PRIVY_LONGEST_WAIT);
  }
  return length > 0;
}

double privy_retry_after(const char *text, double now) {
  double seconds;
  if (read_seconds(text, strlen(text), &seconds)) return fmin(seconds, PRIVY_LONGEST_WAIT);
  if (!privy_http_date(text, &seconds) || isnan(now)) return -1;
  return fmin(fmax(seconds - now, 0), PRIVY_LONGEST_WAIT);
}

double privy_response_date(const privy_response *response, double otherwise) {
  const char *date = privy_response_header(response, "Date");
  double seconds;
  return date && privy_http_date(date, &seconds) ? seconds : otherwise;
}
