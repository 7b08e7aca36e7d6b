/* Reads maps. */
#include "imports/map.h"

#include "base/memory.h"
#include "base/text.h"
#include "schema/details.h"
#include "schema/reason.h"
#include "json/reader.h"

privy_conversion privy_conversion_find(const char *name, size_t length) {
  for (size_t i = 0; i < PRIVY_CONVERSIONS; i++)
    if (privy_text_is(name, length, privy_import_conversion_at(i)->name)) return (privy_conversion)i;
  return PRIVY_CONVERSIONS;
}

const privy_import_conversion_info *privy_import_conversion_at(size_t index) {
  static const privy_import_conversion_info conversions[] = {
#define CONVERSION(id, name, raw, doc) {name, doc},
#include "imports/conversions.def"
#undef CONVERSION
  };
  return index < PRIVY_CONVERSIONS ? &conversions[index] : NULL;
}

void privy_map_clear_plan(privy_map_plan *plan) {
  privy_free(plan->mappings);
  privy_free(plan->skips);
  privy_details_clear(&plan->faults);
  privy_texts_clear(&plan->texts);
}

/* ---- values of the map ---- */

static privy_span text_of(privy_map_plan *plan, privy_value value) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  if (!value.escaped) return privy_map_copy_text(plan, value.text, value.length);
  if (privy_value_decode(value, &text) != PRIVY_OK) plan->no_memory = true;
  const privy_span copy = privy_map_copy_text(plan, text.data, text.length);
  privy_buffer_clear(&text);
  return copy;
}

/* A value as JSON text, to be sent as it is. */
static privy_span json_of(privy_map_plan *plan, privy_value value) {
  if (value.type != PRIVY_STRING) return privy_map_copy_text(plan, value.text, value.length);
  return privy_map_copy_text(plan, value.text - 1, (size_t)value.length + 2);
}

static privy_span joined(privy_map_plan *plan, privy_span prefix, privy_span name) {
  char *text = privy_texts_bytes(&plan->texts, prefix.length + name.length + 2);
  if (!text) {
    plan->no_memory = true;
    return prefix;
  }
  size_t length = prefix.length;
  memcpy(text, prefix.text, length);
  if (length) text[length++] = '.';
  memcpy(text + length, name.text, name.length);
  length += name.length;
  text[length] = '\0';
  return (privy_span){text, length};
}

static privy_span words(const char *text) {
  return (privy_span){text, strlen(text)};
}

static privy_span under_columns(privy_map_plan *plan, privy_span path) {
  return joined(plan, words("columns"), path);
}

/* ---- keys ---- */

/* The position of a key among `names`; SIZE_MAX, with a fault that suggests a similar one, if no name equals it. */
static size_t find_key(privy_map_plan *plan, privy_span place, privy_value key, const char *const *names,
                       size_t count) {
  privy_slice known[16];
  for (size_t i = 0; i < count; i++) {
    known[i] = (privy_slice){names[i], strlen(names[i])};
    if (privy_value_is(key, names[i])) return i;
  }
  const privy_span name = text_of(plan, key), field = joined(plan, place, name);
  const size_t near = privy_suggest_among(known, count, name.text, name.length);
  if (near == SIZE_MAX)
    privy_map_fault(plan, field, PRIVY_CODE_UNKNOWN_FIELD, "is no key of a map here");
  else
    privy_map_fault(plan, field, PRIVY_CODE_UNKNOWN_FIELD, "is no key of a map here: did you mean %s?", names[near]);
  return SIZE_MAX;
}

static bool want_text(privy_map_plan *plan, privy_span field, privy_value value, privy_span *out) {
  if (value.type == PRIVY_STRING) {
    *out = text_of(plan, value);
    return true;
  }
  privy_map_fault(plan, field, PRIVY_CODE_WRONG_TYPE, "must be a text");
  return false;
}

static void refuse_choice(privy_map_plan *plan, privy_span field, const char *choices) {
  privy_map_fault(plan, field, PRIVY_CODE_INCLUSION, "must be one of %s", choices);
}

/* ---- the columns of a field ---- */

