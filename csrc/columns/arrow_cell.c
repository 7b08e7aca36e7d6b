/* The cells of columns of Arrow arrays. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "columns/arrow_column.h"

/* Seconds of the years 1 to 9999. */
#define FIRST_SECOND INT64_C(-62135596800)
#define LAST_SECOND INT64_C(253402300799)
#define DAY 86400
#define NANO 1000000000
#define LARGEST_EXACT 9007199254740992.0

static void set_text(privy_arrow_cell *out, privy_arrow_cell_type type, const char *text, size_t length) {
  out->type = type;
  out->text = text;
  out->length = length;
}

/* The text is in `room`. */
static void set_own(privy_arrow_cell *out, privy_arrow_cell_type type) {
  set_text(out, type, out->room, strlen(out->room));
}

static bool is_null(const struct ArrowArray *array, int64_t at) {
  const uint8_t *validity = array->n_buffers > 0 && array->null_count != 0 ? array->buffers[0] : NULL;
  return validity && !(validity[at / 8] >> (at % 8) & 1);
}

static const uint8_t *value_at(const struct ArrowArray *array, int64_t at, size_t width) {
  return (const uint8_t *)array->buffers[1] + (size_t)at * width;
}

/* ---- numbers ---- */

static int64_t read_integer(const uint8_t *at, uint8_t width) {
  int8_t tiny;
  int16_t small;
  int32_t middle;
  int64_t large;
  switch (width) {
  case 1: memcpy(&tiny, at, sizeof tiny); return tiny;
  case 2: memcpy(&small, at, sizeof small); return small;
  case 4: memcpy(&middle, at, sizeof middle); return middle;
  default: memcpy(&large, at, sizeof large); return large;
  }
}

static uint64_t read_unsigned(const uint8_t *at, uint8_t width) {
  const uint64_t value = (uint64_t)read_integer(at, width);
  return width == 8 ? value : value & ((UINT64_C(1) << (8 * width)) - 1);
}

static void unsigned_cell(privy_arrow_cell *out, uint64_t value) {
  out->integer = (int64_t)value;
  out->type = PRIVY_ARROW_CELL_INTEGER;
  if (value <= INT64_MAX) return;
  snprintf(out->room, sizeof out->room, "%" PRIu64, value);
  set_own(out, PRIVY_ARROW_CELL_NUMBER);
}

/* The double of the shortest decimal that is this float: 95.1, where the float is nearest to 95.0999985. */
static double widen(float value) {
  char text[32];
  for (int digits = 6; digits <= 9; digits++) {
    snprintf(text, sizeof text, "%.*g", digits, (double)value);
    if (strtof(text, NULL) == value) return strtod(text, NULL);
  }
  return (double)value;
}

static void real_cell(privy_arrow_cell *out, const uint8_t *at, uint8_t width) {
  float single;
  out->type = PRIVY_ARROW_CELL_REAL;
  if (width == sizeof single) {
    memcpy(&single, at, sizeof single);
    out->real = isfinite(single) ? widen(single) : (double)single;
  } else {
    memcpy(&out->real, at, sizeof out->real);
  }
}

#define MOST_LIMBS 8 /* of 32 bits */

/* Divides by 10^9; returns the remainder. */
static uint32_t divide(uint32_t *limbs, size_t count) {
  uint64_t rest = 0;
  for (size_t i = count; i-- > 0;) {
    rest = rest << 32 | limbs[i];
    limbs[i] = (uint32_t)(rest / NANO);
    rest %= NANO;
  }
  return (uint32_t)rest;
}

static void negate(uint32_t *limbs, size_t count) {
  uint64_t carry = 1;
  for (size_t i = 0; i < count; i++) {
    carry += (uint32_t)~limbs[i];
    limbs[i] = (uint32_t)carry;
    carry >>= 32;
  }
}

/* Writes the digits at the end of `room`, at least `least` of them; returns where they begin. */
static size_t write_digits(uint32_t *limbs, size_t count, size_t least, char *room, size_t size) {
  size_t begin = size, first = size;
  for (size_t group = 0; group <= count; group++) {
    uint32_t part = divide(limbs, count);
    for (int i = 0; i < 9; i++, part /= 10) {
      room[--begin] = (char)('0' + part % 10);
      if (part % 10) first = begin;
    }
  }
  while (begin > size - least) room[--begin] = '0';
  return first < size - least ? first : size - least;
}

static void decimal_cell(privy_arrow_cell *out, const uint8_t *at, const privy_arrow_column *column) {
  uint32_t limbs[MOST_LIMBS];
  char digits[256];
  const size_t count = column->width / sizeof *limbs;
  const size_t fraction = column->scale > 0 ? (size_t)column->scale : 0;
  memcpy(limbs, at, column->width);
#if defined __BYTE_ORDER__ && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  for (size_t i = 0; i < count / 2; i++) {
    const uint32_t low = limbs[i];
    limbs[i] = limbs[count - 1 - i];
    limbs[count - 1 - i] = low;
  }
