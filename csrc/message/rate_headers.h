/* Response headers that say when to send again: the rate limits, Retry-After and Date. */
#ifndef PRIVY_MESSAGE_RATE_HEADERS_H
#define PRIVY_MESSAGE_RATE_HEADERS_H

#include "privy.h"

/* The longest wait, in seconds: a day. */
#define PRIVY_LONGEST_WAIT 86400.0

/* The account's rate limits from the response headers. */
typedef struct privy_rate_header {
  bool known;
  int64_t limit, remaining, resets_at; /* requests, requests, unix seconds */
} privy_rate_header;
typedef struct privy_rate_headers {
  privy_rate_header minute, day;
} privy_rate_headers;
void privy_rate_headers_read(const privy_response *response, privy_rate_headers *out);

/*
 * Reads a Retry-After header: seconds, or an HTTP date relative to the server's clock `now` (NAN: unknown, then a date
 * is invalid). Negative if it is invalid; never more than a day.
 */
double privy_retry_after(const char *text, double now);
/* The server's clock by the response's Date header; `fallback` when it has none. */
double privy_response_date(const privy_response *response, double fallback);

#endif
