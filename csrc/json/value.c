#include "base/text.h"
#include "json/reader.h"
#include "json/scan.h"

/* ---- strings ----------------------------------------------------------------------------------------------------- */

static uint32_t four_digits(const char *at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; i++) value = value << 4 | (uint32_t)privy_hex_value(at[i]);
  return value;
}

/* Reads the code unit of the \u escape at `at`, and the low half after a high one. Halves alone become U+FFFD. */
static uint32_t unicode_escape(const char **at, const char *end) {
  const uint32_t unit = four_digits(*at + 2);
  *at += 6;
  if (unit < 0xD800 || unit > 0xDFFF) return unit;
  if (unit >= 0xDC00 || end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return 0xFFFD;
  const uint32_t low = four_digits(*at + 2);
  if (low < 0xDC00 || low > 0xDFFF) return 0xFFFD;
  *at += 6;
  return 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
}

/* Moves `*at` from a backslash past its escape and returns the escaped character. */
static uint32_t take_escape(const char **at, const char *end) {
  const char letter = (*at)[1];
  if (letter == 'u') return unicode_escape(at, end);
  *at += 2;
  switch (letter) {
  case 'b': return '\b';
  case 'f': return '\f';
  case 'n': return '\n';
  case 'r': return '\r';
  case 't': return '\t';
  default: return (unsigned char)letter;
  }
}

static const char *next_escape(const char *at, const char *end) {
  while ((at = privy_skip_plain(at, end, false)) < end && *at != '\\') at++;
  return at;
}

privy_status privy_value_decode(privy_value string, privy_buffer *out) {
  const char *at = string.text;
  const char *end = string.length ? at + string.length : at;
  const size_t before = out->length;
  while (at < end) {
    const char *from = at;
    at = string.escaped ? next_escape(at, end) : end;
    bool fits = privy_buffer_append(out, from, (size_t)(at - from));
    if (fits && at < end) fits = privy_buffer_scalar(out, take_escape(&at, end));
    if (!fits) {
      out->length = before;
      return PRIVY_NO_MEMORY;
    }
  }
  return PRIVY_OK;
}

static bool escaped_is(const char *at, const char *end, const char *text) {
  while (at < end) {
    char bytes[4] = {*at};
    privy_buffer one = {bytes, 0, sizeof bytes};
    if (*at != '\\') {
      one.length = 1;
      at++;
    } else if (!privy_buffer_scalar(&one, take_escape(&at, end))) {
      return false;
    }
    for (size_t i = 0; i < one.length; i++, text++) {
      if (*text == '\0' || *text != bytes[i]) return false;
    }
  }
  return *text == '\0';
}

bool privy_value_is(privy_value string, const char *text) {
  if (string.type != PRIVY_STRING) return false;
  if (!string.escaped) return privy_text_is(string.text, string.length, text);
  return escaped_is(string.text, string.text + string.length, text);
}

/* ---- containers -------------------------------------------------------------------------------------------------- */

static bool is_blank(char byte) {
  return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

/* The closing quote of the string whose first byte is at `at`. */
static const char *string_end(const char *at, const char *end, uint8_t *escaped) {
  while ((at = privy_skip_plain(at, end, false)) < end && *at != '"') {
    if (*at == '\\') *escaped = 1;
    at += *at == '\\' && end - at > 1 ? 2 : 1;
  }
  return at;
}

/* The end of the container that begins at `at`: in valid JSON it is enough to count brackets outside strings. */
static const char *container_end(const char *at, const char *end) {
  uint8_t ignored = 0;
  size_t depth = 0;
  while (at < end) {
    const char byte = *at++;
    if (byte == '"') {
      at = string_end(at, end, &ignored);
      if (at < end) at++;
    } else if (byte == '[' || byte == '{') {
      depth++;
    } else if ((byte == ']' || byte == '}') && --depth == 0) {
      break;
    }
  }
  return at;
}

/* The end of a number or a word. Numbers with a fraction or an exponent are not integral. */
static const char *scalar_end(const char *at, const char *end, uint8_t *integral) {
  for (; at < end && *at != ',' && !is_blank(*at); at++) {
    if (*at == '.' || *at == 'e' || *at == 'E') *integral = 0;
  }
  return at;
}

static privy_type type_of(char byte) {
  switch (byte) {
  case '"': return PRIVY_STRING;
  case '{': return PRIVY_OBJECT;
  case '[': return PRIVY_ARRAY;
  case 't': return PRIVY_TRUE;
  case 'f': return PRIVY_FALSE;
  case 'n': return PRIVY_NULL;
  default: return PRIVY_NUMBER;
  }
}

/* Takes the string whose opening quote is at `at`, and returns where it stops. */
static inline const char *take_string(const char *at, const char *end, privy_value *out) {
  uint8_t escaped = 0;
  const char *stop = privy_skip_plain(++at, end, false);
  if (stop < end && *stop != '"') stop = string_end(stop, end, &escaped);
  *out = (privy_value){.text = at, .length = (uint32_t)(stop - at), .type = (uint8_t)PRIVY_STRING, .escaped = escaped};
  return stop < end ? stop + 1 : stop;
}

/* Takes the value at `at`, which lies before `end`, and returns where it stops. */
static inline const char *take(const char *at, const char *end, privy_value *out) {
  const privy_type type = type_of(*at);
  if (type == PRIVY_STRING) return take_string(at, end, out);
  uint8_t integral = type == PRIVY_NUMBER;
  const char *stop =
      type == PRIVY_OBJECT || type == PRIVY_ARRAY ? container_end(at, end) : scalar_end(at, end, &integral);
  *out = (privy_value){.text = at, .length = (uint32_t)(stop - at), .type = (uint8_t)type, .integral = integral};
  return stop;
}

/* Most texts have no white space there: then this is one comparison. */
static inline const char *skip(const char *at, const char *end, char separator) {
  if (at < end && *at == separator) at++;
  while (at < end && (unsigned char)*at <= ':' && (is_blank(*at) || *at == separator)) at++;
  return at;
}

void privy_cursor_init(privy_cursor *cursor, privy_value container) {
  *cursor = (privy_cursor){.at = container.text, .end = container.text, .object = container.type == PRIVY_OBJECT};
  if ((container.type != PRIVY_OBJECT && container.type != PRIVY_ARRAY) || container.length < 2) return;
  cursor->at = container.text + 1;
  cursor->end = container.text + container.length - 1;
}

bool privy_cursor_next(privy_cursor *cursor, privy_value *key, privy_value *value) {
  const char *at = skip(cursor->at, cursor->end, ',');
  *key = (privy_value){.type = PRIVY_ABSENT};
  if (at < cursor->end && cursor->object) at = skip(take_string(at, cursor->end, key), cursor->end, ':');
  const bool more = at < cursor->end;
  if (more)
    at = take(at, cursor->end, value);
  else
    *key = *value = (privy_value){.type = PRIVY_ABSENT};
  cursor->at = at;
  return more;
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

/* Longer than any time that is written with escapes. */
#define LONGEST_ESCAPED 256

static PRIVY_NOINLINE bool escaped_time(privy_value value, privy_time *out) {
  char text[LONGEST_ESCAPED];
  privy_buffer plain = {text, 0, sizeof text}; /* never grows: the decoded text is not longer */
  return value.length <= sizeof text && privy_value_decode(value, &plain) == PRIVY_OK &&
         privy_time_parse(plain.data, plain.length, out);
}

bool privy_value_time(privy_value value, privy_time *out) {
  if (value.type != PRIVY_STRING) return false;
  return value.escaped ? escaped_time(value, out) : privy_time_parse(value.text, value.length, out);
}
