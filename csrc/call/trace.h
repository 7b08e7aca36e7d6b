/* The events of calls, kept in their order until the group's driver takes them. */
#ifndef PRIVY_CALL_TRACE_H
#define PRIVY_CALL_TRACE_H

#include "privy.h"

/* Start with {0}. */
typedef struct privy_trace {
  privy_trace_event *events;
  size_t first, count, capacity;
} privy_trace;

void privy_trace_clear(privy_trace *trace);
/* Room for one more event, all zero, at the end; NULL when memory runs out. */
privy_trace_event *privy_trace_add(privy_trace *trace);
/* Takes the oldest event; false when there is none. */
bool privy_trace_take(privy_trace *trace, privy_trace_event *out);

#endif
