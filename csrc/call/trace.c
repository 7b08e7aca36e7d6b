#include "call/trace.h"

#include "base/memory.h"

void privy_trace_clear(privy_trace *trace) {
  privy_free(trace->events);
  *trace = (privy_trace){0};
}

privy_trace_event *privy_trace_add(privy_trace *trace) {
  if (trace->count == trace->capacity) {
    size_t capacity = trace->capacity ? trace->capacity * 2 : 4;
    privy_trace_event *larger = privy_realloc(trace->events, capacity * sizeof *larger);
    if (!larger) return NULL;
    trace->events = larger;
    trace->capacity = capacity;
  }
  privy_trace_event *event = &trace->events[trace->count++];
  *event = (privy_trace_event){0};
  return event;
}

bool privy_trace_take(privy_trace *trace, privy_trace_event *out) {
  if (trace->first == trace->count) return false;
  *out = trace->events[trace->first++];
  if (trace->first == trace->count) trace->first = trace->count = 0;
  return true;
}
