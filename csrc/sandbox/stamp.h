/* Ids, secrets and times as the sandbox makes them: from a serial number and its own clock, so that runs repeat. */
#ifndef PRIVY_SANDBOX_STAMP_H
#define PRIVY_SANDBOX_STAMP_H

#include "privy.h"

#define PRIVY_STAMP_ID 24
#define PRIVY_STAMP_SECRET 64
#define PRIVY_STAMP_TIME 64

/* The last second that a date-time of four digits of year can tell. */
#define PRIVY_STAMP_LAST 253402300799.0

/* `prefix` (at most 7 bytes) and 16 hexadecimal digits, others for every serial. */
void privy_stamp_id(char out[PRIVY_STAMP_ID], const char *prefix, uint64_t serial);
/* An access token: looks random, differs for every serial. */
void privy_stamp_secret(char out[PRIVY_STAMP_SECRET], uint64_t serial);
/* The instant (0 to PRIVY_STAMP_LAST) as ISO 8601 in UTC, with milliseconds when there are any. */
void privy_stamp_now(char out[PRIVY_STAMP_TIME], double now);
/* The same for an instant given apart. */
void privy_stamp_time(char out[PRIVY_STAMP_TIME], const privy_time *time);
/* The instant as a Date header has it. */
void privy_stamp_http(char out[PRIVY_STAMP_TIME], double now);

#endif
