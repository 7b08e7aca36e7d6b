#include "json/reader.h"

#include "base/text.h"

/* What a byte means inside a string. */
enum { PLAIN, QUOTE, BACKSLASH, CONTROL, HIGH };

#define FOUR(class) class, class, class, class
#define ROW(class) FOUR(class), FOUR(class), FOUR(class), FOUR(class)
/* clang-format off */
static const unsigned char string_class[256] = {
    ROW(CONTROL), ROW(CONTROL),
    /* 0x20 */ PLAIN, PLAIN, QUOTE, PLAIN, FOUR(PLAIN), FOUR(PLAIN), FOUR(PLAIN),
    /* 0x30 */ ROW(PLAIN), ROW(PLAIN),
    /* 0x50 */ FOUR(PLAIN), FOUR(PLAIN), FOUR(PLAIN), BACKSLASH, PLAIN, PLAIN, PLAIN,
    /* 0x60 */ ROW(PLAIN), ROW(PLAIN),
    /* 0x80 */ ROW(HIGH), ROW(HIGH), ROW(HIGH), ROW(HIGH), ROW(HIGH), ROW(HIGH), ROW(HIGH), ROW(HIGH)};
/* clang-format on */
#undef ROW
#undef FOUR

static unsigned char class_of(char byte) {
  return string_class[(unsigned char)byte];
}

static bool is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}

static bool fail(privy_reader *reader, const char *at, const char *what) {
  reader->error = at == reader->end ? "unexpected end of text" : what;
  reader->position = (size_t)(at - reader->start);
  return false;
}

static bool give(privy_value *out, privy_type type, const char *from, const char *to) {
  *out = (privy_value){.text = from, .length = (uint32_t)(to - from), .type = (uint8_t)type};
  return true;
}

static bool gives_nothing(privy_value *out) {
  *out = (privy_value){.type = PRIVY_ABSENT};
  return false;
}

static inline bool is_space(char byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The first byte that is not white space; 0 at the end. */
static inline char next_byte(privy_reader *reader) {
  while (reader->at < reader->end && is_space(*reader->at)) reader->at++;
  return reader->at < reader->end ? *reader->at : '\0';
}

/* ---- strings ----------------------------------------------------------------------------------------------------- */

/* From the backslash to behind the escape; NULL after an error. */
static const char *skip_escape(privy_reader *reader, const char *at) {
  at++;
  switch (at < reader->end ? *at : '\0') {
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
      if (at == reader->end || privy_hex_value(*at) < 0) {
        fail(reader, at, "expected four hexadecimal digits");
        return NULL;
      }
    }
    return at + 1;
  default: fail(reader, at, "unknown escape in a string"); return NULL;
  }
}

/* Past a run of bytes beyond ASCII; NULL after an error. */
static const char *skip_high(privy_reader *reader, const char *at) {
  const char *from = at;
  while (at < reader->end && class_of(*at) == HIGH) at++;
  const size_t valid = privy_utf8_valid(from, (size_t)(at - from));
  if (from + valid == at) return at;
  fail(reader, from + valid, "invalid UTF-8 in a string");
  return NULL;
}

/* The first byte that is not plain. Most of every text passes through here, hence the turns of four. */
static const char *plain_end(const char *at, const char *end) {
  for (; end - at >= 4; at += 4) {
    if (class_of(at[0]) != PLAIN) return at;
    if (class_of(at[1]) != PLAIN) return at + 1;
    if (class_of(at[2]) != PLAIN) return at + 2;
    if (class_of(at[3]) != PLAIN) return at + 3;
  }
  while (at < end && class_of(*at) == PLAIN) at++;
  return at;
}

/* `reader->at` is at the opening quote. */
static bool take_string(privy_reader *reader, privy_value *out) {
  const char *from = reader->at + 1;
  const char *at = from;
  bool escaped = false;
  while (at) {
    at = plain_end(at, reader->end);
    switch (at < reader->end ? class_of(*at) : CONTROL) {
    case QUOTE:
      reader->at = at + 1;
      give(out, PRIVY_STRING, from, at);
      out->escaped = escaped;
      return true;
    case BACKSLASH:
      escaped = true;
      at = skip_escape(reader, at);
      break;
    case HIGH: at = skip_high(reader, at); break;
    default: return fail(reader, at, "control character in a string");
    }
  }
  return false;
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
  bool whole = false;
  const char *at = text;
  const bool valid = length && scan_number(&at, text + length, &whole) && at == text + length;
  if (integral) *integral = valid && whole;
  return valid;
}

