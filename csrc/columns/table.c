#include "columns/table.h"

#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "message/record.h"

/* Bytes of text after which a batch ends, so that offsets of 32 bits reach the end of any page that follows. */
#define BATCH_BYTES ((size_t)64 << 20)

void privy_table_init(privy_table *table, const privy_object *object, bool spread) {
  *table = (privy_table){.object = object, .spread = spread};
}

void privy_table_clear(privy_table *table) {
  for (size_t i = 0; i < table->count; i++) privy_column_clear(&table->columns[i]);
  for (size_t i = 0; i < table->member_count; i++) privy_free(table->members[i].name);
  privy_map_clear(&table->member_names);
  privy_buffer_clear(&table->name);
  privy_free(table->columns);
  privy_free(table->slots);
  privy_free(table->members);
  privy_free(table->member_columns);
  privy_free(table->member_values);
  privy_table_init(table, table->object, table->spread);
}

/* ---- members of objects that are spread ---- */

static privy_field_info field_at(const privy_table *table, size_t slot) {
  privy_field_info field = {0};
  privy_object_field(table->object, slot, &field);
  return field;
}

static bool is_spread(const privy_table *table, privy_field_info field) {
  return table->spread && field.kind == PRIVY_KIND_FLAT;
}

/* A C string cannot hold NUL. A name without it is as it is, unless it could be taken for one with an escaped NUL. */
static bool needs_escape(const char *name, size_t length) {
  static const char nul[] = "\\u0000";
  for (size_t i = 0; i < length; i++) {
    if (name[i] == '\0' || (length - i >= sizeof nul - 1 && memcmp(name + i, nul, sizeof nul - 1) == 0)) return true;
  }
  return false;
}

/* Writes NUL and backslashes as JSON does, so that different names stay different. */
static bool write_escaped(privy_buffer *out, const char *name, size_t length) {
  bool done = true;
  for (size_t i = 0; done && i < length; i++) {
    if (name[i] == '\0')
      done = privy_buffer_text(out, "\\u0000");
    else
      done = (name[i] != '\\' || privy_buffer_byte(out, '\\')) && privy_buffer_byte(out, name[i]);
  }
  return done;
}

static bool write_key(privy_buffer *out, privy_value key) {
  if (!key.escaped) return privy_buffer_append(out, key.text, key.length);
  privy_buffer plain = PRIVY_BUFFER_EMPTY;
  const bool done = privy_value_decode(key, &plain) == PRIVY_OK &&
                    (needs_escape(plain.data, plain.length) ? write_escaped(out, plain.data, plain.length)
                                                            : privy_buffer_append(out, plain.data, plain.length));
  privy_buffer_clear(&plain);
  return done;
}

/* Writes "field.member" to `table->name`, which ends in NUL. */
static bool write_name(privy_table *table, const char *field, privy_value key) {
  table->name.length = 0;
  return privy_buffer_text(&table->name, field) && privy_buffer_byte(&table->name, '.') &&
         write_key(&table->name, key) && privy_buffer_terminate(&table->name);
}

/* The position of the member whose name was just written. */
static size_t find_member(const privy_table *table) {
  return privy_map_get(&table->member_names, table->name.data, table->name.length);
}

/* Adds the member whose name was just written. */
static bool add_member(privy_table *table, size_t slot) {
  privy_member *grown =
      privy_grow(table->members, table->member_count, &table->member_capacity, sizeof *table->members);
  if (!grown) return false;
  table->members = grown;
  char *name = privy_copy(table->name.data, table->name.length);
  if (!name) return false;
  table->members[table->member_count] = (privy_member){.name = name, .slot = slot};
  return privy_map_set(&table->member_names, name, table->name.length, table->member_count++);
}

/* The type as one bit, 0 for a value that has none. An integer that a column of integers cannot hold counts as text. */
static unsigned type_bit(privy_value value) {
  int64_t integer;
  switch (value.type) {
  case PRIVY_ABSENT:
  case PRIVY_NULL: return 0;
  case PRIVY_FALSE:
  case PRIVY_TRUE: return 1U << PRIVY_COLUMN_BOOLEAN;
  case PRIVY_NUMBER:
    return value.integral && privy_parse_int64(value.text, value.length, &integer) ? 1U << PRIVY_COLUMN_INTEGER
                                                                                   : 1U << PRIVY_COLUMN_TEXT;
  default: return 1U << PRIVY_COLUMN_TEXT;
  }
}

/* A column of booleans or integers if all values are such, else of text. */
static privy_column_type type_of_member(const privy_member *member) {
  if (member->types == 1U << PRIVY_COLUMN_BOOLEAN) return PRIVY_COLUMN_BOOLEAN;
  return member->types == 1U << PRIVY_COLUMN_INTEGER ? PRIVY_COLUMN_INTEGER : PRIVY_COLUMN_TEXT;
}

static bool discover_members(privy_table *table, size_t slot, const char *field, privy_value object) {
  if (object.type != PRIVY_OBJECT) return true;
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (!write_name(table, field, key) || (find_member(table) == PRIVY_MAP_NONE && !add_member(table, slot)))
      return false;
    table->members[find_member(table)].types |= type_bit(value);
  }
  return true;
}

bool privy_table_discover(privy_table *table, const privy_record *record) {
  const size_t count = privy_object_count(table->object);
  for (size_t slot = 0; slot < count; slot++) {
    const privy_field_info field = field_at(table, slot);
    if (!is_spread(table, field)) continue;
    if (!discover_members(table, slot, field.name, privy_record_get(record, slot))) return false;
  }
  return true;
}

