#include "call/wire_request.h"

#include "base/buffer.h"

/* Bytes that the headers of most requests fit into. */
#define USUAL_HEADERS 512

static bool add_header(privy_buffer *headers, const char *name, const char *value) {
  return privy_buffer_text(headers, name) && privy_buffer_text(headers, ": ") && privy_buffer_text(headers, value) &&
         privy_buffer_text(headers, "\r\n");
}

/* Sets what all requests have in common. */
static bool begin(privy_call *call) {
  const char *suffix = call->settings->user_agent;
  privy_buffer *headers = &call->wire_request.headers;
  headers->length = 0;
  call->wire_request.timeout = call->options.timeout;
  call->wire_request.connect_timeout = call->options.connect_timeout;
  call->wire_request.measured =
      call->trace && (call->min_level == PRIVY_LEVEL_DEBUG || (call->kinds & PRIVY_TRACE_MEASURED));
  return privy_buffer_reserve(headers, USUAL_HEADERS) &&
         privy_buffer_text(headers, "User-Agent: privy/" PRIVY_VERSION) &&
         (!suffix || (privy_buffer_byte(headers, ' ') && privy_buffer_text(headers, suffix))) &&
         privy_buffer_text(headers, "\r\n");
}

static bool set_path(privy_call *call, const char *target) {
  call->path.length = 0;
  bool done = privy_buffer_text(&call->path, call->settings->base_path) && privy_buffer_text(&call->path, target) &&
              privy_buffer_terminate(&call->path);
  call->wire_request.path = call->path.data;
  return done;
}

bool privy_call_prepare_token(privy_call *call) {
  const privy_settings *settings = call->settings;
  privy_wire_request *out = &call->wire_request;
  call->form.length = 0;
  if (!begin(call) || !privy_token_form(&call->form, settings->client_id, settings->client_secret, settings->scopes) ||
      !add_header(&out->headers, "Accept", "application/json") ||
      !add_header(&out->headers, "Content-Type", "application/x-www-form-urlencoded"))
    return false;
  out->method = "POST";
  out->url = settings->token_url;
  out->path = NULL;
  out->target = PRIVY_TOKEN_PATH;
  out->body = call->form.data;
  out->body_length = call->form.length;
  return true;
}

bool privy_call_prepare_request(privy_call *call, const privy_request *request, const char *token) {
  privy_wire_request *out = &call->wire_request;
  const char *name, *value;
  if (!begin(call) || !set_path(call, privy_request_target(request))) return false;
  for (size_t i = 0; privy_request_header_at(request, i, &name, &value); i++)
    if (!add_header(&out->headers, name, value)) return false;
  if (*call->key && !add_header(&out->headers, "Idempotency-Key", call->key)) return false;
  out->method = privy_request_method(request);
  out->url = call->settings->base_url;
  out->target = privy_request_target(request);
  out->body = privy_request_body(request, &out->body_length);
  return privy_buffer_text(&out->headers, "Authorization: Bearer ") && privy_buffer_text(&out->headers, token) &&
         privy_buffer_text(&out->headers, "\r\n");
}
