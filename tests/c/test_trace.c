/* The trace events of calls, with a sandbox and over a socket. */
#define _POSIX_C_SOURCE 200809L

#include "trace_scene.h"

static void a_call_reports_its_request_and_its_response(void **state) {
  (void)state;
  play p;
  CHECK_OK(play_open(&p, NULL));
  privy_sandbox_set_limits(p.sandbox, 60, 10000, 60);
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
  privy_sandbox_set_limits(p.sandbox, 1, 100, 60);
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
  privy_sandbox_set_limits(p.sandbox, 60, 1, 60);
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
  privy_sandbox_set_limits(p.sandbox, 60, 1, 60);
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
  };
  return HARNESS_RUN(tests);
}
