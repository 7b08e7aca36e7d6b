/* The trace events of calls, in order, until the driver of their group takes them. */
#ifndef PRIVY_CALL_TRACE_H
#define PRIVY_CALL_TRACE_H

#include "privy.h"

/* The kinds of events that have the times and bytes of a transfer, as 1 << kind. */
#define PRIVY_TRACE_MEASURED (1u << PRIVY_TRACE_RESPONSE | 1u << PRIVY_TRACE_FAILURE)

/* Start with {0}. */
typedef struct privy_trace {
  privy_trace_event *events;
  size_t first, count, capacity;
} privy_trace;

void privy_trace_clear(privy_trace *trace);
/* Appends an event of zeros and returns it, valid until the next call; NULL when memory runs out. */
privy_trace_event *privy_trace_add(privy_trace *trace);
/* Moves the oldest event to `*out`; false if there is none. */
bool privy_trace_take(privy_trace *trace, privy_trace_event *out);

#endif
