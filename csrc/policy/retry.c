#include "policy/retry.h"

#include <math.h>
#include <stddef.h>

/* In tokens. */
#define QUOTA 500.0
#define COST 5.0
#define COST_OF_TIMEOUT 10.0
#define REFUND 1.0

/* In seconds. */
#define FIRST_BACKOFF 0.5
#define MAX_BACKOFF 20.0

void privy_retry_quota_init(privy_retry_quota *quota) {
  quota->tokens = QUOTA;
}

static double cost_of(privy_status failure) {
  return failure == PRIVY_TIMEOUT ? COST_OF_TIMEOUT : COST;
}

bool privy_retry_quota_covers(const privy_retry_quota *quota, privy_status failure) {
  return quota->tokens >= cost_of(failure);
}

void privy_retry_quota_charge(privy_retry_quota *quota, privy_status failure) {
  quota->tokens -= cost_of(failure);
}

void privy_retry_quota_refund(privy_retry_quota *quota, privy_status charged_for) {
  quota->tokens += charged_for == PRIVY_OK ? REFUND : cost_of(charged_for);
  if (quota->tokens > QUOTA) quota->tokens = QUOTA;
}

double privy_retry_backoff(int retry, double random) {
  double longest = FIRST_BACKOFF * pow(2, retry < 16 ? retry : 16);
  return random * (longest < MAX_BACKOFF ? longest : MAX_BACKOFF);
}
