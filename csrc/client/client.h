/* What lies inside the privy_client of privy.h: settings, what calls share, and groups that wait to be used again. */
#ifndef PRIVY_CLIENT_CLIENT_H
#define PRIVY_CLIENT_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/call.h"

struct privy_client {
  privy_settings settings;
  privy_sandbox *sandbox; /* NULL: the network answers */
  pthread_mutex_t mutex;  /* guards all below */
  privy_account account;
  privy_group *idle;  /* groups of calls that have ended, with their connections */
  atomic_int process; /* whose connections these are; negative: it is just starting afresh */
};

/* The clock that the client's calls go by. */
double privy_client_now(const privy_client *client);
/* privy_call_next, _answered and _failed under the client's lock. */
privy_call_step privy_client_next(privy_client *client, privy_call *call);
void privy_client_answered(privy_client *client, privy_call *call, privy_incoming *incoming);
void privy_client_failed(privy_client *client, privy_call *call);
/* Starts afresh in the child of a fork, whichever of its threads comes first: the token is kept, connections and locks
 * are the parent's. */
void privy_client_check_process(privy_client *client);

/* Makes the group start a call of a request that stays the caller's. */
PRIVY_NODISCARD privy_status privy_group_start_shared(privy_group *group, const privy_request *request,
                                                      const privy_options *options, uint64_t id, privy_error *error);
/* Ends a call before its time and gives it an outcome, PRIVY_INTERRUPTED. */
void privy_group_interrupt(privy_group *group, uint64_t id);
/* An idle group, NULL when there is none; and back. */
privy_group *privy_client_take_idle(privy_client *client);
void privy_client_give_idle(privy_client *client, privy_group *group);
/* The next of the client's idle groups. */
privy_group **privy_group_link(privy_group *group);
/* Frees a group that has no calls, and its connections. */
void privy_group_destroy(privy_group *group);
/* The same without touching the connections. */
void privy_group_abandon(privy_group *group);

#endif