#endif
  const bool negative = limbs[count - 1] >> 31;
  if (negative) negate(limbs, count);
  const size_t begin = write_digits(limbs, count, fraction + 1, digits, sizeof digits);
  const size_t zeros = column->scale < 0 && digits[begin] != '0' ? (size_t)-column->scale : 0;
  const int whole = (int)(sizeof digits - begin - fraction);
  snprintf(out->room, sizeof out->room, "%s%.*s%.*s%s%.*s", negative ? "-" : "", whole, digits + begin, (int)zeros,
           "0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000",
           fraction ? "." : "", (int)fraction, digits + sizeof digits - fraction);
  set_own(out, PRIVY_ARROW_CELL_NUMBER);
}

void privy_arrow_cell_make_whole(privy_arrow_cell *cell) {
  if (cell->type == PRIVY_ARROW_CELL_REAL && fabs(cell->real) <= LARGEST_EXACT && cell->real == floor(cell->real)) {
    cell->integer = (int64_t)cell->real;
    cell->type = PRIVY_ARROW_CELL_INTEGER;
  }
  const char *point = cell->type == PRIVY_ARROW_CELL_NUMBER ? strchr(cell->room, '.') : NULL;
  if (!point || strspn(point + 1, "0") != strlen(point + 1)) return;
  cell->length = (size_t)(point - cell->room);
  cell->room[cell->length] = '\0';
}

/* ---- times ---- */

static void instant_cell(privy_arrow_cell *out, privy_arrow_cell_type type, int64_t value, int64_t unit) {
  int64_t seconds = value / unit, rest = value % unit;
  privy_time time;
  if (rest < 0) {
    rest += unit;
    seconds--;
  }
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND) {
    snprintf(out->room, sizeof out->room, "%" PRId64 " seconds after 1970", seconds);
    set_own(out, PRIVY_ARROW_CELL_TEXT);
    return;
  }
  privy_time_at(seconds, (int32_t)(rest * (NANO / unit)), &time);
  privy_time_text(out->room, &time);
  set_own(out, type);
}

/* A time without a zone: without the Z. */
static void cut(privy_arrow_cell *out, privy_arrow_cell_type type, size_t from, size_t length) {
  if (out->type != type || out->length < from + length) return;
  out->text += from;
  out->length = length;
  out->room[from + length] = '\0';
}

static void date_cell(privy_arrow_cell *out, int64_t value, const privy_arrow_column *column) {
  const int64_t seconds = column->width == 4 ? value * DAY : value / column->unit;
  instant_cell(out, PRIVY_ARROW_CELL_DATE, seconds, 1);
  cut(out, PRIVY_ARROW_CELL_DATE, 0, sizeof "2026-05-12" - 1);
}

static void time_cell(privy_arrow_cell *out, int64_t value, const privy_arrow_column *column) {
  switch (column->kind) {
  case PRIVY_ARROW_DATE: date_cell(out, value, column); return;
  case PRIVY_ARROW_DURATION:
    out->type = PRIVY_ARROW_CELL_DURATION;
    out->real = (double)value / (double)column->unit;
    return;
  case PRIVY_ARROW_TIME:
    instant_cell(out, PRIVY_ARROW_CELL_TIME, value, column->unit);
    cut(out, PRIVY_ARROW_CELL_TIME, sizeof "1970-01-01T" - 1, out->length - sizeof "1970-01-01T");
    return;
  default: break;
  }
  instant_cell(out, column->zoned ? PRIVY_ARROW_CELL_INSTANT : PRIVY_ARROW_CELL_LOCAL, value, column->unit);
  cut(out, PRIVY_ARROW_CELL_LOCAL, 0, out->length - 1);
}

/* ---- texts ---- */

static void bytes_cell(privy_arrow_cell *out, const privy_arrow_column *column, const char *text, int64_t length) {
  if (length && !text) return;
  set_text(out, column->binary ? PRIVY_ARROW_CELL_BYTES : PRIVY_ARROW_CELL_TEXT, length ? text : "", (size_t)length);
}

/* The offsets of a text or a list. False if they contradict each other. */
static bool read_range(const privy_arrow_column *column, int64_t at, int64_t *begin, int64_t *end) {
  *begin = read_integer(value_at(column->array, at, column->width), column->width);
  *end = read_integer(value_at(column->array, at + 1, column->width), column->width);
  return *begin >= 0 && *end >= *begin;
}

static void text_cell(privy_arrow_cell *out, const privy_arrow_column *column, int64_t at) {
  int64_t begin, end;
  const char *text = column->array->buffers[2];
  if (read_range(column, at, &begin, &end)) bytes_cell(out, column, text ? text + begin : NULL, end - begin);
}

/* A view: its length, then its bytes, or four of them with buffer and offset. The last buffer holds the sizes of the
 * others. */
static void view_cell(privy_arrow_cell *out, const privy_arrow_column *column, int64_t at) {
  const struct ArrowArray *array = column->array;
  const uint8_t *view = value_at(array, at, 16);
  const int64_t length = read_integer(view, 4), buffer = read_integer(view + 8, 4), offset = read_integer(view + 12, 4);
  const int64_t *sizes = array->buffers[array->n_buffers - 1];
  if (length < 0) return;
  if (length <= 12) {
    bytes_cell(out, column, (const char *)view + 4, length);
  } else if (buffer >= 0 && buffer < array->n_buffers - 3 && offset >= 0 && sizes && offset + length <= sizes[buffer]) {
    const char *bytes = array->buffers[2 + buffer];
    bytes_cell(out, column, bytes ? bytes + offset : NULL, length);
  }
}

