/* load LIBRARY: loads a shared library, prints nanoseconds of wall and CPU and the KiB of memory that this added. */
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "worker.h"

static long resident(void) {
  char line[128];
  long size = 0;
  FILE *status = fopen("/proc/self/status", "r");
  while (status && fgets(line, sizeof line, status)) sscanf(line, "VmRSS: %ld", &size);
  if (status) fclose(status);
  return size;
}

int main(int count, char **arguments) {
  if (count != 2) worker_fail("usage: load LIBRARY");
  long memory = resident();
  int64_t wall = worker_now(CLOCK_MONOTONIC), cpu = worker_now(CLOCK_PROCESS_CPUTIME_ID);
  if (!dlopen(arguments[1], RTLD_NOW)) worker_fail(dlerror());
  cpu = worker_now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  wall = worker_now(CLOCK_MONOTONIC) - wall;
  printf("%lld %lld %ld\n", (long long)wall, (long long)cpu, resident() - memory);
  return 0;
}
