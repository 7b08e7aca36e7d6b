#include <string.h>

#include "base/memory.h"
#include "message/error.h"
#include "message/request.h"
#include "json/reader.h"

/* The fields that identify a contact. */
static const char *const identifiers[] = {"email", "phone_number"};

static bool is_identifier(privy_value key) {
  return privy_value_is(key, identifiers[0]) || privy_value_is(key, identifiers[1]);
}

static unsigned count_identifiers(privy_value body) {
  unsigned count = 0;
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, body);
  while (privy_cursor_next(&cursor, &key, &value)) count += is_identifier(key) && value.type != PRIVY_NULL;
  return count;
}

/* Whether the member subscribes the contact, or says how. */
static bool is_subscription(privy_value key, privy_value value) {
  if (privy_value_is(key, "send_welcome_sms")) return true;
  const bool consent = privy_value_is(key, "email_consent") || privy_value_is(key, "sms_consent");
  return consent && (privy_value_is(value, "subscribed") || privy_value_is(value, "single_opt_in"));
}

/* Copies the members that an update sends; nulls of identifiers never are. Returns how many they are. */
static size_t copy_members(privy_request *update, privy_value body, bool with_identifiers, bool keeps_consents) {
  size_t count = 0;
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, body);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (is_identifier(key) && (!with_identifiers || value.type == PRIVY_NULL)) continue;
    if (keeps_consents && is_subscription(key, value)) continue;
    if (count++ == 0) privy_writer_begin_object(&update->writer);
    const char *end = value.text + value.length + (value.type == PRIVY_STRING);
    privy_writer_raw(&update->writer, key.text - 1, (size_t)(end - (key.text - 1)));
  }
  return count;
}

/* Writes the update and sets `*count` to the number of its members. */
static privy_status write_update(privy_request *update, const privy_request *create, size_t *count,
                                 privy_error *error) {
  privy_reader reader;
  privy_value body;
  privy_reader_init(&reader, create->body.data, create->body.length);
  if (!privy_reader_value(&reader, &body))
    return privy_error_set(error, PRIVY_VALIDATION, "the body cannot be read: %s", reader.error);
  *count = copy_members(update, body, count_identifiers(body) > 1, create->keeps_consents);
  return PRIVY_OK;
}

/* The fields are copied unchecked: they passed when the create was built. */
static privy_status build(const privy_request *create, privy_operation_id id, const char *contact, privy_request **out,
                          privy_error *error) {
  privy_request *request;
  if (privy_request_new(privy_operation_get(id), &request) != PRIVY_OK) return privy_error_no_memory(error);
  privy_request_key(request, "id", 2);
  privy_request_string(request, contact, strlen(contact));
  size_t count = 1;
  privy_status status = privy_request_copy_extra(request, create) ? PRIVY_OK : privy_error_no_memory(error);
  if (status == PRIVY_OK && id == PRIVY_OP_UPDATE) status = write_update(request, create, &count, error);
  if (count == 0) {
    privy_request_free(request);
    return build(create, PRIVY_OP_GET, contact, out, error);
  }
  if (status == PRIVY_OK) status = privy_request_seal(request, error);
  if (status == PRIVY_OK)
    *out = request;
  else
    privy_request_free(request);
  return status;
}

privy_status privy_request_new_update_of(const privy_request *create, const char *id, privy_request **out,
                                         privy_error *error) {
  return build(create, PRIVY_OP_UPDATE, id, out, error);
}

/* The identifier of the body at `nth`. False if it has no more. */
static bool identifier_at(const privy_request *create, size_t nth, privy_value *key, privy_value *value) {
  const privy_value body = {.text = create->body.data, .length = (uint32_t)create->body.length, .type = PRIVY_OBJECT};
  privy_cursor cursor;
  privy_cursor_init(&cursor, body);
  while (privy_cursor_next(&cursor, key, value))
    if (is_identifier(*key) && value->type == PRIVY_STRING && nth-- == 0) return true;
  return false;
}

static privy_status filter_by(privy_request *request, privy_value key, privy_value value) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const privy_status status = privy_value_decode(value, &text);
  privy_request_key(request, key.text, key.length);
  if (status == PRIVY_OK) privy_request_string(request, text.data, text.length);
  privy_buffer_clear(&text);
  return status;
}

/* The contact that an update names in its path. */
static privy_status look_up_updated(const privy_request *update, privy_request **out, privy_error *error) {
  char *id = privy_copy(update->path.data, update->path.length);
  const privy_status status = id ? build(update, PRIVY_OP_GET, id, out, error) : privy_error_no_memory(error);
  privy_free(id);
  return status;
}

privy_status privy_request_new_look_up(const privy_request *create, size_t nth, privy_request **out,
                                       privy_error *error) {
  privy_request *request;
  privy_value key, value;
  *out = NULL;
  if (create->operation->id == PRIVY_OP_UPDATE) return nth == 0 ? look_up_updated(create, out, error) : PRIVY_OK;
  if (!identifier_at(create, nth, &key, &value)) return PRIVY_OK;
  if (privy_request_new(privy_operation_get(PRIVY_OP_LIST), &request) != PRIVY_OK) return privy_error_no_memory(error);
  const bool filled = filter_by(request, key, value) == PRIVY_OK && privy_request_copy_extra(request, create);
  const privy_status status = filled ? privy_request_seal(request, error) : privy_error_no_memory(error);
  if (status == PRIVY_OK)
    *out = request;
  else
    privy_request_free(request);
  return status;
}

privy_status privy_request_new_get(const privy_request *create, const char *id, privy_request **out,
                                   privy_error *error) {
  return build(create, PRIVY_OP_GET, id, out, error);
}
