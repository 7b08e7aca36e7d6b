#include <stdio.h>
#include <string.h>

#include "sandbox/input.h"
#include "sandbox/respond.h"

/* Of an id: "cus_" and 64 characters. */
#define LONGEST_ID 68

/* ---- text -------------------------------------------------------------------------------------------------------- */

/* Takes the byte at `*at`, decoding %XX; an invalid escape stays as it is. */
static char next_byte(privy_slice text, size_t *at) {
  const char byte = text.text[(*at)++];
  if (byte == '+') return ' ';
  if (byte != '%' || text.length - *at < 2) return byte;
  const int high = privy_hex_value(text.text[*at]), low = privy_hex_value(text.text[*at + 1]);
  if (high < 0 || low < 0) return byte;
  *at += 2;
  return (char)(high << 4 | low);
}

static privy_slice decode(privy_slice text, privy_buffer *room) {
  char *start = room->data + room->length;
  for (size_t at = 0; at < text.length;) room->data[room->length++] = next_byte(text, &at);
  return (privy_slice){start, (size_t)(room->data + room->length - start)};
}

bool privy_input_pair(privy_slice *list, privy_buffer *room, privy_slice *name, privy_slice *value) {
  privy_slice pair;
  if (!privy_next_word(list, '&', &pair)) return false;
  const char *equals = memchr(pair.text, '=', pair.length);
  const size_t length = equals ? (size_t)(equals - pair.text) : pair.length;
  const size_t after = equals ? length + 1 : length;
  *name = decode((privy_slice){pair.text, length}, room);
  *value = decode((privy_slice){pair.text + after, pair.length - after}, room);
  return true;
}

size_t privy_input_contact(const privy_exchange *exchange) {
  char id[LONGEST_ID];
  size_t length = 0;
  for (size_t at = 0; at < exchange->id.length;) {
    if (length == sizeof id) return PRIVY_STORE_NONE;
    id[length++] = next_byte(exchange->id, &at);
  }
  return privy_store_contact(&exchange->sandbox->store, (privy_slice){id, length});
}

bool privy_input_header(const privy_exchange *exchange, unsigned index, privy_slice *value) {
  return privy_find_header(exchange->headers.text, exchange->headers.length,
                           exchange->operation->object->fields[index].header, value);
}

void privy_input_refuse(privy_exchange *exchange, unsigned index, const char *message) {
  privy_check_add_detail(&exchange->check, exchange->operation->object->fields[index].name, PRIVY_CODE_REJECTED, "%s",
                         message);
}

/* ---- the body ---------------------------------------------------------------------------------------------------- */

/* The parameter that a member of the body names, or NULL. */
static const privy_field *field_of(const privy_operation *operation, privy_value key) {
  const privy_object *object = operation->object;
  for (size_t i = 0; i < object->field_count; i++) {
    const privy_field *field = &object->fields[i];
    if (!(field->accepted_by & (1u << operation->id)) || !privy_value_is(key, field->name)) continue;
    return privy_field_location(operation, field) == PRIVY_LOCATION_PATH ? NULL : field;
  }
  return NULL;
}

static void collect_members(privy_exchange *exchange) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, exchange->object);
  while (privy_cursor_next(&cursor, &key, &value)) {
    const privy_field *field = field_of(exchange->operation, key);
    if (field) exchange->values[field - exchange->operation->object->fields] = value;
  }
}

static privy_status refuse_body(privy_exchange *exchange, const privy_reader *reader) {
  char message[128] = "The body must be a JSON object.";
  if (reader->error)
    snprintf(message, sizeof message, "The body is not JSON: %s at byte %zu.", reader->error, reader->position);
  if (exchange->operation->response != PRIVY_RESPONSE_BARE) return privy_respond_message(exchange, 400, message);
  privy_check_add_detail(&exchange->check, "base", PRIVY_CODE_REJECTED, "%s", message);
  return exchange->check.no_memory ? PRIVY_NO_MEMORY : privy_respond_details(exchange);
}

privy_status privy_input_body(privy_exchange *exchange) {
  privy_reader reader;
  privy_value body;
  if (exchange->body.length == 0) return PRIVY_OK;
  privy_reader_init(&reader, exchange->body.text, exchange->body.length);
  if (!privy_reader_value(&reader, &body) || !privy_reader_end(&reader) || body.type != PRIVY_OBJECT)
    return refuse_body(exchange, &reader);
  exchange->object = body;
  collect_members(exchange);
  return PRIVY_OK;
}

/* ---- judging ----------------------------------------------------------------------------------------------------- */

static void check_headers(privy_exchange *exchange) {
  const privy_object *object = exchange->operation->object;
  privy_slice value;
  for (unsigned i = 0; i < object->field_count; i++) {
    const privy_field *field = &object->fields[i];
    if (!(field->accepted_by & (1u << exchange->operation->id)) || !(field->flags & PRIVY_FIELD_HEADER)) continue;
    if (!privy_input_header(exchange, i, &value)) continue;
    privy_check_key(&exchange->check, field->name, field->name_length);
    privy_check_string(&exchange->check, value.text, value.length);
  }
}

/* What travels in the path was found there already. */
static uint64_t path_fields(const privy_operation *operation) {
  uint64_t fields = 0;
  for (size_t i = 0; i < operation->object->field_count; i++) {
    if (privy_field_location(operation, &operation->object->fields[i]) == PRIVY_LOCATION_PATH)
      fields |= UINT64_C(1) << i;
  }
  return fields;
}

/* Ends the check, and gives values of enumerations their positions. */
static privy_status finish_check(privy_exchange *exchange) {
  privy_check *check = &exchange->check;
  const privy_object *object = exchange->operation->object;
  privy_check_finish(check, path_fields(exchange->operation));
  if (check->no_memory) return PRIVY_NO_MEMORY;
  if (check->details.count) return privy_respond_details(exchange);
  for (size_t i = 0; i < object->field_count; i++) {
    if (object->fields[i].enum_values && exchange->values[i].type == PRIVY_STRING)
      exchange->values[i] = privy_store_enum_value(object->fields[i].enum_values, check->enum_values[i]);
  }
  return PRIVY_OK;
}

privy_status privy_input_check(privy_exchange *exchange) {
  privy_check_members(&exchange->check, exchange->object);
  check_headers(exchange);
  return finish_check(exchange);
}

/* ---- the query --------------------------------------------------------------------------------------------------- */

static void take_parameter(privy_exchange *exchange, privy_slice name, privy_slice value) {
  privy_check *check = &exchange->check;
  const privy_field *field = privy_check_key(check, name.text, name.length);
  const bool number = field && field->kind == PRIVY_KIND_INTEGER && privy_json_number(value.text, value.length, NULL);
  if (number)
    privy_check_number(check, value.text, value.length);
  else
    privy_check_string(check, value.text, value.length);
  if (!field) return;
  exchange->values[field - exchange->operation->object->fields] =
      (privy_value){.text = value.text, .length = (uint32_t)value.length, .type = number ? PRIVY_NUMBER : PRIVY_STRING};
}

privy_status privy_input_query(privy_exchange *exchange) {
  privy_slice list = exchange->query, name, value;
  if (!privy_buffer_reserve(&exchange->scratch, list.length)) return PRIVY_NO_MEMORY;
  while (privy_input_pair(&list, &exchange->scratch, &name, &value)) take_parameter(exchange, name, value);
  return finish_check(exchange);
}
