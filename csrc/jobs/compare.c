#include "jobs/compare.h"

#include "json/writer.h"

bool privy_is_missing(privy_value value) {
  return value.type == PRIVY_NULL || value.type == PRIVY_ABSENT;
}

bool privy_differs(privy_comparison *same, const privy_field *field, privy_value sent, privy_value stored) {
  if (privy_is_missing(sent)) return !privy_is_missing(stored);
  switch (field ? field->kind : PRIVY_KIND_ANY) {
  case PRIVY_KIND_ENUM: return !privy_same_enum_value(same, field->enum_values, sent, stored);
  case PRIVY_KIND_STRINGS: return !privy_has_elements(same, stored, sent) || !privy_has_elements(same, sent, stored);
  case PRIVY_KIND_FLAT: return !privy_has_members(same, stored, sent) || !privy_has_members(same, sent, stored);
  default: break;
  }
  if (field && field->format == PRIVY_FORMAT_EMAIL) return !privy_same_text(same, sent, stored, true);
  return !privy_same_value(same, sent, stored);
}

/* The union of two lists, in their order. */
static void merge_lists(privy_comparison *same, privy_writer *writer, privy_value stored, privy_value sent) {
  privy_cursor cursor;
  privy_value key, element;
  privy_writer_begin_array(writer);
  privy_cursor_init(&cursor, stored);
  while (privy_cursor_next(&cursor, &key, &element)) privy_writer_value(writer, element);
  privy_cursor_init(&cursor, sent);
  while (privy_cursor_next(&cursor, &key, &element))
    if (!privy_has_element(same, stored, element)) privy_writer_value(writer, element);
  privy_writer_end_array(writer);
}

void privy_write_member(privy_writer *writer, privy_value key, privy_value value) {
  const char *end = value.text + value.length + (value.type == PRIVY_STRING);
  privy_writer_raw(writer, key.text - 1, (size_t)(end - (key.text - 1)));
}

static void merge_objects(privy_comparison *same, privy_writer *writer, privy_value stored, privy_value sent) {
  privy_cursor cursor;
  privy_value key, value;
  privy_writer_begin_object(writer);
  privy_cursor_init(&cursor, stored);
  while (privy_cursor_next(&cursor, &key, &value))
    if (privy_member_of(same, sent, key).type == PRIVY_ABSENT) privy_write_member(writer, key, value);
  privy_cursor_init(&cursor, sent);
  while (privy_cursor_next(&cursor, &key, &value)) privy_write_member(writer, key, value);
  privy_writer_end_object(writer);
}

bool privy_merge(privy_comparison *same, const privy_field *field, privy_value stored, privy_value sent,
                 privy_buffer *room, privy_value *out) {
  privy_writer writer;
  const bool list = field->kind == PRIVY_KIND_STRINGS;
  room->length = 0;
  privy_writer_init(&writer, room);
  if (list)
    merge_lists(same, &writer, stored, sent);
  else
    merge_objects(same, &writer, stored, sent);
  *out = (privy_value){.text = room->data,
                       .length = (uint32_t)room->length,
                       .type = list ? (uint8_t)PRIVY_ARRAY : (uint8_t)PRIVY_OBJECT};
  return !writer.failed;
}
