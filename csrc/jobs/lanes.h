/*
 * Lanes keep rows with a common key in order: they run one after the other. There is one lane for each key. A row joins
 * the lanes of all its keys, and may run when it is the first in each of them. A lane exists while it has rows.
 */
#ifndef PRIVY_JOBS_LANES_H
#define PRIVY_JOBS_LANES_H

#include "base/map.h"

typedef struct privy_lane privy_lane;

/* A row's entry in one lane. The row embeds it; `owner` is the row. */
typedef struct privy_lane_entry {
  privy_lane *lane; /* NULL: in no lane */
  void *owner;
  struct privy_lane_entry *next;
} privy_lane_entry;

/* Start with {0}. */
typedef struct privy_lanes {
  privy_map by_key;
  privy_lane *first;
} privy_lanes;

/* Frees the lanes. Entries that are still in them must not be used afterwards. */
void privy_lanes_clear(privy_lanes *lanes);
/* Appends the entry to the lane of the key. False, with nothing changed, when memory runs out. */
PRIVY_NODISCARD bool privy_lanes_join(privy_lanes *lanes, const char *key, size_t length, privy_lane_entry *entry);
/* Whether the entry is the first in its lane, or in no lane. */
bool privy_lanes_is_first(const privy_lane_entry *entry);
/* Removes the entry from its lane. Returns the owner of the entry that becomes the first by this; NULL if none does. */
void *privy_lanes_leave(privy_lanes *lanes, privy_lane_entry *entry);

#endif
