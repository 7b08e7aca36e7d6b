/*
 * A small HTTP/1.1 server on 127.0.0.1 for tests of the client. It has one thread for each connection, records
 * requests, and sends replies in the order of a list; the last one repeats. It does not assert, because its threads are
 * not the test's.
 *
 * Define _POSIX_C_SOURCE 200809L before the first include.
 */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "harness.h"

#define HTTP_CONNECTIONS 256
#define HTTP_REQUESTS 512

typedef enum http_manner {
  HTTP_ANSWER, /* sends `text` and keeps the connection */
  HTTP_CLOSE,  /* sends `text`, which may be "", and closes the connection */
  HTTP_STALL,  /* sends `text`, then nothing until the client closes */
  HTTP_ECHO,   /* replies {"target": "…"} after a moment */
  HTTP_FLOOD   /* sends `text`, then spaces until the client closes */
} http_manner;

typedef struct http_reply {
  http_manner manner;
  const char *text;
  size_t length; /* of a text that may contain NUL, otherwise 0 */
} http_reply;

typedef struct http_asked {
  char head[1536]; /* request line and headers, without the empty line */
  char body[512];  /* the first bytes */
  size_t body_length;
  int connection; /* from 0 */
} http_asked;

typedef struct http_server http_server;

typedef struct http_connection {
  http_server *server;
  pthread_t thread;
  int socket, number;
} http_connection;

struct http_server {
  int listener, port;
  pthread_t thread;
  pthread_mutex_t mutex; /* protects all below */
  bool stopping;
  const http_reply *replies;
  size_t reply_count;
  http_connection connections[HTTP_CONNECTIONS];
  int accepted, closed;
  http_asked asked[HTTP_REQUESTS];
  size_t asked_count;
};

static inline bool http_send(int socket, const char *text, size_t length) {
  while (length > 0) {
    const ssize_t sent = send(socket, text, length, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text += sent;
    length -= (size_t)sent;
  }
  return true;
}

/* Waits until the client closes, or the server stops. */
static inline void http_wait(int socket) {
  char ignored[256];
  while (recv(socket, ignored, sizeof ignored, 0) > 0) continue;
}

static inline bool http_echo(int socket, const http_asked *asked) {
  char body[256], text[512];
  const char *target = strchr(asked->head, ' ') ? strchr(asked->head, ' ') + 1 : "";
  const struct timespec moment = {0, 300000};
  nanosleep(&moment, NULL);
  snprintf(body, sizeof body, "{\"target\":\"%.*s\"}", (int)strcspn(target, " \r\n"), target);
  snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(body), body);
  return http_send(socket, text, strlen(text));
}

/* Sends the reply; false if the connection is to be closed. */
static inline bool http_reply_to(int socket, const http_reply *reply, const http_asked *asked) {
  static const char spaces[16384] = {' '};
  if (reply->manner == HTTP_ECHO) return http_echo(socket, asked);
  if (!http_send(socket, reply->text, reply->length ? reply->length : strlen(reply->text))) return false;
  if (reply->manner == HTTP_STALL) http_wait(socket);
  while (reply->manner == HTTP_FLOOD && http_send(socket, spaces, sizeof spaces)) continue;
  return reply->manner == HTTP_ANSWER;
}

/* Reads one request into `text`, which already has `*length` bytes. Returns the length of the request; 0: none came. */
static inline size_t http_read(int socket, char *text, size_t *length, size_t room, size_t *head) {
  for (;;) {
    text[*length] = '\0';
    const char *end = strstr(text, "\r\n\r\n");
    if (end) {
      size_t body = 0;
      *head = (size_t)(end - text);
      for (const char *at = text; at && at < end; at = strstr(at, "\r\n") ? strstr(at, "\r\n") + 2 : NULL)
        if (strncasecmp(at, "Content-Length:", 15) == 0) body = (size_t)strtoul(at + 15, NULL, 10);
      if (*length >= *head + 4 + body) return *head + 4 + body;
    }
    if (*length + 1 >= room) return 0;
    const ssize_t got = recv(socket, text + *length, room - 1 - *length, 0);
    if (got <= 0) return 0;
    *length += (size_t)got;
  }
}

static inline void http_copy(char *out, size_t room, const char *text, size_t length) {
  if (length >= room) length = room - 1;
  memcpy(out, text, length);
  out[length] = '\0';
}

/* Records a request and finds its reply. */
static inline http_reply http_record(http_server *server, http_asked *asked) {
  pthread_mutex_lock(&server->mutex);
  const size_t number = server->asked_count;
  if (number < HTTP_REQUESTS) server->asked[server->asked_count++] = *asked;
  const http_reply reply = server->replies[number < server->reply_count ? number : server->reply_count - 1];
  pthread_mutex_unlock(&server->mutex);
  return reply;
}

