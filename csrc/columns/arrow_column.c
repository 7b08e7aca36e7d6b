/* The types of columns of Arrow arrays, and the shapes that their arrays have. */
#include "columns/arrow_column.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define MILLI 1000
#define MICRO 1000000
#define NANO 1000000000
#define LARGEST_SCALE 100

/* ---- formats ---- */

static bool set(privy_arrow_column *column, privy_arrow_kind kind, uint8_t width) {
  column->kind = kind;
  column->width = width;
  return true;
}

static bool set_texts(privy_arrow_column *column, privy_arrow_kind kind, uint8_t width, bool binary) {
  column->binary = binary;
  return set(column, kind, width);
}

/* Formats of one letter. */
static bool parse_letter(privy_arrow_column *column, char letter) {
  switch (letter) {
  case 'n': return set(column, PRIVY_ARROW_NULL, 0);
  case 'b': return set(column, PRIVY_ARROW_BOOLEAN, 0);
  case 'c': return set(column, PRIVY_ARROW_INTEGER, 1);
  case 's': return set(column, PRIVY_ARROW_INTEGER, 2);
  case 'i': return set(column, PRIVY_ARROW_INTEGER, 4);
  case 'l': return set(column, PRIVY_ARROW_INTEGER, 8);
  case 'C': return set(column, PRIVY_ARROW_UNSIGNED, 1);
  case 'S': return set(column, PRIVY_ARROW_UNSIGNED, 2);
  case 'I': return set(column, PRIVY_ARROW_UNSIGNED, 4);
  case 'L': return set(column, PRIVY_ARROW_UNSIGNED, 8);
  case 'f': return set(column, PRIVY_ARROW_REAL, 4);
  case 'g': return set(column, PRIVY_ARROW_REAL, 8);
  case 'u': return set_texts(column, PRIVY_ARROW_TEXT, 4, false);
  case 'U': return set_texts(column, PRIVY_ARROW_TEXT, 8, false);
  case 'z': return set_texts(column, PRIVY_ARROW_TEXT, 4, true);
  case 'Z': return set_texts(column, PRIVY_ARROW_TEXT, 8, true);
  default: return false;
  }
}

/* "ttm", "tsu:Europe/Berlin" */
static bool parse_unit(privy_arrow_column *column, char letter) {
  static const char letters[] = "smun";
  static const int64_t units[] = {1, MILLI, MICRO, NANO};
  const char *found = letter ? strchr(letters, letter) : NULL;
  if (found) column->unit = units[found - letters];
  return found;
}

static bool parse_time(privy_arrow_column *column, const char *format) {
  const char *unit = format[0] ? format + 1 : format;
  switch (format[0]) {
  case 'd':
    column->unit = MILLI;
    return (*unit == 'D' || *unit == 'm') && set(column, PRIVY_ARROW_DATE, *unit == 'D' ? 4 : 8);
  case 't': return parse_unit(column, *unit) && set(column, PRIVY_ARROW_TIME, column->unit <= MILLI ? 4 : 8);
  case 's':
    if (!parse_unit(column, *unit) || unit[1] != ':') return false;
    column->zoned = unit[2] != '\0';
    return set(column, PRIVY_ARROW_TIMESTAMP, 8);
  case 'D': return parse_unit(column, *unit) && set(column, PRIVY_ARROW_DURATION, 8);
  default: return false;
  }
}

/* "19,10", "19,10,128" */
static bool parse_decimal(privy_arrow_column *column, const char *text) {
  char *end;
  (void)strtol(text, &end, 10);
  if (*end != ',') return false;
  const long scale = strtol(end + 1, &end, 10);
  const long bits = *end == ',' ? strtol(end + 1, &end, 10) : 128;
  if (*end || labs(scale) > LARGEST_SCALE) return false;
  column->scale = (int32_t)scale;
  return (bits == 32 || bits == 64 || bits == 128 || bits == 256) &&
         set(column, PRIVY_ARROW_DECIMAL, (uint8_t)(bits / 8));
}

static bool parse_size(privy_arrow_column *column, const char *text, privy_arrow_kind kind) {
  return privy_parse_int64(text, strlen(text), &column->size) && column->size >= 0 && column->size <= INT32_MAX &&
         set(column, kind, 0);
}

static bool parse_nested(privy_arrow_column *column, const char *format) {
  if (strcmp(format, "l") == 0) return set(column, PRIVY_ARROW_LIST, 4);
  if (strcmp(format, "L") == 0) return set(column, PRIVY_ARROW_LIST, 8);
  if (strcmp(format, "s") == 0) return set(column, PRIVY_ARROW_STRUCT, 0);
  if (strcmp(format, "m") == 0) return set(column, PRIVY_ARROW_MAP, 4);
  return strncmp(format, "w:", 2) == 0 && parse_size(column, format + 2, PRIVY_ARROW_FIXED_LIST);
}

static bool parse_format(privy_arrow_column *column, const char *format) {
  switch (format[0]) {
  case '\0': return false;
  case 't': return parse_time(column, format + 1);
  case '+': return parse_nested(column, format + 1);
  default: break;
  }
  if (format[1] == '\0') return parse_letter(column, format[0]);
  if (strcmp(format, "vu") == 0) return set_texts(column, PRIVY_ARROW_VIEW, 16, false);
  if (strcmp(format, "vz") == 0) return set_texts(column, PRIVY_ARROW_VIEW, 16, true);
  if (format[1] != ':') return false;
  if (format[0] == 'd') return parse_decimal(column, format + 2);
  return format[0] == 'w' && parse_size(column, format + 2, PRIVY_ARROW_FIXED);
}

