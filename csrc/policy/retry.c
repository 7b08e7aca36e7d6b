#include "policy/retry.h"

#include <math.h>
#include <stddef.h>

#define QUOTA 500.0
#define COST 5.0
#define COST_OF_TIMEOUT 10.0
#define REFUND 1.0

#define REPEAT_WINDOW 30.0

#define BACKOFF_FIRST 0.5
#define BACKOFF_MOST 20.0

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

void privy_retry_quota_refund(privy_retry_quota *quota, privy_status retry_charged_for) {
  quota->tokens += retry_charged_for == PRIVY_OK ? REFUND : cost_of(retry_charged_for);
  if (quota->tokens > QUOTA) quota->tokens = QUOTA;
}

bool privy_retry_may_have_succeeded(int http_status, bool asks_to_wait) {
  if (http_status == 503) return !asks_to_wait;
  return http_status < 300 || http_status == 408 || http_status >= 500;
}

bool privy_retry_in_time(double lost_at, double at) {
  return at <= lost_at + REPEAT_WINDOW;
}

double privy_retry_backoff(int retry, double random) {
  double most = BACKOFF_FIRST * pow(2, retry < 16 ? retry : 16);
  return random * (most < BACKOFF_MOST ? most : BACKOFF_MOST);
}
