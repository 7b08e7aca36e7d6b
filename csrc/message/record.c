#include <string.h>

#include "base/memory.h"
#include "message/error.h"
#include "message/response.h"
#include "json/writer.h"

static bool is_older(const privy_object *object, int slot, privy_value key) {
  return !privy_value_is(key, object->rows[object->slots[slot]].name);
}

/* True when one of the words of `older` is the string, whose escapes keep it from being compared as bytes. */
static bool escaped_is_older(const char *older, privy_value string) {
  privy_slice list = {older, strlen(older)}, word;
  char name[64];
  while (privy_next_word(&list, '|', &word)) {
    if (word.length >= sizeof name) continue;
    memcpy(name, word.text, word.length);
    name[word.length] = '\0';
    if (privy_value_is(string, name)) return true;
  }
  return false;
}

static int escaped_slot_of(const privy_object *object, privy_value key) {
  for (size_t i = 0; i < object->slot_count; i++)
    if (privy_value_is(key, object->rows[object->slots[i]].name)) return (int)i;
  for (size_t i = 0; i < object->slot_count; i++)
    if (escaped_is_older(object->rows[object->slots[i]].older, key)) return (int)i;
  return -1;
}

/* The slot of a key. Answers keep the order of the table more often than not, so the expected one is tried first. */
static int slot_of(const privy_object *object, privy_value key, size_t expected) {
  if (key.escaped) return escaped_slot_of(object, key);
  if (expected < object->slot_count) {
    const privy_field *field = &object->rows[object->slots[expected]];
    if (field->name_length == key.length && memcmp(field->name, key.text, key.length) == 0) return (int)expected;
  }
  return privy_object_index(object, key.text, key.length);
}

static int choice_of(const privy_enum *choices, privy_value value) {
  if (!value.escaped) return privy_enum_index(choices, value.text, value.length, true);
  for (size_t i = 0; i < choices->count; i++)
    if (privy_value_is(value, choices->choices[i].name) || escaped_is_older(choices->choices[i].older, value))
      return (int)i;
  return -1;
}

/* Names the present value of an enumeration, whatever name the answer used. */
static void name_choice(const privy_enum *choices, privy_value *value) {
  if (value->type != PRIVY_STRING) return;
  int position = choice_of(choices, *value);
  if (position < 0) return;
  value->escaped = 0;
  value->text = choices->choices[position].name;
  value->length = (uint32_t)strlen(value->text);
  value->choice = (uint8_t)(position + 1);
}

static privy_value word(bool truth) {
  return truth ? (privy_value){.text = "true", .length = 4, .type = PRIVY_TRUE}
               : (privy_value){.text = "false", .length = 5, .type = PRIVY_FALSE};
}

/* What answers do not say in their body. */
static void fill_absent(const privy_response *response, const privy_object *object, privy_value *values) {
  for (size_t i = 0; i < object->slot_count; i++) {
    uint8_t flags = object->rows[object->slots[i]].flags;
    if (values[i].type != PRIVY_ABSENT) continue;
    if (flags & PRIVY_FIELD_FALSE_IF_ABSENT) values[i] = word(false);
    if (flags & PRIVY_FIELD_FROM_STATUS) values[i] = word(response->http_status == 201);
  }
}

static privy_value *room_for_values(privy_response *response, size_t count) {
  while (response->value_capacity - response->value_count < count) {
    privy_value *values =
        privy_grow(response->values, response->value_capacity, &response->value_capacity, sizeof *values);
    if (!values) return NULL;
    response->values = values;
  }
  privy_value *first = response->values + response->value_count;
  memset(first, 0, count * sizeof *first);
  response->value_count += count;
  return first;
}

bool privy_response_read(privy_response *response, privy_reader *reader, const privy_object *object,
                         privy_record *out) {
  if (privy_reader_peek(reader) != PRIVY_OBJECT) {
    privy_reader_enter_object(reader);
    return false;
  }
  const char *start = reader->at;
  privy_value *values = room_for_values(response, object->slot_count);
  if (!values) return false;
  privy_value key, value;
  size_t expected = 0;
  privy_reader_enter_object(reader);
  while (privy_reader_member(reader, &key)) {
    if (!privy_reader_value(reader, &value)) return false;
    int slot = slot_of(object, key, expected);
    if (slot < 0) continue;
    expected = (size_t)slot + 1;
    if (values[slot].type != PRIVY_ABSENT && is_older(object, slot, key)) continue;
    const privy_enum *choices = object->rows[object->slots[slot]].choices;
    if (choices) name_choice(choices, &value);
    values[slot] = value;
  }
  if (reader->error) return false;
  fill_absent(response, object, values);
  *out = (privy_record){
      .object = object,
      .json = {.text = start, .length = (uint32_t)(reader->at - start), .type = PRIVY_OBJECT},
      .first = (size_t)(values - response->values),
  };
  return true;
}

const privy_object *privy_record_object(const privy_record *record) {
  return record->object;
}

privy_value privy_record_get(const privy_record *record, size_t index) {
  return index < record->object->slot_count ? record->values[index] : (privy_value){.type = PRIVY_ABSENT};
}

privy_value privy_record_json(const privy_record *record) {
  return record->json;
}

privy_status privy_record_write(const privy_record *record, privy_buffer *out) {
  const privy_object *object = record->object;
  privy_writer writer;
  privy_writer_init(&writer, out);
  privy_writer_begin_object(&writer);
  for (size_t i = 0; i < object->slot_count; i++) {
    const privy_field *field = &object->rows[object->slots[i]];
    if (record->values[i].type == PRIVY_ABSENT) continue;
    privy_writer_key(&writer, field->name, field->name_length);
    privy_writer_value(&writer, record->values[i]);
  }
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, record->json);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (slot_of(object, key, 0) >= 0) continue;
    const char *end = value.text + value.length + (value.type == PRIVY_STRING);
    privy_writer_raw(&writer, key.text - 1, (size_t)(end - (key.text - 1)));
  }
  privy_writer_end_object(&writer);
  return writer.failed ? PRIVY_NO_MEMORY : PRIVY_OK;
}

privy_status privy_value_parse(const char *text, size_t length, privy_value *out, privy_error *error) {
  privy_reader reader;
  privy_reader_init(&reader, text, length);
  privy_reader_value(&reader, out);
  if (privy_reader_end(&reader)) return PRIVY_OK;
  return privy_error_set(error, PRIVY_STATUS, "not JSON: %s at byte %zu", reader.error, reader.position);
}
