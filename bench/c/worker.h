/* A worker of the measurements in C: reads lines as the workers in Python and Ruby do. */
#ifndef BENCH_WORKER_H
#define BENCH_WORKER_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>

/* A file's bytes, to be freed, or the program ends. */
char *worker_read_file(const char *path, size_t *length);
/* Ends the program with a message. */
_Noreturn void worker_fail(const char *what);
/* Nanoseconds. */
int64_t worker_now(clockid_t clock);
/*
 * Answers lines until there are no more: "run N" calls `work` N times and prints the nanoseconds that it took by the
 * wall's clock and by the process's, "answer" calls `respond`, which prints one line. Returns what main returns.
 */
int worker_main(void (*work)(void), void (*respond)(void));

#endif
