/* The idle engines of a client, each with its open connections: the next group of the client uses them. */
#ifndef PRIVY_CLIENT_POOL_H
#define PRIVY_CLIENT_POOL_H

#include <pthread.h>
#include <stddef.h>

#include "transport/engine.h"

/* The pool keeps at most this many engines, and none for longer than this many seconds. */
#define PRIVY_POOL_SIZE 16
#define PRIVY_POOL_SECONDS 60.0
/* Seconds between two searches for engines that are too old or that the server has disconnected. */
#define PRIVY_POOL_CHECK_INTERVAL 1.0

typedef struct privy_idle_engine {
  privy_engine *engine;
  double since; /* by privy_monotonic */
} privy_idle_engine;

/* Safe to share between threads. Initialize it in place and do not move it. */
typedef struct privy_pool {
  pthread_mutex_t mutex;                   /* protects all below */
  privy_idle_engine idle[PRIVY_POOL_SIZE]; /* the one that was used last comes last */
  size_t count;
  double checked_at; /* by privy_monotonic */
} privy_pool;

void privy_pool_init(privy_pool *pool);
/* Frees the idle engines and closes their connections. */
void privy_pool_clear(privy_pool *pool);
/* The engine that was used last; the caller owns it. NULL if there is none. Once a second it also frees the engines
 * that are too old and those with a connection that the server has closed. */
privy_engine *privy_pool_take(privy_pool *pool);
/* Takes over an engine that has no transfers. In a full pool it replaces the one that has been idle longest. */
void privy_pool_put(privy_pool *pool, privy_engine *engine);
/* In the child of a fork: forgets the engines without touching the parent's connections. */
void privy_pool_abandon(privy_pool *pool);

#endif