static void read_column_names(privy_map_plan *plan, privy_span field, privy_mapping *mapping, privy_value value) {
  privy_cursor cursor;
  privy_value key, element;
  privy_span name;
  if (value.type != PRIVY_ARRAY) {
    if (want_text(plan, field, value, &name)) privy_map_add_column(plan, mapping, name);
    return;
  }
  privy_cursor_init(&cursor, value);
  while (privy_cursor_next(&cursor, &key, &element))
    if (want_text(plan, field, element, &name)) privy_map_add_column(plan, mapping, name);
  if (mapping->column_count == 0) privy_map_fault(plan, field, PRIVY_CODE_REQUIRED, "names no column");
}

/* The columns of a template: the names in braces. */
static void read_template(privy_map_plan *plan, privy_span field, privy_mapping *mapping, privy_value value) {
  if (!want_text(plan, field, value, &mapping->template)) return;
  mapping->origin = PRIVY_FROM_TEMPLATE;
  const char *at = mapping->template.text, *const end = at + mapping->template.length;
  while (at < end && (at = memchr(at, '{', (size_t)(end - at))) != NULL) {
    const char *close = memchr(at, '}', (size_t)(end - at));
    if (!close) break;
    privy_map_add_column(plan, mapping, (privy_span){at + 1, (size_t)(close - at - 1)});
    at = close + 1;
  }
  if (mapping->column_count == 0)
    privy_map_fault(plan, field, PRIVY_CODE_REQUIRED, "names no column: write {Column} in the template");
}

static void read_sum(privy_map_plan *plan, privy_span field, privy_mapping *mapping, privy_value value) {
  if (privy_value_is(value, "line"))
    mapping->origin = PRIVY_FROM_TOTALS;
  else if (privy_value_is(value, "quantity"))
    mapping->origin = PRIVY_FROM_QUANTITIES;
  else
    refuse_choice(plan, field, "line, quantity");
}

static void read_conversion(privy_map_plan *plan, privy_span field, privy_mapping *mapping, privy_value value) {
  privy_span name;
  if (!want_text(plan, field, value, &name)) return;
  const privy_conversion found = privy_conversion_find(name.text, name.length);
  if (found != PRIVY_CONVERSIONS) {
    mapping->conversion = (uint8_t)found;
    return;
  }
  privy_buffer list = PRIVY_BUFFER_EMPTY;
  for (size_t i = 0; i < PRIVY_CONVERSIONS; i++)
    if (!privy_buffer_format(&list, "%s%s", i ? ", " : "", privy_import_conversion_at(i)->name)) plan->no_memory = true;
  if (privy_buffer_terminate(&list)) refuse_choice(plan, field, list.data);
  privy_buffer_clear(&list);
}

static void read_values(privy_map_plan *plan, privy_span field, privy_mapping *mapping, privy_value value) {
  if (value.type == PRIVY_OBJECT)
    mapping->values = value;
  else
    privy_map_fault(plan, field, PRIVY_CODE_WRONG_TYPE, "must be a table, such as {Bezahlt = \"paid\"}");
}

static void read_separator(privy_map_plan *plan, privy_span field, privy_mapping *mapping, privy_value value) {
  privy_span text;
  if (!want_text(plan, field, value, &text)) return;
  if (text.length == 1)
    mapping->separator = text.text[0];
  else
    privy_map_fault(plan, field, PRIVY_CODE_WRONG_TYPE, "must be one character, such as \";\"");
}

static void read_invalid(privy_map_plan *plan, privy_span field, privy_mapping *mapping, privy_value value) {
  mapping->omits_invalid = privy_value_is(value, "omit");
  if (!mapping->omits_invalid && !privy_value_is(value, "refuse")) refuse_choice(plan, field, "omit, refuse");
}

static void read_lines(privy_map_plan *plan, privy_span field, privy_mapping *mapping, privy_value value) {
  mapping->takes_first = privy_value_is(value, "first");
  if (!mapping->takes_first && !privy_value_is(value, "agree")) refuse_choice(plan, field, "agree, first");
}

/* A column that helps another one. Returns its position; adding it moves the mappings. */
static size_t add_helper(privy_map_plan *plan, privy_span field, privy_value value) {
  privy_mapping *mappings = privy_grow(plan->mappings, plan->count, &plan->capacity, sizeof *mappings);
  if (!mappings) {
    plan->no_memory = true;
    return PRIVY_NO_COLUMN;
  }
  plan->mappings = mappings;
  mappings[plan->count] =
      (privy_mapping){.path = {"", 0}, .hidden = true, .conversion = PRIVY_CONVERT_TEXT, .country = PRIVY_NO_COLUMN};
  read_column_names(plan, field, &mappings[plan->count], value);
  return plan->count++;
}

