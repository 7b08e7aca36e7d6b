#define _GNU_SOURCE /* a lock that prefers writers */

#include "base/fork.h"

#include <stdatomic.h>

#ifdef PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#define GATE PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP
#else
#define GATE PTHREAD_RWLOCK_INITIALIZER
#endif

/* fork() takes the write lock, sections that forbid it the read lock. */
static pthread_rwlock_t gate = GATE;
static atomic_int generation = 1;

static void before_fork(void) {
  pthread_rwlock_wrlock(&gate);
}

static void after_fork(void) {
  pthread_rwlock_unlock(&gate);
}

static void after_fork_in_child(void) {
  gate = (pthread_rwlock_t)GATE;
  atomic_fetch_add(&generation, 1);
}

static void register_handlers(void) {
  pthread_atfork(before_fork, after_fork, after_fork_in_child);
}

static void ensure_registered(void) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, register_handlers);
}

void privy_fork_forbid(void) {
  ensure_registered();
  pthread_rwlock_rdlock(&gate);
}

void privy_fork_allow(void) {
  pthread_rwlock_unlock(&gate);
}

void privy_mutex_lock(pthread_mutex_t *mutex) {
  privy_fork_forbid();
  pthread_mutex_lock(mutex);
}

void privy_mutex_unlock(pthread_mutex_t *mutex) {
  pthread_mutex_unlock(mutex);
  privy_fork_allow();
}

int privy_fork_generation(void) {
  ensure_registered();
  return atomic_load_explicit(&generation, memory_order_relaxed);
}
