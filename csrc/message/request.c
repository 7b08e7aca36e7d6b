#include "message/request.h"

#include <string.h>

#include "base/memory.h"
#include "base/visible.h"
#include "message/error.h"
#include "schema/reason.h"
#include "json/scan.h"

/* Bytes of a name that an error shows. */
#define LONGEST_SHOWN_NAME 32

static const char scalar_error_message[] = "must be a string, number or boolean: it is not sent in the body";

static privy_request *allocate(const privy_operation *operation) {
  privy_request *request = privy_alloc(sizeof *request);
  if (!request) return NULL;
  memset(request, 0, offsetof(privy_request, check)); /* privy_check_init leaves most of the check untouched */
  request->operation = operation;
  if (operation) request->default_location = privy_operation_location(operation);
  privy_check_init(&request->check, operation, PRIVY_CHECK_STRICT);
  privy_writer_init(&request->writer, &request->body);
  if (!privy_request_add_constant(request, "Accept", "application/json")) {
    privy_request_free(request);
    return NULL;
  }
  return request;
}

privy_status privy_request_new(const privy_operation *operation, privy_request **out) {
  *out = allocate(operation);
  if (!*out) return PRIVY_NO_MEMORY;
  (*out)->method = operation->method;
  return PRIVY_OK;
}

privy_status privy_request_new_raw(const char *method, size_t method_length, const char *path, size_t path_length,
                                   privy_request **out) {
  *out = allocate(NULL);
  if (!*out) return PRIVY_NO_MEMORY;
  (*out)->method = "";
  privy_request_check_raw(*out, (privy_slice){method, method_length}, (privy_slice){path, path_length});
  privy_check_key(&(*out)->check, "body", 4);
  return PRIVY_OK;
}

void privy_request_free(privy_request *request) {
  if (!request) return;
  for (size_t i = 0; i < request->header_count; i++) privy_free(request->headers[i].owned);
  privy_free(request->headers);
  privy_buffer_clear(&request->path);
  privy_buffer_clear(&request->query);
  privy_buffer_clear(&request->body);
  privy_buffer_clear(&request->target);
  privy_buffer_clear(&request->name);
  privy_buffer_clear(&request->basis);
  privy_check_clear(&request->check);
  privy_free(request);
}

/* privy_request_finish reports that memory ran out. */
static void note_memory(privy_request *request, bool done) {
  if (!done) request->check.no_memory = true;
}

/* ---- naming ---- */

static bool at_top(const privy_request *request) {
  return request->check.depth == 1 && request->outside == 0;
}

static void store_name(privy_request *request, const char *name, size_t length) {
  request->name.length = 0;
  note_memory(request, privy_buffer_append(&request->name, name, length));
}

/* Whether the key is the name of a query parameter or of a header that no table has. */
static bool names_freely(const privy_request *request) {
  if (!at_top(request) || request->location == PRIVY_LOCATION_BODY) return false;
  return !request->operation || request->check.params_end;
}

/* Errors name "params.page" or "headers.X-Name"; those of an operation "extra_headers.X-Name". */
static bool raw_path(const privy_request *request, const char *name, size_t length, privy_buffer *path) {
  const char *headers = request->operation ? "extra_headers." : "headers.";
  return privy_buffer_text(path, request->location == PRIVY_LOCATION_QUERY ? "params." : headers) &&
         privy_buffer_append(path, name, length);
}

static void raw_key(privy_request *request, const char *name, size_t length) {
  privy_buffer path = PRIVY_BUFFER_EMPTY;
  note_memory(request, raw_path(request, name, length, &path));
  if (!request->check.no_memory) privy_check_key(&request->check, path.data, path.length);
  privy_buffer_clear(&path);
  store_name(request, name, length);
}

/* Large enough for most bodies. */
#define USUAL_BODY 2048

static void begin_body(privy_request *request) {
  note_memory(request, privy_buffer_reserve(&request->body, USUAL_BODY));
  privy_writer_begin_object(&request->writer);
}

static void write_key(privy_request *request, const privy_field *field, const char *name, size_t length) {
  if (field)
    privy_writer_key_as_is(&request->writer, field->key, field->name_length + PRIVY_KEY_EXTRA);
  else
    privy_writer_key(&request->writer, name, length);
}

