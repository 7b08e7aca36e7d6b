/* When a call is worth another attempt, and how long to wait before it. Pure functions of what they are given. */
#ifndef PRIVY_POLICY_RETRY_H
#define PRIVY_POLICY_RETRY_H

#include "privy.h"

/*
 * What a client may spend on retries, so that an outage is not made worse: a retry takes tokens out, an answer puts
 * some back. An empty quota means that hardly anything succeeds; then calls fail after their first attempt.
 */
typedef struct privy_retry_quota {
  double tokens;
} privy_retry_quota;

void privy_retry_quota_init(privy_retry_quota *quota);
/* Takes what a retry after this failure costs; false, taking nothing, when the quota does not have it. */
bool privy_retry_quota_take(privy_retry_quota *quota, privy_status failure);
/* A call got its answer; `retry_charged_for` is the failure that its last retry paid for, or PRIVY_OK. */
void privy_retry_quota_refund(privy_retry_quota *quota, privy_status retry_charged_for);

/*
 * True when the server may have acted on a request although it ended in a failure. `http_status` is 0 without an
 * answer; `asks_to_wait`: the answer carries a Retry-After. What never arrived is not for this function.
 */
bool privy_retry_may_have_succeeded(int http_status, bool asks_to_wait);
/*
 * True when a write that may have succeeded may still be repeated `at` an instant: at most 30 seconds after it was
 * lost. Later it could undo what happened since: who has unsubscribed meanwhile must not be subscribed again.
 */
bool privy_retry_in_time(double lost_at, double at);
/* Seconds of backoff before retry number `retry` (from 1): full jitter, `random` being in [0, 1). */
double privy_retry_backoff(int retry, double random);

#endif
