/* Method and path of a raw request, and the path as traces show it. */
#include <stdio.h>
#include <string.h>

#include "message/http_syntax.h"
#include "message/request.h"

static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"};

/* NULL if it is not a known method. */
static const char *known_method(privy_slice method) {
  for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
    if (privy_text_is(method.text, method.length, methods[i])) return methods[i];
  return NULL;
}

void privy_request_check_raw(privy_request *request, privy_slice method, privy_slice path) {
  const char *known = known_method(method);
  if (known)
    request->method = known;
  else
    privy_check_add_detail(&request->check, "method", PRIVY_CODE_INCLUSION,
                           "must be one of GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS");
  if (!privy_path_is_safe(path.text, path.length))
    privy_check_add_detail(
        &request->check, "path", PRIVY_CODE_INVALID_PATH,
        "must start with / and contain only visible ASCII, without #, \\ or .. segments, encoded or not");
  else if (!privy_buffer_append(&request->path, path.text, path.length))
    request->check.no_memory = true;
  request->head_length += path.length;
}

/* A longer word could be a secret. */
#define LONGEST_WORD 32

/* "contacts" and "v2" are plain words; an id, an e-mail address and a phone number are not. */
static bool is_word(const char *segment, size_t length) {
  size_t i = 0;
  if (length > LONGEST_WORD) return false;
  while (i < length && ((segment[i] >= 'a' && segment[i] <= 'z') || segment[i] == '_' || segment[i] == '-')) i++;
  if (i == 1 && segment[0] == 'v')
    while (i < length && segment[i] >= '0' && segment[i] <= '9') i++;
  return i == length;
}

void privy_request_template(const privy_request *request, char *out, size_t size) {
  if (request->operation) {
    snprintf(out, size, "%s", privy_operation_path(request->operation));
    return;
  }
  privy_slice path = {request->path.data, request->path.length}, segment;
  const char *query = path.length ? memchr(path.text, '?', path.length) : NULL;
  if (query) path.length = (size_t)(query - path.text);
  out[0] = '\0';
  for (size_t used = 0; used + 1 < size && privy_next_word(&path, '/', &segment); used += strlen(out + used)) {
    bool word = is_word(segment.text, segment.length);
    snprintf(out + used, size - used, "/%.*s", word ? (int)segment.length : 4, word ? segment.text : "{id}");
  }
}
