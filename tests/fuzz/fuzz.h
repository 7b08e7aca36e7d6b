/*
 * The fuzz targets: each takes any bytes, walks one part of the core with them and ends the program when something does
 * not hold. `make fuzz` lets libFuzzer think up the bytes; tests/c/test_fuzz_seeds.c gives them the seeds.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "privy.h"

/* A JSON text. An accepted one must read the same as one value, pulled, and written again. */
int fuzz_json(const uint8_t *data, size_t size);
/* An operation (a byte), an HTTP status (a byte), header lines, an empty line, a body. */
int fuzz_response(const uint8_t *data, size_t size);
/* An operation (a byte), and calls of the builder as in fuzz_request.c. */
int fuzz_request(const uint8_t *data, size_t size);
/* Requests separated by NULs, as in fuzz_sandbox.c. */
int fuzz_sandbox(const uint8_t *data, size_t size);
/* What comes over one connection of a served sandbox, as fuzz_http.c says. */
int fuzz_http(const uint8_t *data, size_t size);
/* A map (a byte), pieces (a byte), a delimited file, as fuzz_import.c says. */
int fuzz_import(const uint8_t *data, size_t size);

typedef struct fuzz_target {
  const char *name;
  int (*run)(const uint8_t *data, size_t size);
} fuzz_target;
extern const fuzz_target fuzz_targets[6];

/* Ends the program, which libFuzzer and cmocka both take for a failure, unless the condition holds. */
#define HOLDS(condition)                                                                                               \
  do {                                                                                                                 \
    if (condition) break;                                                                                              \
    fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition);                                      \
    abort();                                                                                                           \
  } while (0)

/* Writes the value from what a cursor returns: without spaces and needless escapes, members in their order. */
void fuzz_rewrite(privy_value value, privy_buffer *out);
/* The operation of a byte; NULL, a raw request, after the last one. */
const privy_operation *fuzz_operation(uint8_t byte);

/* Gives every seed of every target, made of the vectors. */
typedef void fuzz_take_seed(const fuzz_target *target, const privy_buffer *seed, void *context);
void fuzz_seeds(fuzz_take_seed *take, void *context);

#endif
