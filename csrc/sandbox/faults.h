/* Injected faults: a queue. To a request applies the first fault for its operation or for all requests. */
#ifndef PRIVY_SANDBOX_FAULTS_H
#define PRIVY_SANDBOX_FAULTS_H

#include "privy_sandbox.h"
#include "schema/schema.h"

typedef struct privy_sandbox_faults {
  privy_sandbox_fault *items; /* with bodies of their own */
  size_t count;
  size_t capacity;
} privy_sandbox_faults;

void privy_sandbox_faults_clear(privy_sandbox_faults *faults);
/* Queues a copy; the operation, if it has one, exists. False when memory runs out. */
PRIVY_NODISCARD bool privy_sandbox_faults_add(privy_sandbox_faults *faults, const privy_sandbox_fault *fault);
/* The fault of a request of this operation (NULL: of none), or NULL. */
const privy_sandbox_fault *privy_sandbox_faults_next(const privy_sandbox_faults *faults,
                                                     const privy_operation *operation);
/* Counts the request and advances the queue. */
void privy_sandbox_faults_pass(privy_sandbox_faults *faults, const privy_operation *operation);

#endif
