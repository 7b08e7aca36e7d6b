/* The contents of the privy_client of privy.h: its settings, what its calls share, and its idle connections. */
#ifndef PRIVY_CLIENT_CLIENT_H
#define PRIVY_CLIENT_CLIENT_H

#include <pthread.h>
#include <stdatomic.h>

#include "call/call.h"
#include "client/pool.h"

struct privy_client {
  privy_settings settings;
  privy_sandbox *sandbox; /* NULL: calls use the network */
  pthread_mutex_t mutex;  /* protects `account`, `seed` and `seeded` */
  privy_account account;
  uint64_t seed[2]; /* of the random bits of its calls */
  bool seeded;
  privy_pool pool;       /* empty in a client of a sandbox */
  atomic_int generation; /* privy_fork_generation of the connections; negative while a thread resets the client */
};

/* Seconds by the clock of the client's calls: the sandbox's clock, or privy_steady_clock. */
double privy_client_now(const privy_client *client);
/* Converts an instant of that clock to seconds since 1970: by the sandbox's clock, or by the wall clock. */
double privy_client_wall(const privy_client *client, double instant);
/* Fills `random` with 128 bits for privy_call_init. False if the system has no entropy source. */
PRIVY_NODISCARD bool privy_client_draw_random(privy_client *client, uint64_t random[2]);
/* privy_call_next, privy_call_received and privy_call_failed under the client's lock. */
privy_call_step privy_client_next(privy_client *client, privy_call *call);
void privy_client_received(privy_client *client, privy_call *call, privy_wire_response *wire_response);
void privy_client_failed(privy_client *client, privy_call *call);
/* Reports that a group drives the call which made the token request `fetch` (privy_call.fetch). */
void privy_client_drive_fetch(privy_client *client, uint64_t fetch);
/* Call it before a client is used. In the child of a fork the first call resets the client: it keeps the token and
 * forgets what belongs to the parent, such as connections and requests in flight. */
void privy_client_check_process(privy_client *client);

#endif
