/* Whether a path that a user wrote stays below the base URL, however a server may read it. */
#ifndef PRIVY_MESSAGE_PATH_H
#define PRIVY_MESSAGE_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * True for a path, which may carry a query, that starts with "/", holds visible ASCII only and has no ".." segment.
 * Percent-encoding is undone as often as it was done; encoded slashes, backslashes, semicolons and control characters
 * end a segment too, for some server takes each of them for the end.
 */
bool privy_path_is_safe(const char *text, size_t length);

#endif
