/* The account's limits: requests per minute and per day. A window begins with the second of its first request, so that
 * a reset in whole seconds is exact. */
#ifndef PRIVY_SANDBOX_LIMITS_H
#define PRIVY_SANDBOX_LIMITS_H

#include "privy.h"

#define PRIVY_LIMITS_WINDOWS 2

typedef struct privy_sandbox_window {
  uint32_t limit;   /* 0: off */
  uint32_t seconds; /* length of the window */
  uint32_t used;
  double start;
  bool open;
} privy_sandbox_window;

/* The minute, then the day. */
typedef struct privy_sandbox_limits {
  privy_sandbox_window windows[PRIVY_LIMITS_WINDOWS];
} privy_sandbox_limits;

/* Sets the limits, and the length of a "minute" in seconds, and closes both windows. */
void privy_sandbox_limits_set(privy_sandbox_limits *limits, uint32_t per_minute, uint32_t per_day, uint32_t minute);
/* Closes both windows: nothing is used of them. */
void privy_sandbox_limits_restart(privy_sandbox_limits *limits);
/* Counts a request; false, without counting it, if a limit is reached. */
PRIVY_NODISCARD bool privy_sandbox_limits_take(privy_sandbox_limits *limits, double now);
/* Seconds, rounded up, until every reached limit resets; at least 1. */
int64_t privy_sandbox_limits_wait(const privy_sandbox_limits *limits, double now);
/* Appends the three header lines of each limit that is on: a limit that is off has nothing to report. False when memory
 * runs out. */
PRIVY_NODISCARD bool privy_sandbox_limits_headers(const privy_sandbox_limits *limits, double now, privy_buffer *out);

#endif
