/* What lies inside the privy_client of privy.h: settings, what calls share, and groups that wait to be used again. */
#ifndef PRIVY_CLIENT_CLIENT_H
#define PRIVY_CLIENT_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>

#include "call/call.h"

struct privy_client {
  privy_settings settings;
  privy_sandbox *sandbox; /* NULL: the network answers */
  pthread_mutex_t mutex;  /* guards all below */
  privy_account account;
  privy_group *idle; /* groups without calls, with their connections; the one used last comes first */
  size_t idle_count;
  double idle_checked_at; /* by privy_monotonic: when those that are closed were looked for last */
  atomic_int process;     /* whose connections these are; negative: it is just starting afresh */
};

/* The clock that the client's calls go by: the sandbox's, else one that is never set. */
double privy_client_now(const privy_client *client);
/* An instant of that clock as users know it: by the sandbox's clock, else by the wall clock. */
double privy_client_wall(const privy_client *client, double instant);
/* privy_call_next, _answered and _failed under the client's lock. */
privy_call_step privy_client_next(privy_client *client, privy_call *call);
void privy_client_received(privy_client *client, privy_call *call, privy_wire_response *wire_response);
void privy_client_failed(privy_client *client, privy_call *call);
/* The call that made this token request (privy_call.fetch) is being driven. */
void privy_client_drive_fetch(privy_client *client, uint64_t fetch);
/* Starts afresh in the child of a fork, whichever of its threads comes first: the token is kept, connections and locks
 * are the parent's. */
void privy_client_check_process(privy_client *client);

/* Makes the group start a call of a request that stays the caller's. */
PRIVY_NODISCARD privy_status privy_group_start_shared(privy_group *group, const privy_request *request,
                                                      const privy_options *options, uint64_t id, privy_error *error);
/* At most so many calls of the group are on the wire at once; 0: any number. */
void privy_group_limit(privy_group *group, size_t most);
privy_client *privy_group_client(const privy_group *group);
/* False in the child of a fork: the calls are the parent's. */
bool privy_group_is_own(const privy_group *group);
/* The call of this id, NULL when none is under way. */
privy_call *privy_group_find(const privy_group *group, uint64_t id);
/* Calls that wait for a retry's backoff. */
size_t privy_group_backing_off(const privy_group *group);
/* Seconds until the first call that waits for budget, a token or a retry may go on. Negative when none waits, or
 * while another call is on the wire or has ended. */
double privy_group_idle_seconds(const privy_group *group);
/* Ends a call before its time and gives it an outcome, PRIVY_INTERRUPTED. */
void privy_group_interrupt(privy_group *group, uint64_t id);
/* A group's place among the idle ones of its client. */
typedef struct privy_idle {
  privy_group *next;
  double since; /* by privy_monotonic */
} privy_idle;

/* At most this many idle groups are kept, and none for longer than this many seconds. */
#define PRIVY_IDLE_MOST 16
#define PRIVY_IDLE_SECONDS 60.0
/* Seconds between two searches for idle groups whose connection the server has closed. */
#define PRIVY_IDLE_CHECK 1.0

/* An idle group, NULL when there is none. Destroys those that have been idle too long or lost a connection. */
privy_group *privy_client_take_idle(privy_client *client);
/* Keeps a group without calls for later; destroys the one that has been idle longest when there are too many. */
void privy_client_give_idle(privy_client *client, privy_group *group);
privy_idle *privy_group_idle(privy_group *group);
/* True when a server has closed one of the group's connections. */
bool privy_group_has_closed(const privy_group *group);
/* Frees a group that has no calls, and its connections. */
void privy_group_destroy(privy_group *group);
/* The same without touching the connections. */
void privy_group_abandon(privy_group *group);

#endif
