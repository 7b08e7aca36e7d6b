/* How long an account's limits make a number of requests last. A pure function of what it is given. */
#ifndef PRIVY_POLICY_FORECAST_H
#define PRIVY_POLICY_FORECAST_H

#include "privy.h"

/*
 * Seconds from `now` until the minute that has room for the last of `requests` begins, `reserve` of each minute being
 * left to others: 0 when the present minute has room for all. Negative when the day's budget has not.
 * A limit that is not known holds nothing back.
 */
double privy_forecast(const privy_rate_limit *minute, const privy_rate_limit *day, int64_t reserve, double requests,
                      double now);

#endif
