/* Ids, secrets and times as the sandbox makes them: from a serial number and its own clock, so that runs repeat. */
#ifndef PRIVY_SANDBOX_IDS_H
#define PRIVY_SANDBOX_IDS_H

#include "base/time.h"
#include "privy.h"

#define PRIVY_ID_SIZE 24
#define PRIVY_SECRET_SIZE 64

/* The last second of year 9999. */
#define PRIVY_LAST_TIME 253402300799.0

/* `prefix` (at most 7 bytes) and 16 hexadecimal digits, others for every serial. */
void privy_make_id(char out[PRIVY_ID_SIZE], const char *prefix, uint64_t serial);
/* An access token: looks random, differs for every serial. */
void privy_make_secret(char out[PRIVY_SECRET_SIZE], uint64_t serial);
/* The instant (0 to PRIVY_LAST_TIME) as ISO 8601 in UTC, with milliseconds when there are any. */
void privy_now_text(char out[PRIVY_TIME_TEXT_SIZE], double now);

#endif