/* Prepares for the value of a parameter; `field` is NULL if the operation does not have it. */
static void begin_parameter(privy_request *request, const privy_field *field, const char *name, size_t length) {
  bool own_location = field && (field->flags & (PRIVY_FIELD_HEADER | PRIVY_FIELD_PATH));
  request->location = own_location ? privy_field_location(request->operation, field) : request->default_location;
  if (request->location == PRIVY_LOCATION_PATH) return; /* the path has no parameter names */
  if (request->location != PRIVY_LOCATION_BODY) {
    bool header = request->location == PRIVY_LOCATION_HEADER;
    store_name(request, header ? field->header : name, header ? strlen(field->header) : length);
    return;
  }
  if (request->body.length == 0) begin_body(request);
  request->begun = request->body.length;
  request->comma = request->writer.comma;
  write_key(request, field, name, length);
}

/* The error of a name that is too long shows its beginning only. */
static void refuse_name(privy_request *request, const char *name) {
  privy_request_key(request, name, privy_utf8_valid(name, LONGEST_SHOWN_NAME));
  privy_check_refuse(&request->check, PRIVY_CODE_INVALID_NAME, "has a name that is too long");
}

void privy_request_key(privy_request *request, const char *name, size_t length) {
  if (request->outside) return;
  if (length > PRIVY_LONGEST_NAME) {
    refuse_name(request, name);
    return;
  }
  if (names_freely(request)) {
    raw_key(request, name, length);
    return;
  }
  const privy_field *field = privy_check_key(&request->check, name, length);
  if (!at_top(request) || !request->operation)
    write_key(request, field, name, length);
  else
    begin_parameter(request, field, name, length);
}

/* Gives a value without a usable name a place in the body. */
static void begin_nameless(privy_request *request, const char *name, size_t length) {
  if (!at_top(request))
    write_key(request, NULL, name, length);
  else if (request->operation && request->default_location == PRIVY_LOCATION_BODY)
    begin_parameter(request, NULL, name, length);
}

void privy_request_no_key(privy_request *request, const char *name, size_t length) {
  privy_buffer path = PRIVY_BUFFER_EMPTY;
  if (request->outside) return;
  begin_nameless(request, name ? name : "", name ? length : 0);
  if (name && names_freely(request)) {
    note_memory(request, raw_path(request, name, length, &path));
    if (!request->check.no_memory) privy_check_no_key(&request->check, path.data, path.length);
  } else {
    privy_check_no_key(&request->check, name, length);
  }
  privy_buffer_clear(&path);
}

bool privy_request_next(privy_request *request, bool given) {
  const privy_object *object = request->operation->object;
  while (request->next_field < object->field_count) {
    const privy_field *field = &object->fields[request->next_field++];
    if (!(field->accepted_by & (1u << request->operation->id))) continue;
    if (!given) return true;
    privy_check_param(&request->check, field);
    begin_parameter(request, field, field->name, field->name_length);
    return true;
  }
  return false;
}

void privy_request_extra(privy_request *request) {
  request->check.lenient = true;
}

void privy_request_query(privy_request *request) {
  request->location = PRIVY_LOCATION_QUERY;
}

void privy_request_header(privy_request *request) {
  request->location = PRIVY_LOCATION_HEADER;
  if (request->operation) privy_check_end_params(&request->check);
}

/* ---- values ---- */

/* Writes a scalar outside the body. */
static void write_outside_body(privy_request *request, const char *text, size_t length) {
  if (request->location != PRIVY_LOCATION_HEADER) request->head_length += request->name.length + length;
  switch (request->location) {
  case PRIVY_LOCATION_QUERY:
    note_memory(request, (request->query.length == 0 || privy_buffer_byte(&request->query, '&')) &&
                             privy_buffer_percent(&request->query, request->name.data, request->name.length) &&
                             privy_buffer_byte(&request->query, '=') &&
                             privy_buffer_percent(&request->query, text, length));
    break;
  case PRIVY_LOCATION_PATH:
    if (length == 0 || privy_text_is(text, length, ".") || privy_text_is(text, length, "..")) {
      privy_check_refuse(&request->check, PRIVY_CODE_INVALID_PATH,
                         "must not be empty, . or ..: it is a segment of the path");
      break;
    }
    request->path.length = 0;
    note_memory(request, privy_buffer_percent(&request->path, text, length));
    break;
  default: privy_request_take_header(request, text, length);
  }
}

/* Checked before the text is copied. */
static bool refuses_length(privy_request *request, size_t length) {
  if (length <= PRIVY_LONGEST_BODY) return false;
  privy_check_unusable(&request->check, PRIVY_CODE_TOO_LARGE, "is too long: a body is at most 67108864 bytes");
  privy_request_keep_null(request);
  return true;
}

static bool in_body(const privy_request *request) {
  return request->location == PRIVY_LOCATION_BODY || !at_top(request);
}

