/* The trace events of calls: with a sandbox and a socket, blocking and in a group. */
#define _POSIX_C_SOURCE 200809L

#include "base/buffer.h"
#include "call/call.h"
#include "http_scene.h"

/* The events as text, one line each; the last event, and the last one with the cost of a transfer. */
typedef struct log {
  char lines[2048];
  privy_trace_event last, transfer;
  size_t count;
} log;

/* The sandbox whose clock advances when a call waits for a retry; NULL: the wait takes real time. */
static privy_sandbox *hurried;

static void note(void *context, const privy_trace_event *event) {
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

static privy_status observed(privy_client *client, privy_request *request, log *events, privy_response **out,
                             privy_error *error) {
  const privy_hooks hooks = {.observe = note, .context = events};
  return privy_client_call(client, request, NULL, &hooks, out, error);
}

static privy_status watched(privy_client *client, const char *operation, const char *params, log *events,
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

static privy_status play_open(play *p, const char *client_id) {
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

static void play_close(play *p) {
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

static void a_call_reports_its_request_and_its_response(void **state) {
  (void)state;
  play p;
  CHECK_OK(play_open(&p, NULL));
  privy_sandbox_set_limits(p.sandbox, 60, 10000);
  CHECK_OK(watched(p.client, "contacts.create", "{\"email\":\"jane@example.com\"}", &p.events, &p.response, &p.error));
  assert_events(p.events, "1 start POST /contacts #0 0 \n1 request POST /contacts #1 0 \n"
                          "1 response POST /contacts #1 201 \n1 end POST /contacts #1 201 \n");
  if (!harness_sweeping()) {
    assert_true(p.events.transfer.bytes_sent > 100 && p.events.transfer.bytes_received > 100);
    assert_string_equal(p.events.transfer.request_id, privy_response_header(p.response, "X-Request-Id"));
    assert_string_equal(p.events.last.request_id, p.events.transfer.request_id);
    assert_true(p.events.last.minute_left == 59 && p.events.last.day_left == 9999);
    assert_true(p.events.last.total >= 0 && p.events.last.waited == 0 && p.events.last.bytes_sent == -1);
    assert_string_equal(p.events.last.operation, "contacts.create");
  }
  CHECK_STATUS(watched(p.client, "contacts.get", "{\"id\":\"cus_0123456789abcdef\"}", &p.events, &p.response, &p.error),
               PRIVY_NOT_FOUND);
  assert_events(p.events, "2 start GET /contacts/{id} #0 0 \n2 request GET /contacts/{id} #1 0 \n"
                          "2 response GET /contacts/{id} #1 404 NotFoundError\n"
                          "2 end GET /contacts/{id} #1 404 NotFoundError\n");
  CHECK_OK(watched(p.client, "contacts.upsert", "{\"email\":\"jane@example.com\",\"first_name\":\"J\"}", &p.events,
                   &p.response, &p.error));
  assert_events(p.events, "3 start POST /contacts #0 0 \n"
                          "3 request POST /contacts #1 0 \n3 response POST /contacts #1 409 ConflictError\n"
                          "3 request PATCH /contacts/{id} #2 0 \n3 response PATCH /contacts/{id} #2 200 \n"
                          "3 end POST /contacts #2 200 \n");
  if (!harness_sweeping()) assert_string_equal(p.events.transfer.operation, "contacts.upsert");
done:
  play_close(&p);
}

static void a_call_reports_retries_tokens_and_waits(void **state) {
  (void)state;
  const privy_sandbox_fault busy = {.http_status = 503, .retry_after = 2, .skip = 1, .count = 1};
  play p;
  CHECK_OK(play_open(&p, PRIVY_SANDBOX_CLIENT_ID));
  privy_sandbox_set_clock(p.sandbox, 1000000);
  hurried = p.sandbox;
  CHECK_OK(privy_sandbox_add_fault(p.sandbox, &busy));
  CHECK_OK(watched(p.client, "contacts.list", "{}", &p.events, &p.response, &p.error));
  assert_events(p.events, "1 start GET /contacts #0 0 \n"
                          "1 request POST /oauth/token #1 0 \n1 response POST /oauth/token #1 200 \n"
                          "1 token POST /oauth/token #1 0 \n"
                          "1 request GET /contacts #2 0 \n1 response GET /contacts #2 503 ServerError\n"
                          "1 retry GET /contacts #2 503 ServerError\n"
                          "1 request GET /contacts #3 0 \n1 response GET /contacts #3 200 \n"
                          "1 end GET /contacts #3 200 \n");
  if (!harness_sweeping()) assert_true(p.events.last.waited >= 2 && p.events.last.total >= 0);
done:
  play_close(&p);
}

static void a_wait_for_budget_is_reported_when_it_begins(void **state) {
  (void)state;
  privy_options options = {0};
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_trace_event event;
  play p;
  CHECK_OK(play_open(&p, NULL));
  privy_sandbox_set_clock(p.sandbox, 1000000);
  privy_sandbox_set_limits(p.sandbox, 1, 100);
  CHECK_OK(watched(p.client, "contacts.list", "{}", &p.events, &p.response, &p.error));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  privy_group_observe(group, PRIVY_LEVEL_DEBUG);
  CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
  privy_request *given = request;
  request = NULL;
  CHECK_OK(privy_group_start(group, given, &options, 7, &p.error));
  privy_group_wait(group, 5);
  CHECK_MEMORY(privy_group_take_event(group, &event));
  if (!harness_sweeping()) assert_int_equal(event.kind, PRIVY_TRACE_START);
  CHECK_MEMORY(event.kind == PRIVY_TRACE_WAIT || privy_group_take_event(group, &event));
  assert_int_equal(event.kind, PRIVY_TRACE_WAIT);
  assert_true(event.seconds > 1 && event.seconds <= 61);
  assert_true(event.minute_left == 0 && event.attempt == 0 && event.call == 2);
  assert_false(privy_group_take_event(group, &event));
done:
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

/* ---- raw requests ---- */

static void user_data_in_a_path_is_masked(void **state) {
  (void)state;
  static const char *const paths[][2] = {{"/contacts/cus_0123456789abcdef", "/contacts/{id}"},
                                         {"/v2/lookup/jane@example.com?phone=+15551234567", "/v2/lookup/{id}"},
                                         {"/lookup/jane%40example.com/tags", "/lookup/{id}/tags"},
                                         {"/calls/+15551234567", "/calls/{id}"},
                                         {"/", ""}};
  privy_request *request = NULL;
  play p;
  CHECK_OK(play_open(&p, NULL));
  for (size_t i = 0; i < COUNT(paths); i++) {
    p.events = (log){0};
    CHECK_OK(privy_request_new_raw(TEXT("GET"), TEXT(paths[i][0]), &request));
    CHECK_OK(privy_request_finish(request, &p.error));
    privy_status status = observed(p.client, request, &p.events, &p.response, &p.error);
    if (status == PRIVY_NO_MEMORY) CHECK_OK(status);
    if (!harness_sweeping()) assert_string_equal(p.events.last.path, paths[i][1]);
    privy_response_release(p.response);
    p.response = NULL;
    privy_error_clear(&p.error);
    privy_request_free(request);
    request = NULL;
  }
done:
  privy_request_free(request);
  play_close(&p);
}

/* ---- with a socket ---- */

static void a_response_event_has_times_and_bytes(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  log events;
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(watched(s.client, "contacts.list", "{}", &events, &s.response, &s.error));
  if (!harness_sweeping()) {
    const privy_trace_event *t = &events.transfer;
    assert_int_equal(events.count, 4);
    assert_true(t->connect > 0 && t->first_byte > 0 && t->reused == 0);
    assert_true(t->total >= t->connect + t->first_byte && t->tls == 0);
    assert_int_equal(t->bytes_received, strlen(EMPTY_PAGE));
    assert_true(t->bytes_sent > (int64_t)strlen("GET /v1/contacts HTTP/1.1\r\n"));
    assert_true(t->minute_left == -1 && t->day_left == -1);
    assert_true(events.last.kind == PRIVY_TRACE_END && events.last.reused == -1 && events.last.connect == -1);
  }
  CHECK_OK(watched(s.client, "contacts.list", "{}", &events, &s.response, &s.error));
  if (!harness_sweeping())
    assert_true(events.transfer.reused == 1 && events.transfer.connect == 0 && events.transfer.first_byte > 0);
done:
  scene_close(&s);
}

static void a_failure_event_has_a_reason(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_CLOSE, "", 0}};
  log events;
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_STATUS(watched(s.client, "contacts.list", "{}", &events, &s.response, &s.error), PRIVY_CONNECTION);
  assert_events(events,
                "1 start GET /contacts #0 0 \n1 request GET /contacts #1 0 \n"
                "1 failure GET /contacts #1 0 APIConnectionError\n1 end GET /contacts #1 0 APIConnectionError\n");
  if (!harness_sweeping()) {
    assert_string_equal(events.transfer.reason, s.error.message);
    assert_string_equal(events.last.reason, s.error.message);
  }
done:
  scene_close(&s);
}

/* ---- refusals ---- */

static void a_reached_limit_is_reported_as_refused(void **state) {
  (void)state;
  play p;
  CHECK_OK(play_open(&p, NULL));
  privy_sandbox_set_clock(p.sandbox, 1000000);
  privy_sandbox_set_limits(p.sandbox, 60, 1);
  CHECK_OK(watched(p.client, "contacts.list", "{}", &p.events, &p.response, &p.error));
  CHECK_STATUS(watched(p.client, "contacts.list", "{}", &p.events, &p.response, &p.error), PRIVY_RATE_LIMIT);
  assert_events(p.events, "2 start GET /contacts #0 0 \n2 refused GET /contacts #0 0 RateLimitError\n"
                          "2 end GET /contacts #0 0 RateLimitError\n");
  if (!harness_sweeping()) assert_string_equal(p.events.last.reason, p.error.message);
done:
  play_close(&p);
}

/* Refuses the request and returns its event. */
static bool refuse(play *p, privy_request *request, privy_level min_level, privy_trace_event *event) {
  bool events = false;
  privy_error_clear(&p->error);
  CHECK_STATUS(privy_request_finish(request, &p->error), PRIVY_VALIDATION);
  events = privy_client_refused(p->client, request, &p->error, min_level, event);
done:
  privy_request_free(request);
  return events;
}

static void an_invalid_request_is_refused_without_a_call(void **state) {
  (void)state;
  static const struct {
    const char *operation, *params, *reason;
  } cases[] = {
      {"contacts.create", "{\"email\":\"no address\",\"tags\":[\"a\",5]}", "invalid: email, tags"},
      {"contacts.create", "{\"joe@x.io\":1,\"custom_fields\":{\"joe@x.io\":{}}}",
       "invalid: custom_fields, base, others"},
      {"orders.upsert", "{\"line_items\":[{\"joe@x.io\":1,\"price\":\"x\"}]}",
       "invalid: order_id, total, currency, order_date, line_items, base"},
      {"contacts.get", "{\"joe\":1}", "invalid: id, others"},
      {"contacts.create", "{\"email_consent\":\"joe\",\"phone_number\":\"+14155550171\"}", "invalid: email_consent"},
      {"contacts.delete", "{\"id\":\"joe@x.io\"}", "invalid: id"},
  };
  privy_trace_event event;
  privy_request *request = NULL;
  play p;
  CHECK_OK(play_open(&p, NULL));
  for (size_t i = 0; i < COUNT(cases); i++) {
    const privy_operation *operation = privy_operation_find(cases[i].operation);
    CHECK_OK(privy_request_new(operation, &request));
    ask(request, cases[i].params);
    CHECK_MEMORY(refuse(&p, request, PRIVY_LEVEL_DEBUG, &event));
    assert_string_equal(event.reason, cases[i].reason);
    assert_string_equal(event.operation, cases[i].operation);
    assert_string_equal(event.path, privy_operation_path(operation));
    assert_true(event.kind == PRIVY_TRACE_REFUSED && event.call == i + 1 && event.attempt == 0);
    assert_int_equal(event.failure, PRIVY_VALIDATION);
  }
done:
  play_close(&p);
}

static void the_refusal_of_a_raw_request_quotes_nothing(void **state) {
  (void)state;
  privy_trace_event event;
  privy_request *request = NULL;
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_request_new_raw(TEXT("GRAB"), TEXT("/joe@x.io/.."), &request));
  CHECK_MEMORY(refuse(&p, request, PRIVY_LEVEL_DEBUG, &event));
  assert_string_equal(event.reason, "invalid: method, path");
  assert_string_equal(event.operation, "request");
  assert_true(*event.method == '\0' && *event.path == '\0');
  CHECK_OK(privy_request_new_raw(TEXT("GET"), TEXT("/people/joe@x.io?a=joe"), &request));
  privy_request_header(request);
  privy_request_key(request, "Authorization", 13);
  privy_request_string(request, "joe", 3);
  CHECK_MEMORY(refuse(&p, request, PRIVY_LEVEL_DEBUG, &event));
  assert_string_equal(event.reason, "invalid: headers");
  assert_string_equal(event.path, "/people/{id}");
  CHECK_OK(privy_request_new_raw(TEXT("GET"), TEXT("nowhere"), &request));
  assert_false(refuse(&p, request, PRIVY_LEVEL_INFO, &event));
done:
  play_close(&p);
}

static void other_errors_are_not_reported_as_refused(void **state) {
  (void)state;
  privy_trace_event event;
  privy_request *request = NULL;
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_request_new(privy_operation_find("contacts.list"), &request));
  p.error.code = PRIVY_NO_MEMORY;
  assert_false(privy_client_refused(p.client, request, &p.error, PRIVY_LEVEL_DEBUG, &event));
done:
  privy_request_free(request);
  play_close(&p);
}

/* ---- levels ---- */

static void only_events_of_the_level_are_kept(void **state) {
  (void)state;
  const privy_sandbox_fault busy = {.http_status = 503, .retry_after = 0, .count = 1};
  privy_request *request = NULL;
  play p;
  privy_hooks hooks = {.observe = note, .context = &p.events, .min_level = PRIVY_LEVEL_INFO};
  CHECK_OK(play_open(&p, NULL));
  privy_sandbox_set_clock(p.sandbox, 1000000);
  hurried = p.sandbox;
  privy_sandbox_set_limits(p.sandbox, 60, 1);
  CHECK_OK(privy_sandbox_add_fault(p.sandbox, &busy));
  CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
  CHECK_OK(privy_client_call(p.client, request, NULL, &hooks, &p.response, &p.error));
  assert_events(p.events, "1 retry GET /contacts #1 503 ServerError\n");
  if (!harness_sweeping()) assert_true(p.events.last.connect == -1);
  p.events = (log){0};
  hooks.min_level = PRIVY_LEVEL_WARNING;
  CHECK_STATUS(privy_client_call(p.client, request, NULL, &hooks, &p.response, &p.error), PRIVY_RATE_LIMIT);
  assert_events(p.events, "2 refused GET /contacts #0 0 RateLimitError\n");
  p.events = (log){0};
  privy_error_clear(&p.error);
  hooks.min_level = PRIVY_LEVEL_OFF;
  CHECK_STATUS(privy_client_call(p.client, request, NULL, &hooks, &p.response, &p.error), PRIVY_RATE_LIMIT);
  assert_int_equal(p.events.count, 0);
done:
  privy_request_free(request);
  play_close(&p);
}

/* ---- groups ---- */

static void a_group_keeps_no_events_by_default(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_trace_event event;
  privy_completion completion = {0};
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
  privy_request *given = request;
  request = NULL;
  CHECK_OK(privy_group_start(group, given, NULL, 1, &p.error));
  privy_group_wait(group, 5);
  CHECK_MEMORY(privy_group_next_completed(group, &completion));
  CHECK_OK(completion.status);
  assert_false(privy_group_take_event(group, &event));
done:
  privy_completion_clear(&completion);
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

static void stopped_calls_report_their_end(void **state) {
  (void)state;
  const privy_sandbox_fault slow = {.delay = 60, .count = 2};
  log events = {0};
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_trace_event event;
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_sandbox_add_fault(p.sandbox, &slow));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  privy_group_observe(group, PRIVY_LEVEL_DEBUG);
  for (uint64_t id = 0; id < 3; id++) {
    CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
    privy_request *given = request;
    request = NULL;
    if (id == 2) privy_group_wait(group, 0); /* the third is never driven: it has no start */
    CHECK_OK(privy_group_start(group, given, NULL, id, &p.error));
  }
  assert_true(privy_group_cancel(group, 0));
  privy_group_cancel_all(group);
  assert_int_equal(privy_group_count(group), 0);
  while (privy_group_take_event(group, &event)) note(&events, &event);
  assert_events(events, "1 start GET /contacts #0 0 \n1 request GET /contacts #1 0 \n"
                        "2 start GET /contacts #0 0 \n2 request GET /contacts #1 0 \n"
                        "1 failure GET /contacts #1 0 \n1 end GET /contacts #1 0 \n"
                        "2 failure GET /contacts #1 0 \n2 end GET /contacts #1 0 \n");
  if (!harness_sweeping()) assert_string_equal(events.last.reason, "the call was stopped");
done:
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

static void events_carry_the_id_of_their_call(void **state) {
  (void)state;
  static const uint64_t ids[] = {7, UINT64_MAX, 0};
  const privy_sandbox_fault fault = {.http_status = 503, .retry_after = 0, .count = 1};
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_trace_event event;
  privy_completion completion;
  size_t of_each[COUNT(ids) + 1] = {0};
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_sandbox_add_fault(p.sandbox, &fault));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  privy_group_observe(group, PRIVY_LEVEL_DEBUG);
  for (size_t i = 0; i < COUNT(ids); i++) {
    CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
    privy_request *given = request;
    request = NULL;
    CHECK_OK(privy_group_start(group, given, NULL, ids[i], &p.error));
  }
  while (privy_group_count(group) > 0) {
    privy_group_wait(group, 1);
    privy_sandbox_advance(p.sandbox, 1);
    while (privy_group_next_completed(group, &completion)) privy_completion_clear(&completion);
  }
  while (privy_group_take_event(group, &event)) {
    assert_true(event.call >= 1 && event.call <= COUNT(ids));
    assert_true(event.id == ids[event.call - 1]);
    of_each[event.call]++;
  }
  if (!harness_sweeping()) assert_int_equal(of_each[1] + of_each[2] + of_each[3], 4 * 3 + 3); /* one call has a retry */
done:
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

/* ---- each start has one end ---- */

#define CALLS 400

typedef struct lives {
  bool started[CALLS + 1], ended[CALLS + 1];
  uint64_t highest;
} lives;

static void follow_lives(privy_group *group, lives *seen) {
  privy_trace_event event;
  while (privy_group_take_event(group, &event)) {
    assert_true(event.call > 0 && event.call <= CALLS);
    assert_int_equal(event.kind == PRIVY_TRACE_START, !seen->started[event.call]);
    assert_false(seen->ended[event.call]);
    seen->started[event.call] = true;
    seen->ended[event.call] = event.kind == PRIVY_TRACE_END;
    if (event.call > seen->highest) seen->highest = event.call;
  }
}

/* Injects a fault for the next request, usually none. */
static privy_status add_some_fault(play *p, uint64_t *random) {
  static const int statuses[] = {503, 429, 500, 404, 401, 408};
  privy_sandbox_fault fault = {.count = 1, .skip = (uint32_t)(privy_random(random) % 3)};
  switch (privy_random(random) % 6) {
  case 0: fault.http_status = statuses[privy_random(random) % COUNT(statuses)]; break;
  case 1: fault.cut = PRIVY_CUT_DROP; break;
  case 2: fault.delay = 60; break;
  case 3: privy_sandbox_advance(p->sandbox, (double)(privy_random(random) % 90)); return PRIVY_OK;
  default: return PRIVY_OK;
  }
  return privy_sandbox_add_fault(p->sandbox, &fault);
}

static bool start_some_call(play *p, privy_group *group, uint64_t *random, uint64_t id) {
  static const char *const operations[][2] = {{"contacts.list", "{}"},
                                              {"contacts.upsert", "{\"email\":\"a@b.c\",\"first_name\":\"A\"}"},
                                              {"contacts.delete", "{\"id\":\"" CONTACT "\"}"},
                                              {"events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b.c\"}"}};
  const size_t which = privy_random(random) % COUNT(operations);
  const privy_options options = {.timeout = 0.01, .connect_timeout = -1, .max_wait = 30, .max_retries = 2};
  privy_request *request = NULL;
  bool started = false;
  CHECK_OK(ask_for(operations[which][0], operations[which][1], &request, &p->error));
  CHECK_OK(privy_group_start(group, request, &options, id, &p->error));
  started = true;
done:
  return started;
}

static void every_start_has_one_end(void **state) {
  (void)state;
  uint64_t random = 20260512, id = 0;
  lives seen = {0};
  privy_completion completion;
  privy_group *group = NULL;
  play p;
  CHECK_OK(play_open(&p, PRIVY_SANDBOX_CLIENT_ID));
  privy_sandbox_set_clock(p.sandbox, 1000000);
  privy_sandbox_set_limits(p.sandbox, 40, 10000);
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  privy_group_observe(group, PRIVY_LEVEL_DEBUG);
  while (id < CALLS) {
    CHECK_OK(add_some_fault(&p, &random));
    CHECK_MEMORY(start_some_call(&p, group, &random, id++));
    if (privy_random(&random) % 4) privy_group_wait(group, 0);
    if (privy_random(&random) % 8 == 0) privy_group_cancel(group, id - 1 - privy_random(&random) % (id < 5 ? id : 5));
    while (privy_group_next_completed(group, &completion)) privy_completion_clear(&completion);
    follow_lives(group, &seen);
  }
  privy_group_cancel_all(group);
  follow_lives(group, &seen);
  assert_true(seen.highest > CALLS / 2);
  for (uint64_t call = 1; call <= seen.highest; call++) assert_true(seen.started[call] && seen.ended[call]);
done:
  privy_group_free(group);
  play_close(&p);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_call_reports_its_request_and_its_response),
      TEST(a_call_reports_retries_tokens_and_waits),
      TEST(a_wait_for_budget_is_reported_when_it_begins),
      TEST(user_data_in_a_path_is_masked),
      TEST(a_response_event_has_times_and_bytes),
      TEST(a_failure_event_has_a_reason),
      TEST(a_reached_limit_is_reported_as_refused),
      TEST(an_invalid_request_is_refused_without_a_call),
      TEST(the_refusal_of_a_raw_request_quotes_nothing),
      TEST(other_errors_are_not_reported_as_refused),
      TEST(only_events_of_the_level_are_kept),
      TEST(a_group_keeps_no_events_by_default),
      TEST(stopped_calls_report_their_end),
      TEST(events_carry_the_id_of_their_call),
      TEST_UNSWEPT(every_start_has_one_end),
  };
  return HARNESS_RUN(tests);
}
