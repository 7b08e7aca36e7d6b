#include "columns/column.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"

/* Positions in a dictionary are of 8 bits. */
#define DICTIONARY_ROWS (INT8_MAX + 1)
/* Bytes of unknown values that a dictionary keeps for the next batch. */
#define DICTIONARY_BYTES ((size_t)1 << 20)

/* ---- rows ---- */

static bool is_null(privy_value value) {
  return value.type <= PRIVY_NULL;
}

static size_t bytes_of_bits(size_t bits) {
  return (bits + 7) / 8;
}

/* Extends a run of bits; each new byte is `fill`. */
static bool reserve_bits(privy_buffer *buffer, size_t bits, int fill) {
  const size_t wanted = bytes_of_bits(bits), extra = wanted > buffer->length ? wanted - buffer->length : 0;
  if (!privy_buffer_reserve(buffer, extra)) return false;
  if (extra) memset(buffer->data + buffer->length, fill, extra);
  buffer->length += extra;
  return true;
}

static void flip_bit(privy_buffer *buffer, size_t index) {
  buffer->data[index / 8] = (char)((unsigned char)buffer->data[index / 8] ^ 1U << index % 8);
}

/* Counts the row that has just been written, whose bit of the validity is 1. */
static void end_row(privy_column *column, bool valid) {
  if (!valid) {
    flip_bit(&column->validity, column->rows);
    column->nulls++;
  }
  column->rows++;
}

static bool reserve_rows(privy_column *column, size_t count, size_t width) {
  return reserve_bits(&column->validity, column->rows + count, 0xff) &&
         privy_buffer_reserve(&column->fixed, count * width);
}

/* Copies 8 to 16 bytes: most texts are short, and a call of memcpy costs more than that. */
static void copy_short(char *to, const char *from, size_t length) {
  char first[8], last[8];
  memcpy(first, from, sizeof first);
  memcpy(last, from + length - sizeof last, sizeof last);
  memcpy(to, first, sizeof first);
  memcpy(to + length - sizeof last, last, sizeof last);
}

/* Appends to memory that is reserved. */
static inline void put(privy_buffer *buffer, const void *bytes, size_t length) {
  if (length >= 8 && length <= 16)
    copy_short(buffer->data + buffer->length, bytes, length);
  else
    memcpy(buffer->data + buffer->length, bytes, length);
  buffer->length += length;
}

static void put_offset(privy_column *column, size_t offset) {
  const int32_t narrow = (int32_t)offset;
  put(&column->fixed, &narrow, sizeof narrow);
}

static bool reserve_offsets(privy_column *column, size_t count) {
  if (!reserve_rows(column, count + 1, sizeof(int32_t))) return false;
  if (column->fixed.length == 0) put_offset(column, 0);
  return true;
}

/* ---- texts ---- */

static size_t total_length(const privy_value *values, size_t count) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) total += is_null(values[i]) ? 0 : values[i].length;
  return total;
}

/* A text without escapes is not longer than with them, so that it fits into the reserved memory. */
static bool put_text(privy_buffer *out, privy_value value) {
  if (value.escaped) return privy_value_decode(value, out) == PRIVY_OK;
  put(out, value.text, value.length);
  return true;
}

static bool add_texts(privy_column *column, const privy_value *values, size_t count) {
  if (!reserve_offsets(column, count) || !privy_buffer_reserve(&column->text, total_length(values, count)))
    return false;
  for (size_t i = 0; i < count; i++) {
    const bool valid = !is_null(values[i]);
    if (valid && values[i].length && !put_text(&column->text, values[i])) return false;
    put_offset(column, column->text.length);
    end_row(column, valid);
  }
  return true;
}

/* ---- dictionaries ---- */

/* The position of a value that the table lacks: the dictionary is extended by each new one. */
static bool position_of_unknown(privy_column *column, privy_value value, size_t *position) {
  privy_buffer *text = &column->text;
  text->length = 0;
  if (!privy_buffer_reserve(text, value.length) || !put_text(text, value)) return false;
  *position = privy_map_get(&column->unknown, text->data, text->length);
  if (*position != PRIVY_MAP_NONE) return true;
  *position = column->child->rows;
  return privy_column_add(column->child, &value, 1) &&
         privy_map_set(&column->unknown, text->data, text->length, *position);
}

static bool add_positions(privy_column *column, const privy_value *values, size_t count) {
  if (!reserve_rows(column, count, sizeof(int8_t))) return false;
  for (size_t i = 0; i < count; i++) {
    size_t position = values[i].enum_value ? values[i].enum_value - 1U : 0;
    const bool valid = !is_null(values[i]);
    if (valid && !values[i].enum_value && !position_of_unknown(column, values[i], &position)) return false;
    column->fixed.data[column->fixed.length++] = (char)position;
    end_row(column, valid);
  }
  return true;
}

bool privy_column_is_full(const privy_column *column) {
  return column->type == PRIVY_COLUMN_ENUM &&
         (column->child->rows + PRIVY_COLUMN_CHUNK > DICTIONARY_ROWS || column->child->text.length > DICTIONARY_BYTES);
}

static void drop_rows(privy_column *column) {
  column->rows = column->nulls = 0;
  column->validity.length = column->fixed.length = column->text.length = 0;
}