void privy_request_string(privy_request *request, const char *text, size_t length) {
  if (request->outside || refuses_length(request, length)) return;
  bool body = in_body(request);
  privy_verdict verdict = privy_check_string(&request->check, text, length);
  if (verdict == PRIVY_VERDICT_REFUSED)
    privy_request_keep_string(request, text, length);
  else if (!body)
    write_outside_body(request, text, length);
  else if (verdict == PRIVY_VERDICT_NUMBER)
    privy_writer_raw(&request->writer, text, length);
  else if (verdict == PRIVY_VERDICT_PLAIN)
    privy_writer_string_as_is(&request->writer, text, length);
  else
    privy_writer_string(&request->writer, text, length);
}

/* Refuses a time, and keeps its text. */
static void refuse_time(privy_request *request, const char *message, const char *text, size_t length) {
  if (request->outside) return;
  privy_check_unusable(&request->check, PRIVY_CODE_WITHOUT_TIME_ZONE, message);
  privy_request_keep_string(request, text, length);
}

void privy_request_time(privy_request *request, const char *text, size_t length) {
  if (length && text[length - 1] == 'Z')
    privy_request_string(request, text, length);
  else
    refuse_time(request, "is a time without a time zone: add one, such as UTC", text, length);
}

void privy_request_date(privy_request *request, const char *text, size_t length) {
  if (!request->outside && privy_check_wants_time(&request->check))
    refuse_time(request, "is a date: pass a time with a time zone", text, length);
  else
    privy_request_string(request, text, length);
}

void privy_request_number(privy_request *request, const char *text, size_t length) {
  if (request->outside || privy_request_drop_nan(request, text, length) || refuses_length(request, length)) return;
  if (privy_check_number(&request->check, text, length) == PRIVY_VERDICT_REFUSED)
    privy_request_keep_number(request, text, length);
  else if (in_body(request))
    privy_writer_raw(&request->writer, text, length);
  else
    write_outside_body(request, text, length);
}

static PRIVY_NOINLINE void write_integer_outside_body(privy_request *request, int64_t value) {
  char text[PRIVY_INT64_LENGTH];
  write_outside_body(request, text, privy_format_int64(value, text));
}

void privy_request_integer(privy_request *request, int64_t value) {
  if (request->outside) return;
  if (privy_check_integer(&request->check, value) == PRIVY_VERDICT_REFUSED)
    privy_request_keep_integer(request, value);
  else if (in_body(request))
    privy_writer_integer(&request->writer, value);
  else
    write_integer_outside_body(request, value);
}

void privy_request_boolean(privy_request *request, bool value) {
  if (request->outside) return;
  if (privy_check_boolean(&request->check, value) == PRIVY_VERDICT_REFUSED)
    privy_request_keep_boolean(request, value);
  else if (in_body(request))
    privy_writer_boolean(&request->writer, value);
  else
    write_outside_body(request, value ? "true" : "false", value ? 4 : 5);
}

void privy_request_null(privy_request *request) {
  if (request->outside || privy_request_drop(request)) return;
  if (privy_check_null(&request->check) == PRIVY_VERDICT_REFUSED)
    privy_request_keep_null(request);
  else if (in_body(request))
    privy_writer_null(&request->writer);
  else
    privy_check_refuse(&request->check, PRIVY_CODE_WRONG_TYPE, scalar_error_message);
}

void privy_request_refuse(privy_request *request, privy_detail_code code, const char *message) {
  if (request->outside) return;
  privy_check_unusable(&request->check, code, message);
  privy_request_keep_null(request);
}

void privy_request_other(privy_request *request, const char *type) {
  if (request->outside) return;
  privy_check_other(&request->check, type);
  privy_request_keep_null(request);
}

static void refuse_built(privy_request *request, privy_detail_code code, bool done, privy_buffer *words) {
  note_memory(request, done && privy_buffer_terminate(words));
  if (!request->check.no_memory) privy_request_refuse(request, code, words->data);
  privy_buffer_clear(words);
}

void privy_request_raised(privy_request *request, const char *type, const char *error) {
  privy_buffer words = PRIVY_BUFFER_EMPTY;
  refuse_built(request, PRIVY_CODE_CONVERSION_FAILED,
               privy_buffer_text(&words, "is a ") && privy_buffer_name(&words, type, strlen(type)) &&
                   privy_buffer_text(&words, " whose conversion raised ") &&
                   privy_buffer_visible(&words, error, strlen(error)),
               &words);
}