static bool take_number(privy_reader *reader, privy_value *out) {
  const char *at = reader->at;
  bool integral;
  if (!scan_number(&at, reader->end, &integral)) return fail(reader, at, "expected a digit");
  give(out, PRIVY_NUMBER, reader->at, at);
  out->integral = integral;
  reader->at = at;
  return true;
}

static bool take_word(privy_reader *reader, privy_type type, privy_value *out) {
  const char *word = type == PRIVY_TRUE ? "true" : type == PRIVY_FALSE ? "false" : "null";
  const char *at = reader->at;
  for (; *word; word++, at++) {
    if (at == reader->end || *at != *word) return fail(reader, at, "expected a value");
  }
  give(out, type, reader->at, at);
  reader->at = at;
  return true;
}

static bool take_scalar(privy_reader *reader, privy_type type, privy_value *out) {
  if (type == PRIVY_STRING) return take_string(reader, out);
  if (type == PRIVY_NUMBER) return take_number(reader, out);
  return take_word(reader, type, out);
}

/* ---- containers -------------------------------------------------------------------------------------------------- */

/* `reader->at` is at the opening bracket. */
static bool enter(privy_reader *reader) {
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
  if (reader->first) {
    reader->first = false;
    return true;
  }
  if (byte != ',') return fail(reader, reader->at, expected);
  reader->at++;
  return true;
}

/* Takes a whole container. Instead of recursing it remembers one bit a level: object or array. */
static bool take_container(privy_reader *reader, privy_type type, privy_value *out) {
  uint64_t objects[PRIVY_JSON_DEPTH / 64] = {0};
  const char *from = reader->at;
  const privy_type outer = type;
  const unsigned outside = reader->depth;
  privy_value ignored;
  for (;;) {
    if (type == PRIVY_OBJECT || type == PRIVY_ARRAY) {
      const uint64_t bit = UINT64_C(1) << reader->depth % 64;
      uint64_t *word = &objects[reader->depth / 64 % (PRIVY_JSON_DEPTH / 64)];
      if (!enter(reader)) return false;
      *word = type == PRIVY_OBJECT ? *word | bit : *word & ~bit;
    } else if (!take_scalar(reader, type, &ignored)) {
      return false;
    }
    for (;;) {
      const unsigned level = reader->depth - 1;
      const bool object = objects[level / 64] >> level % 64 & 1;
      if (object ? privy_reader_member(reader, &ignored) : privy_reader_element(reader)) break;
      if (reader->error) return false;
      if (reader->depth == outside) return give(out, outer, from, reader->at);
    }
    type = privy_reader_peek(reader);
    if (type == PRIVY_ABSENT) return false;
  }
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
  if (reader->error) return false;
  if (next_byte(reader) != '{') return fail(reader, reader->at, "expected '{'");
  return enter(reader);
}

bool privy_reader_enter_array(privy_reader *reader) {
  if (reader->error) return false;
  if (next_byte(reader) != '[') return fail(reader, reader->at, "expected '['");
  return enter(reader);
}

bool privy_reader_member(privy_reader *reader, privy_value *key) {
  if (!next_item(reader, '}', "expected ',' or '}'")) return gives_nothing(key);
  if (next_byte(reader) != '"') {
    fail(reader, reader->at, "expected a key");
    return gives_nothing(key);
  }
  if (!take_string(reader, key)) return gives_nothing(key);
  if (next_byte(reader) != ':') {
    fail(reader, reader->at, "expected ':'");
    return gives_nothing(key);
  }
  reader->at++;
  return true;
}

bool privy_reader_element(privy_reader *reader) {
  return next_item(reader, ']', "expected ',' or ']'");
}

bool privy_reader_value(privy_reader *reader, privy_value *out) {
  const privy_type type = privy_reader_peek(reader);
  if (type == PRIVY_ABSENT) return gives_nothing(out);
  const bool container = type == PRIVY_OBJECT || type == PRIVY_ARRAY;
  if (container ? take_container(reader, type, out) : take_scalar(reader, type, out)) return true;
  return gives_nothing(out);
}

bool privy_reader_end(privy_reader *reader) {
  if (reader->error) return false;
  next_byte(reader);
  if (reader->at != reader->end || reader->depth) return fail(reader, reader->at, "expected nothing more");
  return true;
}
