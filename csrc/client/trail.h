/* The events of calls, kept in their order until the group's driver takes them. */
#ifndef PRIVY_CLIENT_TRAIL_H
#define PRIVY_CLIENT_TRAIL_H

#include "privy.h"

/* Start with {0}. */
typedef struct privy_trail {
  privy_event *events;
  size_t first, count, capacity;
} privy_trail;

void privy_trail_clear(privy_trail *trail);
/* Room for one more event, all zero, at the end; NULL when memory runs out. */
privy_event *privy_trail_add(privy_trail *trail);
/* Takes the oldest event; false when there is none. */
bool privy_trail_take(privy_trail *trail, privy_event *out);

#endif
