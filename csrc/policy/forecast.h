/* How long a number of requests takes within the rate limits. A pure function of its arguments. */
#ifndef PRIVY_POLICY_FORECAST_H
#define PRIVY_POLICY_FORECAST_H

#include "privy.h"

/*
 * Seconds from `now` until the minute begins in which the last of `requests` can be sent, `reserve` requests of each
 * minute being left to others. 0: all can be sent in the current minute. Negative: the day's limit does not allow them.
 * An unknown limit does not count.
 */
double privy_forecast(const privy_rate_limit *minute, const privy_rate_limit *day, int64_t reserve, double requests,
                      double now);

/* The same without an end: what a day does not allow is sent on the following days. An unknown limit counts as the one
 * that Privy publishes. */
double privy_forecast_days(const privy_rate_limit *minute, const privy_rate_limit *day, int64_t reserve,
                           double requests, double now);

#endif
