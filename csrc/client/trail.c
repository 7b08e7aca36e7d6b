#include "client/trail.h"

#include "base/memory.h"

void privy_trail_clear(privy_trail *trail) {
  privy_free(trail->events);
  *trail = (privy_trail){0};
}

privy_event *privy_trail_add(privy_trail *trail) {
  if (trail->count == trail->capacity) {
    size_t capacity = trail->capacity ? trail->capacity * 2 : 4;
    privy_event *larger = privy_realloc(trail->events, capacity * sizeof *larger);
    if (!larger) return NULL;
    trail->events = larger;
    trail->capacity = capacity;
  }
  privy_event *event = &trail->events[trail->count++];
  *event = (privy_event){0};
  return event;
}

bool privy_trail_take(privy_trail *trail, privy_event *out) {
  if (trail->first == trail->count) return false;
  *out = trail->events[trail->first++];
  if (trail->first == trail->count) trail->first = trail->count = 0;
  return true;
}
