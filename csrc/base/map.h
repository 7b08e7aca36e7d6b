/* A hash table from text to a position in an array of the caller. Keys are copied. */
#ifndef PRIVY_BASE_MAP_H
#define PRIVY_BASE_MAP_H

#include "privy.h"

typedef struct privy_map_slot privy_map_slot;

/* Start with {0}. */
typedef struct privy_map {
  privy_map_slot *slots;
  size_t count;
  size_t used; /* slots that hold or held a key */
  size_t capacity;
} privy_map;

#define PRIVY_MAP_NONE SIZE_MAX

void privy_map_clear(privy_map *map);
/* The value of the key; PRIVY_MAP_NONE if it has none. */
size_t privy_map_get(const privy_map *map, const char *key, size_t length);
/* Sets the key's value (not PRIVY_MAP_NONE). False, changing nothing, when memory runs
 * out. */
PRIVY_NODISCARD bool privy_map_set(privy_map *map, const char *key, size_t length, size_t value);
/* Copies the map into `out`, which is empty. False, leaving it empty, when memory runs out. */
PRIVY_NODISCARD bool privy_map_copy(privy_map *out, const privy_map *map);
/* Removes the key if it is there. */
void privy_map_remove(privy_map *map, const char *key, size_t length);

#endif
