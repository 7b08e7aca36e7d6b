/* Faults on demand: a queue whose first one is the one that requests meet. */
#ifndef PRIVY_SANDBOX_FAILURES_H
#define PRIVY_SANDBOX_FAILURES_H

#include "privy.h"

typedef struct privy_failures {
  privy_sandbox_fault *items; /* with bodies of their own */
  size_t count;
  size_t capacity;
} privy_failures;

void privy_failures_clear(privy_failures *failures);
/* Queues a copy. False when memory runs out. */
PRIVY_NODISCARD bool privy_failures_add(privy_failures *failures, const privy_sandbox_fault *fault);
/* What the next request meets; NULL when nothing goes wrong. */
const privy_sandbox_fault *privy_failures_next(const privy_failures *failures);
/* Tells that a request has passed, so that the queue moves on. */
void privy_failures_pass(privy_failures *failures);

#endif
