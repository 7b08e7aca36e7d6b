/* The newest requests that a sandbox received. Memory is bounded; a request for which it runs out is not recorded. */
#ifndef PRIVY_SANDBOX_RECORDER_H
#define PRIVY_SANDBOX_RECORDER_H

#include "privy_sandbox.h"

typedef struct privy_recorded privy_recorded;

typedef struct privy_recorder {
  privy_recorded **items; /* a ring whose oldest request is at `start` */
  size_t start, count, capacity;
  size_t most;  /* requests to keep; 0: none */
  size_t bytes; /* of memory that the requests take */
} privy_recorder;

/* Forgets all requests. */
void privy_recorder_clear(privy_recorder *recorder);
/* From now on keeps the newest `most` requests. */
void privy_recorder_keep(privy_recorder *recorder, size_t most);
/* Fills an empty recorder with the newest requests of the history, as many as it keeps. False when memory runs out. */
PRIVY_NODISCARD bool privy_recorder_fill(privy_recorder *recorder, const privy_sandbox_history *history);
/* Records a copy of the request, without its secret headers. */
void privy_recorder_add(privy_recorder *recorder, const privy_sandbox_request *request);
/* The requests, oldest first; NULL when memory runs out. */
PRIVY_NODISCARD privy_sandbox_history *privy_recorder_history(const privy_recorder *recorder);

#endif
