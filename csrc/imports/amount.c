#include "imports/amount.h"

#include <stdio.h>

/* ---- currency signs ---- */

#define DOLLARS "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP BBD BSD BZD BMD FJD JMD LRD NAD TTD XCD"

static const struct {
  const char *sign, *codes;
} signs[] = {
    {"US$", "USD"},
    {"CA$", "CAD"},
    {"C$", "CAD"},
    {"AU$", "AUD"},
    {"A$", "AUD"},
    {"NZ$", "NZD"},
    {"HK$", "HKD"},
    {"MX$", "MXN"},
    {"R$", "BRL"},
    {"S$", "SGD"},
    {"$", DOLLARS},
    {"\xe2\x82\xac", "EUR"},             /* € */
    {"\xc2\xa3", "GBP EGP GIP FKP SHP"}, /* £ */
    {"\xc2\xa5", "JPY CNY"},             /* ¥ */
    {"\xe2\x82\xb9", "INR"},             /* ₹ */
    {"\xe2\x82\xba", "TRY"},             /* ₺ */
    {"\xe2\x82\xa9", "KRW"},             /* ₩ */
    {"\xe2\x82\xaa", "ILS"},             /* ₪ */
    {"z\xc5\x82", "PLN"},                /* zł */
    {"K\xc4\x8d", "CZK"},                /* Kč */
    {"kr.", "DKK SEK NOK ISK"},
    {"kr", "DKK SEK NOK ISK"},
    {"Ft", "HUF"},
    {"lei", "RON"},
    {"Fr.", "CHF"},
};

static bool is_letter(char byte) {
  return byte >= 'A' && byte <= 'Z';
}

static bool is_code(const char *text, size_t length) {
  return length == 3 && is_letter(text[0]) && is_letter(text[1]) && is_letter(text[2]);
}

privy_slice privy_currency_sign(const char *text, size_t length) {
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
    if (privy_text_is(text, length, signs[i].sign)) return (privy_slice){signs[i].codes, strlen(signs[i].codes)};
  return (privy_slice){text, 0};
}

/* ---- around the digits ---- */

/* Bytes of a space at the start of the text, those of typesetters included; 0: none. */
static size_t space_at(const char *text, size_t length) {
  if (length && (*text == ' ' || *text == '\t')) return 1;
  if (privy_text_starts(text, length, "\xc2\xa0")) return 2;
  return privy_text_starts(text, length, "\xe2\x80\xaf") || privy_text_starts(text, length, "\xe2\x80\x89") ? 3 : 0;
}

static void cut_front(privy_slice *text, size_t count) {
  *text = (privy_slice){text->text + count, text->length - count};
}

static void trim(privy_slice *text) {
  for (size_t space; (space = space_at(text->text, text->length)) > 0;) cut_front(text, space);
  while (text->length) {
    size_t back = 1;
    while (back < text->length && back < 3 && (text->text[text->length - back] & 0xc0) == 0x80) back++;
    if (space_at(text->text + text->length - back, back) != back) break;
    text->length -= back;
  }
}

static bool take_front(privy_slice *text, const char *word) {
  if (!privy_text_starts(text->text, text->length, word)) return false;
  cut_front(text, strlen(word));
  trim(text);
  return true;
}

static bool take_back(privy_slice *text, const char *word) {
  const size_t length = strlen(word);
  if (length > text->length || memcmp(text->text + text->length - length, word, length) != 0) return false;
  text->length -= length;
  trim(text);
  return true;
}

/* Takes a currency sign or code at either end. */
static void take_currency(privy_slice *text, privy_slice *currencies) {
  const privy_slice whole = *text;
  if (whole.length && privy_is_digit(whole.text[0]) && privy_is_digit(whole.text[whole.length - 1])) return;
  for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
    if (!take_front(text, signs[i].sign) && !take_back(text, signs[i].sign)) continue;
    *currencies = (privy_slice){signs[i].codes, strlen(signs[i].codes)};
    return;
  }
  if (whole.length > 3 && is_code(whole.text, 3)) {
    *currencies = (privy_slice){whole.text, 3};
    cut_front(text, 3);
  } else if (whole.length > 3 && is_code(whole.text + whole.length - 3, 3)) {
    *currencies = (privy_slice){whole.text + whole.length - 3, 3};
    text->length -= 3;
  }
  trim(text);
}

static bool take_minus(privy_slice *text) {
  if (text->length > 2 && text->text[0] == '(' && text->text[text->length - 1] == ')') {
    *text = (privy_slice){text->text + 1, text->length - 2};
    trim(text);
    return true;
  }
  if (take_front(text, "+")) return false;
  return take_front(text, "-") || take_front(text, "\xe2\x88\x92") || take_back(text, "-");
}