/* ---- containers ---- */

static void container_cell(privy_arrow_cell *out, privy_arrow_cell_type type, const privy_arrow_column *column,
                           int64_t first, int64_t count) {
  out->type = type;
  out->column = column;
  out->first = first;
  out->count = count;
}

static void list_cell(privy_arrow_cell *out, const privy_arrow_column *column, int64_t at) {
  const privy_arrow_cell_type type = column->kind == PRIVY_ARROW_MAP ? PRIVY_ARROW_CELL_MAP : PRIVY_ARROW_CELL_LIST;
  int64_t begin, end;
  if (column->kind == PRIVY_ARROW_FIXED_LIST)
    container_cell(out, type, column, at * column->size, column->size);
  else if (read_range(column, at, &begin, &end) && end <= column->children[0].array->length)
    container_cell(out, type, column, begin, end - begin);
}

static void dictionary_cell(privy_arrow_cell *out, const privy_arrow_column *column, int64_t at) {
  const uint8_t *value = value_at(column->array, at, column->width);
  const bool is_signed = column->kind == PRIVY_ARROW_INTEGER;
  const uint64_t position =
      is_signed ? (uint64_t)read_integer(value, column->width) : read_unsigned(value, column->width);
  if (position < (uint64_t)column->dictionary->array->length)
    privy_arrow_column_cell(column->dictionary, (int64_t)position, out);
}

static void filled_cell(privy_arrow_cell *out, const privy_arrow_column *column, int64_t at) {
  switch (column->kind) {
  case PRIVY_ARROW_NULL: out->type = PRIVY_ARROW_CELL_NULL; break;
  case PRIVY_ARROW_BOOLEAN:
    out->integer = value_at(column->array, at / 8, 1)[0] >> (at % 8) & 1;
    out->type = PRIVY_ARROW_CELL_BOOLEAN;
    break;
  case PRIVY_ARROW_INTEGER:
    out->integer = read_integer(value_at(column->array, at, column->width), column->width);
    out->type = PRIVY_ARROW_CELL_INTEGER;
    break;
  case PRIVY_ARROW_UNSIGNED:
    unsigned_cell(out, read_unsigned(value_at(column->array, at, column->width), column->width));
    break;
  case PRIVY_ARROW_REAL: real_cell(out, value_at(column->array, at, column->width), column->width); break;
  case PRIVY_ARROW_DECIMAL: decimal_cell(out, value_at(column->array, at, column->width), column); break;
  case PRIVY_ARROW_TEXT: text_cell(out, column, at); break;
  case PRIVY_ARROW_VIEW: view_cell(out, column, at); break;
  case PRIVY_ARROW_FIXED:
    set_text(out, PRIVY_ARROW_CELL_BYTES, (const char *)value_at(column->array, at, (size_t)column->size),
             (size_t)column->size);
    break;
  case PRIVY_ARROW_STRUCT: container_cell(out, PRIVY_ARROW_CELL_STRUCT, column, at, (int64_t)column->count); break;
  case PRIVY_ARROW_LIST:
  case PRIVY_ARROW_FIXED_LIST:
  case PRIVY_ARROW_MAP: list_cell(out, column, at); break;
  default: time_cell(out, read_integer(value_at(column->array, at, column->width), column->width), column);
  }
}

void privy_arrow_column_cell(const privy_arrow_column *column, int64_t index, privy_arrow_cell *out) {
  const struct ArrowArray *array = column->array;
  out->type = PRIVY_ARROW_CELL_INVALID;
  if (index < 0 || index >= array->length) return;
  const int64_t at = array->offset + index;
  if (is_null(array, at))
    out->type = PRIVY_ARROW_CELL_NULL;
  else if (column->dictionary)
    dictionary_cell(out, column, at);
  else
    filled_cell(out, column, at);
}

/* ---- cells inside cells ---- */

void privy_arrow_cell_item(const privy_arrow_cell *cell, int64_t index, privy_arrow_cell *out) {
  const privy_arrow_column *column = cell->column;
  out->type = PRIVY_ARROW_CELL_INVALID;
  if (index < 0 || index >= cell->count) return;
  if (cell->type == PRIVY_ARROW_CELL_STRUCT)
    privy_arrow_column_cell(&column->children[index], cell->first, out);
  else if (cell->type == PRIVY_ARROW_CELL_LIST || cell->type == PRIVY_ARROW_CELL_MAP)
    privy_arrow_column_cell(&column->children[0], cell->first + index, out);
}

const char *privy_arrow_cell_name(const privy_arrow_cell *cell, int64_t index) {
  return cell->type == PRIVY_ARROW_CELL_STRUCT && index >= 0 && index < cell->count ? cell->column->children[index].name
                                                                                    : NULL;
}