/* ---- one field ---- */

enum {
  KEY_COLUMN,
  KEY_VALUE,
  KEY_TEMPLATE,
  KEY_SUM,
  KEY_VALUES,
  KEY_PREFIX,
  KEY_SUFFIX,
  KEY_CONVERT,
  KEY_DEFAULT,
  KEY_INVALID,
  KEY_COUNTRY,
  KEY_SEPARATOR,
  KEY_LINES,
  KEYS
};
static const char *const field_keys[KEYS] = {"column",       "value",        "template", "sum",     "values",
                                             "strip_prefix", "strip_suffix", "convert",  "default", "invalid",
                                             "country",      "separator",    "lines"};

static void read_constant(privy_map_plan *plan, privy_mapping *mapping, privy_value value) {
  mapping->origin = PRIVY_FROM_CONSTANT;
  mapping->constant = json_of(plan, value);
}

static void read_field_key(privy_map_plan *plan, privy_span field, size_t at, size_t key, privy_value value) {
  privy_mapping *mapping = &plan->mappings[at];
  switch (key) {
  case KEY_COLUMN: read_column_names(plan, field, mapping, value); break;
  case KEY_VALUE: read_constant(plan, mapping, value); break;
  case KEY_TEMPLATE: read_template(plan, field, mapping, value); break;
  case KEY_SUM: read_sum(plan, field, mapping, value); break;
  case KEY_VALUES: read_values(plan, field, mapping, value); break;
  case KEY_PREFIX: (void)want_text(plan, field, value, &mapping->prefix); break;
  case KEY_SUFFIX: (void)want_text(plan, field, value, &mapping->suffix); break;
  case KEY_CONVERT: read_conversion(plan, field, mapping, value); break;
  case KEY_DEFAULT: mapping->constant = json_of(plan, value); break;
  case KEY_INVALID: read_invalid(plan, field, mapping, value); break;
  case KEY_LINES: read_lines(plan, field, mapping, value); break;
  case KEY_SEPARATOR: read_separator(plan, field, mapping, value); break;
  default: {
    const size_t helper = add_helper(plan, field, value);
    plan->mappings[at].country = helper;
  }
  }
}

static bool names_origin(privy_value key) {
  for (size_t i = 0; i <= KEY_SUM; i++)
    if (privy_value_is(key, field_keys[i])) return true;
  return false;
}

static size_t count_origins(privy_value object) {
  privy_cursor cursor;
  privy_value key, value;
  size_t count = 0;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) count += names_origin(key);
  return count;
}

static void read_field_object(privy_map_plan *plan, privy_span place, size_t at, privy_value object) {
  privy_cursor cursor;
  privy_value key, value;
  const size_t origins = count_origins(object);
  if (origins != 1)
    privy_map_fault(plan, place, origins ? PRIVY_CODE_REPEATED : PRIVY_CODE_REQUIRED,
                    "needs one of column, value, template and sum");
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    const size_t found = find_key(plan, place, key, field_keys, KEYS);
    if (found != SIZE_MAX) read_field_key(plan, joined(plan, place, words(field_keys[found])), at, found, value);
  }
}

static void read_field(privy_map_plan *plan, privy_span path, privy_value value) {
  const privy_span place = under_columns(plan, path);
  if (privy_map_has(plan, path)) {
    privy_map_fault(plan, place, PRIVY_CODE_REPEATED, "is given twice");
    return;
  }
  privy_mapping *mapping = privy_map_add(plan, path);
  if (!mapping) return;
  const size_t at = (size_t)(mapping - plan->mappings);
  if (value.type == PRIVY_OBJECT)
    read_field_object(plan, place, at, value);
  else if (value.type == PRIVY_STRING || value.type == PRIVY_ARRAY)
    read_column_names(plan, place, mapping, value);
  else
    privy_map_fault(plan, place, PRIVY_CODE_WRONG_TYPE, "must be the name of a column, or a table such as {value = 1}");
}

/* ---- all fields ---- */

