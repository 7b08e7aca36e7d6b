#include "message/rate_headers.h"

#include <math.h>
#include <string.h>

#include "base/text.h"
#include "base/time.h"

/* ---- rate limits ---- */

/* Integers up to here are exact as doubles, and sums of a few of them do not overflow. */
#define LARGEST_LIMIT ((int64_t)1 << 53)

/* Ignores all three numbers if one is implausible. */
static void read_limit(const privy_response *response, const char *const names[3], privy_rate_header *out) {
  int64_t *const values[3] = {&out->limit, &out->remaining, &out->resets_at};
  *out = (privy_rate_header){.known = true};
  for (int i = 0; out->known && i < 3; i++) {
    const char *text = privy_response_header(response, names[i]);
    out->known = text && privy_parse_int64(text, strlen(text), values[i]);
  }
  out->known = out->known && out->limit > 0 && out->limit <= LARGEST_LIMIT && out->remaining >= 0 &&
               out->remaining <= out->limit && out->resets_at > 0 && out->resets_at <= LARGEST_LIMIT;
}

void privy_rate_headers_read(const privy_response *response, privy_rate_headers *out) {
  static const char *const minute[3] = {"X-RateLimit-Limit-Minute", "X-RateLimit-Remaining-Minute",
                                        "X-RateLimit-Reset-Minute"};
  static const char *const day[3] = {"X-RateLimit-Limit-Day", "X-RateLimit-Remaining-Day", "X-RateLimit-Reset-Day"};
  read_limit(response, minute, &out->minute);
  read_limit(response, day, &out->day);
}

/* ---- Retry-After and Date ---- */

/* Digits, and the fraction that some servers add. */
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

double privy_response_date(const privy_response *response, double fallback) {
  const char *date = privy_response_header(response, "Date");
  double seconds;
  return date && privy_http_date(date, &seconds) ? seconds : fallback;
}
