/* Shared libraries that are loaded when they are first needed. */
#ifndef PRIVY_BASE_LIBRARY_H
#define PRIVY_BASE_LIBRARY_H

#include "privy.h"

/* Opens the library by the first of its names that can be opened; it stays open. NULL, with the system's reason for the
 * first name, which is the usual one, in `reason`. */
void *privy_library_open(const char *const *names, size_t count, char *reason, size_t size);
/* Stores a function of the library in `out`, a pointer to a function pointer. False if the library lacks it. */
PRIVY_NODISCARD bool privy_library_find(void *library, const char *name, void *out);

#endif
