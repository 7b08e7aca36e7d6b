/* When a write whose response was lost may be sent again. Pure functions of their arguments. */
#ifndef PRIVY_POLICY_REPEAT_H
#define PRIVY_POLICY_REPEAT_H

#include "privy.h"

/*
 * Whether the server may have processed a request that failed. `http_status`: 0 if no response came;
 * `has_retry_after`: the response has a Retry-After header. Do not ask about a request that never arrived.
 */
bool privy_repeat_may_have_succeeded(int http_status, bool has_retry_after);
/*
 * Whether such a write may be repeated at the instant `at`: at most 30 seconds after `lost_at`, when it was lost first.
 * Later it could undo other changes: it must not subscribe a contact that has unsubscribed since.
 */
bool privy_repeat_in_time(double lost_at, double at);

#endif
