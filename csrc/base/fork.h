/* What keeps a process usable after a fork: it blocks fork() where the child would deadlock, and counts forks. */
#ifndef PRIVY_BASE_FORK_H
#define PRIVY_BASE_FORK_H

#include <pthread.h>

/*
 * Blocks fork() in all threads from _forbid to _allow: inside libcurl (the locks of its TLS library would stay locked
 * in the child) and while a mutex of ours protects a partial update. Keep the section short, do not nest it, and do not
 * call the host language in it: the thread that forks holds the lock of that language.
 */
void privy_fork_forbid(void);
void privy_fork_allow(void);

/* Locks the mutex and blocks fork(); unlocks it and allows fork(). Not nested, like privy_fork_forbid. */
void privy_mutex_lock(pthread_mutex_t *mutex);
void privy_mutex_unlock(pthread_mutex_t *mutex);

/* The number of forks between the first process that used this library and this one, plus 1: it differs in the child
 * of a fork. Forks before the first call of a function of this file do not count. */
int privy_fork_generation(void);

#endif
