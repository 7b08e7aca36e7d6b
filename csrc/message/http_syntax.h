/* The syntax of what a user puts into a raw request: header names, header values and paths. */
#ifndef PRIVY_MESSAGE_HTTP_SYNTAX_H
#define PRIVY_MESSAGE_HTTP_SYNTAX_H

#include <stdbool.h>
#include <stddef.h>

/* True for a token of RFC 9110, such as the name of a header. */
bool privy_is_token(const char *text, size_t length);
/* True for visible ASCII, spaces and tabs, without white space at either end. */
bool privy_is_header_value(const char *text, size_t length);
/*
 * True for a path, with or without a query, that starts with "/", consists of visible ASCII and has no ".." segment.
 * Percent-encoding is decoded repeatedly. Encoded slashes, backslashes, semicolons and control characters end a segment
 * too, because some servers treat them so.
 */
bool privy_path_is_safe(const char *text, size_t length);

#endif
