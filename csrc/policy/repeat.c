#include "policy/repeat.h"

/* Seconds. */
#define REPEAT_WINDOW 30.0

/* A 503 with Retry-After was not processed. */
bool privy_repeat_may_have_succeeded(int http_status, bool has_retry_after) {
  if (http_status == 503) return !has_retry_after;
  return http_status < 300 || http_status == 408 || http_status >= 500;
}

bool privy_repeat_in_time(double lost_at, double at) {
  return at <= lost_at + REPEAT_WINDOW;
}
