#include <math.h>

#include "base/host.h"
#include "base/memory.h"
#include "base/time.h"
#include "sandbox/host_filter.h"
#include "sandbox/http_head.h"
#include "sandbox/respond.h"

/* Seconds that a kept connection may stay idle, and that a head, and a body, may take to arrive. */
#define IDLE_SECONDS 60.0
#define HEAD_SECONDS 10.0
#define BODY_SECONDS 30.0
/* Seconds in which a refused client may still send: closing a connection with unread bytes loses the response. */
#define LINGER_SECONDS 2.0
/* The largest input buffer of an idle connection. */
#define KEPT_INPUT ((size_t)64 << 10)

typedef enum connection_stage { STAGE_IDLE, STAGE_HEAD, STAGE_BODY, STAGE_LINGER, STAGE_CLOSED } connection_stage;

struct privy_sandbox_connection {
  privy_sandbox *sandbox;
  privy_host_filter filter;
  privy_buffer input; /* received bytes after the last head */
  size_t scanned;     /* bytes of `input` already searched for the end of a head */
  privy_buffer text;  /* the text of the last head; `head` points into it */
  privy_http_head head;
  privy_sandbox_response response;
  privy_buffer output;
  connection_stage stage;
  bool begun; /* the stage has a time at which it began */
  double since;
  bool continued; /* "100 Continue" was sent */
};

/* ---- life -------------------------------------------------------------------------------------------------------- */

privy_status privy_sandbox_connection_new(privy_sandbox *sandbox, const char *host, const char *allowed,
                                          privy_sandbox_connection **out) {
  privy_sandbox_connection *self = privy_calloc(1, sizeof *self);
  if (!self) return PRIVY_NO_MEMORY;
  self->sandbox = privy_sandbox_retain(sandbox);
  if (!privy_host_filter_init(&self->filter, host, allowed)) {
    privy_sandbox_connection_free(self);
    return PRIVY_NO_MEMORY;
  }
  *out = self;
  return PRIVY_OK;
}

void privy_sandbox_connection_free(privy_sandbox_connection *self) {
  if (!self) return;
  privy_sandbox_release(self->sandbox);
  privy_host_filter_clear(&self->filter);
  privy_buffer_clear(&self->input);
  privy_buffer_clear(&self->text);
  privy_buffer_clear(&self->output);
  privy_sandbox_response_clear(&self->response);
  privy_free(self);
}

bool privy_host_is_local(const char *host) {
  return privy_host_is_loopback((privy_slice){host, strlen(host)});
}

static void enter(privy_sandbox_connection *self, connection_stage stage) {
  self->stage = stage;
  self->begun = false;
}

/* ---- receiving --------------------------------------------------------------------------------------------------- */

privy_status privy_sandbox_connection_feed(privy_sandbox_connection *self, const char *bytes, size_t length) {
  if (self->stage == STAGE_LINGER || self->stage == STAGE_CLOSED) return PRIVY_OK;
  return privy_buffer_append(&self->input, bytes, length) ? PRIVY_OK : PRIVY_NO_MEMORY;
}

static void drop_input(privy_sandbox_connection *self, size_t length) {
  self->input.length -= length;
  if (!self->input.length && self->input.capacity > KEPT_INPUT) privy_buffer_clear(&self->input);
  if (self->input.length) memmove(self->input.data, self->input.data + length, self->input.length);
}