static inline void *http_serve(void *context) {
  http_connection *connection = context;
  const size_t room = (size_t)1 << 16;
  char *text = malloc(room);
  http_asked *asked = malloc(sizeof *asked);
  size_t length = 0, head = 0, taken;
  while (text && asked && (taken = http_read(connection->socket, text, &length, room, &head)) > 0) {
    http_copy(asked->head, sizeof asked->head, text, head);
    http_copy(asked->body, sizeof asked->body, text + head + 4, taken - head - 4);
    asked->body_length = taken - head - 4;
    asked->connection = connection->number;
    memmove(text, text + taken, length - taken);
    length -= taken;
    const http_reply reply = http_record(connection->server, asked);
    if (!http_reply_to(connection->socket, &reply, asked)) break;
  }
  shutdown(connection->socket, SHUT_RDWR);
  pthread_mutex_lock(&connection->server->mutex);
  connection->server->closed++;
  pthread_mutex_unlock(&connection->server->mutex);
  free(text);
  free(asked);
  return NULL;
}

static inline void *http_accept(void *context) {
  http_server *server = context;
  for (int number = 0; number < HTTP_CONNECTIONS; number++) {
    const int taken = accept(server->listener, NULL, NULL);
    if (taken < 0) break;
    pthread_mutex_lock(&server->mutex);
    http_connection *connection = &server->connections[number];
    *connection = (http_connection){server, 0, taken, number};
    const bool served = !server->stopping && pthread_create(&connection->thread, NULL, http_serve, connection) == 0;
    if (served) server->accepted++;
    pthread_mutex_unlock(&server->mutex);
    if (served) continue;
    close(taken);
    break;
  }
  return NULL;
}

/* A socket that listens on a free port. */
static inline int http_listen(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct sockaddr *generic = (struct sockaddr *)&address;
  socklen_t length = sizeof address;
  const int listener = socket(AF_INET, SOCK_STREAM, 0);
  assert_true(listener >= 0);
  assert_int_equal(bind(listener, generic, length), 0);
  assert_int_equal(listen(listener, 256), 0);
  assert_int_equal(getsockname(listener, generic, &length), 0);
  *port = ntohs(address.sin_port);
  return listener;
}

static inline http_server *http_start(const http_reply *replies, size_t count) {
  http_server *server = calloc(1, sizeof *server);
  assert_non_null(server);
  server->replies = replies;
  server->reply_count = count;
  pthread_mutex_init(&server->mutex, NULL);
  server->listener = http_listen(&server->port);
  assert_int_equal(pthread_create(&server->thread, NULL, http_accept, server), 0);
  return server;
}

/* Creates a client of the server; `config` may have other settings. */
static inline privy_status http_client(const http_server *server, privy_config *config, privy_client **out,
                                       privy_error *error) {
  char url[64];
  snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", server->port);
  if (!config->token && !config->client_id) config->token = "privy_t";
  config->base_url = url;
  privy_status status = privy_client_new(config, out, error);
  config->base_url = NULL;
  return status;
}

/* The connections accepted and requests read so far. */
static inline void http_counts(http_server *server, int *accepted, size_t *asked) {
  pthread_mutex_lock(&server->mutex);
  *accepted = server->accepted;
  *asked = server->asked_count;
  pthread_mutex_unlock(&server->mutex);
}

/* Waits until the server has closed `count` connections; false after 30 seconds. */
static inline bool http_has_closed(http_server *server, int count) {
  const struct timespec moment = {0, 1000000};
  for (int i = 0; i < 30000; i++) {
    pthread_mutex_lock(&server->mutex);
    const bool closed = server->closed >= count;
    pthread_mutex_unlock(&server->mutex);
    if (closed) return true;
    nanosleep(&moment, NULL);
  }
  return false;
}

static inline void http_stop(http_server *server) {
  if (!server) return;
  pthread_mutex_lock(&server->mutex);
  server->stopping = true;
  for (int i = 0; i < server->accepted; i++) shutdown(server->connections[i].socket, SHUT_RDWR);
  pthread_mutex_unlock(&server->mutex);
  shutdown(server->listener, SHUT_RDWR);
  pthread_join(server->thread, NULL);
  for (int i = 0; i < server->accepted; i++) {
    pthread_join(server->connections[i].thread, NULL);
    close(server->connections[i].socket);
  }
  close(server->listener);
  pthread_mutex_destroy(&server->mutex);
  free(server);
}

#endif
