#include "worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

_Noreturn void worker_fail(const char *what) {
  fprintf(stderr, "worker: %s\n", what);
  exit(1);
}

char *worker_read_file(const char *path, size_t *length) {
  FILE *file = fopen(path, "rb");
  if (!file || fseek(file, 0, SEEK_END) != 0) worker_fail(path);
  long size = ftell(file);
  if (size < 0) worker_fail(path);
  rewind(file);
  char *text = malloc((size_t)size + 1);
  if (!text || fread(text, 1, (size_t)size, file) != (size_t)size) worker_fail(path);
  fclose(file);
  text[size] = '\0';
  *length = (size_t)size;
  return text;
}

int64_t worker_now(clockid_t clock) {
  struct timespec at;
  if (clock_gettime(clock, &at) != 0) worker_fail("no clock");
  return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

static void run(void (*work)(void), long times) {
  int64_t wall = worker_now(CLOCK_MONOTONIC), cpu = worker_now(CLOCK_PROCESS_CPUTIME_ID);
  for (long i = 0; i < times; i++) work();
  cpu = worker_now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  wall = worker_now(CLOCK_MONOTONIC) - wall;
  printf("%lld %lld\n", (long long)wall, (long long)cpu);
}

int worker_main(void (*work)(void), void (*respond)(void)) {
  char line[64];
  while (fgets(line, sizeof line, stdin)) {
    if (strncmp(line, "run ", 4) == 0) {
      run(work, strtol(line + 4, NULL, 10));
    } else {
      respond();
    }
    fflush(stdout);
  }
  return 0;
}
