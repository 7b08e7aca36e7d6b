#include <inttypes.h>
#include <string.h>

#include "sandbox/ids.h"
#include "sandbox/respond.h"

static const struct {
  int status;
  const char *code;
  const char *message;
} errors[] = {
    {400, "bad_request", "The request cannot be read."},
    {401, "unauthorized", "The bearer token is missing, expired, revoked or wrong."},
    {403, "insufficient_scope", "The token lacks the scope that this request needs."},
    {404, "not_found", "Nothing is at this path."},
    {408, "request_timeout", "The request did not arrive in time."},
    {409, "conflict", "A contact with this email or phone number exists already."},
    {413, "payload_too_large", "The body is too large."},
    {422, "validation_failed", "The request is not valid."},
    {429, "rate_limited", "The rate limit is reached."},
    {502, "bad_gateway", "The upstream server failed."},
    {503, "service_unavailable", "The server cannot respond now."},
    {504, "gateway_timeout", "The upstream server did not respond in time."},
    {500, "internal_error", "The server failed."}, /* and every other status */
};

static size_t error_of(int status) {
  size_t i = 0;
  while (i + 1 < sizeof errors / sizeof *errors && errors[i].status != status) i++;
  return i;
}

static void write_text(privy_writer *writer, const char *key, const char *text) {
  privy_writer_key(writer, key, strlen(key));
  privy_writer_string(writer, text, strlen(text));
}

static void write_key(privy_writer *writer, const char *key) {
  privy_writer_key(writer, key, strlen(key));
}

bool privy_responded(const privy_exchange *exchange) {
  return exchange->response->http_status != 0;
}

bool privy_respond_header(privy_exchange *exchange, const char *name, const char *value) {
  return privy_buffer_format(&exchange->response->headers, "%s: %s\r\n", name, value);
}

bool privy_respond_start(privy_exchange *exchange) {
  char id[PRIVY_ID_SIZE];
  const privy_counters *counters = &exchange->sandbox->counters;
  privy_make_id(id, "req_", counters->serial);
  return privy_respond_header(exchange, "X-Request-Id", id) &&
         privy_sandbox_limits_headers(&counters->limits, exchange->now, &exchange->response->headers);
}

privy_status privy_respond_end(privy_exchange *exchange, int http_status, const privy_writer *writer) {
  if (writer->failed || !privy_respond_header(exchange, "Content-Type", "application/json; charset=utf-8"))
    return PRIVY_NO_MEMORY;
  exchange->response->http_status = http_status;
  return PRIVY_OK;
}

/* Opens {"error": {"code", "message". NULL: those of the status. */
static void begin_error(privy_exchange *exchange, privy_writer *writer, int http_status, const char *code,
                        const char *message) {
  const size_t error = error_of(http_status);
  privy_writer_init(writer, &exchange->response->body);
  privy_writer_begin_object(writer);
  write_key(writer, "error");
  privy_writer_begin_object(writer);
  write_text(writer, "code", code ? code : errors[error].code);
  write_text(writer, "message", message ? message : errors[error].message);
}

static privy_status end_error(privy_exchange *exchange, privy_writer *writer, int http_status) {
  privy_writer_end_object(writer);
  privy_writer_end_object(writer);
  return privy_respond_end(exchange, http_status, writer);
}

privy_status privy_respond_refusal(privy_exchange *exchange, int http_status, const char *code, const char *message) {
  privy_writer writer;
  begin_error(exchange, &writer, http_status, code, message);
  return end_error(exchange, &writer, http_status);
}

privy_status privy_respond_message(privy_exchange *exchange, int http_status, const char *message) {
  return privy_respond_refusal(exchange, http_status, NULL, message);
}

privy_status privy_respond_error(privy_exchange *exchange, int http_status) {
  return privy_respond_message(exchange, http_status, NULL);
}

privy_status privy_respond_conflict(privy_exchange *exchange, size_t contact) {
  privy_writer writer;
  begin_error(exchange, &writer, 409, NULL, NULL);
  write_key(&writer, "id");
  privy_writer_value(&writer, exchange->sandbox->store.contacts[contact].values[PRIVY_FIELD_CONTACT_id]);
  return end_error(exchange, &writer, 409);
}

static void write_details(privy_writer *writer, const privy_details *details) {
  privy_writer_begin_array(writer);
  for (size_t i = 0; i < details->count; i++) {
    privy_writer_begin_object(writer);
    write_text(writer, "field", details->items[i].field);
    write_text(writer, "message", details->items[i].message);
    privy_writer_end_object(writer);
  }
  privy_writer_end_array(writer);
}

privy_status privy_respond_details(privy_exchange *exchange) {
  privy_writer writer;
  const privy_details *details = &exchange->check.details;
  if (exchange->operation->response == PRIVY_RESPONSE_BARE) {
    privy_writer_init(&writer, &exchange->response->body);
    privy_writer_begin_object(&writer);
    write_key(&writer, "errors");
    write_details(&writer, details);
    privy_writer_end_object(&writer);
    return privy_respond_end(exchange, 400, &writer);
  }
  begin_error(exchange, &writer, 422, NULL, NULL);
  write_key(&writer, "details");
  write_details(&writer, details);
  return end_error(exchange, &writer, 422);
}

/* Fields that a response omits: those that the HTTP status says, and some that are false. */
static bool is_left_out(const privy_field *field, privy_value value) {
  if (field->flags & PRIVY_FIELD_FROM_STATUS) return true;
  return (field->flags & PRIVY_FIELD_FALSE_IF_ABSENT) && value.type != PRIVY_TRUE;
}

void privy_respond_object(privy_writer *writer, const privy_object *object, const privy_value *values) {
  privy_writer_begin_object(writer);
  for (size_t i = 0; i < object->response_field_count; i++) {
    const size_t index = object->response_fields[i];
    if (is_left_out(&object->fields[index], values[index])) continue;
    privy_writer_key(writer, object->fields[index].name, object->fields[index].name_length);
    privy_writer_value(writer, values[index]);
  }
  privy_writer_end_object(writer);
}

privy_status privy_respond_data(privy_exchange *exchange, int http_status, const privy_object *object,
                                const privy_value *values) {
  privy_writer writer;
  privy_writer_init(&writer, &exchange->response->body);
  privy_writer_begin_object(&writer);
  write_key(&writer, "data");
  privy_respond_object(&writer, object, values);
  privy_writer_end_object(&writer);
  return privy_respond_end(exchange, http_status, &writer);
}
