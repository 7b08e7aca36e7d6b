#include <string.h>

#include "fuzz.h"

static const int statuses[] = {200, 201, 202, 204, 400, 401, 403, 404, 409, 413, 422, 429, 500, 503, 302, 0};

const privy_operation *fuzz_operation(uint8_t byte) {
  size_t count = 0;
  while (privy_operation_at(count)) count++;
  return privy_operation_at(byte % (count + 1));
}

/* A value must have the kind of its field, or another type. */
static void check_value(privy_value value, const privy_field_info *field, privy_buffer *scratch) {
  privy_time time;
  scratch->length = 0;
  if (value.type == PRIVY_ABSENT) return;
  HOLDS(value.enum_value == 0 || (field->enum_values && value.enum_value <= privy_enum_count(field->enum_values)));
  if (value.type == PRIVY_STRING) {
    HOLDS(privy_value_decode(value, scratch) == PRIVY_OK);
    if (privy_time_parse(scratch->data, scratch->length, &time)) HOLDS(time.year >= 1 && time.year <= 9999);
    if (value.enum_value) {
      const char *name = privy_enum_value(field->enum_values, value.enum_value - 1u);
      HOLDS(strlen(name) == value.length && memcmp(name, value.text, value.length) == 0);
    }
  } else {
    fuzz_rewrite(value, scratch);
  }
}

static void write_record(const privy_record *record, privy_buffer *out) {
  out->length = 0;
  HOLDS(privy_record_write(record, out) == PRIVY_OK);
}

/* Written and loaded again, a record is written the same. */
static void check_record(const privy_record *record) {
  const privy_object *object = privy_record_object(record);
  privy_buffer scratch = PRIVY_BUFFER_EMPTY, once = PRIVY_BUFFER_EMPTY;
  privy_field_info field;
  privy_response *loaded = NULL;
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; privy_object_field(object, i, &field); i++)
    check_value(privy_record_get(record, i), &field, &scratch);
  scratch.length = 0;
  fuzz_rewrite(privy_record_json(record), &scratch);
  write_record(record, &once);
  HOLDS(privy_response_load(object, once.data, once.length, &loaded, &error) == PRIVY_OK);
  HOLDS(privy_response_count(loaded) == 1);
  write_record(privy_response_record(loaded, 0), &scratch);
  HOLDS(scratch.length == once.length && memcmp(scratch.data, once.data, once.length) == 0);
  privy_response_release(loaded);
  privy_buffer_clear(&scratch);
  privy_buffer_clear(&once);
}

static void check_response(const privy_response *response, int status) {
  const char *name, *value;
  HOLDS(privy_response_status(response) == status);
  for (size_t i = 0; privy_response_header_at(response, i, &name, &value); i++)
    HOLDS(privy_response_header(response, name) != NULL);
  for (size_t i = 0; i < privy_response_count(response); i++) check_record(privy_response_record(response, i));
  HOLDS(privy_response_record(response, privy_response_count(response)) == NULL);
  if (privy_response_pagination(response)) check_record(privy_response_pagination(response));
  HOLDS(privy_response_size(response) > 0);
}

static void check_error(const privy_error *error, int status) {
  HOLDS(error->code > PRIVY_NO_MEMORY && error->code < PRIVY_STATUS_COUNT);
  HOLDS(error->message && *error->message && error->http_status == status);
  for (size_t i = 0; i < error->details.count; i++)
    HOLDS(error->details.items[i].field && error->details.items[i].message);
  HOLDS(error->response && privy_response_count(error->response) == 0);
  check_response(error->response, status);
}

/* Where the body begins, after the first empty line. */
static size_t body_at(const char *text, size_t length) {
  for (size_t i = 0; i + 1 < length; i++)
    if (text[i] == '\n' && text[i + 1] == '\n') return i + 2;
  return length;
}

int fuzz_response(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  const int status = statuses[data[1] % (sizeof statuses / sizeof *statuses)];
  const char *text = (const char *)data + 2;
  const size_t from = body_at(text, size - 2);
  privy_buffer body = PRIVY_BUFFER_EMPTY;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  HOLDS(privy_buffer_append(&body, text + from, size - 2 - from));
  const privy_status parsed =
      privy_response_parse(fuzz_operation(data[0]), status, text, from, &body, &response, &error);
  HOLDS(body.data == NULL && parsed != PRIVY_NO_MEMORY);
  if (parsed == PRIVY_OK) {
    check_response(response, status);
  } else {
    HOLDS(!response && error.code == parsed);
    check_error(&error, status);
  }
  privy_response_release(response);
  privy_error_clear(&error);
  return 0;
}