/* ---- digits and their separators ---- */

/* Digits and separators; spaces and apostrophes, which only group digits, become ' '. */
typedef struct figures {
  char text[PRIVY_AMOUNT_SIZE];
  size_t length;
  size_t points, commas, spaces;
} figures;

static size_t group_mark(const char *text, size_t length) {
  if (*text == '\'') return 1;
  return privy_text_starts(text, length, "\xe2\x80\x99") ? 3 : space_at(text, length);
}

static bool read_figures(privy_slice text, figures *out) {
  *out = (figures){.length = 0};
  for (size_t at = 0; at < text.length;) {
    const char byte = text.text[at];
    const size_t mark = group_mark(text.text + at, text.length - at);
    if (out->length + 2 >= sizeof out->text || (!mark && !privy_is_digit(byte) && byte != '.' && byte != ','))
      return false;
    out->text[out->length++] = mark ? ' ' : byte;
    out->points += byte == '.';
    out->commas += byte == ',';
    out->spaces += mark > 0;
    at += mark ? mark : 1;
  }
  return out->points + out->commas + out->spaces < out->length;
}

static size_t last_of(const figures *number, char byte) {
  size_t at = number->length;
  while (at > 0 && number->text[at - 1] != byte) at--;
  return at - 1;
}

/* Whether the separators before `end` leave groups of digits: the first one shorter, the last one of three. */
static bool groups_fit(const figures *number, size_t end) {
  size_t run = 0, groups = 0;
  for (size_t i = 0; i < end; i++) {
    if (privy_is_digit(number->text[i])) {
      run++;
      continue;
    }
    if (run == 0 || run > 3 || (groups && run < 2)) return false;
    groups++;
    run = 0;
  }
  return groups == 0 || run == 3;
}

/* One separator, once: "1,234" is ambiguous, "12,5", "0,123" and "1234,567" are not. */
static bool is_ambiguous(const figures *number, size_t at) {
  return number->length - at - 1 == 3 && at >= 1 && at <= 3 && number->text[0] != '0' && number->spaces == 0;
}

/* Finds the decimal sign: its position, or the length if there is none. */
static privy_amount_result find_decimal(const figures *number, char decimal, size_t *at, char *proof) {
  const size_t separators = number->points + number->commas;
  *at = number->length;
  *proof = 0;
  if (separators == 0) return PRIVY_AMOUNT_READ;
  if (number->points && number->commas) {
    const size_t point = last_of(number, '.'), comma = last_of(number, ',');
    *at = point > comma ? point : comma;
    *proof = number->text[*at];
    const size_t same = *proof == '.' ? number->points : number->commas;
    return same == 1 ? PRIVY_AMOUNT_READ : PRIVY_AMOUNT_INVALID;
  }
  const char only = number->points ? '.' : ',';
  if (separators > 1) {
    *proof = only == '.' ? ',' : '.';
    return PRIVY_AMOUNT_READ;
  }
  const size_t place = last_of(number, only);
  const bool ambiguous = is_ambiguous(number, place);
  if (ambiguous && !decimal) return PRIVY_AMOUNT_AMBIGUOUS;
  if (!ambiguous || decimal == only) *at = place;
  if (!ambiguous) *proof = only;
  return PRIVY_AMOUNT_READ;
}

/* Writes the digits as a JSON number. */
static void write_number(const figures *number, size_t decimal, privy_amount *out) {
  size_t from = 0;
  const size_t whole = decimal;
  if (out->negative) out->text[out->length++] = '-';
  while (from < whole && (number->text[from] == '0' || !privy_is_digit(number->text[from]))) from++;
  if (from == whole) out->text[out->length++] = '0';
  for (; from < whole; from++)
    if (privy_is_digit(number->text[from])) out->text[out->length++] = number->text[from];
  if (decimal + 1 >= number->length) return;
  out->text[out->length++] = '.';
  for (from = decimal + 1; from < number->length; from++) out->text[out->length++] = number->text[from];
}

static bool is_zero(const figures *number) {
  for (size_t i = 0; i < number->length; i++)
    if (number->text[i] >= '1' && number->text[i] <= '9') return false;
  return true;
}

static bool fraction_is_plain(const figures *number, size_t decimal) {
  for (size_t i = decimal + 1; i < number->length; i++)
    if (!privy_is_digit(number->text[i])) return false;
  return true;
}

/* At the end of the text: E, a sign, digits. */
bool privy_is_shortened(const char *text, size_t length) {
  size_t at = 0, digits = 0;
  if (at < length && text[at] == '-') at++;
  for (; at < length && (privy_is_digit(text[at]) || text[at] == '.' || text[at] == ','); at++) digits++;
  if (digits == 0 || at + 2 >= length || (text[at] != 'E' && text[at] != 'e')) return false;
  if (text[++at] != '+' && text[at] != '-') return false;
  while (++at < length)
    if (!privy_is_digit(text[at])) return false;
  return true;
}

