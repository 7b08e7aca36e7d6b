#include "client/pool.h"

#include <string.h>

#include "base/clock.h"
#include "base/fork.h"

void privy_pool_init(privy_pool *pool) {
  *pool = (privy_pool){0};
  pthread_mutex_init(&pool->mutex, NULL);
}

void privy_pool_clear(privy_pool *pool) {
  while (pool->count) privy_engine_free(pool->idle[--pool->count].engine);
  pthread_mutex_destroy(&pool->mutex);
}

/* Moves the engines that are not worth keeping to `removed`. Returns their number. */
static size_t remove_useless(privy_pool *pool, double now, privy_engine *removed[PRIVY_POOL_SIZE]) {
  size_t kept = 0, useless = 0;
  if (pool->count == 0 || now - pool->checked_at < PRIVY_POOL_CHECK_INTERVAL) return 0;
  pool->checked_at = now;
  for (size_t i = 0; i < pool->count; i++) {
    const privy_idle_engine idle = pool->idle[i];
    if (now - idle.since > PRIVY_POOL_SECONDS || privy_engine_has_closed(idle.engine))
      removed[useless++] = idle.engine;
    else
      pool->idle[kept++] = idle;
  }
  pool->count = kept;
  return useless;
}

/* Freeing an engine closes connections, which may take a moment: that happens without the lock. */
privy_engine *privy_pool_take(privy_pool *pool) {
  privy_engine *removed[PRIVY_POOL_SIZE];
  const double now = privy_monotonic();
  privy_mutex_lock(&pool->mutex);
  size_t useless = remove_useless(pool, now, removed);
  privy_engine *engine = pool->count ? pool->idle[--pool->count].engine : NULL;
  privy_mutex_unlock(&pool->mutex);
  while (useless) privy_engine_free(removed[--useless]);
  return engine;
}

static privy_engine *remove_oldest(privy_pool *pool) {
  privy_engine *oldest = pool->idle[0].engine;
  memmove(&pool->idle[0], &pool->idle[1], --pool->count * sizeof pool->idle[0]);
  return oldest;
}

void privy_pool_put(privy_pool *pool, privy_engine *engine) {
  const privy_idle_engine idle = {engine, privy_monotonic()};
  privy_mutex_lock(&pool->mutex);
  privy_engine *oldest = pool->count == PRIVY_POOL_SIZE ? remove_oldest(pool) : NULL;
  pool->idle[pool->count++] = idle;
  privy_mutex_unlock(&pool->mutex);
  privy_engine_free(oldest);
}

void privy_pool_abandon(privy_pool *pool) {
  while (pool->count) privy_engine_abandon(pool->idle[--pool->count].engine);
}