/* Finds the values of the members of one object. */
static bool spread_members(privy_table *table, const char *field, privy_value object, size_t row) {
  if (object.type != PRIVY_OBJECT) return true;
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (!write_name(table, field, key)) return false;
    const size_t member = find_member(table);
    if (member != PRIVY_MAP_NONE) table->member_values[member * PRIVY_COLUMN_CHUNK + row] = value;
  }
  return true;
}

static bool spread_field(privy_table *table, size_t slot, const privy_record *const *records, size_t count) {
  const privy_field_info field = field_at(table, slot);
  if (!is_spread(table, field)) return true;
  for (size_t row = 0; row < count; row++)
    if (!spread_members(table, field.name, privy_record_get(records[row], slot), row)) return false;
  return true;
}

static bool add_members(privy_table *table, const privy_record *const *records, size_t count) {
  if (table->member_count == 0) return true;
  const size_t slots = privy_object_count(table->object);
  memset(table->member_values, 0, table->member_count * PRIVY_COLUMN_CHUNK * sizeof *table->member_values);
  for (size_t slot = 0; slot < slots; slot++)
    if (!spread_field(table, slot, records, count)) return false;
  for (size_t i = 0; i < table->member_count; i++) {
    privy_column *column = &table->columns[table->member_columns[i]];
    if (!privy_column_add(column, table->member_values + i * PRIVY_COLUMN_CHUNK, count)) return false;
  }
  return true;
}

/* ---- columns ---- */

/* Money and order ids are text: a number keeps its digits. */
static privy_column_type type_of_kind(privy_kind kind) {
  switch (kind) {
  case PRIVY_KIND_ENUM: return PRIVY_COLUMN_ENUM;
  case PRIVY_KIND_TIME: return PRIVY_COLUMN_TIME;
  case PRIVY_KIND_BOOLEAN: return PRIVY_COLUMN_BOOLEAN;
  case PRIVY_KIND_INTEGER: return PRIVY_COLUMN_INTEGER;
  case PRIVY_KIND_STRINGS: return PRIVY_COLUMN_LIST;
  default: return PRIVY_COLUMN_TEXT;
  }
}

static bool open_column(privy_table *table, privy_column_type type, const char *name, const privy_enum *enum_values,
                        size_t slot) {
  if (!privy_column_init(&table->columns[table->count], type, name, enum_values)) return false;
  table->slots[table->count++] = (uint8_t)slot;
  return true;
}

static bool open_members(privy_table *table, size_t slot) {
  for (size_t i = 0; i < table->member_count; i++) {
    const privy_member *member = &table->members[i];
    if (member->slot != slot) continue;
    table->member_columns[i] = table->count;
    if (!open_column(table, type_of_member(member), member->name, NULL, PRIVY_NO_SLOT)) return false;
  }
  return true;
}

static bool reserve_columns(privy_table *table) {
  const size_t members = table->member_count, most = privy_object_count(table->object) + members;
  table->columns = privy_calloc(most, sizeof *table->columns);
  table->slots = privy_calloc(most, sizeof *table->slots);
  table->member_columns = privy_calloc(members, sizeof *table->member_columns);
  table->member_values = privy_calloc(members, PRIVY_COLUMN_CHUNK * sizeof *table->member_values);
  return table->columns && table->slots && table->member_columns && table->member_values;
}

bool privy_table_open(privy_table *table) {
  if (!reserve_columns(table)) return false;
  const size_t count = privy_object_count(table->object);
  for (size_t slot = 0; slot < count; slot++) {
    const privy_field_info field = field_at(table, slot);
    const bool opened = is_spread(table, field)
                            ? open_members(table, slot)
                            : open_column(table, type_of_kind(field.kind), field.name, field.enum_values, slot);
    if (!opened) return false;
  }
  return true;
}

static bool add_column(privy_column *column, size_t slot, const privy_record *const *records, size_t count) {
  privy_value values[PRIVY_COLUMN_CHUNK];
  for (size_t i = 0; i < count; i++) values[i] = records[i]->values[slot];
  return privy_column_add(column, values, count);
}

bool privy_table_add(privy_table *table, const privy_record *const *records, size_t count) {
  for (size_t i = 0; i < table->count; i++) {
    if (table->slots[i] == PRIVY_NO_SLOT) continue;
    if (!add_column(&table->columns[i], table->slots[i], records, count)) return false;
  }
  table->rows += count;
  return add_members(table, records, count);
}

static size_t bytes_of_column(const privy_column *column) {
  return column->text.length + (column->child ? column->child->text.length : 0);
}

bool privy_table_is_full(const privy_table *table) {
  size_t bytes = 0;
  for (size_t i = 0; i < table->count; i++) {
    if (privy_column_is_full(&table->columns[i])) return true;
    bytes += bytes_of_column(&table->columns[i]);
  }
  return bytes > BATCH_BYTES;
}

static bool reset_dictionaries(privy_table *table) {
  for (size_t i = 0; i < table->count; i++) {
    privy_column *column = &table->columns[i];
    if (privy_column_is_full(column) && !privy_column_reset_dictionary(column)) return false;
  }
  return true;
}

bool privy_table_export(privy_table *table, struct ArrowArray *out) {
  if (!privy_columns_export(table->columns, table->count, table->rows, out)) return false;
  table->rows = 0;
  if (reset_dictionaries(table)) return true;
  out->release(out);
  return false;
}
