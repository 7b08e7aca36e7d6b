/*
 * What the sandbox's tests share: a sandbox whose clock is stopped, and requests to it. To be readable, JSON in tests
 * is written with ' for ".
 */
#ifndef TEST_SANDBOX_H
#define TEST_SANDBOX_H

#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "privy_sandbox.h"
#include "schema/schema.h"

#define START 1778580000.0 /* 2026-05-12T10:00:00Z */

typedef struct sandbox_kit {
  privy_sandbox *sandbox;
  privy_sandbox_response response; /* to the last request */
  const char *token;               /* bearer token, NULL for none */
  const char *headers;             /* further header lines, or NULL */
  char id[32];                     /* of the contact in the last response that had one */
  char text[2048];
  char path[128];
} sandbox_kit;

#define KIT                                                                                                            \
  { NULL, {0, PRIVY_BUFFER_EMPTY, PRIVY_BUFFER_EMPTY, 0.0, PRIVY_CUT_NONE}, PRIVY_SANDBOX_TOKEN, NULL, "", "", "" }

static inline privy_status kit_open(sandbox_kit *kit) {
  const privy_status status = privy_sandbox_new(&kit->sandbox);
  if (status == PRIVY_OK) privy_sandbox_set_clock(kit->sandbox, START);
  return status;
}

static inline void kit_close(sandbox_kit *kit) {
  privy_sandbox_response_clear(&kit->response);
  privy_sandbox_release(kit->sandbox);
}

/* The text with ' replaced by ", valid until the next call. */
static inline const char *kit_text(sandbox_kit *kit, const char *text) {
  size_t i = 0;
  for (; text[i] && i + 1 < sizeof kit->text; i++) kit->text[i] = text[i];
  kit->text[i] = '\0';
  for (char *quote = kit->text; (quote = strchr(quote, '\''));) *quote = '"';
  return kit->text;
}

static inline void kit_keep_id(sandbox_kit *kit) {
  static const char before[] = "{\"data\":{\"id\":\"";
  const privy_buffer *body = &kit->response.body;
  const size_t length = sizeof before - 1;
  if (body->length < length + 20 || memcmp(body->data, before, length) != 0) return;
  memcpy(kit->id, body->data + length, 20);
  kit->id[20] = '\0';
}

/* Sends `length` bytes of body as they are. */
static inline privy_status kit_send(sandbox_kit *kit, const char *method, const char *target, const char *body,
                                    size_t length) {
  char headers[1024] = "";
  size_t used = 0;
  if (kit->token) used = (size_t)snprintf(headers, sizeof headers, "Authorization: Bearer %s\r\n", kit->token);
  if (kit->headers) used += (size_t)snprintf(headers + used, sizeof headers - used, "%s", kit->headers);
  const privy_status status =
      privy_sandbox_handle(kit->sandbox, method, target, headers, used, body, length, &kit->response);
  if (status == PRIVY_OK) kit_keep_id(kit);
  return status;
}

static inline privy_status kit_ask(sandbox_kit *kit, const char *method, const char *target, const char *body) {
  const char *text = body ? kit_text(kit, body) : NULL;
  return kit_send(kit, method, target, text, text ? strlen(text) : 0);
}

/* Path of the last contact, followed by `rest`. */
static inline const char *kit_path(sandbox_kit *kit, const char *rest) {
  snprintf(kit->path, sizeof kit->path, "/v1/contacts/%s%s", kit->id, rest);
  return kit->path;
}

static inline bool kit_contains(const privy_buffer *buffer, const char *text) {
  const size_t length = strlen(text);
  for (size_t i = 0; i + length <= buffer->length; i++) {
    if (memcmp(buffer->data + i, text, length) == 0) return true;
  }
  return false;
}

static inline void kit_expect(sandbox_kit *kit, const privy_buffer *buffer, const char *text, bool wanted,
                              const char *file, int line) {
  const char *plain = kit_text(kit, text);
  if (kit_contains(buffer, plain) == wanted) return;
  print_error("%.*s\n%s %s\n", (int)buffer->length, buffer->data ? buffer->data : "", wanted ? "lacks" : "has", plain);
  _fail(file, line);
}

static inline void kit_status(const sandbox_kit *kit, int expected, const char *file, int line) {
  if (kit->response.http_status == expected) return;
  print_error("%d, not %d: %.*s\n", kit->response.http_status, expected, (int)kit->response.body.length,
              kit->response.body.data ? kit->response.body.data : "");
  _fail(file, line);
}

/* Sends a request, whose response must have that HTTP status; like a CHECK it may jump to `done`. */
#define ASK(kit, method, target, body, status)                                                                         \
  do {                                                                                                                 \
    CHECK_OK(kit_ask(&(kit), (method), (target), (body)));                                                             \
    kit_status(&(kit), (status), __FILE__, __LINE__);                                                                  \
  } while (0)
#define assert_body(kit, expected)                                                                                     \
  assert_text((kit).response.body.data, (kit).response.body.length, kit_text(&(kit), (expected)))
#define assert_has(kit, text) kit_expect(&(kit), &(kit).response.body, (text), true, __FILE__, __LINE__)
#define assert_lacks(kit, text) kit_expect(&(kit), &(kit).response.body, (text), false, __FILE__, __LINE__)
#define assert_header(kit, line) kit_expect(&(kit), &(kit).response.headers, line "\r\n", true, __FILE__, __LINE__)
#define assert_no_header(kit, name) kit_expect(&(kit), &(kit).response.headers, name ":", false, __FILE__, __LINE__)
#define assert_count(kit, what, expected) assert_int_equal(privy_sandbox_count((kit).sandbox).what, (expected))

#endif
