/* The calendar, ISO 8601 and HTTP dates. privy.h declares privy_time_parse. */
#ifndef PRIVY_BASE_TIME_H
#define PRIVY_BASE_TIME_H

#include "privy.h"

#define PRIVY_TIME_TEXT_SIZE 64

/* Sets all members of `out`. */
void privy_time_at(int64_t seconds, int32_t nanos, privy_time *out);
/* Writes the time as ISO 8601 in UTC, with a fraction if there is one. */
void privy_time_text(char out[PRIVY_TIME_TEXT_SIZE], const privy_time *time);
/* Reads an HTTP date ("Sun, 06 Nov 1994 08:49:37 GMT"). Returns false and changes nothing if the text is not one. */
bool privy_http_date(const char *text, double *seconds);
/* Writes an HTTP date. `seconds` is not negative. */
void privy_http_date_text(char out[PRIVY_TIME_TEXT_SIZE], int64_t seconds);

#endif
