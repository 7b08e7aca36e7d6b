#include "json/writer.h"

#include <string.h>

#include "base/text.h"
#include "json/scan.h"

/* Writes the comma before a value, reserves `size` bytes for it, and returns where it begins; NULL when memory runs
 * out. */
static inline char *reserve(privy_writer *writer, size_t size) {
  privy_buffer *out = writer->out;
  if (writer->failed || !privy_buffer_reserve(out, size + 1)) {
    writer->failed = true;
    return NULL;
  }
  char *at = out->data + out->length;
  if (writer->comma) *at++ = ',';
  writer->comma = true;
  return at;
}

/* Ends what was written from its place on. */
static inline void done(privy_writer *writer, const char *end) {
  writer->out->length = (size_t)(end - writer->out->data);
}

static void put(privy_writer *writer, const char *text, size_t length) {
  char *at = reserve(writer, length);
  if (!at) return;
  if (length) memcpy(at, text, length);
  done(writer, at + length);
}

static void put_bracket(privy_writer *writer, char bracket) {
  char *at = reserve(writer, 1);
  if (!at) return;
  *at = bracket;
  done(writer, at + 1);
}

static void begin(privy_writer *writer, char bracket) {
  put_bracket(writer, bracket);
  writer->comma = false;
}

static void end(privy_writer *writer, char bracket) {
  writer->comma = false;
  put_bracket(writer, bracket);
}

/* The letter of a short escape; u if there is only the long one. */
static char escape_letter(char byte) {
  switch (byte) {
  case '"':
  case '\\': return byte;
  case '\b': return 'b';
  case '\f': return 'f';
  case '\n': return 'n';
  case '\r': return 'r';
  case '\t': return 't';
  default: return 'u';
  }
}

static char *put_escape(char *at, char byte) {
  static const char digits[] = "0123456789abcdef";
  const char letter = escape_letter(byte);
  *at++ = '\\';
  *at++ = letter;
  if (letter != 'u') return at;
  const char four[] = {'0', '0', digits[(unsigned char)byte >> 4], digits[byte & 15]};
  memcpy(at, four, sizeof four);
  return at + sizeof four;
}

#define LONGEST_ESCAPE 6

static size_t count_escapes(const char *at, const char *end) {
  size_t count = 0;
  while ((at = privy_skip_plain(at, end, false)) < end) at++, count++;
  return count;
}

/* Writes a string that needs no escape, and the colon after a key. */
static void put_plain(privy_writer *writer, const char *text, size_t length, bool key) {
  char *at = reserve(writer, length + 3);
  if (!at) return;
  *at++ = '"';
  privy_copy_bytes(at, text, length);
  at += length;
  *at++ = '"';
  if (key) *at++ = ':';
  done(writer, at);
}

/* The same for any string. */
static void put_string(privy_writer *writer, const char *text, size_t length, bool key) {
  bool ascii;
  if (privy_is_plain(text, length, &ascii)) {
    put_plain(writer, text, length, key);
    return;
  }
  const char *const end = length ? text + length : text;
  const char *special = privy_skip_plain(text, end, false);
  const size_t escapes = count_escapes(special, end);
  writer->failed = writer->failed || escapes > (SIZE_MAX - length - 4) / (LONGEST_ESCAPE - 1);
  char *at = reserve(writer, length + escapes * (LONGEST_ESCAPE - 1) + 3);
  if (!at) return;
  *at++ = '"';
  for (;;) {
    const size_t run = (size_t)(special - text);
    if (run) memcpy(at, text, run);
    at += run;
    if (special == end) break;
    at = put_escape(at, *special);
    text = special + 1;
    special = privy_skip_plain(text, end, false);
  }
  *at++ = '"';
  if (key) *at++ = ':';
  done(writer, at);
}

void privy_writer_init(privy_writer *writer, privy_buffer *out) {
  *writer = (privy_writer){.out = out};
}

void privy_writer_begin_object(privy_writer *writer) {
  begin(writer, '{');
}

void privy_writer_end_object(privy_writer *writer) {
  end(writer, '}');
}

void privy_writer_begin_array(privy_writer *writer) {
  begin(writer, '[');
}

void privy_writer_end_array(privy_writer *writer) {
  end(writer, ']');
}

void privy_writer_key(privy_writer *writer, const char *text, size_t length) {
  put_string(writer, text, length, true);
  writer->comma = false;
}

void privy_writer_key_as_is(privy_writer *writer, const char *key, size_t length) {
  char *at = reserve(writer, PRIVY_WRITER_KEY_ROOM);
  if (!at) return;
  memcpy(at, key, PRIVY_WRITER_KEY_ROOM);
  done(writer, at + length);
  writer->comma = false;
}

void privy_writer_string(privy_writer *writer, const char *text, size_t length) {
  put_string(writer, text, length, false);
}

void privy_writer_string_as_is(privy_writer *writer, const char *text, size_t length) {
  put_plain(writer, text, length, false);
}

void privy_writer_raw(privy_writer *writer, const char *text, size_t length) {
  put(writer, text, length);
}

void privy_writer_value(privy_writer *writer, privy_value value) {
  if (value.type == PRIVY_ABSENT)
    privy_writer_null(writer);
  else if (value.type == PRIVY_STRING)
    privy_writer_string_as_is(writer, value.text, value.length);
  else
    put(writer, value.text, value.length);
}

void privy_writer_integer(privy_writer *writer, int64_t value) {
  char *at = reserve(writer, PRIVY_INT64_LENGTH);
  if (at) done(writer, at + privy_format_int64(value, at));
}

void privy_writer_boolean(privy_writer *writer, bool value) {
  put(writer, value ? "true" : "false", value ? 4 : 5);
}

void privy_writer_null(privy_writer *writer) {
  put(writer, "null", 4);
}
