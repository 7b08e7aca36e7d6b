/*
 * Lanes: rows that have a key in common run one after the other, in the order in which they came. A row joins one lane
 * for each of its keys and may run when it is the first of all of them. A lane exists as long as it holds a row.
 */
#ifndef PRIVY_JOBS_LANES_H
#define PRIVY_JOBS_LANES_H

#include "base/map.h"

typedef struct privy_lane privy_lane;

/* A row's position in one lane. The row embeds it; `owner` is the row. */
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

/* Frees the lanes; places that are still in them must not be used afterwards. */
void privy_lanes_clear(privy_lanes *lanes);
/* Appends the place to the lane of the key. False, changing nothing, when memory runs out. */
PRIVY_NODISCARD bool privy_lanes_join(privy_lanes *lanes, const char *key, size_t length, privy_lane_entry *place);
/* True when no earlier row is in the place's lane. */
bool privy_lanes_is_first(const privy_lane_entry *place);
/* Takes the place out of its lane. Returns the owner of the place that became the first by this, NULL if none did. */
void *privy_lanes_leave(privy_lanes *lanes, privy_lane_entry *place);

#endif
