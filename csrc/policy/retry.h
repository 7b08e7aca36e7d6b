/* How many retries a client may make, and how long each waits. Pure functions of their arguments. */
#ifndef PRIVY_POLICY_RETRY_H
#define PRIVY_POLICY_RETRY_H

#include "privy.h"

/*
 * Bounds the retries of a client, so that they do not make an outage worse. A retry costs tokens, a successful response
 * refunds some. If hardly any call succeeds the quota becomes empty, and calls fail after their first attempt.
 */
typedef struct privy_retry_quota {
  double tokens;
} privy_retry_quota;

void privy_retry_quota_init(privy_retry_quota *quota);
/* Whether the quota has the tokens that a retry after this failure costs. */
bool privy_retry_quota_covers(const privy_retry_quota *quota, privy_status failure);
/* Takes these tokens. */
void privy_retry_quota_charge(privy_retry_quota *quota, privy_status failure);
/* Refunds tokens after a successful response. `charged_for`: the failure that the call's last retry was charged for;
 * PRIVY_OK if it had none. */
void privy_retry_quota_refund(privy_retry_quota *quota, privy_status charged_for);

/* Seconds of backoff before a retry, with full jitter. `retry`: its number, from 1; `random`: in [0, 1). */
double privy_retry_backoff(int retry, double random);

#endif
