/* The header list of a request. */
#include <string.h>

#include "base/memory.h"
#include "message/http_syntax.h"
#include "message/request.h"

/* Headers that libcurl or the client sets. */
static const char *const own_headers[] = {"Authorization",     "Host",       "Content-Length",
                                          "Transfer-Encoding", "Connection", "User-Agent"};

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
  return append_header(request, (privy_request_header_line){name, value, NULL});
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
  privy_request_header_line line = {owned, owned + name_length + 1, owned};
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

void privy_request_take_header(privy_request *request, const char *value, size_t length) {
  const privy_buffer *name = &request->name;
  for (size_t i = 0; i < sizeof own_headers / sizeof own_headers[0]; i++) {
    if (!privy_text_is_nocase(name->data, name->length, own_headers[i])) continue;
    privy_check_refuse(&request->check, "is set by the client");
    return;
  }
  if (!privy_is_token(name->data, name->length) || !privy_is_header_value(value, length))
    privy_check_refuse(&request->check, "must be a valid header: its name a token, its value visible ASCII");
  else if (!privy_request_add_header(request, name->data, name->length, value, length))
    request->check.no_memory = true;
}

bool privy_request_header_at(const privy_request *request, size_t index, const char **name, const char **value) {
  if (index >= request->header_count) return false;
  *name = request->headers[index].name;
  *value = request->headers[index].value;
  return true;
}
