#include "sandbox/amount.h"

#include <string.h>

#include "base/text.h"

/* Farther than any mantissa that fits in memory can bring back. */
#define FAR (INT64_MAX / 4)

/* A number as digits, of which the one at index i counts 10^(power - i). */
typedef struct digits {
  const char *text; /* digits, with a point among them perhaps */
  int64_t count;
  int64_t point; /* digits before the point */
  int64_t power;
  int64_t first, last; /* first and last digit that is not 0; first == count: none */
} digits;

static char digit_at(const digits *number, int64_t index) {
  return number->text[index < number->point ? index : index + 1];
}

static int64_t read_exponent(const char *text, size_t length) {
  int64_t exponent;
  if (length == 0) return 0;
  if (*text == '+') text++, length--;
  if (privy_parse_int64(text, length, &exponent) && exponent > -FAR && exponent < FAR) return exponent;
  return *text == '-' ? -FAR : FAR;
}

static void read_digits(digits *out, const char *text, size_t length) {
  size_t mantissa = 0;
  *out = (digits){.text = text, .point = -1};
  for (; mantissa < length && text[mantissa] != 'e' && text[mantissa] != 'E'; mantissa++) {
    if (text[mantissa] == '.') out->point = (int64_t)mantissa;
  }
  out->count = (int64_t)mantissa - (out->point >= 0 ? 1 : 0);
  if (out->point < 0) out->point = out->count;
  const size_t after = mantissa < length ? mantissa + 1 : length;
  out->power = out->point - 1 + read_exponent(text + after, length - after);
  while (out->first < out->count && digit_at(out, out->first) == '0') out->first++;
  out->last = out->count - 1;
  while (out->last > out->first && digit_at(out, out->last) == '0') out->last--;
}

bool privy_amount_write(char out[PRIVY_AMOUNT_SIZE], const char *number, size_t length) {
  digits value;
  const bool negative = length && *number == '-';
  read_digits(&value, number + negative, length - negative);
  if (value.first == value.count) {
    memcpy(out, "0.00", sizeof "0.00");
    return true;
  }
  int64_t high = value.power - value.first, low = value.power - value.last;
  if (high >= PRIVY_AMOUNT_DIGITS || low < -PRIVY_AMOUNT_DIGITS) return false;
  if (high < 0) high = 0;
  if (low > -2) low = -2;
  if (negative) *out++ = '-';
  for (int64_t power = high; power >= low; power--) {
    const int64_t index = value.power - power;
    if (power == -1) *out++ = '.';
    *out++ = index < value.first || index > value.last ? '0' : digit_at(&value, index);
  }
  *out = '\0';
  return true;
}
