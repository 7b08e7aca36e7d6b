/* The numbers of response values. */
#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "json/reader.h"

/* Digits of an exponent, without leading zeros, that every decimal type accepts. */
#define EXPONENT_DIGITS 6
/* Digits of an integer that was written with a fraction or an exponent. */
#define MOST_DIGITS 1000

/* A parsed number: sign, digits, and exponent. */
typedef struct parts {
  bool negative;
  privy_slice integer, fraction;
  long exponent;
  bool huge; /* the exponent has too many digits */
} parts;

static privy_slice take_digits(const char **at, const char *end) {
  const char *from = *at;
  while (*at < end && privy_is_digit(**at)) ++*at;
  return (privy_slice){from, (size_t)(*at - from)};
}

/* `text` is a JSON number. */
static parts parse_number(const char *text, size_t length) {
  const char *at = text, *const end = text + length;
  parts number = {.negative = *at == '-', .fraction = {text, 0}};
  at += number.negative;
  number.integer = take_digits(&at, end);
  if (at < end && *at == '.') {
    at++;
    number.fraction = take_digits(&at, end);
  }
  if (at == end) return number;
  const bool minus = at[1] == '-';
  at += at[1] == '-' || at[1] == '+' ? 2 : 1;
  while (end - at > 1 && *at == '0') at++;
  number.huge = end - at > EXPONENT_DIGITS;
  for (; !number.huge && at < end; at++) number.exponent = number.exponent * 10 + (*at - '0');
  if (minus) number.exponent = -number.exponent;
  return number;
}

static char digit_at(const parts *number, size_t index) {
  if (index < number->integer.length) return number->integer.text[index];
  index -= number->integer.length;
  return index < number->fraction.length ? number->fraction.text[index] : '0';
}

/* The number of digits before the point; 0 or less: none. */
static long count_integer_digits(const parts *number) {
  return (long)number->integer.length + number->exponent;
}

static bool has_fraction(const parts *number) {
  const long point = count_integer_digits(number);
  const size_t all = number->integer.length + number->fraction.length;
  for (size_t i = point > 0 ? (size_t)point : 0; i < all; i++)
    if (digit_at(number, i) != '0') return true;
  return false;
}

/* Writes the digits of an integer that has a fraction or an exponent. */
PRIVY_NODISCARD static bool write_integer(const parts *number, privy_buffer *room) {
  const long count = count_integer_digits(number);
  size_t i = 0;
  while ((long)i < count - 1 && digit_at(number, i) == '0') i++;
  if (count <= 0 || digit_at(number, i) == '0') return privy_buffer_byte(room, '0');
  bool done = !number->negative || privy_buffer_byte(room, '-');
  for (; done && (long)i < count; i++) done = privy_buffer_byte(room, digit_at(number, i));
  return done;
}

static privy_value number_of(const char *text, size_t length, bool integral) {
  return (privy_value){.text = text, .length = (uint32_t)length, .type = PRIVY_NUMBER, .integral = integral};
}

/* The JSON number as a value of the kind. */
static privy_status read_number(privy_value number, privy_kind kind, privy_buffer *room, privy_value *out) {
  const parts parsed = parse_number(number.text, number.length);
  if (parsed.huge) return PRIVY_OK;
  *out = number;
  const bool wanted = kind == PRIVY_KIND_INTEGER || kind == PRIVY_KIND_ORDER_ID;
  if (!wanted || count_integer_digits(&parsed) > MOST_DIGITS || has_fraction(&parsed)) return PRIVY_OK;
  const size_t start = room->length;
  if (!write_integer(&parsed, room)) return PRIVY_NO_MEMORY;
  *out = number_of(room->data + start, room->length - start, true);
  return PRIVY_OK;
}

/* Money as a string: resolves its escapes. */
static privy_status read_money(privy_value string, privy_buffer *room, privy_value *out) {
  privy_slice text = {string.text, string.length};
  if (string.escaped) {
    if (privy_value_decode(string, room) != PRIVY_OK) return PRIVY_NO_MEMORY;
    text = (privy_slice){room->data, room->length};
  }
  if (!privy_json_number(text.text, text.length, NULL)) return PRIVY_OK;
  return read_number(number_of(text.text, text.length, false), PRIVY_KIND_MONEY, room, out);
}

privy_status privy_value_number(privy_value value, privy_kind kind, privy_buffer *room, privy_value *out) {
  const bool money = kind == PRIVY_KIND_MONEY;
  *out = (privy_value){.type = PRIVY_ABSENT};
  if (value.type == PRIVY_STRING && money) return read_money(value, room, out);
  if (value.type != PRIVY_NUMBER) return PRIVY_OK;
  if (value.integral) {
    *out = value;
    out->integral = !money;
    return PRIVY_OK;
  }
  return read_number(value, kind, room, out);
}
