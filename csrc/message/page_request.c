#include "message/page_request.h"

#include "message/error.h"

static bool is_position(privy_slice parameter) {
  const char *end = memchr(parameter.text, '=', parameter.length);
  const size_t length = end ? (size_t)(end - parameter.text) : parameter.length;
  return privy_text_is(parameter.text, length, "page") || privy_text_is(parameter.text, length, "per_page");
}

bool privy_request_filter(const privy_request *list, privy_buffer *out) {
  privy_slice rest = {list->query.data, list->query.length}, parameter;
  bool done = true, first = true;
  while (done && privy_next_word(&rest, '&', &parameter)) {
    if (is_position(parameter)) continue;
    done = (first || privy_buffer_byte(out, '&')) && privy_buffer_append(out, parameter.text, parameter.length);
    first = false;
  }
  return done;
}

static privy_status build(privy_request *request, const privy_request *list, int64_t page, int64_t per_page,
                          privy_error *error) {
  if (!privy_request_filter(list, &request->query) || !privy_request_copy_extra(request, list))
    return privy_error_no_memory(error);
  privy_request_key(request, "page", 4);
  privy_request_integer(request, page);
  privy_request_key(request, "per_page", 8);
  privy_request_integer(request, per_page);
  return privy_request_seal(request, error);
}

privy_status privy_request_new_page(const privy_request *list, int64_t page, int64_t per_page, privy_request **out,
                                    privy_error *error) {
  privy_request *request;
  if (privy_request_new(list->operation, &request) != PRIVY_OK) return privy_error_no_memory(error);
  const privy_status status = build(request, list, page, per_page, error);
  if (status == PRIVY_OK)
    *out = request;
  else
    privy_request_free(request);
  return status;
}
