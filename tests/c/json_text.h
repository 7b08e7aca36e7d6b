/* What the tests of the JSON reader share. */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include "harness.h"

#include <stdlib.h>
#include <string.h>

#include "json/reader.h"

typedef struct json_verdict {
  const char *error;
  size_t position;
} json_verdict;

/* A copy in a block of exactly its size, so that ASan and valgrind see any step over the end. */
static inline char *json_copy(const char *text, size_t length) {
  char *copy = malloc(length ? length : 1);
  assert_non_null(copy);
  if (length) memcpy(copy, text, length);
  return copy;
}

/* Reads the text as one value. */
static inline json_verdict json_take(const char *text, size_t length, privy_value *out) {
  privy_reader reader;
  privy_reader_init(&reader, text, length);
  const bool taken = privy_reader_value(&reader, out) && privy_reader_end(&reader);
  assert_int_equal(taken, reader.error == NULL);
  return (json_verdict){reader.error, reader.position};
}

/* Pulls the next value apart, container by container. */
static inline void json_pull(privy_reader *reader) {
  privy_value value;
  switch (privy_reader_peek(reader)) {
  case PRIVY_OBJECT:
    privy_reader_enter_object(reader);
    while (privy_reader_member(reader, &value)) json_pull(reader);
    return;
  case PRIVY_ARRAY:
    privy_reader_enter_array(reader);
    while (privy_reader_element(reader)) json_pull(reader);
    return;
  default: privy_reader_value(reader, &value);
  }
}

static inline json_verdict json_pull_all(const char *text, size_t length) {
  privy_reader reader;
  privy_reader_init(&reader, text, length);
  json_pull(&reader);
  const bool ended = privy_reader_end(&reader);
  assert_int_equal(ended, reader.error == NULL);
  return (json_verdict){reader.error, reader.position};
}

/* Reads the text both ways, which must agree. */
static inline json_verdict json_read(const char *text, size_t length) {
  char *copy = json_copy(text, length);
  privy_value value;
  const json_verdict whole = json_take(copy, length, &value);
  const json_verdict pulled = json_pull_all(copy, length);
  free(copy);
  if (whole.error == pulled.error && whole.position == pulled.position) return whole;
  fail_msg("%.*s\ntaken whole: %s at %zu, pulled: %s at %zu", (int)length, text, whole.error ? whole.error : "right",
           whole.position, pulled.error ? pulled.error : "right", pulled.position);
  return whole;
}

#endif
