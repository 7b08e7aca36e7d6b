/* The contents of the Python type Client, and its core's client. */
#ifndef PRIVY_PYTHON_CLIENT_OBJECT_H
#define PRIVY_PYTHON_CLIENT_OBJECT_H

#include <stdatomic.h>

#include "client.h"
#include "lazy.h"

/* Which calls a client makes: all; none, because an active sandbox stands in for it; none, because it is a client of a
 * sandbox that was active and no longer is. */
typedef enum client_use { USE_ALL, USE_REPLACED, USE_ENDED, USE_COUNT } client_use;

/*
 * A client. One that with_options created refers to the original in `root`; the original owns the core's client.
 * `running` counts the calls in flight: the last one frees the core's client after close(). Read and write `client`,
 * `sandbox` and `running` in critical sections of the owner only.
 */
typedef struct client_object {
  PyObject_HEAD struct client_object *root;
  privy_client *client;
  privy_sandbox *sandbox; /* its clock is the clock of the client; may be NULL */
  PyObject *on_event;     /* may be NULL */
  lazy_slot watch;        /* of the owner: a Watch of privy._otel */
  atomic_bool may_watch;  /* of the owner: PRIVY_OTEL is not 0, and creating the Watch has not failed */
  int64_t reserve;
  size_t running;
  atomic_bool closed;
  atomic_int use; /* client_use, of the owner */
  bool is_sandbox;
  privy_options options;
} client_object;

static inline client_object *owner_of(client_object *self) {
  return self->root ? self->root : self;
}

/* The core's client, which is not freed before owner_release. NULL if it has been freed. */
privy_client *owner_acquire(client_object *owner);
/* Takes `count` from `running`. Frees the core's client if the client is closed and no call is in flight. */
void owner_release(client_object *owner, size_t count);
/* NULL with TypeError if the object is not a Client. */
client_object *client_as(core_state *state, PyObject *object);

#endif
