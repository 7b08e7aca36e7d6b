#include "json/reader.h"

#include <string.h>

#include "base/text.h"
#include "json/scan.h"

static bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

static bool fail(privy_reader *reader, const char *at, const char *what) {
  reader->error = at == reader->end ? "unexpected end of text" : what;
  reader->position = (size_t)(at - reader->start);
  return false;
}

/* Functions that move along the text return where they end, or this after an error. */
static const char *stop(privy_reader *reader, const char *at, const char *what) {
  fail(reader, at, what);
  return NULL;
}

static inline const char *give(privy_value *out, privy_type type, const char *from, const char *to) {
  *out = (privy_value){.text = from, .length = (uint32_t)(to - from), .type = (uint8_t)type};
  return to;
}

static bool gives_nothing(privy_value *out) {
  *out = (privy_value){.type = PRIVY_ABSENT};
  return false;
}

static inline bool is_space(char byte) {
  return (unsigned char)byte <= ' ' && (byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t');
}

static inline const char *skip_space(const privy_reader *reader, const char *at) {
  while (at < reader->end && is_space(*at)) at++;
  return at;
}

/* 0 at the end. */
static inline char byte_at(const privy_reader *reader, const char *at) {
  return at < reader->end ? *at : '\0';
}

/* The first byte that is not white space; 0 at the end. */
static inline char next_byte(privy_reader *reader) {
  reader->at = skip_space(reader, reader->at);
  return byte_at(reader, reader->at);
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

/* Skips an escape, from its backslash. */
static const char *skip_escape(privy_reader *reader, const char *at) {
  at++;
  switch (byte_at(reader, at)) {
  case '"':
  case '\\':
  case '/':
  case 'b':
  case 'f':
  case 'n':
  case 'r':
  case 't': return at + 1;
  case 'u':
    for (int digits = 0; digits < 4; digits++) {
      at++;
      if (at == reader->end || privy_hex_value(*at) < 0) return stop(reader, at, "expected four hexadecimal digits");
    }
    return at + 1;
  default: return stop(reader, at, "unknown escape in a string");
  }
}

/* The rest of the string that begins at `from`; `at` is its first byte that is not plain. */
static const char *take_special(privy_reader *reader, const char *from, const char *at, privy_value *out) {
  const char *const end = reader->end;
  uint8_t escaped = 0;
  while (at < end && *at != '"') {
    if (*at == '\\') {
      escaped = 1;
      at = skip_escape(reader, at);
      if (!at) return NULL;
    } else {
      const size_t length = privy_utf8_sequence(at, (size_t)(end - at));
      if (length < 2) return stop(reader, at, length ? "control character in a string" : "invalid UTF-8 in a string");
      at += length;
    }
    at = privy_skip_plain(at, end, true);
  }
  if (at == end) return stop(reader, at, "");
  give(out, PRIVY_STRING, from, at);
  out->escaped = escaped;
  return at + 1;
}

/* `at` is at the opening quote. */
static inline const char *take_string(privy_reader *reader, const char *at, privy_value *out) {
  const char *const from = at + 1;
  at = privy_skip_plain(from, reader->end, true);
  if (byte_at(reader, at) != '"') return take_special(reader, from, at, out);
  return give(out, PRIVY_STRING, from, at) + 1;
}

/* ---- numbers and words ------------------------------------------------------------------------------------------- */

static bool scan_digits(const char **at, const char *end) {
  const char *from = *at;
  while (*at < end && is_digit(**at)) ++*at;
  return *at > from;
}

/* Moves `*at` past a number, or to the byte that keeps it from being one. */
static bool scan_number(const char **at, const char *end, bool *integral) {
  *integral = true;
  if (*at < end && **at == '-') ++*at;
  if (*at < end && **at == '0') {
    ++*at;
  } else if (!scan_digits(at, end)) {
    return false;
  }
  if (*at < end && **at == '.') {
    *integral = false;
    ++*at;
    if (!scan_digits(at, end)) return false;
  }
  if (*at == end || (**at != 'e' && **at != 'E')) return true;
  *integral = false;
  ++*at;
  if (*at < end && (**at == '+' || **at == '-')) ++*at;
  return scan_digits(at, end);
}

bool privy_json_number(const char *text, size_t length, bool *integral) {
  bool is_integral = false;
  const char *at = text;
  const bool valid = length && scan_number(&at, text + length, &is_integral) && at == text + length;
  if (integral) *integral = valid && is_integral;
  return valid;
}

static const char *take_number(privy_reader *reader, const char *at, privy_value *out) {
  const char *const from = at;
  bool integral;
  if (!scan_number(&at, reader->end, &integral))
    return stop(reader, at, at == from ? "expected a value" : "expected a digit");
  give(out, PRIVY_NUMBER, from, at);
  out->integral = integral;
  return at;
}

static const char *take_word(privy_reader *reader, const char *at, const char *word, privy_type type,
                             privy_value *out) {
  const char *const from = at;
  for (; *word; word++, at++) {
    if (byte_at(reader, at) != *word) return stop(reader, at, "expected a value");
  }
  return give(out, type, from, at);
}

static const char *take_other(privy_reader *reader, const char *at, privy_value *out) {
  switch (byte_at(reader, at)) {
  case 'n': return take_word(reader, at, "null", PRIVY_NULL, out);
  case 't': return take_word(reader, at, "true", PRIVY_TRUE, out);
  case 'f': return take_word(reader, at, "false", PRIVY_FALSE, out);
  default: return take_number(reader, at, out);
  }
}

static inline const char *take_scalar(privy_reader *reader, const char *at, privy_value *out) {
  return byte_at(reader, at) == '"' ? take_string(reader, at, out) : take_other(reader, at, out);
}

/* ---- containers -------------------------------------------------------------------------------------------------- */

static bool is_opening(char byte) {
  return byte == '{' || byte == '[';
}

/* A key and its colon. */
static const char *take_key(privy_reader *reader, const char *at, privy_value *out) {
  at = skip_space(reader, at);
  if (byte_at(reader, at) != '"') return stop(reader, at, "expected a key");
  if (!(at = take_string(reader, at, out))) return NULL;
  at = skip_space(reader, at);
  return byte_at(reader, at) == ':' ? at + 1 : stop(reader, at, "expected ':'");
}

static const char not_in_object[] = "expected ',' or '}'", not_in_array[] = "expected ',' or ']'";

/* A stack of open containers, one bit a level: 1 for an object, 0 for an array. */
typedef uint64_t container_bits[PRIVY_JSON_DEPTH / 64];

static inline void push(container_bits bits, unsigned *depth, bool object) {
  const uint64_t bit = UINT64_C(1) << *depth % 64;
  uint64_t *word = &bits[(*depth)++ / 64];
  *word = object ? *word | bit : *word & ~bit;
}

static inline bool top_is_object(const uint64_t *bits, unsigned depth) {
  return bits[(depth - 1) / 64] >> (depth - 1) % 64 & 1;
}

/* Validates a complete container without recursion. Not inlined: scalars need no stack protector for its array. */
static PRIVY_NOINLINE const char *take_container(privy_reader *reader, const char *at, privy_value *out) {
  const char *const from = at;
  container_bits bits = {0};
  unsigned depth = reader->depth;
  privy_value ignored;
  for (;;) {
    at = skip_space(reader, at);
    const char first = byte_at(reader, at);
    bool empty = is_opening(first);
    if (empty) {
      if (depth == PRIVY_JSON_DEPTH) return stop(reader, at, "nested too deeply");
      push(bits, &depth, first == '{');
      at++;
    } else if (!(at = take_scalar(reader, at, &ignored))) {
      return NULL;
    }
    bool object = top_is_object(bits, depth);
    while (byte_at(reader, at = skip_space(reader, at)) == (object ? '}' : ']')) {
      at++;
      if (--depth == reader->depth) return give(out, *from == '{' ? PRIVY_OBJECT : PRIVY_ARRAY, from, at);
      object = top_is_object(bits, depth);
      empty = false;
    }
    if (!empty && byte_at(reader, at++) != ',') return stop(reader, at - 1, object ? not_in_object : not_in_array);
    if (object && !(at = take_key(reader, at, &ignored))) return NULL;
  }
}

static bool enter(privy_reader *reader, char bracket, const char *what) {
  if (reader->error) return false;
  if (next_byte(reader) != bracket) return fail(reader, reader->at, what);
  if (reader->depth == PRIVY_JSON_DEPTH) return fail(reader, reader->at, "nested too deeply");
  reader->depth++;
  reader->at++;
  reader->first = true;
  return true;
}

static bool next_item(privy_reader *reader, char close, const char *expected) {
  if (reader->error || reader->depth == 0) return false;
  const char byte = next_byte(reader);
  if (byte == close) {
    reader->at++;
    reader->depth--;
    reader->first = false;
    return false;
  }
  if (!reader->first) {
    if (byte != ',') return fail(reader, reader->at, expected);
    reader->at++;
  }
  reader->first = false;
  return true;
}

/* ---- the interface ----------------------------------------------------------------------------------------------- */

void privy_reader_init(privy_reader *reader, const char *text, size_t length) {
  *reader = (privy_reader){.start = text, .at = text, .end = length ? text + length : text};
  if ((uint64_t)length <= UINT32_MAX) return;
  reader->error = "text of 4 GiB or more";
  reader->position = UINT32_MAX;
}

privy_type privy_reader_peek(privy_reader *reader) {
  if (reader->error) return PRIVY_ABSENT;
  const char byte = next_byte(reader);
  switch (byte) {
  case '"': return PRIVY_STRING;
  case '{': return PRIVY_OBJECT;
  case '[': return PRIVY_ARRAY;
  case 't': return PRIVY_TRUE;
  case 'f': return PRIVY_FALSE;
  case 'n': return PRIVY_NULL;
  default:
    if (byte == '-' || is_digit(byte)) return PRIVY_NUMBER;
    fail(reader, reader->at, "expected a value");
    return PRIVY_ABSENT;
  }
}

bool privy_reader_enter_object(privy_reader *reader) {
  return enter(reader, '{', "expected '{'");
}

bool privy_reader_enter_array(privy_reader *reader) {
  return enter(reader, '[', "expected '['");
}

bool privy_reader_member(privy_reader *reader, privy_value *key) {
  if (!next_item(reader, '}', not_in_object)) return gives_nothing(key);
  const char *at = take_key(reader, reader->at, key);
  if (!at) return gives_nothing(key);
  reader->at = at;
  return true;
}

bool privy_reader_member_is(privy_reader *reader, const char *key, size_t length) {
  const char *at = reader->at;
  if (reader->error || reader->depth == 0) return false;
  if (!reader->first && byte_at(reader, at++) != ',') return false;
  at = skip_space(reader, at);
  if ((size_t)(reader->end - at) < length || !privy_same_bytes(at, key, length)) return false;
  reader->at = at + length;
  reader->first = false;
  return true;
}

bool privy_reader_element(privy_reader *reader) {
  return next_item(reader, ']', not_in_array);
}

bool privy_reader_value(privy_reader *reader, privy_value *out) {
  if (reader->error) return gives_nothing(out);
  const char first = next_byte(reader);
  const char *at = is_opening(first) ? take_container(reader, reader->at, out) : take_scalar(reader, reader->at, out);
  if (!at) return gives_nothing(out);
  reader->at = at;
  return true;
}

bool privy_reader_end(privy_reader *reader) {
  if (reader->error) return false;
  next_byte(reader);
  if (reader->at != reader->end || reader->depth) return fail(reader, reader->at, "unexpected trailing data");
  return true;
}