/* Whether an object below the path holds further fields, rather than what a single field is made of. */
static bool has_fields(const privy_map_plan *plan, privy_span path, privy_value value) {
  privy_span name, rest = path;
  if (value.type != PRIVY_OBJECT || count_origins(value) || !privy_path_next(&rest, &name)) return false;
  const privy_field *top = privy_object_lookup(plan->operation->object, name.text, name.length);
  if (!top) return false;
  const privy_kind kind = (privy_kind)top->kind;
  return kind == PRIVY_KIND_OBJECT || kind == PRIVY_KIND_OBJECTS || kind == PRIVY_KIND_FLAT || kind == PRIVY_KIND_ANY;
}

static void read_fields(privy_map_plan *plan, privy_span prefix, privy_value object) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    const privy_span path = joined(plan, prefix, text_of(plan, key));
    if (has_fields(plan, path, value))
      read_fields(plan, path, value);
    else
      read_field(plan, path, value);
  }
}

/* Values of rows that have none, and of fields that no column fills. */
static void read_defaults(privy_map_plan *plan, privy_span prefix, privy_value object) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    const privy_span path = joined(plan, prefix, text_of(plan, key));
    if (has_fields(plan, path, value)) {
      read_defaults(plan, path, value);
      continue;
    }
    privy_mapping *mapping = privy_map_find(plan, path);
    const bool added = mapping == NULL;
    if (added) mapping = privy_map_add(plan, path);
    if (!mapping) continue;
    mapping->constant = json_of(plan, value);
    if (added) mapping->origin = PRIVY_FROM_CONSTANT;
  }
}

/* ---- lines to leave out ---- */

enum { SKIP_COLUMN, SKIP_REASON, SKIP_EQUALS, SKIP_STARTS, SKIP_EMPTY, SKIP_NEGATIVE, SKIP_KEYS };
static const char *const skip_keys[SKIP_KEYS] = {"column", "reason", "equals", "starts_with", "empty", "negative"};

static void read_skip_key(privy_map_plan *plan, privy_span field, privy_skip *skip, size_t key, privy_value value) {
  if (key >= SKIP_EMPTY) {
    skip->test = key == SKIP_EMPTY ? PRIVY_SKIP_EMPTY : PRIVY_SKIP_NEGATIVE;
    if (value.type != PRIVY_TRUE) privy_map_fault(plan, field, PRIVY_CODE_WRONG_TYPE, "must be true");
    return;
  }
  privy_span text = {"", 0};
  if (!want_text(plan, field, value, &text)) return;
  if (key == SKIP_COLUMN) skip->column.name = text;
  if (key == SKIP_REASON) skip->reason = text;
  if (key < SKIP_EQUALS) return;
  skip->test = key == SKIP_EQUALS ? PRIVY_SKIP_EQUALS : PRIVY_SKIP_STARTS;
  skip->text = text;
}

static bool read_skip(privy_map_plan *plan, privy_span place, privy_value object, privy_skip *out) {
  privy_cursor cursor;
  privy_value key, value;
  size_t tests = 0;
  *out = (privy_skip){.column = {{"", 0}, PRIVY_NO_COLUMN}, .reason = words("left out by the map")};
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    const size_t found = find_key(plan, place, key, skip_keys, SKIP_KEYS);
    if (found == SIZE_MAX) continue;
    tests += found >= SKIP_EQUALS;
    read_skip_key(plan, joined(plan, place, words(skip_keys[found])), out, found, value);
  }
  if (object.type == PRIVY_OBJECT && tests == 1 && out->column.name.length) return true;
  privy_map_fault(plan, place, PRIVY_CODE_REQUIRED,
                  "needs a column, and one of equals, starts_with, empty and negative");
  return false;
}

static void add_skip(privy_map_plan *plan, privy_value object) {
  privy_skip skip;
  if (!read_skip(plan, words("skip"), object, &skip)) return;
  privy_skip *skips = privy_grow(plan->skips, plan->skip_count, &plan->skip_capacity, sizeof *skips);
  if (!skips) {
    plan->no_memory = true;
    return;
  }
  plan->skips = skips;
  skips[plan->skip_count++] = skip;
}

