#define _GNU_SOURCE /* a lock that prefers writers */

#include "base/fork.h"

#include <pthread.h>

#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#define GATE PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#else
#define GATE PTHREAD_RWLOCK_INITIALIZER
#endif

/* Who forks writes, who forbids it reads. */
static pthread_rwlock_t gate = GATE;

static void before_fork(void) {
  pthread_rwlock_wrlock(&gate);
}

static void after_fork(void) {
  pthread_rwlock_unlock(&gate);
}

static void after_fork_in_child(void) {
  gate = (pthread_rwlock_t)GATE;
}

static void watch_forks(void) {
  pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

void privy_fork_forbid(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, watch_forks);
  pthread_rwlock_rdlock(&gate);
}

void privy_fork_allow(void) {
  pthread_rwlock_unlock(&gate);
}
