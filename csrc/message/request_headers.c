/* The header list of a request. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "message/http_syntax.h"
#include "message/request.h"

/* Headers that libcurl or the client sets, or that concern the connection. */
static const char *const own_headers[] = {
    "Authorization",
    "Connection",
    "Content-Length",
    "Host",
    "Keep-Alive",
    "Proxy-Authorization",
    "TE",
    "Trailer",
    "Proxy-Connection",
    "Upgrade",
    "User-Agent",
    "Transfer-Encoding",
};
/* Those that the client sets for operations, but a raw request may set. */
static const char *const operation_headers[] = {"Accept",       "Accept-Encoding", "Content-Encoding",
                                                "Content-Type", "Expect",          "Idempotency-Key"};

static privy_request_header_line *find_header(const privy_request *request, const char *name, size_t length) {
  for (size_t i = 0; i < request->header_count; i++)
    if (privy_text_is_nocase(name, length, request->headers[i].name)) return &request->headers[i];
  return NULL;
}

static bool append_header(privy_request *request, privy_request_header_line line) {
  privy_request_header_line *lines =
      privy_grow(request->headers, request->header_count, &request->header_capacity, sizeof *lines);
  if (!lines) return false;
  request->headers = lines;
  lines[request->header_count++] = line;
  return true;
}

bool privy_request_add_constant(privy_request *request, const char *name, const char *value) {
  return append_header(request, (privy_request_header_line){name, value, NULL, false});
}

bool privy_request_add_header(privy_request *request, const char *name, size_t name_length, const char *value,
                              size_t value_length) {
  request->head_length += name_length + value_length;
  privy_request_header_line *earlier = find_header(request, name, name_length);
  if (earlier) name = earlier->name;
  char *owned = privy_alloc(name_length + value_length + 2);
  if (!owned) return false;
  memcpy(owned, name, name_length);
  owned[name_length] = '\0';
  if (value_length) memcpy(owned + name_length + 1, value, value_length);
  owned[name_length + 1 + value_length] = '\0';
  privy_request_header_line line = {owned, owned + name_length + 1, owned, false};
  if (earlier) {
    privy_free(earlier->owned);
    *earlier = line;
    return true;
  }
  if (append_header(request, line)) return true;
  privy_free(owned);
  return false;
}

const char *privy_request_find_header(const privy_request *request, const char *name) {
  const privy_request_header_line *line = find_header(request, name, strlen(name));
  return line ? line->value : NULL;
}

static bool is_one_of(const privy_buffer *name, const char *const *names, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (privy_text_is_nocase(name->data, name->length, names[i])) return true;
  return false;
}

/* The parameter that the operation sends as this header; NULL if there is none. */
static const privy_field *parameter_of(const privy_operation *operation, const privy_buffer *name) {
  const privy_object *object = operation->object;
  for (size_t i = 0; i < object->field_count; i++) {
    const privy_field *field = &object->fields[i];
    if ((field->accepted_by & (1u << operation->id)) && (field->flags & PRIVY_FIELD_HEADER) &&
        privy_text_is_nocase(name->data, name->length, field->header))
      return field;
  }
  return NULL;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Refuses the header that `name` names if the client or a parameter sets it. */
static bool refuse_own(privy_request *request) {
  const privy_buffer *name = &request->name;
  const privy_field *field = request->operation ? parameter_of(request->operation, name) : NULL;
  char message[128] = "is set by the client";
  if (field)
    snprintf(message, sizeof message, "is sent by the parameter %s: use that", field->name);
  else if (!is_one_of(name, own_headers, COUNT(own_headers)) &&
           !(request->operation && is_one_of(name, operation_headers, COUNT(operation_headers))))
    return false;
  privy_check_refuse(&request->check, PRIVY_CODE_RESERVED, message);
  return true;
}

static void add_given(privy_request *request, bool extra, const char *value, size_t length) {
  const privy_buffer *name = &request->name;
  if (!privy_request_add_header(request, name->data, name->length, value, length))
    request->check.no_memory = true;
  else
    find_header(request, name->data, name->length)->extra = extra;
}

void privy_request_take_header(privy_request *request, const char *value, size_t length) {
  const privy_buffer *name = &request->name;
  const bool extra = !request->operation || request->check.params_end;
  if (extra && refuse_own(request)) return;
  const privy_request_header_line *earlier = find_header(request, name->data, name->length);
  if (!privy_is_token(name->data, name->length) || !privy_is_header_value(value, length))
    privy_check_refuse(&request->check, PRIVY_CODE_INVALID_HEADER,
                       "must be a valid header: its name a token, its value visible ASCII");
  else if (earlier && earlier->extra)
    privy_check_refuse(&request->check, PRIVY_CODE_REPEATED, "is given twice: the names of headers ignore case");
  else
    add_given(request, extra, value, length);
}

bool privy_request_copy_extra(privy_request *request, const privy_request *from) {
  for (size_t i = 0; i < from->header_count; i++) {
    const privy_request_header_line *line = &from->headers[i];
    if (!line->extra) continue;
    if (!privy_request_add_header(request, line->name, strlen(line->name), line->value, strlen(line->value)))
      return false;
    find_header(request, line->name, strlen(line->name))->extra = true;
  }
  return true;
}

/* `headers` is a privy_buffer of header lines. */
bool privy_send_headers_add(privy_send_headers *headers, const char *name, size_t name_length, const char *value,
                            size_t value_length) {
  privy_buffer *block = (privy_buffer *)headers, line = PRIVY_BUFFER_EMPTY;
  privy_slice rest = {block->data, block->length};
  privy_header earlier;
  bool added = privy_is_token(name, name_length) && privy_is_header_value(value, value_length) &&
               privy_buffer_append(&line, name, name_length) && !is_one_of(&line, own_headers, COUNT(own_headers));
  while (added && privy_next_header(&rest, &earlier))
    added = !privy_text_equal_nocase(earlier.name.text, earlier.name.length, name, name_length);
  added = added && privy_buffer_text(&line, ": ") && privy_buffer_append(&line, value, value_length) &&
          privy_buffer_text(&line, "\r\n") && privy_buffer_append(block, line.data, line.length);
  privy_buffer_clear(&line);
  return added;
}

bool privy_request_header_at(const privy_request *request, size_t index, const char **name, const char **value) {
  if (index >= request->header_count) return false;
  *name = request->headers[index].name;
  *value = request->headers[index].value;
  return true;
}
