/*
 * Requests to one sandbox, separated by NULs: "METHOD target", header lines, an empty line, the body. A '+' before the
 * method sends the token of all scopes; '$' in the target is the id of the contact in the last response
 * last;
 * '~' before all that lets an hour pass first.
 */
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "privy_sandbox.h"

#define NOON 1778580000.0 /* 2026-05-12T10:00:00Z */

typedef struct scene {
  privy_sandbox *sandbox;
  privy_sandbox_response response;
  char id[21];
} scene;

static privy_slice take_until(privy_slice *rest, char separator) {
  const char *found = rest->length ? memchr(rest->text, separator, rest->length) : NULL;
  const size_t length = found ? (size_t)(found - rest->text) : rest->length;
  const privy_slice taken = {rest->text, length};
  rest->text += length + (found != NULL);
  rest->length -= length + (found != NULL);
  return taken;
}

static bool take_mark(privy_slice *text, char mark) {
  if (!text->length || *text->text != mark) return false;
  text->text++;
  text->length--;
  return true;
}

static void append(privy_buffer *out, privy_slice text) {
  HOLDS(privy_buffer_append(out, text.text, text.length));
}

static void write_target(const scene *s, privy_slice target, privy_buffer *out) {
  while (target.length) {
    append(out, take_until(&target, '$'));
    if (target.text[-1] == '$') HOLDS(privy_buffer_text(out, s->id));
  }
  HOLDS(privy_buffer_terminate(out));
}

static void write_headers(privy_slice *rest, bool authorized, privy_buffer *out) {
  if (authorized) HOLDS(privy_buffer_text(out, "Authorization: Bearer " PRIVY_SANDBOX_TOKEN "\r\n"));
  while (rest->length) {
    const privy_slice line = take_until(rest, '\n');
    if (!line.length) break;
    append(out, line);
    HOLDS(privy_buffer_text(out, "\r\n"));
  }
}

static void keep_id(scene *s) {
  static const char before[] = "{\"data\":{\"id\":\"";
  const privy_buffer *body = &s->response.body;
  if (body->length < sizeof before + 20 || memcmp(body->data, before, sizeof before - 1) != 0) return;
  memcpy(s->id, body->data + sizeof before - 1, 20);
}

static void check_answer(const privy_sandbox_response *response) {
  privy_value json;
  privy_error error;
  privy_error_init(&error);
  HOLDS(response->http_status >= 200 && response->http_status < 600);
  HOLDS(response->headers.length > 2 && memcmp(response->headers.data + response->headers.length - 2, "\r\n", 2) == 0);
  HOLDS(privy_utf8_valid(response->headers.data, response->headers.length) == response->headers.length);
  if (response->body.length)
    HOLDS(privy_value_parse(response->body.data, response->body.length, &json, &error) == PRIVY_OK);
  else
    HOLDS(response->http_status == 204);
  privy_error_clear(&error);
}

static void run(scene *s, privy_slice request) {
  privy_buffer method = PRIVY_BUFFER_EMPTY, target = PRIVY_BUFFER_EMPTY, headers = PRIVY_BUFFER_EMPTY;
  if (take_mark(&request, '~')) privy_sandbox_advance(s->sandbox, 3600.0);
  const bool authorized = take_mark(&request, '+');
  privy_slice line = take_until(&request, '\n');
  append(&method, take_until(&line, ' '));
  HOLDS(privy_buffer_terminate(&method));
  write_target(s, line, &target);
  write_headers(&request, authorized, &headers);
  HOLDS(privy_sandbox_handle(s->sandbox, method.data, target.data, headers.data, headers.length, request.text,
                             request.length, &s->response) == PRIVY_OK);
  check_answer(&s->response);
  keep_id(s);
  privy_buffer_clear(&method);
  privy_buffer_clear(&target);
  privy_buffer_clear(&headers);
}

/* What is stored is JSON, and the requests can be read. */
static void check_views(const scene *s) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  privy_sandbox_history *history;
  for (int kind = PRIVY_SANDBOX_CONTACTS; kind <= PRIVY_SANDBOX_MESSAGES; kind++) {
    privy_value json;
    privy_error error;
    privy_error_init(&error);
    text.length = 0;
    HOLDS(privy_sandbox_list(s->sandbox, (privy_sandbox_kind)kind, &text) == PRIVY_OK);
    HOLDS(privy_value_parse(text.data, text.length, &json, &error) == PRIVY_OK && json.type == PRIVY_ARRAY);
    privy_error_clear(&error);
  }
  privy_buffer_clear(&text);
  HOLDS(privy_sandbox_history_new(s->sandbox, &history) == PRIVY_OK);
  const privy_sandbox_request *request;
  for (size_t i = 0; (request = privy_sandbox_history_at(history, i)); i++)
    HOLDS(request->headers[request->headers_length] == '\0' && request->http_status >= 200);
  privy_sandbox_history_free(history);
}

/* What is saved can be loaded, and is then the same. */
static void check_saved(const scene *s) {
  privy_buffer saved = PRIVY_BUFFER_EMPTY, again = PRIVY_BUFFER_EMPTY, problem = PRIVY_BUFFER_EMPTY;
  privy_sandbox *other;
  HOLDS(privy_sandbox_new(&other) == PRIVY_OK);
  HOLDS(privy_sandbox_write(s->sandbox, &saved) == PRIVY_OK);
  HOLDS(privy_sandbox_read(other, saved.data, saved.length, &problem) == PRIVY_OK);
  HOLDS(privy_sandbox_write(other, &again) == PRIVY_OK);
  HOLDS(saved.length == again.length && memcmp(saved.data, again.data, saved.length) == 0);
  privy_sandbox_release(other);
  privy_buffer_clear(&saved);
  privy_buffer_clear(&again);
}

int fuzz_sandbox(const uint8_t *data, size_t size) {
  scene s = {.id = "cus_0000000000000000"};
  privy_slice rest = {(const char *)data, size};
  privy_sandbox_response_init(&s.response);
  HOLDS(privy_sandbox_new(&s.sandbox) == PRIVY_OK);
  privy_sandbox_set_clock(s.sandbox, NOON);
  while (rest.length) run(&s, take_until(&rest, '\0'));
  check_views(&s);
  check_saved(&s);
  privy_sandbox_response_clear(&s.response);
  privy_sandbox_release(s.sandbox);
  return 0;
}
