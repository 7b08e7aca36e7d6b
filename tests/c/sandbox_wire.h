/* What the tests of the sandbox's connections share: a connection that is fed with bytes, without a socket. */
#ifndef SANDBOX_WIRE_H
#define SANDBOX_WIRE_H

#include "test_sandbox.h"

#define AUTHORIZED "Authorization: Bearer " PRIVY_SANDBOX_TOKEN "\r\n"
#define LIST "GET /v1/contacts HTTP/1.1\r\nHost: localhost\r\n" AUTHORIZED "\r\n"

typedef struct wire {
  privy_sandbox *sandbox;
  privy_sandbox_connection *connection;
  privy_sandbox_step step;
  double now;
} wire;

static inline privy_status wire_open(wire *self, const char *host, const char *allowed) {
  privy_sandbox *sandbox;
  *self = (wire){.now = 1000};
  privy_status status = privy_sandbox_new(&sandbox);
  if (status != PRIVY_OK) return status;
  self->sandbox = sandbox;
  privy_sandbox_set_clock(sandbox, START);
  return privy_sandbox_connection_new(sandbox, host, allowed, &self->connection);
}

static inline void wire_close(wire *self) {
  privy_sandbox_connection_free(self->connection);
  privy_sandbox_release(self->sandbox);
}

static inline privy_status wire_feed(wire *self, const char *text) {
  const privy_status status = privy_sandbox_connection_feed(self->connection, text, strlen(text));
  return status == PRIVY_OK ? privy_sandbox_connection_next(self->connection, self->now, &self->step) : status;
}

static inline privy_status wire_next(wire *self) {
  return privy_sandbox_connection_next(self->connection, self->now, &self->step);
}

/* What is sent, NUL-terminated. */
static inline const char *wire_sent(const wire *self) {
  static char text[4096];
  assert_int_equal(self->step.kind, PRIVY_SANDBOX_SEND);
  const size_t length = self->step.length < sizeof text ? self->step.length : sizeof text - 1;
  memcpy(text, self->step.bytes, length);
  text[length] = '\0';
  return text;
}

static inline void wire_expect(const wire *self, const char *part, const char *file, int at) {
  const char *sent = wire_sent(self);
  if (strstr(sent, part)) return;
  print_error("%s\nlacks %s\n", sent, part);
  _fail(file, at);
}
#define assert_sent(wire, part) wire_expect(&(wire), (part), __FILE__, __LINE__)

#endif
