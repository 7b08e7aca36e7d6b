/* Errors from responses, in every shape that the API and the proxies before it use. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "message/error.h"
#include "message/rate_headers.h"
#include "message/response.h"
#include "schema/details.h"
#include "json/reader.h"

/* The contents of the body, as slices of it. */
typedef struct error_body {
  privy_value code, message, details, contact_id;
} error_body;

static privy_value member(privy_value object, const char *name) {
  privy_value key, value, found = {.type = PRIVY_ABSENT};
  privy_cursor cursor;
  if (object.type != PRIVY_OBJECT) return found;
  privy_cursor_init(&cursor, object);
  while (privy_cursor_next(&cursor, &key, &value))
    if (privy_value_is(key, name)) found = value;
  return found;
}

static void prefer(privy_value *chosen, privy_value other) {
  if (chosen->type != PRIVY_STRING || chosen->length == 0) *chosen = other;
}

/* The API documentation does not say where a 409 has the contact's id: try every place. */
static privy_value find_contact(privy_value root, privy_value envelope, privy_value details) {
  privy_value id = member(envelope, "id"), key, element;
  prefer(&id, member(root, "id"));
  prefer(&id, member(member(root, "data"), "id"));
  prefer(&id, member(details, "id"));
  if (details.type == PRIVY_ARRAY) {
    privy_cursor cursor;
    privy_cursor_init(&cursor, details);
    while (privy_cursor_next(&cursor, &key, &element)) prefer(&id, member(element, "id"));
  }
  return id;
}

static error_body read_error_body(privy_value root, int http_status) {
  error_body body = {{0}, {0}, {0}, {0}};
  privy_value envelope = member(root, "error");
  if (envelope.type == PRIVY_STRING) {
    body.code = envelope;
    body.message = member(root, "error_description");
  } else {
    body.code = member(envelope, "code");
    body.message = member(envelope, "message");
    body.details = member(envelope, "details");
  }
  prefer(&body.message, member(root, "message"));
  if (body.details.type == PRIVY_ABSENT) body.details = root.type == PRIVY_ARRAY ? root : member(root, "errors");
  if (http_status == 409) body.contact_id = find_contact(root, envelope, body.details);
  return body;
}

/* The printable ASCII character of the escape \uXXXX, or a space for an escape of white space; '\0' for all others. */
static char escaped_character(const char *escape) {
  if (strchr("bfnrt", escape[1])) return ' ';
  if (escape[1] != 'u' || escape[2] != '0' || escape[3] != '0') return '\0';
  const int code = privy_hex_value(escape[4]) * 16 + privy_hex_value(escape[5]);
  return code >= ' ' && code < 0x7F && code != '"' && code != '\\' ? (char)code : '\0';
}

/* Appends JSON for a person. Escapes are undone where that leaves JSON readable: masking must see addresses and phone
 * numbers as they are. */
static bool append_json(privy_buffer *out, privy_value value) {
  bool done = true;
  for (size_t i = 0; done && i < value.length;) {
    const char *at = value.text + i;
    const char character = *at == '\\' ? escaped_character(at) : *at;
    const size_t length = *at != '\\' ? 1 : character && at[1] == 'u' ? 6 : 2;
    done = character ? privy_buffer_byte(out, character) : privy_buffer_append(out, at, length);
    i += length;
  }
  return done;
}

/* Appends a string's text, or another value as JSON. */
static bool append_value(privy_buffer *out, privy_value value) {
  if (value.type == PRIVY_ABSENT || value.type == PRIVY_NULL) return true;
  if (value.type == PRIVY_STRING) return privy_value_decode(value, out) == PRIVY_OK;
  return append_json(out, value);
}

static bool read_text(char **field, privy_value value) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  bool done = value.type != PRIVY_STRING ||
              (append_value(&text, value) && privy_error_visible(field, text.data ? text.data : "", text.length));
  privy_buffer_clear(&text);
  return done;
}

#define LONGEST_CODE 64

/* The server's own code of a detail, if it has the form of one. */
static privy_slice code_of_detail(privy_value own) {
  const char *rejected = privy_detail_code_text(PRIVY_CODE_REJECTED);
  bool fits = own.type == PRIVY_STRING && own.length > 0 && own.length <= LONGEST_CODE;
  for (size_t i = 0; fits && i < own.length; i++)
    fits = (own.text[i] >= 'a' && own.text[i] <= 'z') || privy_is_digit(own.text[i]) || own.text[i] == '_';
  return fits ? (privy_slice){own.text, own.length} : (privy_slice){rejected, strlen(rejected)};
}

static bool add_detail(privy_details *details, privy_value field, privy_value message, privy_value code) {
  privy_buffer name = PRIVY_BUFFER_EMPTY, text = PRIVY_BUFFER_EMPTY;
  bool done =
      (field.type == PRIVY_STRING && field.length > 0 ? append_value(&name, field)
                                                      : privy_buffer_text(&name, "base")) &&
      append_value(&text, message) &&
      privy_details_add(details, (privy_slice){name.data, name.length},
                        (privy_slice){text.data ? text.data : "", text.length}, code_of_detail(code), PRIVY_NO_LIMIT);
  privy_buffer_clear(&name);
  privy_buffer_clear(&text);
  return done;
}

/* One element of a list of details: {"field", "message"}, perhaps with a code, or any other value. */
static bool add_element(privy_details *details, privy_value element) {
  privy_value message = member(element, "message");
  if (message.type == PRIVY_ABSENT) message = element;
  return add_detail(details, member(element, "field"), message, member(element, "code"));
}

