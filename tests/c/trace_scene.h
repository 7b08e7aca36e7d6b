/* What the tests of trace events share: events as text, and a client of a sandbox. */
#ifndef TRACE_SCENE_H
#define TRACE_SCENE_H

#include "base/buffer.h"
#include "call/call.h"
#include "http_scene.h"
#include "privy_sandbox.h"

/* The events as text, one line each; the last event, and the last one with the cost of a transfer. */
typedef struct log {
  char lines[2048];
  privy_trace_event last, transfer;
  size_t count;
} log;

/* The sandbox whose clock advances when a call waits for a retry; NULL: the wait takes real time. */
static privy_sandbox *hurried;

static inline void note(void *context, const privy_trace_event *event) {
  log *events = context;
  size_t used = strlen(events->lines);
  if (hurried && event->kind == PRIVY_TRACE_RETRY) privy_sandbox_advance(hurried, event->seconds);
  events->last = *event;
  if (event->kind == PRIVY_TRACE_RESPONSE || event->kind == PRIVY_TRACE_FAILURE) events->transfer = *event;
  events->count++;
  snprintf(events->lines + used, sizeof events->lines - used, "%d %s %s %s #%d %d %s\n", (int)event->call,
           privy_trace_kind_name(event->kind), event->method, event->path, event->attempt, event->http_status,
           privy_error_describe(event->failure)->name);
}

static inline privy_status observed(privy_client *client, privy_request *request, log *events, privy_response **out,
                                    privy_error *error) {
  const privy_hooks hooks = {.observe = note, .context = events};
  return privy_client_call(client, request, NULL, &hooks, out, error);
}

static inline privy_status watched(privy_client *client, const char *operation, const char *params, log *events,
                                   privy_response **out, privy_error *error) {
  privy_request *request = NULL;
  *events = (log){0};
  privy_response_release(*out);
  *out = NULL;
  privy_error_clear(error);
  privy_status status = ask_for(operation, params, &request, error);
  if (status == PRIVY_OK) status = observed(client, request, events, out, error);
  privy_request_free(request);
  return status;
}

/* ---- with a sandbox ---- */

typedef struct play {
  privy_sandbox *sandbox;
  privy_client *client;
  privy_response *response;
  privy_error error;
  privy_config config;
  log events;
} play;

static inline privy_status play_open(play *p, const char *client_id) {
  *p = (play){0};
  privy_error_init(&p->error);
  privy_config_init(&p->config);
  privy_status status = privy_sandbox_new(&p->sandbox);
  if (status != PRIVY_OK) return status;
  p->config.sandbox = p->sandbox;
  p->config.client_id = client_id;
  p->config.client_secret = client_id ? PRIVY_SANDBOX_CLIENT_SECRET : NULL;
  return privy_client_new(&p->config, &p->client, &p->error);
}

static inline void play_close(play *p) {
  hurried = NULL;
  privy_response_release(p->response);
  privy_client_free(p->client);
  privy_sandbox_release(p->sandbox);
  privy_error_clear(&p->error);
}

/* An event without memory is dropped, and the call continues: then there is nothing to compare. */
#define assert_events(events, expected)                                                                                \
  do {                                                                                                                 \
    if (!harness_sweeping()) assert_string_equal((events).lines, expected);                                            \
  } while (0)

#endif
