/* Injected faults: a queue whose first fault applies to the next requests. */
#ifndef PRIVY_SANDBOX_FAULTS_H
#define PRIVY_SANDBOX_FAULTS_H

#include "privy.h"

typedef struct privy_sandbox_faults {
  privy_sandbox_fault *items; /* with bodies of their own */
  size_t count;
  size_t capacity;
} privy_sandbox_faults;

void privy_sandbox_faults_clear(privy_sandbox_faults *faults);
/* Queues a copy. False when memory runs out. */
PRIVY_NODISCARD bool privy_sandbox_faults_add(privy_sandbox_faults *faults, const privy_sandbox_fault *fault);
/* The fault of the next request, or NULL. */
const privy_sandbox_fault *privy_sandbox_faults_next(const privy_sandbox_faults *faults);
/* Counts a request and advances the queue. */
void privy_sandbox_faults_pass(privy_sandbox_faults *faults);

#endif
