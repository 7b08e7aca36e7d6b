#include "client/call.h"

#include <string.h>

#include "base/buffer.h"
#include "base/text.h"
#include "message/error.h"
#include "message/response.h"

void privy_call_init(privy_call *call, const privy_settings *settings, privy_options options, privy_token token,
                     const privy_request *request, privy_error *error) {
  *call = (privy_call){
      .settings = settings, .options = options, .request = request, .token = token, .status = PRIVY_OK, .error = error};
}

void privy_call_clear(privy_call *call) {
  privy_request_free(call->follow_up);
  privy_token_clear(&call->token);
  privy_buffer_clear(&call->outgoing.headers);
  privy_buffer_clear(&call->url);
  privy_buffer_clear(&call->form);
  privy_response_release(call->response);
}

static void finish(privy_call *call, privy_status status) {
  call->done = true;
  call->status = status;
}

/* ---- what is sent ---- */

static bool add_header(privy_buffer *headers, const char *name, const char *value) {
  return privy_buffer_format(headers, "%s: ", name) && privy_buffer_text(headers, value) &&
         privy_buffer_text(headers, "\r\n");
}

static bool add_user_agent(privy_buffer *headers, const char *suffix) {
  return privy_buffer_text(headers, "User-Agent: privy/" PRIVY_VERSION) &&
         (!suffix || (privy_buffer_byte(headers, ' ') && privy_buffer_text(headers, suffix))) &&
         privy_buffer_text(headers, "\r\n");
}

static bool set_url(privy_call *call, const char *base, const char *target) {
  call->url.length = 0;
  return privy_buffer_text(&call->url, base) && privy_buffer_text(&call->url, target) &&
         privy_buffer_terminate(&call->url);
}

static bool prepare_token(privy_call *call) {
  const privy_settings *settings = call->settings;
  privy_outgoing *out = &call->outgoing;
  call->form.length = 0;
  if (!set_url(call, settings->token_url, "") ||
      !privy_token_form(&call->form, settings->client_id, settings->client_secret, settings->scopes) ||
      !add_header(&out->headers, "Accept", "application/json") ||
      !add_header(&out->headers, "Content-Type", "application/x-www-form-urlencoded"))
    return false;
  out->method = "POST";
  out->target = "/oauth/token";
  out->body = call->form.data;
  out->body_length = call->form.length;
  return true;
}

static bool prepare_request(privy_call *call) {
  const privy_request *request = call->request;
  privy_outgoing *out = &call->outgoing;
  const char *name, *value;
  const char *token = call->settings->token ? call->settings->token : call->token.text;
  if (!set_url(call, call->settings->base_url, privy_request_target(request))) return false;
  for (size_t i = 0; privy_request_header_at(request, i, &name, &value); i++)
    if (!add_header(&out->headers, name, value)) return false;
  out->method = privy_request_method(request);
  out->target = privy_request_target(request);
  out->body = privy_request_body(request, &out->body_length);
  return privy_buffer_text(&out->headers, "Authorization: Bearer ") && privy_buffer_text(&out->headers, token) &&
         privy_buffer_text(&out->headers, "\r\n");
}

privy_call_step privy_call_next(privy_call *call, double now) {
  if (call->done) return PRIVY_CALL_DONE;
  privy_outgoing *out = &call->outgoing;
  out->headers.length = 0;
  out->timeout = call->options.timeout;
  out->connect_timeout = call->options.connect_timeout;
  call->asking_token = !call->settings->token && !privy_token_is_fresh(&call->token, now);
  bool ready = add_user_agent(&out->headers, call->settings->user_agent) &&
               (call->asking_token ? prepare_token(call) : prepare_request(call));
  if (!ready) {
    finish(call, privy_error_no_memory(call->error));
    return PRIVY_CALL_DONE;
  }
  out->url = call->url.data;
  call->attempts++;
  return PRIVY_CALL_SEND;
}

/* ---- what came of it ---- */

/* Tells the error which request it is about. */
static void describe_failure(privy_call *call) {
  privy_error *error = call->error;
  const char *target = call->outgoing.target;
  const char *key = call->asking_token ? NULL : privy_request_find_header(call->request, "Idempotency-Key");
  error->attempts = call->attempts;
  if (!privy_error_text(&error->method, call->outgoing.method, strlen(call->outgoing.method)) ||
      !privy_error_text(&error->path, target, strcspn(target, "?")) ||
      (key && !privy_error_text(&error->idempotency_key, key, strlen(key))))
    privy_error_no_memory(error);
}

void privy_call_failed(privy_call *call) {
  describe_failure(call);
  finish(call, call->error->code);
}

static void token_answered(privy_call *call, double now, privy_incoming *incoming) {
  privy_response *response = NULL;
  privy_status status = privy_response_parse(NULL, incoming->http_status, incoming->headers.data,
                                             incoming->headers.length, &incoming->body, &response, call->error);
  if (status == PRIVY_OK) status = privy_token_read(response, now, &call->token, call->error);
  privy_response_release(response);
  if (status == PRIVY_OK && !privy_token_is_fresh(&call->token, now))
    status = privy_error_set(call->error, PRIVY_STATUS, "the token endpoint gave a token that has expired already");
  call->token_fetched = status == PRIVY_OK;
  if (call->token_fetched) return;
  call->error->http_status = incoming->http_status;
  privy_call_failed(call);
}

/* A 409 tells an upsert which contact to update. */
static bool goes_on_to_update(privy_call *call) {
  const privy_operation *operation = call->request->operation;
  if (call->error->code != PRIVY_CONFLICT || !call->error->contact_id || call->follow_up || !operation ||
      operation->id != PRIVY_OP_UPSERT)
    return false;
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_request_new_update_of(call->request, call->error->contact_id, &call->follow_up, &error);
  if (status == PRIVY_NO_MEMORY) privy_error_no_memory(call->error);
  privy_error_clear(&error);
  if (status != PRIVY_OK) return false;
  privy_error_clear(call->error);
  call->request = call->follow_up;
  return true;
}

void privy_call_answered(privy_call *call, double now, privy_incoming *incoming) {
  if (call->asking_token) {
    token_answered(call, now, incoming);
    return;
  }
  privy_status status = privy_response_parse(call->request->operation, incoming->http_status, incoming->headers.data,
                                             incoming->headers.length, &incoming->body, &call->response, call->error);
  if (status == PRIVY_OK)
    finish(call, PRIVY_OK);
  else if (!goes_on_to_update(call))
    privy_call_failed(call);
}
