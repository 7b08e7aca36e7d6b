#include "jobs/lanes.h"

#include <string.h>

#include "base/memory.h"

struct privy_lane {
  privy_lane_entry *first, *last;
  privy_lane *next_lane, *previous_lane;
  size_t length;
  char key[];
};

static privy_lane *find(const privy_lanes *lanes, const char *key, size_t length) {
  size_t found = privy_map_get(&lanes->by_key, key, length);
  return found == PRIVY_MAP_NONE ? NULL : (privy_lane *)(uintptr_t)found;
}

static privy_lane *add(privy_lanes *lanes, const char *key, size_t length) {
  privy_lane *lane = length < SIZE_MAX - sizeof *lane ? privy_calloc(1, sizeof *lane + length) : NULL;
  if (!lane) return NULL;
  lane->length = length;
  memcpy(lane->key, key, length);
  if (!privy_map_set(&lanes->by_key, key, length, (size_t)(uintptr_t)lane)) {
    privy_free(lane);
    return NULL;
  }
  lane->next_lane = lanes->first;
  if (lanes->first) lanes->first->previous_lane = lane;
  lanes->first = lane;
  return lane;
}

static void free_lane(privy_lanes *lanes, privy_lane *lane) {
  if (lane->previous_lane)
    lane->previous_lane->next_lane = lane->next_lane;
  else
    lanes->first = lane->next_lane;
  if (lane->next_lane) lane->next_lane->previous_lane = lane->previous_lane;
  privy_map_remove(&lanes->by_key, lane->key, lane->length);
  privy_free(lane);
}

void privy_lanes_clear(privy_lanes *lanes) {
  while (lanes->first) free_lane(lanes, lanes->first);
  privy_map_clear(&lanes->by_key);
}

bool privy_lanes_join(privy_lanes *lanes, const char *key, size_t length, privy_lane_entry *entry) {
  privy_lane *lane = find(lanes, key, length);
  if (!lane) lane = add(lanes, key, length);
  if (!lane) return false;
  entry->lane = lane;
  entry->next = NULL;
  if (lane->last)
    lane->last->next = entry;
  else
    lane->first = entry;
  lane->last = entry;
  return true;
}

bool privy_lanes_is_first(const privy_lane_entry *entry) {
  return !entry->lane || entry->lane->first == entry;
}

void *privy_lanes_leave(privy_lanes *lanes, privy_lane_entry *entry) {
  privy_lane *lane = entry->lane;
  if (!lane) return NULL;
  privy_lane_entry *previous = NULL, *at = lane->first;
  while (at != entry) {
    previous = at;
    at = at->next;
  }
  if (previous)
    previous->next = entry->next;
  else
    lane->first = entry->next;
  if (lane->last == entry) lane->last = previous;
  entry->lane = NULL;
  if (!lane->first) {
    free_lane(lanes, lane);
    return NULL;
  }
  return previous ? NULL : lane->first->owner;
}
