/*
 * A strict RFC 8259 reader: one pass, no tree, no recursion. The caller pulls what it expects; every other value is
 * validated and returned as a slice.
 *
 *   privy_reader reader;
 *   privy_reader_init(&reader, text, length);
 *   privy_reader_enter_object(&reader);
 *   while (privy_reader_member(&reader, &key)) privy_reader_value(&reader, &value);
 *   privy_reader_end(&reader);
 *   if (reader.error) …at byte reader.position.
 *
 * The first error stops the reader: every later call returns false, so it is enough to check at the end. Refused:
 * anything outside the grammar, control characters in strings, invalid UTF-8, bytes after the value, nesting past
 * PRIVY_JSON_DEPTH. A lone surrogate escape is accepted (decoding makes it U+FFFD).
 */
#ifndef PRIVY_JSON_READER_H
#define PRIVY_JSON_READER_H

#include "base/buffer.h"
#include "privy.h"

#define PRIVY_JSON_DEPTH 128

typedef struct privy_reader {
  const char *start;
  const char *at;
  const char *end;
  const char *error; /* NULL, or what is wrong: "expected ':'", static */
  size_t position;   /* byte offset of the error */
  unsigned depth;
  bool first; /* nothing read yet in the container just entered */
} privy_reader;

void privy_reader_init(privy_reader *reader, const char *text, size_t length);
/* Type of the value that comes next, without taking it; PRIVY_ABSENT at an error. */
privy_type privy_reader_peek(privy_reader *reader);
/* Enters the object or array that comes next; false (and an error) when something else does. */
bool privy_reader_enter_object(privy_reader *reader);
bool privy_reader_enter_array(privy_reader *reader);
/* Moves to the next member and sets its key, or leaves the object and returns false at its end. */
bool privy_reader_member(privy_reader *reader, privy_value *key);
/* Moves to the next member if its key equals `key` byte for byte, including quotes and colon; otherwise returns false
 * and does not move. A fast path for members in the expected order. */
bool privy_reader_member_is(privy_reader *reader, const char *key, size_t length);
/* Moves to the next element, or leaves the array at its end and returns false. */
bool privy_reader_element(privy_reader *reader);
/* Reads the next value and validates everything nested in it. */
bool privy_reader_value(privy_reader *reader, privy_value *out);
/* True when nothing but white space is left and no error occurred. */
bool privy_reader_end(privy_reader *reader);

/* True if the text is one JSON number. Sets `*integral` (may be NULL) to whether it has neither fraction nor exponent.
 */
bool privy_json_number(const char *text, size_t length, bool *integral);
/* True when the string value equals the C string, escapes resolved. */
bool privy_value_is(privy_value string, const char *text);

#endif
