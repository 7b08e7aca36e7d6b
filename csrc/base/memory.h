/*
 * The core's one allocator. All layers allocate with privy_alloc, privy_realloc and privy_free
 * (declared in privy.h, next to the hook that makes the nth one fail).
 */
#ifndef PRIVY_BASE_MEMORY_H
#define PRIVY_BASE_MEMORY_H

#include "privy.h"

/* A zeroed block for `count` items of `size` bytes; NULL when memory runs out or the product overflows. */
PRIVY_NODISCARD void *privy_calloc(size_t count, size_t size);

/* A NUL-terminated copy of `length` bytes; NULL when memory runs out. The caller frees it with privy_free. */
PRIVY_NODISCARD char *privy_copy(const char *text, size_t length);

/*
 * Reserves space for one more item in a growing array: returns `items`, moved if necessary, with `*capacity` updated,
 * or NULL (the old array stays valid) when memory runs out.
 */
PRIVY_NODISCARD void *privy_grow(void *items, size_t count, size_t *capacity, size_t size);

#endif
