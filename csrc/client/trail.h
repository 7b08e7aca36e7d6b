/* The steps of calls, kept in their order until somebody takes them. A call writes, the group's driver takes. */
#ifndef PRIVY_CLIENT_TRAIL_H
#define PRIVY_CLIENT_TRAIL_H

#include "privy.h"

/* Start with {0}. */
typedef struct privy_trail {
  privy_event *events;
  size_t first, count, capacity;
} privy_trail;

void privy_trail_clear(privy_trail *trail);
/* Room for one more step, all zero, at the end; NULL when memory runs out. */
privy_event *privy_trail_add(privy_trail *trail);
/* Takes the oldest step; false when there is none. */
bool privy_trail_take(privy_trail *trail, privy_event *out);

#endif
