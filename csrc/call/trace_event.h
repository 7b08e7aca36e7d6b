/* What is decided about the events of calls: how important each is, and how it reads. */
#ifndef PRIVY_CALL_TRACE_EVENT_H
#define PRIVY_CALL_TRACE_EVENT_H

#include "privy.h"

/* privy_trace_level of an event that is not made yet. */
privy_level privy_trace_level_of(privy_trace_kind kind, privy_status failure, double seconds);

#endif
