#include "jobs/row_keys.h"

#include "json/reader.h"

void privy_row_keys_clear(privy_row_keys *keys) {
  for (size_t i = 0; i < PRIVY_MAX_ROW_KEYS; i++) privy_buffer_clear(&keys->texts[i]);
  keys->count = 0;
}

static bool is_key(const privy_operation *operation, const privy_field *field) {
  return field && (field->flags & PRIVY_FIELD_ROW_KEY) && (field->accepted_by & (1u << operation->id));
}

static void drop_leading_zeros(privy_buffer *text, size_t from) {
  size_t zeros = 0;
  while (from + zeros + 1 < text->length && text->data[from + zeros] == '0') zeros++;
  memmove(text->data + from, text->data + from + zeros, text->length - from - zeros);
  text->length -= zeros;
}

static void lower(privy_buffer *text, size_t from) {
  for (size_t i = from; i < text->length; i++)
    if (text->data[i] >= 'A' && text->data[i] <= 'Z') text->data[i] = (char)(text->data[i] - 'A' + 'a');
}

bool privy_row_key_text(const privy_field *field, privy_value value, privy_buffer *text) {
  if (!privy_buffer_append(text, field->name, field->name_length + 1u)) return false;
  const size_t from = text->length;
  if (privy_value_decode(value, text) != PRIVY_OK) return false;
  if (field->kind == PRIVY_KIND_ORDER_ID) drop_leading_zeros(text, from);
  if (field->format == PRIVY_FORMAT_EMAIL) lower(text, from);
  return true;
}

static bool add(privy_row_keys *keys, const privy_field *field, privy_value value) {
  if (value.type == PRIVY_NULL || keys->count == PRIVY_MAX_ROW_KEYS) return true;
  if (!privy_row_key_text(field, value, &keys->texts[keys->count])) return false;
  keys->count++;
  return true;
}

static bool add_headers(const privy_request *request, privy_row_keys *keys) {
  const privy_object *object = request->operation->object;
  for (size_t i = 0; i < object->field_count; i++) {
    const privy_field *field = &object->fields[i];
    if (!(field->flags & PRIVY_FIELD_HEADER) || !is_key(request->operation, field)) continue;
    const char *text = privy_request_find_header(request, field->header);
    privy_value value = {.text = text, .length = text ? (uint32_t)strlen(text) : 0, .type = PRIVY_STRING};
    if (text && !add(keys, field, value)) return false;
  }
  return true;
}

/* The contact that an update names in its path. */
static bool add_contact(const privy_request *request, privy_row_keys *keys) {
  const privy_value id = {.text = request->path.data, .length = (uint32_t)request->path.length, .type = PRIVY_STRING};
  return request->operation->id != PRIVY_OP_UPDATE ||
         add(keys, &privy_object_contact.fields[PRIVY_FIELD_CONTACT_id], id);
}

bool privy_row_keys_read(const privy_request *request, privy_row_keys *keys) {
  privy_cursor cursor;
  privy_value name, value;
  const privy_value body = {.text = request->body.data, .length = (uint32_t)request->body.length, .type = PRIVY_OBJECT};
  if (!add_contact(request, keys)) return false;
  privy_cursor_init(&cursor, body);
  while (privy_cursor_next(&cursor, &name, &value)) {
    const privy_field *field = privy_object_lookup(request->operation->object, name.text, name.length);
    if (is_key(request->operation, field) && !add(keys, field, value)) return false;
  }
  return add_headers(request, keys);
}
