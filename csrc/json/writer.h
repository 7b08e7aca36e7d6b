/*
 * Writes JSON into a buffer, minimal and compact: only what RFC 8259 requires is escaped. It adds the commas.
 * Text must be valid UTF-8 (the callers check it where they can name the field). When memory runs out `failed` is set
 * and every later call does nothing.
 */
#ifndef PRIVY_JSON_WRITER_H
#define PRIVY_JSON_WRITER_H

#include "base/buffer.h"
#include "privy.h"

typedef struct privy_writer {
  privy_buffer *out;
  bool comma; /* a value precedes in the same container */
  bool failed;
} privy_writer;

void privy_writer_init(privy_writer *writer, privy_buffer *out);
void privy_writer_begin_object(privy_writer *writer);
void privy_writer_end_object(privy_writer *writer);
void privy_writer_begin_array(privy_writer *writer);
void privy_writer_end_array(privy_writer *writer);
void privy_writer_key(privy_writer *writer, const char *text, size_t length);
/* A key with its quotes and colon, of which PRIVY_WRITER_KEY_ROOM bytes can be read: copying a constant number of bytes
 * is faster than copying the exact number. */
#define PRIVY_WRITER_KEY_ROOM 32
void privy_writer_key_as_is(privy_writer *writer, const char *key, size_t length);
void privy_writer_string(privy_writer *writer, const char *text, size_t length);
/* The same for text that needs no escape. */
void privy_writer_string_as_is(privy_writer *writer, const char *text, size_t length);
/* Writes JSON text unchanged: a number, or a slice of another document. */
void privy_writer_raw(privy_writer *writer, const char *text, size_t length);
/* Writes a value as it was read. */
void privy_writer_value(privy_writer *writer, privy_value value);
void privy_writer_integer(privy_writer *writer, int64_t value);
void privy_writer_boolean(privy_writer *writer, bool value);
void privy_writer_null(privy_writer *writer);

#endif
