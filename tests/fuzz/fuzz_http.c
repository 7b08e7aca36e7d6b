/*
 * Bytes that come over one connection of a served sandbox; the first byte says in which pieces they come the second
 * time. How they are cut must not change the responses.
 */
#include <string.h>

#include "fuzz.h"
#include "privy_sandbox.h"

#define NOON 1778580000.0 /* 2026-05-12T10:00:00Z */

static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";

/* Does the steps until more bytes are wanted; false when the connection is closed. */
static bool do_steps(privy_sandbox_connection *connection, privy_buffer *sent) {
  privy_sandbox_step step;
  for (;;) {
    HOLDS(privy_sandbox_connection_next(connection, 0, &step) == PRIVY_OK);
    if (step.kind != PRIVY_SANDBOX_SEND) return step.kind == PRIVY_SANDBOX_READ;
    HOLDS(step.length > 9 && memcmp(step.bytes, "HTTP/1.1 ", 9) == 0);
    /* Whether it is sent depends on how much of the body has come. */
    if (step.length != sizeof interim - 1 || memcmp(step.bytes, interim, sizeof interim - 1) != 0)
      HOLDS(privy_buffer_append(sent, step.bytes, step.length));
  }
}

static void run(const char *bytes, size_t size, size_t piece, privy_buffer *sent) {
  privy_sandbox *sandbox;
  privy_sandbox_connection *connection;
  HOLDS(privy_sandbox_new(&sandbox) == PRIVY_OK);
  privy_sandbox_set_clock(sandbox, NOON);
  HOLDS(privy_sandbox_connection_new(sandbox, "127.0.0.1", "privy", &connection) == PRIVY_OK);
  for (size_t at = 0; at < size; at += piece) {
    const size_t length = size - at < piece ? size - at : piece;
    HOLDS(privy_sandbox_connection_feed(connection, bytes + at, length) == PRIVY_OK);
    if (!do_steps(connection, sent)) break;
  }
  privy_sandbox_connection_free(connection);
  privy_sandbox_release(sandbox);
}

int fuzz_http(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  privy_buffer whole = PRIVY_BUFFER_EMPTY, pieces = PRIVY_BUFFER_EMPTY;
  const char *bytes = (const char *)data + 1;
  run(bytes, size - 1, size - 1, &whole);
  run(bytes, size - 1, 1 + data[0] % 16, &pieces);
  HOLDS(whole.length == pieces.length);
  HOLDS(whole.length == 0 || memcmp(whole.data, pieces.data, whole.length) == 0);
  privy_buffer_clear(&whole);
  privy_buffer_clear(&pieces);
  return 0;
}
