/* The calls of a group, each in one of the group's queues. */
#ifndef PRIVY_CLIENT_PENDING_H
#define PRIVY_CLIENT_PENDING_H

#include "call/call.h"
#include "privy_sandbox.h"
#include "transport/engine.h"

typedef struct privy_pending {
  uint64_t id;
  privy_call call;
  privy_error error;
  privy_request *owned_request; /* freed with the call; NULL: the caller keeps the request */
  privy_wire_response wire_response;
  privy_transfer *transfer;                /* NULL unless the engine sends it */
  privy_sandbox_response sandbox_response; /* until it is delivered */
  double due;                              /* by privy_monotonic: when a call that waits advances at the latest */
  struct privy_queue *queue;               /* NULL: in none */
  struct privy_pending *next, *previous;
} privy_pending;

/* Start with {0}. */
typedef struct privy_queue {
  privy_pending *first, *last;
  size_t count;
} privy_queue;

/* A call in no queue; NULL when memory runs out. Initialize its `call` next. */
privy_pending *privy_pending_new(uint64_t id);
/* Removes the call from its queue and frees it. */
void privy_pending_free(privy_pending *pending);

/* Appends the call; removes it from the queue that it is in. */
void privy_queue_push(privy_queue *queue, privy_pending *pending);
void privy_queue_remove(privy_pending *pending);
/* The call with this id; NULL if there is none. */
privy_pending *privy_queue_find(const privy_queue *queue, uint64_t id);
/* The earlier of `earliest` and the first `due` of the queue. */
double privy_queue_earliest_due(const privy_queue *queue, double earliest);
/* The same for `call.until`, by the client's clock. */
double privy_queue_earliest_until(const privy_queue *queue, double earliest);

#endif
