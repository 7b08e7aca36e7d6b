/* What headers say of time: HTTP dates and Retry-After. Pure functions of what they are given. */
#ifndef PRIVY_MESSAGE_HTTP_TIME_H
#define PRIVY_MESSAGE_HTTP_TIME_H

#include "privy.h"

/* Nobody is asked to wait for longer than a day. */
#define PRIVY_LONGEST_WAIT 86400.0

/* Reads an HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT"). False, changing nothing, when the text is not one. */
bool privy_http_date(const char *text, double *seconds);
/*
 * Reads a Retry-After header: seconds, or an HTTP date judged by the server's clock `now` (NAN: unknown, so that no
 * date can be judged). Negative when it says nothing that can be used; never more than a day.
 */
double privy_retry_after(const char *text, double now);
/* The server's clock by the response's Date header; `otherwise` when it has none. */
double privy_response_date(const privy_response *response, double otherwise);

#endif
