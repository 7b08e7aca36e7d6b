/*
 * For tests of a client with a real socket: a scene with server and client, and calls in one line.
 *
 * Define _POSIX_C_SOURCE 200809L before the first include.
 */
#ifndef HTTP_SCENE_H
#define HTTP_SCENE_H

#include "http_server.h"
#include "message_text.h"

#define SERVE(replies) http_start(replies, COUNT(replies))
#define OK(body) "HTTP/1.1 200 OK\r\nContent-Length: " body
#define EMPTY_PAGE OK("11\r\n\r\n{\"data\":[]}")

/* Makes one call with default options. */
static inline privy_status call(privy_client *client, const char *operation, const char *params, privy_response **out,
                                privy_error *error) {
  privy_request *request = NULL;
  privy_status status = ask_for(operation, params, &request, error);
  if (status == PRIVY_OK) status = privy_client_call(client, request, NULL, NULL, out, error);
  privy_request_free(request);
  return status;
}

static inline privy_status call_raw(privy_client *client, const char *method, const char *path, const char *body,
                                    privy_response **out, privy_error *error) {
  privy_request *request = NULL;
  privy_status status = privy_request_new_raw(TEXT(method), TEXT(path), &request);
  if (status != PRIVY_OK) return status;
  if (body) ask_value(request, json_of(body));
  status = privy_request_finish(request, error);
  if (status == PRIVY_OK) status = privy_client_call(client, request, NULL, NULL, out, error);
  privy_request_free(request);
  return status;
}

/* The objects of a test. */
typedef struct scene {
  http_server *server;
  privy_client *client;
  privy_response *response;
  privy_error error;
  privy_config config;
} scene;

static inline void scene_open(scene *s, http_server *server) {
  *s = (scene){.server = server};
  privy_error_init(&s->error);
  privy_config_init(&s->config);
  s->config.options.max_retries = 0;
}

static inline void scene_close(scene *s) {
  privy_response_release(s->response);
  privy_client_free(s->client);
  privy_error_clear(&s->error);
  http_stop(s->server);
}

static inline void forget(scene *s) {
  privy_response_release(s->response);
  s->response = NULL;
  privy_error_clear(&s->error);
}

static inline void assert_counts(const scene *s, int accepted, size_t asked) {
  int connections;
  size_t requests;
  http_counts(s->server, &connections, &requests);
  assert_int_equal(connections, accepted);
  assert_int_equal(requests, asked);
}

#endif
