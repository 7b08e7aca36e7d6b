/* The state of a sandbox. A lock guards all of it except the reference count. */
#ifndef PRIVY_SANDBOX_STATE_H
#define PRIVY_SANDBOX_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/fork.h"
#include "sandbox/credentials.h"
#include "sandbox/faults.h"
#include "sandbox/limits.h"
#include "sandbox/recorder.h"
#include "sandbox/store.h"

/* Counters of requests; a request that runs out of memory restores them. */
typedef struct privy_counters {
  uint64_t requests;
  uint64_t serial; /* of the last request; not changed by a reset */
  privy_sandbox_limits limits;
} privy_counters;

typedef struct privy_clock {
  bool stopped;
  double seconds; /* stopped: the time; running: ahead of the machine's clock by so much */
} privy_clock;

struct privy_sandbox {
  pthread_mutex_t lock;
  atomic_size_t references;
  privy_store store;
  privy_credentials credentials;
  privy_sandbox_faults faults;
  privy_recorder recorder;
  privy_counters counters;
  privy_clock clock;
  bool skips_waits;
  uint64_t secrets;    /* access tokens made */
  char *sms_countries; /* space-separated prefixes of phone numbers */
};

static inline void privy_sandbox_lock(privy_sandbox *sandbox) {
  privy_mutex_lock(&sandbox->lock);
}

static inline void privy_sandbox_unlock(privy_sandbox *sandbox) {
  privy_mutex_unlock(&sandbox->lock);
}

/* The time by the sandbox's clock. The caller holds the lock. */
double privy_clock_now(const privy_clock *clock);

#endif
