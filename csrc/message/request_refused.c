/*
 * The values of a request that are refused. Its body is never sent, but shows what was given, so that a journal can
 * keep it and the user can correct it. It is valid JSON, except when a name is not valid UTF-8.
 */
#include "base/visible.h"
#include "message/request.h"
#include "json/reader.h"

static bool keeps(const privy_request *request) {
  return request->location == PRIVY_LOCATION_BODY || request->check.depth > 1;
}

void privy_request_keep_string(privy_request *request, const char *text, size_t length) {
  privy_buffer valid = PRIVY_BUFFER_EMPTY;
  if (!keeps(request)) return;
  if (privy_buffer_utf8(&valid, text, length))
    privy_writer_string(&request->writer, valid.length ? valid.data : "", valid.length);
  else
    request->check.no_memory = true;
  privy_buffer_clear(&valid);
}

void privy_request_keep_number(privy_request *request, const char *text, size_t length) {
  if (!privy_json_number(text, length, NULL))
    privy_request_keep_string(request, text, length);
  else if (keeps(request))
    privy_writer_raw(&request->writer, text, length);
}

void privy_request_keep_integer(privy_request *request, int64_t value) {
  if (keeps(request)) privy_writer_integer(&request->writer, value);
}

void privy_request_keep_boolean(privy_request *request, bool value) {
  if (keeps(request)) privy_writer_boolean(&request->writer, value);
}

void privy_request_keep_null(privy_request *request) {
  if (keeps(request)) privy_writer_null(&request->writer);
}
