#include "policy/same.h"

#include <string.h>

void privy_comparison_clear(privy_comparison *state) {
  privy_buffer_clear(&state->one);
  privy_buffer_clear(&state->other);
}

/* ---- values ---- */

privy_slice privy_comparison_text(privy_comparison *state, privy_value string, privy_buffer *buffer) {
  if (!string.escaped) return (privy_slice){string.text, string.length};
  buffer->length = 0;
  if (privy_value_decode(string, buffer) != PRIVY_OK) state->no_memory = true;
  return (privy_slice){buffer->data, buffer->length};
}

bool privy_same_text(privy_comparison *state, privy_value one, privy_value other, bool nocase) {
  if (one.type != PRIVY_STRING || other.type != PRIVY_STRING) return false;
  privy_slice a = privy_comparison_text(state, one, &state->one),
              b = privy_comparison_text(state, other, &state->other);
  if (a.length != b.length || a.length == 0) return a.length == b.length;
  return nocase ? privy_text_equal_nocase(a.text, a.length, b.text, b.length) : memcmp(a.text, b.text, a.length) == 0;
}

#define MAX_DIGITS 40

/* A number: its digits without leading and trailing zeros, and the power of ten of the last digit. */
typedef struct decimal {
  bool negative;
  char digits[MAX_DIGITS];
  size_t count;
  int64_t exponent;
} decimal;

/* False if the number has more than MAX_DIGITS digits. */
static bool read_decimal(privy_value number, decimal *out) {
  const char *at = number.text, *const end = at + number.length;
  bool fraction = false;
  int64_t exponent = 0;
  *out = (decimal){.negative = *at == '-'};
  for (at += out->negative; at < end && *at != 'e' && *at != 'E'; at++) {
    if (*at == '.') {
      fraction = true;
      continue;
    }
    out->exponent -= fraction;
    if (*at == '0' && out->count == 0) continue;
    if (out->count == MAX_DIGITS) return false;
    out->digits[out->count++] = *at;
  }
  if (at < end) at += 1 + (at[1] == '+');
  if (at < end && !privy_parse_int64(at, (size_t)(end - at), &exponent)) return false;
  if (exponent < INT32_MIN || exponent > INT32_MAX) return false;
  out->exponent += exponent;
  while (out->count && out->digits[out->count - 1] == '0') out->count--, out->exponent++;
  if (out->count == 0) out->negative = false, out->exponent = 0;
  return true;
}

static bool same_number(privy_value one, privy_value other) {
  decimal a, b;
  if (one.type != PRIVY_NUMBER || other.type != PRIVY_NUMBER) return false;
  if (one.length == other.length && memcmp(one.text, other.text, one.length) == 0) return true;
  return read_decimal(one, &a) && read_decimal(other, &b) && a.negative == b.negative && a.exponent == b.exponent &&
         a.count == b.count && memcmp(a.digits, b.digits, a.count) == 0;
}

bool privy_same_value(privy_comparison *state, privy_value one, privy_value other) {
  switch (one.type) {
  case PRIVY_STRING: return privy_same_text(state, one, other, false);
  case PRIVY_NUMBER: return same_number(one, other);
  case PRIVY_ARRAY:
  case PRIVY_OBJECT:
    return one.type == other.type && one.length == other.length && memcmp(one.text, other.text, one.length) == 0;
  default: return one.type == other.type;
  }
}

/* ---- lists and objects ---- */

bool privy_has_element(privy_comparison *state, privy_value list, privy_value wanted) {
  privy_cursor cursor;
  privy_value key, element;
  privy_cursor_init(&cursor, list);
  while (privy_cursor_next(&cursor, &key, &element))
    if (privy_same_value(state, wanted, element)) return true;
  return false;
}

bool privy_has_elements(privy_comparison *state, privy_value list, privy_value wanted) {
  privy_cursor cursor;
  privy_value key, element;
  privy_cursor_init(&cursor, wanted);
  while (privy_cursor_next(&cursor, &key, &element))
    if (!privy_has_element(state, list, element)) return false;
  return true;
}

privy_value privy_member_of(privy_comparison *state, privy_value object, privy_value wanted) {
  privy_cursor cursor;
  privy_value key, value, found = {.type = PRIVY_ABSENT};
  if (object.type != PRIVY_OBJECT) return found;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value))
    if (privy_same_text(state, key, wanted, false)) found = value;
  return found;
}

bool privy_has_members(privy_comparison *state, privy_value object, privy_value wanted) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, wanted);
  while (privy_cursor_next(&cursor, &key, &value))
    if (!privy_same_value(state, value, privy_member_of(state, object, key))) return false;
  return true;
}

bool privy_same_enum_value(privy_comparison *state, const privy_enum *enum_values, privy_value sent,
                           privy_value stored) {
  const char *name = stored.enum_value ? privy_enum_value(enum_values, (size_t)stored.enum_value - 1) : NULL;
  return name ? sent.type == PRIVY_STRING && privy_value_is(sent, name) : privy_same_text(state, sent, stored, false);
}
