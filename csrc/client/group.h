/* The functions of a privy_group (privy.h) that bulk runs and blocking calls use. */
#ifndef PRIVY_CLIENT_GROUP_H
#define PRIVY_CLIENT_GROUP_H

#include "client/client.h"

/* Starts a call as privy_group_start does, but the caller keeps the request, which must outlive the call. */
PRIVY_NODISCARD privy_status privy_group_start_borrowed(privy_group *group, const privy_request *request,
                                                        const privy_options *options, uint64_t id, privy_error *error);
/* Bounds the calls that are in flight at once; 0: no bound, the default. */
void privy_group_set_max_in_flight(privy_group *group, size_t calls);
privy_client *privy_group_client(const privy_group *group);
/* False in the child of a fork: the group and its calls belong to the parent. */
bool privy_group_is_own(const privy_group *group);
/* The call with this id, owned by the group; NULL if there is none. */
privy_call *privy_group_find(const privy_group *group, uint64_t id);
/* Whether privy_group_next_completed has a completion to return. */
bool privy_group_has_completed(const privy_group *group);
/* The number of calls that wait for a retry's backoff. */
size_t privy_group_backing_off(const privy_group *group);
/* Seconds until the first call that waits for budget, a token or a retry may continue. Negative if none waits, or if a
 * call is in flight, ready or completed. */
double privy_group_idle_seconds(const privy_group *group);
/* Ends a call early: its completion has the status PRIVY_INTERRUPTED. */
void privy_group_interrupt(privy_group *group, uint64_t id);

#endif
