/* The level of a trace event, and its text and attributes (the functions of privy.h). */
#ifndef PRIVY_CALL_TRACE_EVENT_H
#define PRIVY_CALL_TRACE_EVENT_H

#include "privy.h"

/* privy_trace_level of an event that would have this kind, failure and seconds. */
privy_level privy_trace_level_of(privy_trace_kind kind, privy_status failure, double seconds);

#endif
