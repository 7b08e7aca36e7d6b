#define _DEFAULT_SOURCE /* CLOCK_BOOTTIME */

#include <pthread.h>
#include <time.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "call/transport.h"

struct privy_interrupt {
  pthread_mutex_t mutex;
  bool raised;
  privy_wake_function *wake;
  void *context;
};

privy_status privy_interrupt_new(privy_interrupt **out) {
  privy_interrupt *interrupt = privy_calloc(1, sizeof *interrupt);
  if (!interrupt) return PRIVY_NO_MEMORY;
  pthread_mutex_init(&interrupt->mutex, NULL);
  *out = interrupt;
  return PRIVY_OK;
}

void privy_interrupt_free(privy_interrupt *interrupt) {
  if (!interrupt) return;
  pthread_mutex_destroy(&interrupt->mutex);
  privy_free(interrupt);
}

void privy_interrupt_raise(privy_interrupt *interrupt) {
  pthread_mutex_lock(&interrupt->mutex);
  interrupt->raised = true;
  if (interrupt->wake) interrupt->wake(interrupt->context);
  pthread_mutex_unlock(&interrupt->mutex);
}

void privy_interrupt_attach(privy_interrupt *interrupt, privy_wake_function *wake, void *context) {
  if (!interrupt) return;
  pthread_mutex_lock(&interrupt->mutex);
  interrupt->wake = wake;
  interrupt->context = context;
  pthread_mutex_unlock(&interrupt->mutex);
}

static bool is_raised(privy_interrupt *interrupt) {
  pthread_mutex_lock(&interrupt->mutex);
  bool raised = interrupt->raised;
  pthread_mutex_unlock(&interrupt->mutex);
  return raised;
}

static double read_clock(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double privy_monotonic(void) {
  return read_clock(CLOCK_MONOTONIC);
}

double privy_steady_clock(void) {
#if defined(CLOCK_BOOTTIME)
  return read_clock(CLOCK_BOOTTIME);
#else
  return privy_monotonic();
#endif
}

double privy_wall_clock(void) {
  return read_clock(CLOCK_REALTIME);
}

bool privy_watch_stops(privy_watch *watch) {
  if (watch->hooks.interrupt && is_raised(watch->hooks.interrupt)) return true;
  if (!watch->hooks.stop) return false;
  double now = privy_monotonic();
  if (now - watch->asked_at < PRIVY_WATCH_SECONDS) return false;
  watch->asked_at = now;
  return watch->hooks.stop(watch->hooks.context);
}

void privy_wire_response_clear(privy_wire_response *wire_response) {
  privy_buffer_clear(&wire_response->headers);
  privy_buffer_clear(&wire_response->body);
  wire_response->http_status = 0;
  wire_response->cost = (privy_cost){0};
  wire_response->never_arrived = false;
}
