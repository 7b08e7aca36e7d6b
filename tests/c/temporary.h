/* A file for one test. Define _POSIX_C_SOURCE 200809L before the first include. */
#ifndef TEMPORARY_H
#define TEMPORARY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

#define PEM(what) "-----BEGIN " what "-----\nMIIB\n-----END " what "-----\n"

typedef struct temporary {
  char path[32];
} temporary;

static inline temporary temporary_make(const char *text) {
  temporary file = {"/tmp/privy-test-XXXXXX"};
  const int descriptor = mkstemp(file.path);
  assert_true(descriptor >= 0);
  assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
  close(descriptor);
  return file;
}

static inline void temporary_remove(const temporary *file) {
  unlink(file->path);
}

#endif
