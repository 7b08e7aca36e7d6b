#include "call/call_trace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/visible.h"
#include "call/trace_event.h"
#include "message/response.h"

/* ---- events ---- */

static void copy_text(char *out, size_t size, const char *text) {
  if (text) snprintf(out, size, "%s", text);
}

static void describe_request(privy_trace_event *event, const privy_request *request) {
  copy_text(event->method, sizeof event->method, privy_request_method(request));
  privy_request_template(request, event->path, sizeof event->path);
}

static void begin(privy_trace_event *event, privy_trace_kind kind, const privy_account *account,
                  const privy_request *user_request) {
  *event = (privy_trace_event){.kind = kind,
                               .operation =
                                   user_request->operation ? privy_operation_name(user_request->operation) : "request",
                               .seconds = -1,
                               .waited = -1,
                               .lookup = -1,
                               .connect = -1,
                               .tls = -1,
                               .first_byte = -1,
                               .total = -1,
                               .bytes_sent = -1,
                               .bytes_received = -1,
                               .reused = -1,
                               .created = -1,
                               .replay = -1,
                               .row = -1,
                               .sandbox = account->sandbox,
                               .began = privy_monotonic(),
                               .minute_left = privy_budget_left(&account->pacer.minute, account->pacer.in_flight),
                               .day_left = privy_budget_left(&account->pacer.day, account->pacer.in_flight)};
}

/* Adds an event to the trace; NULL if the trace keeps neither its level nor its kind, or memory runs out. */
static privy_trace_event *add(privy_call *call, privy_account *account, privy_trace_kind kind, double seconds) {
  if (!call->trace) return NULL;
  const bool wanted = call->kinds & 1u << kind;
  if (!wanted && privy_trace_level_of(kind, call->error->code, seconds) < call->min_level) return NULL;
  privy_trace_event *event = privy_trace_add(call->trace);
  if (!event) return NULL;
  if (call->number == 0) call->number = ++account->call_count;
  begin(event, kind, account, call->user_request);
  event->call = call->number;
  event->id = call->id;
  event->row = call->row;
  event->attempt = call->attempts;
  event->seconds = seconds;
  return event;
}

/* Adds an event about the request that is in flight or comes next. */
static privy_trace_event *add_about_request(privy_call *call, privy_account *account, privy_trace_kind kind,
                                            double seconds) {
  privy_trace_event *event = add(call, account, kind, seconds);
  if (!event) return NULL;
  if (call->goal == PRIVY_GOAL_TOKEN) {
    copy_text(event->method, sizeof event->method, "POST");
    copy_text(event->path, sizeof event->path, PRIVY_TOKEN_PATH);
  } else {
    describe_request(event, call->verify ? call->verify : call->request);
  }
  return event;
}

static void set_request_id(privy_trace_event *event, const privy_response *response) {
  const char *id = response ? privy_response_header(response, "X-Request-Id") : NULL;
  if (id) privy_copy_visible(event->request_id, sizeof event->request_id, id, strlen(id));
}

/* ---- requests ---- */

void privy_call_trace_request(privy_call *call, privy_account *account) {
  (void)add_about_request(call, account, PRIVY_TRACE_REQUEST, -1);
}

static void set_cost(privy_trace_event *event, const privy_cost *cost) {
  event->lookup = cost->lookup;
  event->connect = cost->connect;
  event->tls = cost->tls;
  event->first_byte = cost->first_byte;
  event->total = cost->total;
  event->bytes_sent = (int64_t)cost->bytes_sent;
  event->bytes_received = (int64_t)cost->bytes_received;
  event->reused = cost->reused;
  event->began -= fmax(cost->total, 0);
}

void privy_call_trace_response(privy_call *call, privy_account *account, int http_status,
                               const privy_response *response) {
  privy_trace_event *event = add_about_request(call, account, PRIVY_TRACE_RESPONSE, -1);
  if (!event) return;
  event->http_status = http_status;
  event->failure = call->error->code;
  set_request_id(event, response);
  set_cost(event, &call->cost);
}

void privy_call_trace_failure(privy_call *call, privy_account *account) {
  privy_trace_event *event = add_about_request(call, account, PRIVY_TRACE_FAILURE, -1);
  if (!event) return;
  event->failure = call->error->code;
  copy_text(event->reason, sizeof event->reason, call->error->message);
  set_cost(event, &call->cost);
}

void privy_call_trace_pause(privy_call *call, privy_account *account, privy_trace_kind kind, double seconds) {
  privy_trace_event *event = add_about_request(call, account, kind, seconds);
  if (!event) return;
  event->failure = call->error->code;
  event->http_status = call->error->http_status;
}

/* ---- calls ---- */

void privy_call_trace_start(privy_call *call, privy_account *account, double now) {
  if (call->started || !call->trace) return;
  call->started = true;
  call->started_at = now;
  call->began = privy_monotonic();
  privy_trace_event *event = add(call, account, PRIVY_TRACE_START, -1);
  if (event) describe_request(event, call->user_request);
}

