#include "message/record.h"

#include <string.h>

#include "base/text.h"
#include "json/writer.h"

static bool is_alias(const privy_object *object, int index, privy_value key) {
  return !privy_value_is(key, object->fields[object->response_fields[index]].name);
}

/* True if one of the aliases equals the string, which has escapes. */
static bool escaped_is_alias(const char *aliases, privy_value string) {
  privy_slice list = {aliases, strlen(aliases)}, word;
  char name[64];
  while (privy_next_word(&list, '|', &word)) {
    if (word.length >= sizeof name) continue;
    memcpy(name, word.text, word.length);
    name[word.length] = '\0';
    if (privy_value_is(string, name)) return true;
  }
  return false;
}

static int escaped_index_of(const privy_object *object, privy_value key) {
  for (size_t i = 0; i < object->response_field_count; i++)
    if (privy_value_is(key, object->fields[object->response_fields[i]].name)) return (int)i;
  for (size_t i = 0; i < object->response_field_count; i++)
    if (escaped_is_alias(object->fields[object->response_fields[i]].aliases, key)) return (int)i;
  return -1;
}

static int index_of(const privy_object *object, privy_value key) {
  return key.escaped ? escaped_index_of(object, key) : privy_object_index(object, key.text, key.length);
}

static int enum_index_of(const privy_enum *enum_values, privy_value value) {
  if (!value.escaped) return privy_enum_index(enum_values, value.text, value.length, true);
  for (size_t i = 0; i < enum_values->count; i++)
    if (privy_value_is(value, enum_values->values[i].name) || escaped_is_alias(enum_values->values[i].aliases, value))
      return (int)i;
  return -1;
}

/* Replaces an alias of an enum value by its name. */
static void normalize_enum_value(const privy_enum *enum_values, privy_value *value) {
  if (value->type != PRIVY_STRING) return;
  int position = enum_index_of(enum_values, *value);
  if (position < 0) return;
  const privy_enum_entry *enum_value = &enum_values->values[position];
  *value = (privy_value){.text = enum_value->name,
                         .length = enum_value->name_length,
                         .type = PRIVY_STRING,
                         .enum_value = (uint8_t)(position + 1)};
}

static privy_value boolean(bool truth) {
  return truth ? (privy_value){.text = "true", .length = 4, .type = PRIVY_TRUE}
               : (privy_value){.text = "false", .length = 5, .type = PRIVY_FALSE};
}

/* Fills fields that responses omit. */
static void fill_absent(const privy_object *object, int http_status, privy_value *values) {
  for (size_t i = 0; i < object->response_field_count; i++) {
    if (values[i].type != PRIVY_ABSENT) continue;
    uint8_t flags = object->fields[object->response_fields[i]].flags;
    if (flags & PRIVY_FIELD_FALSE_IF_ABSENT) values[i] = boolean(false);
    if (flags & PRIVY_FIELD_FROM_STATUS) values[i] = boolean(http_status == 201);
  }
}

void privy_field_order_init(privy_field_order *order) {
  for (size_t i = 0; i < sizeof order->after; i++) order->after[i] = (uint8_t)i;
}

/*
 * Moves to the next member and sets its field; NULL if the key is unknown, or an alias of a field that already has a
 * value. `*last` is 1 + the response index of the last known key, 0 before the first.
 */
static bool next_field(privy_reader *reader, const privy_record *record, privy_field_order *order, size_t *last,
                       const privy_field **field) {
  const privy_object *object = record->object;
  const size_t expected = order->after[*last];
  if (expected < object->response_field_count) {
    *field = &object->fields[object->response_fields[expected]];
    if (privy_reader_member_is(reader, (*field)->key, (*field)->name_length + PRIVY_KEY_EXTRA)) {
      *last = expected + 1;
      return true;
    }
  }
  *field = NULL;
  privy_value key;
  if (!privy_reader_member(reader, &key)) return false;
  const int index = index_of(object, key);
  if (index < 0) return true;
  order->after[*last] = (uint8_t)index;
  *last = (size_t)index + 1;
  if (record->values[index].type == PRIVY_ABSENT || !is_alias(object, index, key))
    *field = &object->fields[object->response_fields[index]];
  return true;
}

bool privy_record_read(privy_record *record, const privy_object *object, privy_field_order *order, int http_status,
                       privy_reader *reader) {
  if (!privy_reader_enter_object(reader)) return false;
  const char *start = reader->at - 1;
  record->object = object;
  memset(record->values, 0, object->response_field_count * sizeof *record->values);
  privy_value ignored;
  size_t last = 0;
  const privy_field *field;
  while (next_field(reader, record, order, &last, &field)) {
    privy_value *value = field ? &record->values[field->response_index] : &ignored;
    if (!privy_reader_value(reader, value)) return false;
    if (field && field->enum_values) normalize_enum_value(field->enum_values, value);
  }
  if (reader->error) return false;
  fill_absent(object, http_status, record->values);
  record->json = (privy_value){.text = start, .length = (uint32_t)(reader->at - start), .type = PRIVY_OBJECT};
  return true;
}

const privy_object *privy_record_object(const privy_record *record) {
  return record->object;
}

privy_value privy_record_get(const privy_record *record, size_t index) {
  return index < record->object->response_field_count ? record->values[index] : (privy_value){.type = PRIVY_ABSENT};
}

privy_value privy_record_json(const privy_record *record) {
  return record->json;
}

privy_status privy_record_write(const privy_record *record, privy_buffer *out) {
  const privy_object *object = record->object;
  privy_writer writer;
  privy_writer_init(&writer, out);
  privy_writer_begin_object(&writer);
  for (size_t i = 0; i < object->response_field_count; i++) {
    const privy_field *field = &object->fields[object->response_fields[i]];
    if (record->values[i].type == PRIVY_ABSENT) continue;
    privy_writer_key_as_is(&writer, field->key, field->name_length + PRIVY_KEY_EXTRA);
    privy_writer_value(&writer, record->values[i]);
  }
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, record->json);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (index_of(object, key) >= 0) continue;
    const char *end = value.text + value.length + (value.type == PRIVY_STRING);
    privy_writer_raw(&writer, key.text - 1, (size_t)(end - (key.text - 1)));
  }
  privy_writer_end_object(&writer);
  return writer.failed ? PRIVY_NO_MEMORY : PRIVY_OK;
}