/* Clients may send empty lines between requests. */
static void skip_empty_lines(privy_sandbox_connection *self) {
  size_t length = 0;
  const privy_buffer *input = &self->input;
  while (length + 1 < input->length && input->data[length] == '\r' && input->data[length + 1] == '\n') length += 2;
  if (length) drop_input(self, length);
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

static const char *reason_of(int http_status) {
  static const struct {
    int http_status;
    const char *reason;
  } reasons[] = {
      {200, "OK"},
      {201, "Created"},
      {204, "No Content"},
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {408, "Request Timeout"},
      {409, "Conflict"},
      {411, "Length Required"},
      {413, "Content Too Large"},
      {421, "Misdirected Request"},
      {422, "Unprocessable Content"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  };
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (reasons[i].http_status == http_status) return reasons[i].reason;
  return "Unknown";
}

static bool write_head(privy_sandbox_connection *self) {
  const privy_sandbox_response *response = &self->response;
  privy_buffer *out = &self->output;
  char date[PRIVY_TIME_TEXT_SIZE];
  privy_http_date_text(date, (int64_t)privy_sandbox_now(self->sandbox));
  const char *connection =
      self->head.keeps_alive ? (self->head.is_http_1_0 ? "Connection: keep-alive\r\n" : "") : "Connection: close\r\n";
  return privy_buffer_format(out, "HTTP/1.1 %d %s\r\nDate: %s\r\n%s", response->http_status,
                             reason_of(response->http_status), date, connection) &&
         privy_buffer_append(out, response->headers.data, response->headers.length) &&
         (response->http_status == 204 || privy_buffer_format(out, "Content-Length: %zu\r\n", response->body.length)) &&
         privy_buffer_text(out, "\r\n");
}

static bool write_response(privy_sandbox_connection *self) {
  const privy_sandbox_response *response = &self->response;
  const bool has_body = response->http_status != 204 && strcmp(self->head.method ? self->head.method : "", "HEAD") != 0;
  const size_t length = response->cut == PRIVY_CUT_TRUNCATE ? response->body.length / 2 : response->body.length;
  self->output.length = 0;
  return write_head(self) && (!has_body || privy_buffer_append(&self->output, response->body.data, length));
}

static privy_status send_response(privy_sandbox_connection *self, privy_sandbox_step *step) {
  if (!write_response(self)) return PRIVY_NO_MEMORY;
  *step = (privy_sandbox_step){.kind = PRIVY_SANDBOX_SEND,
                               .delay = self->response.delay,
                               .bytes = self->output.data,
                               .length = self->output.length};
  return PRIVY_OK;
}

static privy_status refuse(privy_sandbox_connection *self, privy_refusal refusal, privy_sandbox_step *step) {
  privy_exchange exchange = {.sandbox = self->sandbox, .response = &self->response};
  privy_sandbox_response_clear(&self->response);
  if (privy_respond_refusal(&exchange, refusal.http_status, refusal.code, refusal.message) != PRIVY_OK)
    return PRIVY_NO_MEMORY;
  self->head.keeps_alive = false;
  enter(self, STAGE_LINGER);
  return send_response(self, step);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

static privy_status close_now(privy_sandbox_connection *self, privy_sandbox_step *step) {
  enter(self, STAGE_CLOSED);
  *step = (privy_sandbox_step){.kind = PRIVY_SANDBOX_CLOSE};
  return PRIVY_OK;
}

/* Waits for more; when the time is up, closes a connection that is idle and refuses a request that is not complete. */
static privy_status wait_for_more(privy_sandbox_connection *self, double now, double seconds, bool idle,
                                  privy_sandbox_step *step) {
  if (!self->begun) self->since = now;
  self->begun = true;
  const double until = self->since + seconds;
  if (now < until) {
    *step = (privy_sandbox_step){.kind = PRIVY_SANDBOX_READ, .idle = idle, .until = until};
    return PRIVY_OK;
  }
  return idle ? close_now(self, step) : refuse(self, (privy_refusal){408, NULL, NULL}, step);
}

static privy_status respond(privy_sandbox_connection *self, privy_sandbox_step *step) {
  privy_http_head *head = &self->head;
  if (privy_sandbox_handle(self->sandbox, head->method, head->target, head->headers.text, head->headers.length,
                           self->input.data, head->body_length, &self->response) != PRIVY_OK)
    return PRIVY_NO_MEMORY;
  if (self->response.cut == PRIVY_CUT_DROP) return close_now(self, step);
  if (self->response.cut) head->keeps_alive = false;
  const privy_status status = send_response(self, step);
  drop_input(self, head->body_length);
  enter(self, head->keeps_alive ? STAGE_IDLE : STAGE_CLOSED);
  return status;
}

static privy_status send_continue(privy_sandbox_connection *self, privy_sandbox_step *step) {
  static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
  self->continued = true;
  *step = (privy_sandbox_step){.kind = PRIVY_SANDBOX_SEND, .bytes = interim, .length = sizeof interim - 1};
  return PRIVY_OK;
}

static privy_status next_of_body(privy_sandbox_connection *self, double now, privy_sandbox_step *step) {
  if (self->input.length >= self->head.body_length) return respond(self, step);
  if (self->head.expects_continue && !self->continued) return send_continue(self, step);
  return wait_for_more(self, now, BODY_SECONDS, false, step);
}

/* Moves the head out of the input and reads it. */
static privy_status take_head(privy_sandbox_connection *self, size_t length, privy_refusal *refusal) {
  self->text.length = 0;
  if (!privy_buffer_append(&self->text, self->input.data, length)) return PRIVY_NO_MEMORY;
  drop_input(self, length);
  self->scanned = 0;
  self->continued = false;
  *refusal = privy_http_head_read(&self->head, self->text.data, length);
  if (!refusal->http_status) *refusal = privy_host_filter_check(&self->filter, &self->head);
  return PRIVY_OK;
}

static privy_status next_of_head(privy_sandbox_connection *self, double now, privy_sandbox_step *step) {
  size_t end;
  privy_refusal refusal = privy_http_head_find(self->input.data, self->input.length, &self->scanned, &end);
  if (!refusal.http_status && !end) return wait_for_more(self, now, HEAD_SECONDS, false, step);
  if (!refusal.http_status && take_head(self, end, &refusal) != PRIVY_OK) return PRIVY_NO_MEMORY;
  if (refusal.http_status) return refuse(self, refusal, step);
  enter(self, STAGE_BODY);
  return next_of_body(self, now, step);
}

static privy_status next_of_idle(privy_sandbox_connection *self, double now, privy_sandbox_step *step) {
  skip_empty_lines(self);
  const bool empty = !self->input.length || privy_text_is(self->input.data, self->input.length, "\r");
  if (empty) return wait_for_more(self, now, IDLE_SECONDS, true, step);
  enter(self, STAGE_HEAD);
  self->head = (privy_http_head){0};
  return next_of_head(self, now, step);
}

privy_status privy_sandbox_connection_next(privy_sandbox_connection *self, double now, privy_sandbox_step *step) {
  switch (self->stage) {
  case STAGE_IDLE: return next_of_idle(self, now, step);
  case STAGE_HEAD: return next_of_head(self, now, step);
  case STAGE_BODY: return next_of_body(self, now, step);
  case STAGE_LINGER: return wait_for_more(self, now, LINGER_SECONDS, true, step);
  default: return close_now(self, step);
  }
}