privy_amount_result privy_amount_read(const char *text, size_t length, char decimal, privy_amount *out) {
  privy_slice rest = {text, length};
  figures number;
  size_t at;
  *out = (privy_amount){.length = 0};
  trim(&rest);
  (void)take_front(&rest, "'");
  if (privy_is_shortened(rest.text, rest.length)) return PRIVY_AMOUNT_SHORTENED;
  out->negative = take_minus(&rest);
  take_currency(&rest, &out->currencies);
  if (!out->negative) out->negative = take_minus(&rest);
  take_currency(&rest, &out->currencies); /* "$12.50 USD" */
  if (!read_figures(rest, &number)) return PRIVY_AMOUNT_INVALID;
  const privy_amount_result result = find_decimal(&number, decimal, &at, &out->point);
  if (result != PRIVY_AMOUNT_READ) return result;
  if (!groups_fit(&number, at) || !fraction_is_plain(&number, at)) return PRIVY_AMOUNT_INVALID;
  if (is_zero(&number)) out->negative = false;
  write_number(&number, at, out);
  return PRIVY_AMOUNT_READ;
}

bool privy_amount_whole(privy_amount *amount) {
  const char *point = memchr(amount->text, '.', amount->length);
  if (!point) return true;
  for (const char *at = point + 1; at < amount->text + amount->length; at++)
    if (*at != '0') return false;
  amount->length = (size_t)(point - amount->text);
  return true;
}

/* ---- exact sums ---- */

typedef struct scaled {
  int64_t units;
  unsigned scale;
} scaled;

/* Nine digits after the point are kept, as no currency has more. */
#define MOST_SCALE 9

static bool times_ten(int64_t *value) {
  if (*value > INT64_MAX / 10 || *value < INT64_MIN / 10) return false;
  *value *= 10;
  return true;
}

static bool read_scaled(privy_slice text, scaled *out) {
  *out = (scaled){0, 0};
  bool fraction = false;
  for (size_t i = 0; i < text.length; i++) {
    if (text.text[i] == '-') continue;
    if (text.text[i] == '.') {
      fraction = true;
      continue;
    }
    if (out->units > (INT64_MAX - 9) / 10 || out->scale == MOST_SCALE) return false;
    out->units = out->units * 10 + (text.text[i] - '0');
    out->scale += fraction;
  }
  if (text.length && text.text[0] == '-') out->units = -out->units;
  return true;
}

static bool multiply(int64_t a, int64_t b, int64_t *out) {
  const int64_t x = a < 0 ? -a : a, y = b < 0 ? -b : b;
  if (y && x > INT64_MAX / y) return false;
  *out = a * b;
  return true;
}

static bool rescale(int64_t *units, unsigned *scale, unsigned to) {
  for (; *scale < to; ++*scale)
    if (!times_ten(units)) return false;
  return true;
}

bool privy_sum_add(privy_sum *sum, privy_slice quantity, privy_slice price) {
  scaled a, b;
  int64_t units;
  if (!read_scaled(quantity, &a) || !read_scaled(price, &b) || !multiply(a.units, b.units, &units)) return false;
  unsigned scale = a.scale + b.scale;
  if (!rescale(&units, &scale, sum->scale) || !rescale(&sum->units, &sum->scale, scale)) return false;
  if (units > 0 ? sum->units > INT64_MAX - units : sum->units < -INT64_MAX - units) return false;
  sum->units += units;
  return true;
}

size_t privy_sum_text(const privy_sum *sum, char out[PRIVY_AMOUNT_SIZE]) {
  char digits[PRIVY_INT64_LENGTH + 2 * MOST_SCALE + 2];
  const bool negative = sum->units < 0;
  unsigned scale = sum->scale;
  int64_t units = negative ? -sum->units : sum->units;
  while (scale > 2 && units % 10 == 0) units /= 10, scale--;
  const int length = snprintf(digits, sizeof digits, "%0*lld", (int)scale + 1, (long long)units);
  const int whole = length - (int)scale;
  int used = snprintf(out, PRIVY_AMOUNT_SIZE, "%s%.*s", negative ? "-" : "", whole, digits);
  if (scale == 0) used += snprintf(out + used, PRIVY_AMOUNT_SIZE - (size_t)used, ".00");
  if (scale == 1) used += snprintf(out + used, PRIVY_AMOUNT_SIZE - (size_t)used, ".%s0", digits + whole);
  if (scale > 1) used += snprintf(out + used, PRIVY_AMOUNT_SIZE - (size_t)used, ".%s", digits + whole);
  return (size_t)used;
}