void privy_call_trace_refused(privy_call *call, privy_account *account) {
  privy_trace_event *event = add_about_request(call, account, PRIVY_TRACE_REFUSED, call->error->retry_after);
  if (!event) return;
  event->failure = call->error->code;
  copy_text(event->reason, sizeof event->reason, call->error->message);
}

/* The key may be made of an address: it is masked. */
static void set_key(privy_trace_event *event, const privy_call *call) {
  const char *given = *call->key ? NULL : privy_request_find_header(call->user_request, "Idempotency-Key");
  privy_buffer masked = {0};
  if (given && privy_mask(given, strlen(given), &masked) == PRIVY_OK)
    privy_copy_visible(event->idempotency_key, sizeof event->idempotency_key, masked.data, masked.length);
  privy_buffer_clear(&masked);
  copy_text(event->idempotency_key, sizeof event->idempotency_key, *call->key ? call->key : NULL);
}

/* 1 if the server had accepted the event before, 0 if not, -1 if the call sent no event. */
static int is_replay(const privy_call *call) {
  const privy_operation *operation = call->user_request->operation;
  const bool accepted = call->status == PRIVY_OK && operation && operation->id == PRIVY_OP_EVENT;
  const privy_record *event = accepted ? privy_response_record(call->response, 0) : NULL;
  return event ? privy_record_get(event, PRIVY_INDEX_EVENT_idempotent_replay).type == PRIVY_TRUE : -1;
}

int privy_call_created(const privy_call *call) {
  const privy_operation *operation = call->user_request->operation;
  if (call->status != PRIVY_OK || !call->response || !operation) return -1;
  switch (operation->id) {
  case PRIVY_OP_CREATE: return 1;
  case PRIVY_OP_UPSERT: return call->follow_up == NULL;
  case PRIVY_OP_ORDER: return privy_response_status(call->response) == 201;
  default: return -1;
  }
}

/* Sets no reason if a response is the cause: the server's message may quote what was sent. */
static void set_result(privy_trace_event *event, const privy_call *call) {
  const privy_error *error = call->error;
  const privy_response *response = call->status == PRIVY_OK ? call->response : error->response;
  event->failure = call->status;
  event->http_status = call->status == PRIVY_OK ? privy_response_status(response) : error->http_status;
  if (call->status != PRIVY_OK && error->http_status == 0)
    copy_text(event->reason, sizeof event->reason, error->message);
  set_request_id(event, response);
  set_key(event, call);
  event->created = privy_call_created(call);
  event->replay = is_replay(call);
}

void privy_call_trace_end(privy_call *call, privy_account *account, double now) {
  if (!call->done || !call->started || call->ended) return;
  call->ended = true;
  privy_trace_event *event = add(call, account, PRIVY_TRACE_END, -1);
  if (!event) return;
  describe_request(event, call->user_request);
  set_result(event, call);
  event->total = now > call->started_at ? now - call->started_at : 0;
  event->waited = call->waited;
  event->began = call->began;
}

/* ---- refusals before a call ---- */

static bool is_about(const privy_detail *detail, const char *parameter) {
  size_t length = strlen(parameter);
  return strncmp(detail->field, parameter, length) == 0 && strchr(".[", detail->field[length]); /* or the end */
}

/* Adds the parameter to the reason if error details are about it. Returns their number. */
static size_t add_parameter(privy_trace_event *event, const privy_details *details, const char *parameter) {
  size_t found = 0, used = strlen(event->reason);
  for (size_t i = 0; i < details->count; i++) found += is_about(&details->items[i], parameter);
  if (found)
    snprintf(event->reason + used, sizeof event->reason - used, "%s %s", event->reason[used - 1] == ':' ? "" : ",",
             parameter);
  return found;
}

/* Lists the invalid parameters. Only names of the tables appear: others are the user's data. */
static void set_invalid(privy_trace_event *event, const privy_operation *operation, const privy_details *details) {
  static const char *const parts[] = {"method", "path", "params", "headers", "body"};
  size_t named = 0;
  privy_field_info field;
  copy_text(event->reason, sizeof event->reason, "invalid:");
  for (size_t i = 0; operation && privy_operation_param(operation, i, &field); i++)
    named += add_parameter(event, details, field.name);
  for (size_t i = 0; !operation && i < sizeof parts / sizeof *parts; i++)
    named += add_parameter(event, details, parts[i]);
  if (operation) named += add_parameter(event, details, "extra_headers");
  named += add_parameter(event, details, "base");
  size_t used = strlen(event->reason);
  if (named < details->count)
    snprintf(event->reason + used, sizeof event->reason - used, "%s others", named ? "," : "");
}

bool privy_trace_refusal(privy_account *account, const privy_request *request, const privy_error *error,
                         privy_level min_level, privy_trace_event *out) {
  if (error->code != PRIVY_VALIDATION || privy_trace_level_of(PRIVY_TRACE_REFUSED, error->code, -1) < min_level)
    return false;
  begin(out, PRIVY_TRACE_REFUSED, account, request);
  out->call = ++account->call_count;
  out->failure = error->code;
  describe_request(out, request);
  set_invalid(out, request->operation, &error->details);
  return true;
}