/* ---- schemas ---- */

static bool has_children(const privy_arrow_column *column, const struct ArrowSchema *schema) {
  if (schema->n_children < 0 || (schema->n_children > 0 && !schema->children)) return false;
  switch (column->kind) {
  case PRIVY_ARROW_STRUCT: return true;
  case PRIVY_ARROW_LIST:
  case PRIVY_ARROW_FIXED_LIST:
  case PRIVY_ARROW_MAP: return schema->n_children == 1;
  default: return schema->n_children == 0;
  }
}

static bool is_of_pairs(const privy_arrow_column *map) {
  return map->children[0].kind == PRIVY_ARROW_STRUCT && map->children[0].count == 2;
}

static privy_status init_dictionary(privy_arrow_column *column, const struct ArrowSchema *schema, int depth,
                                    const char **format) {
  if (column->kind != PRIVY_ARROW_INTEGER && column->kind != PRIVY_ARROW_UNSIGNED) return PRIVY_CONFIG_ERROR;
  column->dictionary = privy_calloc(1, sizeof *column->dictionary);
  if (!column->dictionary) return PRIVY_NO_MEMORY;
  return privy_arrow_column_init(column->dictionary, schema->dictionary, depth + 1, format);
}

static privy_status init_children(privy_arrow_column *column, const struct ArrowSchema *schema, int depth,
                                  const char **format) {
  if (schema->n_children == 0) return PRIVY_OK;
  column->children = privy_calloc((size_t)schema->n_children, sizeof *column->children);
  if (!column->children) return PRIVY_NO_MEMORY;
  privy_status status = PRIVY_OK;
  for (int64_t i = 0; status == PRIVY_OK && i < schema->n_children; i++) {
    column->count++;
    status = privy_arrow_column_init(&column->children[i], schema->children[i], depth + 1, format);
  }
  return status;
}

privy_status privy_arrow_column_init(privy_arrow_column *column, const struct ArrowSchema *schema, int depth,
                                     const char **format) {
  *column = (privy_arrow_column){0};
  *format = "";
  if (!schema || !schema->format) return PRIVY_CONFIG_ERROR;
  column->name = schema->name ? schema->name : "";
  *format = schema->format;
  if (depth > PRIVY_ARROW_DEPTH || !parse_format(column, schema->format) || !has_children(column, schema))
    return PRIVY_CONFIG_ERROR;
  if (schema->dictionary) return init_dictionary(column, schema, depth, format);
  privy_status status = init_children(column, schema, depth, format);
  if (status == PRIVY_OK && column->kind == PRIVY_ARROW_MAP && !is_of_pairs(column)) status = PRIVY_CONFIG_ERROR;
  return status;
}

void privy_arrow_column_clear(privy_arrow_column *column) {
  for (size_t i = 0; i < column->count; i++) privy_arrow_column_clear(&column->children[i]);
  privy_free(column->children);
  if (column->dictionary) privy_arrow_column_clear(column->dictionary);
  privy_free(column->dictionary);
  *column = (privy_arrow_column){0};
}

/* ---- arrays ---- */

static bool has_buffers(const privy_arrow_column *column, const struct ArrowArray *array) {
  if (array->n_buffers > 0 && !array->buffers) return false;
  switch (column->kind) {
  case PRIVY_ARROW_NULL: return array->n_buffers == 0 || array->n_buffers == 1;
  case PRIVY_ARROW_STRUCT:
  case PRIVY_ARROW_FIXED_LIST: return array->n_buffers == 1;
  case PRIVY_ARROW_TEXT: return array->n_buffers == 3;
  case PRIVY_ARROW_VIEW: return array->n_buffers >= 3;
  default: return array->n_buffers == 2;
  }
}

/* The buffer of values or offsets is there if there are values. */
static bool has_values(const struct ArrowArray *array) {
  return array->n_buffers < 2 || array->length == 0 || array->buffers[1];
}

/* Elements that each child has at least. */
static int64_t needed(const privy_arrow_column *column, const struct ArrowArray *array) {
  const int64_t end = array->offset + array->length;
  if (column->kind == PRIVY_ARROW_STRUCT) return end;
  if (column->kind != PRIVY_ARROW_FIXED_LIST) return 0;
  return column->size && end > INT64_MAX / column->size ? INT64_MAX : end * column->size;
}

bool privy_arrow_column_load(privy_arrow_column *column, const struct ArrowArray *array) {
  column->array = array;
  if (!array || array->length < 0 || array->offset < 0 || array->offset > INT64_MAX - array->length) return false;
  if (!has_buffers(column, array) || !has_values(array)) return false;
  if (column->dictionary) return privy_arrow_column_load(column->dictionary, array->dictionary);
  if (array->n_children < 0 || (size_t)array->n_children != column->count) return false;
  if (column->count && !array->children) return false;
  const int64_t wanted = needed(column, array);
  for (size_t i = 0; i < column->count; i++)
    if (!privy_arrow_column_load(&column->children[i], array->children[i]) || array->children[i]->length < wanted)
      return false;
  return true;
}