void privy_request_missing(privy_request *request, const char *name) {
  privy_buffer words = PRIVY_BUFFER_EMPTY;
  if (privy_request_drop(request)) return;
  refuse_built(request, PRIVY_CODE_MISSING_VALUE, privy_buffer_format(&words, "is %s%s", name, PRIVY_REASON_MISSING),
               &words);
}

static void begin(privy_request *request, bool array) {
  if (request->outside) {
    request->outside++;
    return;
  }
  bool body = in_body(request);
  privy_verdict verdict = privy_check_begin(&request->check, array);
  if (!body) {
    privy_check_end(&request->check);
    if (verdict != PRIVY_VERDICT_REFUSED)
      privy_check_refuse(&request->check, PRIVY_CODE_WRONG_TYPE, scalar_error_message);
    request->outside = 1;
    return;
  }
  if (array)
    privy_writer_begin_array(&request->writer);
  else
    privy_writer_begin_object(&request->writer);
}

static void end(privy_request *request, bool array) {
  if (request->outside) {
    request->outside--;
    return;
  }
  privy_check_end(&request->check);
  if (array)
    privy_writer_end_array(&request->writer);
  else
    privy_writer_end_object(&request->writer);
}

void privy_request_begin_array(privy_request *request) {
  begin(request, true);
}

void privy_request_end_array(privy_request *request) {
  end(request, true);
}

void privy_request_begin_object(privy_request *request) {
  begin(request, false);
}

void privy_request_end_object(privy_request *request) {
  end(request, false);
}

/* ---- finishing ---- */

static bool make_target(privy_request *request) {
  privy_buffer *target = &request->target;
  bool done;
  if (request->operation) {
    const char *path = request->operation->path;
    const char *brace = strchr(path, '{');
    done = brace ? privy_buffer_append(target, path, (size_t)(brace - path)) &&
                       privy_buffer_append(target, request->path.data, request->path.length) &&
                       privy_buffer_text(target, strchr(brace, '}') + 1)
                 : privy_buffer_text(target, path);
  } else {
    done = privy_buffer_append(target, request->path.data, request->path.length);
  }
  if (done && request->query.length) {
    bool more = target->data && memchr(target->data, '?', target->length);
    done = privy_buffer_byte(target, more ? '&' : '?') &&
           privy_buffer_append(target, request->query.data, request->query.length);
  }
  return done && privy_buffer_terminate(target);
}

static void finish_body(privy_request *request) {
  if (request->body.length == 0) return;
  if (request->operation) {
    privy_writer_end_object(&request->writer);
  }
  size_t limit = request->operation ? request->operation->body_limit : 0;
  if (!limit) limit = PRIVY_LONGEST_BODY;
  if (request->body.length > limit)
    privy_check_add_detail(&request->check, "base", PRIVY_CODE_TOO_LARGE,
                           "the body is %zu bytes; at most %zu are accepted", request->body.length, limit);
  if (!privy_request_find_header(request, "Content-Type"))
    note_memory(request, privy_request_add_constant(request, "Content-Type", "application/json"));
}

privy_status privy_request_finish(privy_request *request, privy_error *error) {
  privy_check_finish(&request->check, 0);
  return privy_request_seal(request, error);
}

static void finish_head(privy_request *request) {
  if (request->head_length > PRIVY_LONGEST_HEAD)
    privy_check_add_detail(&request->check, "base", PRIVY_CODE_TOO_LARGE,
                           "path, query and headers are %zu bytes; at most %zu are accepted", request->head_length,
                           PRIVY_LONGEST_HEAD);
}

privy_status privy_request_seal(privy_request *request, privy_error *error) {
  privy_check *check = &request->check;
  finish_body(request);
  finish_head(request);
  if (check->no_memory || request->writer.failed) return privy_error_no_memory(error);
  if (check->details.count) {
    if (!privy_error_text(&error->method, request->method, strlen(request->method)))
      return privy_error_no_memory(error);
    const char *path = request->operation ? request->operation->path : request->path.data;
    size_t length = request->operation ? strlen(path) : request->path.length;
    if (path && !privy_error_text(&error->path, path, length)) return privy_error_no_memory(error);
    return privy_error_from_details(error, &check->details, "invalid request: ");
  }
  return make_target(request) ? PRIVY_OK : privy_error_no_memory(error);
}

privy_status privy_request_check_headers(privy_request *request, privy_error *error) {
  return privy_request_seal(request, error);
}

const char *privy_request_method(const privy_request *request) {
  return request->method;
}

const char *privy_request_target(const privy_request *request) {
  return request->target.data;
}

const char *privy_request_body(const privy_request *request, size_t *length) {
  *length = request->body.length;
  return request->body.length ? request->body.data : "";
}