/* {"email": ["is invalid", …], …}: details by field. */
static bool add_by_field(privy_details *details, privy_value object) {
  privy_cursor fields, messages;
  privy_value field, value, key, message;
  const privy_value no_code = {.type = PRIVY_ABSENT};
  privy_cursor_init(&fields, object);
  while (privy_cursor_next(&fields, &field, &value)) {
    if (value.type != PRIVY_ARRAY) {
      if (!add_detail(details, field, value, no_code)) return false;
      continue;
    }
    privy_cursor_init(&messages, value);
    while (privy_cursor_next(&messages, &key, &message))
      if (!add_detail(details, field, message, no_code)) return false;
  }
  return true;
}

static bool read_details(privy_details *details, privy_value json) {
  privy_cursor cursor;
  privy_value key, element;
  privy_details_clear(details);
  if (json.type == PRIVY_OBJECT)
    return member(json, "message").type == PRIVY_STRING ? add_element(details, json) : add_by_field(details, json);
  if (json.type == PRIVY_STRING) return add_element(details, json);
  if (json.type != PRIVY_ARRAY) return true;
  privy_cursor_init(&cursor, json);
  while (privy_cursor_next(&cursor, &key, &element))
    if (!add_element(details, element)) return false;
  return true;
}

static privy_status code_of(int http_status) {
  if (http_status == 400 || http_status == 422) return PRIVY_VALIDATION;
  if (http_status >= 500) return PRIVY_SERVER;
  for (int code = PRIVY_API_STATUS; code < PRIVY_STATUS_COUNT; code++)
    if (privy_error_describe((privy_status)code)->http_status == http_status) return (privy_status)code;
  return PRIVY_API_STATUS;
}

/* The server's message, or the meaning of the status if there is none. */
static bool append_words(privy_buffer *out, int status, const error_body *body, const privy_details *details) {
  if (body->message.type == PRIVY_STRING && body->message.length > 0) return append_value(out, body->message);
  if (status >= 300 && status < 400) return privy_buffer_text(out, "unexpected redirect");
  if (details->count) return true;
  privy_status code = code_of(status);
  return privy_buffer_text(out, code == PRIVY_VALIDATION ? "the server refused the request"
                                                         : privy_error_describe(code)->doc);
}

/* "422 validation_failed: the server's words; email is invalid; …" */
static bool compose(privy_buffer *out, const privy_response *response, const error_body *body,
                    const privy_details *details) {
  int status = response->http_status;
  bool done = privy_buffer_format(out, "%d", status);
  if (body->code.type == PRIVY_STRING) done = done && privy_buffer_byte(out, ' ') && append_value(out, body->code);
  done = done && privy_buffer_text(out, ": ");
  size_t lead = out->length;
  done = done && append_words(out, status, body, details);
  const char *location = status < 400 ? privy_response_header(response, "Location") : NULL;
  if (location) done = done && privy_buffer_format(out, ": %s", location);
  if (out->length > lead && details->count) done = done && privy_buffer_text(out, "; ");
  return done && privy_error_list_details(out, details);
}

/* When the reached limit resets, by the server's clock; 0 if unknown. */
static double reset_of(const privy_response *response) {
  privy_rate_headers limits;
  privy_rate_headers_read(response, &limits);
  if (limits.day.known && limits.day.remaining == 0) return (double)limits.day.resets_at;
  return limits.minute.known ? (double)limits.minute.resets_at : 0;
}

/* Seconds to wait: Retry-After, else until the reached limit resets. Negative if unknown. */
static double wait_of(const privy_response *response, double wall) {
  const char *after = privy_response_header(response, "Retry-After");
  double server_now = privy_response_date(response, wall);
  double asked = after ? privy_retry_after(after, server_now) : -1;
  if (asked >= 0 || response->http_status != 429) return asked;
  double until = reset_of(response);
  if (until == 0 || isnan(server_now)) return -1;
  return fmin(fmax(until - server_now, 0), PRIVY_LONGEST_WAIT);
}

void privy_error_read_waiting(const privy_response *response, double wall, privy_error *error) {
  if (privy_error_may_pass(error->code, response->http_status))
    privy_error_set_retry(error, wait_of(response, wall), wall);
}

/*
 * The API is a closed alpha: without API access a right token is refused too. The codes of the token endpoint and of a
 * missing scope say what is wrong.
 */
static const char *access_hint(int http_status, const char *api_code) {
  static const char *const clear[] = {"invalid_client", "invalid_scope", "insufficient_scope"};
  if (http_status != 401 && http_status != 403) return "";
  for (size_t i = 0; api_code && i < sizeof clear / sizeof *clear; i++)
    if (strcmp(api_code, clear[i]) == 0) return "";
  return "; if the token is right, API access may not be enabled for this account: ask support@privy.com";
}

/* In place of the full stop of the server's sentence. */
static bool add_hint(privy_buffer *message, const char *hint) {
  if (*hint && message->length > 0 && message->data[message->length - 1] == '.') message->length--;
  return privy_buffer_text(message, hint);
}

privy_status privy_error_from_response(privy_response *response, privy_error *error) {
  error_body body = read_error_body(response->json, response->http_status);
  privy_buffer message = PRIVY_BUFFER_EMPTY, masked = PRIVY_BUFFER_EMPTY;
  bool done = read_details(&error->details, body.details) && read_text(&error->api_code, body.code) &&
              read_text(&error->contact_id, body.contact_id) && compose(&message, response, &body, &error->details) &&
              privy_mask(message.data, message.length, &masked) == PRIVY_OK &&
              add_hint(&masked, access_hint(response->http_status, error->api_code));
  if (done) privy_error_line(error, code_of(response->http_status), masked.data, masked.length);
  privy_buffer_clear(&message);
  privy_buffer_clear(&masked);
  privy_error_read_waiting(response, NAN, error);
  error->retryable = privy_error_may_pass(error->code, response->http_status);
  return done ? error->code : privy_error_no_memory(error);
}