bool privy_column_reset_dictionary(privy_column *column) {
  privy_value values[PRIVY_COLUMN_CHUNK];
  const size_t count = privy_enum_count(column->enum_values);
  for (size_t i = 0; i < count; i++) {
    const char *name = privy_enum_value(column->enum_values, i);
    values[i] = (privy_value){.text = name, .length = (uint32_t)strlen(name), .type = PRIVY_STRING};
  }
  privy_map_clear(&column->unknown);
  drop_rows(column->child);
  return add_texts(column->child, values, count);
}

/* ---- times, booleans, integers, lists ---- */

static void put_number(privy_column *column, int64_t number, bool valid) {
  const int64_t kept = valid ? number : 0;
  put(&column->fixed, &kept, sizeof kept);
  end_row(column, valid);
}

static bool add_times(privy_column *column, const privy_value *values, size_t count) {
  if (!reserve_rows(column, count, sizeof(int64_t))) return false;
  for (size_t i = 0; i < count; i++) {
    privy_time time = {0};
    const bool valid = privy_value_time(values[i], &time);
    put_number(column, time.seconds * 1000000 + time.nanos / 1000, valid);
  }
  return true;
}

static bool add_integers(privy_column *column, const privy_value *values, size_t count) {
  if (!reserve_rows(column, count, sizeof(int64_t))) return false;
  privy_buffer digits = PRIVY_BUFFER_EMPTY;
  bool enough = true;
  for (size_t i = 0; enough && i < count; i++) {
    privy_value number;
    int64_t integer = 0;
    enough = privy_value_number(values[i], PRIVY_KIND_INTEGER, &digits, &number) == PRIVY_OK;
    const bool valid = enough && number.type == PRIVY_NUMBER && number.integral &&
                       privy_parse_int64(number.text, number.length, &integer);
    put_number(column, integer, valid);
  }
  privy_buffer_clear(&digits);
  return enough;
}

bool privy_column_add_integer(privy_column *column, int64_t integer) {
  if (!reserve_rows(column, 1, sizeof integer)) return false;
  put_number(column, integer, true);
  return true;
}

static bool add_booleans(privy_column *column, const privy_value *values, size_t count) {
  if (!reserve_rows(column, count, 0) || !reserve_bits(&column->fixed, column->rows + count, 0)) return false;
  for (size_t i = 0; i < count; i++) {
    if (values[i].type == PRIVY_TRUE) flip_bit(&column->fixed, column->rows);
    end_row(column, values[i].type == PRIVY_TRUE || values[i].type == PRIVY_FALSE);
  }
  return true;
}

static bool add_elements(privy_column *elements, privy_value list) {
  privy_value chunk[8], key;
  size_t count = 0;
  privy_cursor cursor;
  privy_cursor_init(&cursor, list);
  while (privy_cursor_next(&cursor, &key, &chunk[count])) {
    if (++count < sizeof chunk / sizeof *chunk) continue;
    if (!add_texts(elements, chunk, count)) return false;
    count = 0;
  }
  return add_texts(elements, chunk, count);
}

static bool add_lists(privy_column *column, const privy_value *values, size_t count) {
  if (!reserve_offsets(column, count)) return false;
  for (size_t i = 0; i < count; i++) {
    const bool valid = values[i].type == PRIVY_ARRAY;
    if (valid && values[i].length > 2 && !add_elements(column->child, values[i])) return false;
    put_offset(column, column->child->rows);
    end_row(column, valid);
  }
  return true;
}

bool privy_column_add(privy_column *column, const privy_value *values, size_t count) {
  switch (column->type) {
  case PRIVY_COLUMN_TEXT: return add_texts(column, values, count);
  case PRIVY_COLUMN_ENUM: return add_positions(column, values, count);
  case PRIVY_COLUMN_TIME: return add_times(column, values, count);
  case PRIVY_COLUMN_BOOLEAN: return add_booleans(column, values, count);
  case PRIVY_COLUMN_INTEGER: return add_integers(column, values, count);
  case PRIVY_COLUMN_LIST: return add_lists(column, values, count);
  }
  return true;
}

/* ---- life ---- */

static bool init_child(privy_column *column) {
  if (column->type != PRIVY_COLUMN_ENUM && column->type != PRIVY_COLUMN_LIST) return true;
  column->child = privy_calloc(1, sizeof *column->child);
  if (!column->child || !privy_column_init(column->child, PRIVY_COLUMN_TEXT, "item", NULL)) return false;
  return column->type == PRIVY_COLUMN_LIST || privy_column_reset_dictionary(column);
}

bool privy_column_init(privy_column *column, privy_column_type type, const char *name, const privy_enum *enum_values) {
  *column = (privy_column){.type = type, .name = name, .enum_values = enum_values};
  if (init_child(column)) return true;
  privy_column_clear(column);
  return false;
}

void privy_column_clear(privy_column *column) {
  if (column->child) privy_column_clear(column->child);
  privy_free(column->child);
  privy_buffer_clear(&column->validity);
  privy_buffer_clear(&column->fixed);
  privy_buffer_clear(&column->text);
  privy_map_clear(&column->unknown);
  *column = (privy_column){.type = column->type};
}
