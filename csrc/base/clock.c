#define _DEFAULT_SOURCE /* CLOCK_BOOTTIME */

#include "base/clock.h"

#include <time.h>

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