static void read_skips(privy_map_plan *plan, privy_value value) {
  privy_cursor cursor;
  privy_value key, element;
  if (value.type != PRIVY_ARRAY) {
    add_skip(plan, value);
    return;
  }
  privy_cursor_init(&cursor, value);
  while (privy_cursor_next(&cursor, &key, &element)) add_skip(plan, element);
}

/* ---- the whole map ---- */

enum {
  MAP_PRESET,
  MAP_TIMEZONE,
  MAP_COUNTRY,
  MAP_CURRENCY,
  MAP_DECIMAL,
  MAP_DATE,
  MAP_COLUMNS,
  MAP_DEFAULTS,
  MAP_SKIP,
  MAP_KEYS
};
static const char *const map_keys[MAP_KEYS] = {"preset",      "timezone", "country",  "currency", "decimal",
                                               "date_format", "columns",  "defaults", "skip"};

static void read_table(privy_map_plan *plan, size_t key, privy_value value) {
  if (value.type != PRIVY_OBJECT)
    privy_map_fault(plan, words(map_keys[key]), PRIVY_CODE_WRONG_TYPE, "must be a table");
  else if (key == MAP_COLUMNS)
    read_fields(plan, words(""), value);
  else
    read_defaults(plan, words(""), value);
}

static void read_decimal(privy_map_plan *plan, privy_value value) {
  if (privy_value_is(value, ".") || privy_value_is(value, ","))
    plan->decimal = value.text[0];
  else
    refuse_choice(plan, words("decimal"), "\".\", \",\"");
}

static void read_date_format(privy_map_plan *plan, privy_value value) {
  if (privy_value_is(value, "d/m/y"))
    plan->date_order = PRIVY_DATE_DAY_FIRST;
  else if (privy_value_is(value, "m/d/y"))
    plan->date_order = PRIVY_DATE_MONTH_FIRST;
  else
    refuse_choice(plan, words("date_format"), "\"d/m/y\", \"m/d/y\"");
}

static void read_map_key(privy_map_plan *plan, size_t key, privy_value value) {
  const privy_span field = words(map_keys[key]);
  switch (key) {
  case MAP_PRESET: (void)want_text(plan, field, value, &plan->preset); break;
  case MAP_TIMEZONE: (void)want_text(plan, field, value, &plan->timezone); break;
  case MAP_COUNTRY: (void)want_text(plan, field, value, &plan->country); break;
  case MAP_CURRENCY: (void)want_text(plan, field, value, &plan->currency); break;
  case MAP_DECIMAL: read_decimal(plan, value); break;
  case MAP_DATE: read_date_format(plan, value); break;
  default: break; /* the tables are read in an order of their own */
  }
}

/* The member of that key; absent if there is none. */
static privy_value member(privy_value object, const char *name) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value))
    if (privy_value_is(key, name)) return value;
  return (privy_value){.type = PRIVY_ABSENT};
}

static void read_tables(privy_map_plan *plan, privy_value map) {
  for (size_t key = MAP_COLUMNS; key <= MAP_DEFAULTS; key++) {
    const privy_value table = member(map, map_keys[key]);
    if (table.type != PRIVY_ABSENT) read_table(plan, key, table);
  }
  const privy_value skips = member(map, map_keys[MAP_SKIP]);
  if (skips.type != PRIVY_ABSENT) read_skips(plan, skips);
}

void privy_map_read(privy_map_plan *plan, const char *text, size_t length) {
  privy_value map, key, value;
  privy_cursor cursor;
  privy_error error;
  plan->source = privy_map_copy_text(plan, text, length);
  if (plan->no_memory) return;
  privy_error_init(&error);
  const privy_status status = privy_value_parse(plan->source.text, plan->source.length, &map, &error);
  if (status == PRIVY_NO_MEMORY) plan->no_memory = true;
  if (status != PRIVY_OK || map.type != PRIVY_OBJECT)
    privy_map_fault(plan, words("map"), PRIVY_CODE_WRONG_TYPE, "must be a JSON object");
  privy_error_clear(&error);
  if (status != PRIVY_OK || map.type != PRIVY_OBJECT) return;
  privy_cursor_init(&cursor, map);
  while (privy_cursor_next(&cursor, &key, &value)) {
    const size_t found = find_key(plan, words(""), key, map_keys, MAP_KEYS);
    if (found != SIZE_MAX) read_map_key(plan, found, value);
  }
  read_tables(plan, map);
}
