#include <pthread.h>
#include <string.h>

#include "base/memory.h"
#include "client/call.h"
#include "client/engine.h"
#include "message/error.h"

struct privy_client {
  privy_settings settings;
  privy_engine *engine;   /* NULL: the sandbox answers */
  privy_sandbox *sandbox; /* NULL: the network does */
  pthread_mutex_t mutex;  /* guards `token` */
  privy_token token;
};

privy_status privy_client_new(const privy_config *config, privy_client **out, privy_error *error) {
  privy_client *client = privy_calloc(1, sizeof *client);
  if (!client) return privy_error_no_memory(error);
  pthread_mutex_init(&client->mutex, NULL);
  privy_status status = privy_settings_read(&client->settings, config, error);
  if (status == PRIVY_OK && config->sandbox)
    client->sandbox = privy_sandbox_retain(config->sandbox);
  else if (status == PRIVY_OK)
    status = privy_engine_new(&client->settings, &client->engine, error);
  if (status == PRIVY_OK)
    *out = client;
  else
    privy_client_free(client);
  return status;
}

void privy_client_free(privy_client *client) {
  if (!client) return;
  privy_engine_free(client->engine);
  privy_sandbox_release(client->sandbox);
  privy_token_clear(&client->token);
  privy_settings_clear(&client->settings);
  pthread_mutex_destroy(&client->mutex);
  privy_free(client);
}

const char *privy_client_base_url(const privy_client *client) {
  return client->settings.base_url;
}

/* ---- the token that all calls share ---- */

static bool copy_token(privy_client *client, privy_token *out) {
  *out = (privy_token){0};
  pthread_mutex_lock(&client->mutex);
  const char *text = client->token.text;
  if (text) *out = (privy_token){privy_copy(text, strlen(text)), client->token.expires_at};
  bool done = !text || out->text;
  pthread_mutex_unlock(&client->mutex);
  return done;
}

static void keep_token(privy_client *client, privy_call *call) {
  if (!call->token_fetched) return;
  pthread_mutex_lock(&client->mutex);
  privy_token old = client->token;
  client->token = call->token;
  pthread_mutex_unlock(&client->mutex);
  call->token = (privy_token){0};
  privy_token_clear(&old);
}

/* ---- transport ---- */

/* Breaks an answer of the sandbox as a connection would: what is cut is lost, what is late may be too late. */
static privy_status deliver(privy_sandbox_answer *answer, const privy_outgoing *outgoing, privy_watch *watch,
                            privy_incoming *incoming, privy_error *error) {
  bool late = answer->delay > outgoing->timeout;
  if (answer->delay > 0 && privy_watch_sleep(watch, late ? outgoing->timeout : answer->delay))
    return privy_error_set(error, PRIVY_INTERRUPTED, "the call was stopped");
  if (late)
    return privy_error_set(error, PRIVY_TIMEOUT, "no answer from the sandbox within %g seconds", outgoing->timeout);
  if (answer->cut == PRIVY_CUT_DROP)
    return privy_error_set(error, PRIVY_CONNECTION, "the sandbox closed the connection without an answer");
  if (answer->cut == PRIVY_CUT_TRUNCATE)
    return privy_error_set(error, PRIVY_CONNECTION, "the sandbox closed the connection within the answer");
  incoming->http_status = answer->http_status;
  incoming->headers = answer->headers;
  incoming->body = answer->body;
  answer->headers = answer->body = (privy_buffer)PRIVY_BUFFER_EMPTY;
  return PRIVY_OK;
}

static privy_status ask_sandbox(privy_sandbox *sandbox, const privy_outgoing *outgoing, privy_watch *watch,
                                privy_incoming *incoming, privy_error *error) {
  privy_sandbox_answer answer;
  privy_sandbox_answer_init(&answer);
  privy_status status = privy_sandbox_handle(sandbox, outgoing->method, outgoing->target, outgoing->headers.data,
                                             outgoing->headers.length, outgoing->body, outgoing->body_length, &answer);
  if (status == PRIVY_OK)
    status = deliver(&answer, outgoing, watch, incoming, error);
  else
    status = privy_error_no_memory(error);
  privy_sandbox_answer_clear(&answer);
  return status;
}

static privy_status send_outgoing(privy_client *client, const privy_outgoing *outgoing, privy_watch *watch,
                                  privy_incoming *incoming, privy_error *error) {
  if (privy_watch_stops(watch)) return privy_error_set(error, PRIVY_INTERRUPTED, "the call was stopped");
  if (client->sandbox) return ask_sandbox(client->sandbox, outgoing, watch, incoming, error);
  return privy_engine_send(client->engine, outgoing, watch, incoming, error);
}

static double now_of(const privy_client *client) {
  return client->sandbox ? privy_sandbox_now(client->sandbox) : privy_wall_clock();
}

/* ---- calls ---- */

static void drive(privy_client *client, privy_call *call, privy_watch *watch) {
  while (privy_call_next(call, now_of(client)) == PRIVY_CALL_SEND) {
    privy_incoming incoming = {0};
    if (send_outgoing(client, &call->outgoing, watch, &incoming, call->error) == PRIVY_OK)
      privy_call_answered(call, now_of(client), &incoming);
    else
      privy_call_failed(call);
    privy_incoming_clear(&incoming);
  }
}

privy_status privy_client_call(privy_client *client, const privy_request *request, const privy_options *options,
                               privy_interrupt *interrupt, privy_stop_function *stop, void *stop_context,
                               privy_response **out, privy_error *error) {
  privy_options merged = privy_options_merge(client->settings.options, options);
  const char *fault = privy_options_fault(&merged);
  if (fault) return privy_error_set(error, PRIVY_ERROR, "%s", fault);
  privy_token token;
  if (!copy_token(client, &token)) return privy_error_no_memory(error);
  privy_watch watch = {.interrupt = interrupt, .stop = stop, .context = stop_context};
  privy_call call;
  privy_call_init(&call, &client->settings, merged, token, request, error);
  drive(client, &call, &watch);
  keep_token(client, &call);
  privy_status status = call.status;
  if (status == PRIVY_OK) {
    *out = call.response;
    call.response = NULL;
  }
  privy_call_clear(&call);
  return status;
}
