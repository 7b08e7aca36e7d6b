/* Response headers that say when to send again: the rate limits, Retry-After and Date. */
#ifndef PRIVY_MESSAGE_RATE_HEADERS_H
#define PRIVY_MESSAGE_RATE_HEADERS_H

#include "privy.h"

/* Nobody is asked to wait for longer than a day. */
#define PRIVY_LONGEST_WAIT 86400.0

/* The account's limits as the answer's headers tell them. */
typedef struct privy_rate_header {
  bool known;
  int64_t limit, remaining, resets_at; /* requests, requests, unix seconds */
} privy_rate_header;
typedef struct privy_rate_headers {
  privy_rate_header minute, day;
} privy_rate_headers;
void privy_rate_headers_read(const privy_response *response, privy_rate_headers *out);

/*
 * Reads a Retry-After header: seconds, or an HTTP date judged by the server's clock `now` (NAN: unknown, so that no
 * date can be judged). Negative when it says nothing that can be used; never more than a day.
 */
double privy_retry_after(const char *text, double now);
/* The server's clock by the response's Date header; `fallback` when it has none. */
double privy_response_date(const privy_response *response, double fallback);

#endif
