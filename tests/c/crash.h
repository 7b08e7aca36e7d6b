/*
 * Crashes at each point where a process writes. A child of a fork counts its writes and syncs; at the chosen one it
 * dies. If power is lost, what was not synced is lost too: all of it, or a random part, since a disk keeps writes in
 * any order.
 *
 * This file replaces the functions of the system that SQLite writes with: include it in one file of a program.
 */
#ifndef CRASH_H
#define CRASH_H

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/random.h"
#include "harness.h"

/* A write that was not synced yet. */
typedef struct crash_write {
  ino_t file;
  int descriptor;
  off_t at, size_before;
  size_t length, length_before;
  char *bytes, *before;
} crash_write;

typedef struct crash_state {
  bool armed;    /* in the child */
  size_t points; /* so far */
  size_t die_at; /* 0: never */
  bool loses_power;
  uint64_t random;     /* which of the unsynced writes are kept */
  void (*dying)(void); /* called before the process dies; may be NULL */
  crash_write *writes;
  size_t count, capacity;
} crash_state;

static crash_state crash;

static inline off_t crash_size(int descriptor, ino_t *file) {
  struct stat status;
  if (fstat(descriptor, &status) != 0) abort();
  *file = status.st_ino;
  return status.st_size;
}

static inline void crash_pwrite(const crash_write *entry) {
  if (syscall(SYS_pwrite64, entry->descriptor, entry->bytes, entry->length, entry->at) < 0) abort();
}

/* Takes the writes back, the last one first, and then makes some of them again in their order. */
static inline void crash_lose_power(void) {
  const uint64_t some = privy_random(&crash.random) % 4;
  for (size_t i = crash.count; i-- > 0;) {
    const crash_write *entry = &crash.writes[i];
    if (entry->length_before &&
        syscall(SYS_pwrite64, entry->descriptor, entry->before, entry->length_before, entry->at) < 0)
      abort();
    if (ftruncate(entry->descriptor, entry->size_before) != 0) abort();
  }
  for (size_t i = 0; i < crash.count; i++)
    if (some && privy_random(&crash.random) % 4 < some) crash_pwrite(&crash.writes[i]);
}

/* A point where the process may die. */
static inline void crash_point(void) {
  if (!crash.armed || ++crash.points != crash.die_at) return;
  crash.armed = false;
  if (crash.dying) crash.dying();
  if (crash.loses_power) crash_lose_power();
  raise(SIGKILL);
}

static inline void crash_keep(int descriptor, const void *bytes, size_t length, off_t at) {
  if (crash.count == crash.capacity) {
    crash.capacity = crash.capacity * 2 + 64;
    crash.writes = realloc(crash.writes, crash.capacity * sizeof *crash.writes);
    if (!crash.writes) abort();
  }
  crash_write *entry = &crash.writes[crash.count++];
  /* A descriptor of its own: the file may be closed before the power is lost. */
  *entry = (crash_write){.descriptor = dup(descriptor), .at = at, .length = length};
  entry->size_before = crash_size(descriptor, &entry->file);
  entry->bytes = malloc(length);
  entry->before = malloc(length);
  if (!entry->bytes || !entry->before) abort();
  memcpy(entry->bytes, bytes, length);
  const ssize_t got = pread(descriptor, entry->before, length, at);
  entry->length_before = got > 0 ? (size_t)got : 0;
}

/* Its writes can no longer be lost. */
static inline void crash_synced(int descriptor) {
  ino_t file;
  size_t kept = 0;
  (void)crash_size(descriptor, &file);
  for (size_t i = 0; i < crash.count; i++) {
    if (crash.writes[i].file != file) {
      crash.writes[kept++] = crash.writes[i];
      continue;
    }
    close(crash.writes[i].descriptor);
    free(crash.writes[i].bytes);
    free(crash.writes[i].before);
  }
  crash.count = kept;
}

#define CRASH_REPLACES __attribute__((visibility("default")))

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t at);
CRASH_REPLACES ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t at) {
  crash_point();
  if (crash.armed && crash.loses_power) crash_keep(descriptor, bytes, length, at);
  return syscall(SYS_pwrite64, descriptor, bytes, length, at);
}

/* What this file counts as synced need not be on the disk. */
static inline int crash_sync(long call, int descriptor) {
  if (!crash.armed) return (int)syscall(call, descriptor);
  crash_point();
  if (crash.loses_power) crash_synced(descriptor);
  crash_point();
  return 0;
}

CRASH_REPLACES int fdatasync(int descriptor) {
  return crash_sync(SYS_fdatasync, descriptor);
}

CRASH_REPLACES int fsync(int descriptor) {
  return crash_sync(SYS_fsync, descriptor);
}

/* How a child ended; shared with it. */
typedef struct crash_end {
  bool ended, right;
  size_t points;
} crash_end;

/* Runs `use` in a child that dies at the point `die_at`. True if it came to its end, where `use` must return true;
 * false if it died. `*points`: how many points it passed, if it came to its end. */
static inline bool crash_run(bool (*use)(void *context), void *context, size_t die_at, bool loses_power,
                             uint64_t random, size_t *points) {
  crash_end *shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(shared != MAP_FAILED);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    crash = (crash_state){
        .armed = true, .die_at = die_at, .loses_power = loses_power, .random = random, .dying = crash.dying};
    shared->right = use(context);
    crash.armed = false;
    shared->points = crash.points;
    shared->ended = true;
    harness_end_child();
  }
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  const crash_end end = *shared;
  munmap(shared, sizeof *shared);
  if (end.ended) assert_true(end.right);
  *points = end.points;
  return end.ended;
}

#endif
