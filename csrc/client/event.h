/* What is decided about the events of calls: how important each is, and how it reads. */
#ifndef PRIVY_CLIENT_EVENT_H
#define PRIVY_CLIENT_EVENT_H

#include "privy.h"

/* privy_event_level of an event that is not made yet. */
privy_level privy_event_level_of(privy_event_kind kind, privy_status failure, double seconds);

#endif
