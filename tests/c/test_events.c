/* What a call tells of its steps: over the sandbox, over a socket, waited for and in a group. */
#define _POSIX_C_SOURCE 200809L

#include "base/buffer.h"
#include "http_scene.h"

/* The steps as text, a line each, and the last one whole. */
typedef struct log {
  char lines[2048];
  privy_event last;
  size_t count;
} log;

static void note(void *context, const privy_event *event) {
  log *told = context;
  size_t used = strlen(told->lines);
  told->last = *event;
  told->count++;
  snprintf(told->lines + used, sizeof told->lines - used, "%d %s %s %s #%d %d %s\n", (int)event->call,
           privy_event_name(event->kind), event->method, event->path, event->attempt, event->http_status,
           privy_error_describe(event->failure)->name);
}

static privy_status observed(privy_client *client, privy_request *request, log *told, privy_response **out,
                             privy_error *error) {
  const privy_hooks hooks = {.observe = note, .context = told};
  return privy_client_call(client, request, NULL, &hooks, out, error);
}

static privy_status watched(privy_client *client, const char *operation, const char *params, log *told,
                            privy_response **out, privy_error *error) {
  privy_request *request = NULL;
  *told = (log){0};
  privy_response_release(*out);
  *out = NULL;
  privy_error_clear(error);
  privy_status status = ask_for(operation, params, &request, error);
  if (status == PRIVY_OK) status = observed(client, request, told, out, error);
  privy_request_free(request);
  return status;
}

/* ---- over the sandbox ---- */

typedef struct play {
  privy_sandbox *sandbox;
  privy_client *client;
  privy_response *response;
  privy_error error;
  privy_config config;
  log told;
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
  privy_response_release(p->response);
  privy_client_free(p->client);
  privy_sandbox_release(p->sandbox);
  privy_error_clear(&p->error);
}

/* No memory for a step loses the step, not the call: then there is nothing to compare. */
#define assert_told(told, expected)                                                                                    \
  do {                                                                                                                 \
    if (!harness_sweeping()) assert_string_equal((told).lines, expected);                                              \
  } while (0)

static void a_call_tells_its_request_and_its_answer(void **state) {
  (void)state;
  play p;
  CHECK_OK(play_open(&p, NULL));
  privy_sandbox_set_limits(p.sandbox, 60, 10000);
  CHECK_OK(watched(p.client, "contacts.create", "{\"email\":\"jane@example.com\"}", &p.told, &p.response, &p.error));
  assert_told(p.told, "1 request POST /contacts #1 0 \n1 response POST /contacts #1 201 \n");
  if (!harness_sweeping()) {
    assert_true(p.told.last.bytes_sent > 100 && p.told.last.bytes_received > 100);
    assert_string_equal(p.told.last.request_id, privy_response_header(p.response, "X-Request-Id"));
    assert_true(p.told.last.minute_left == 59 && p.told.last.day_left == 9999);
  }
  CHECK_STATUS(watched(p.client, "contacts.get", "{\"id\":\"cus_0123456789abcdef\"}", &p.told, &p.response, &p.error),
               PRIVY_NOT_FOUND);
  assert_told(p.told, "2 request GET /contacts/{id} #1 0 \n2 response GET /contacts/{id} #1 404 NotFoundError\n");
  CHECK_OK(watched(p.client, "contacts.upsert", "{\"email\":\"jane@example.com\",\"first_name\":\"J\"}", &p.told,
                   &p.response, &p.error));
  assert_told(p.told, "3 request POST /contacts #1 0 \n3 response POST /contacts #1 409 ConflictError\n"
                      "3 request PATCH /contacts/{id} #2 0 \n3 response PATCH /contacts/{id} #2 200 \n");
done:
  play_close(&p);
}

static void a_retry_a_token_and_a_wait_are_told(void **state) {
  (void)state;
  const double pause = harness_sweeping() ? 0 : 2;
  const privy_sandbox_fault busy = {.http_status = 503, .retry_after = pause, .skip = 1, .count = 1};
  play p;
  CHECK_OK(play_open(&p, PRIVY_SANDBOX_CLIENT_ID));
  privy_sandbox_set_clock(p.sandbox, 1000000);
  CHECK_OK(privy_sandbox_add_fault(p.sandbox, &busy));
  CHECK_OK(watched(p.client, "contacts.list", "{}", &p.told, &p.response, &p.error));
  assert_told(p.told, "1 request POST /oauth/token #1 0 \n1 response POST /oauth/token #1 200 \n"
                      "1 token POST /oauth/token #1 0 \n"
                      "1 request GET /contacts #2 0 \n1 response GET /contacts #2 503 ServerError\n"
                      "1 retry GET /contacts #2 503 ServerError\n"
                      "1 request GET /contacts #3 0 \n1 response GET /contacts #3 200 \n");
done:
  play_close(&p);
}

static void a_wait_for_budget_is_told_before_it_is_over(void **state) {
  (void)state;
  privy_options options = PRIVY_OPTIONS_INHERIT;
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_event event;
  play p;
  CHECK_OK(play_open(&p, NULL));
  privy_sandbox_set_clock(p.sandbox, 1000000);
  privy_sandbox_set_limits(p.sandbox, 1, 100);
  CHECK_OK(watched(p.client, "contacts.list", "{}", &p.told, &p.response, &p.error));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  privy_group_observe(group, true);
  CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
  privy_request *given = request;
  request = NULL;
  CHECK_OK(privy_group_start(group, given, &options, 7, &p.error));
  privy_group_wait(group, 5);
  CHECK_MEMORY(privy_group_take_event(group, &event));
  assert_int_equal(event.kind, PRIVY_EVENT_WAIT);
  assert_true(event.seconds > 1 && event.seconds <= 61);
  assert_true(event.minute_left == 0 && event.attempt == 0 && event.call == 2);
  assert_false(privy_group_take_event(group, &event));
done:
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

/* ---- raw requests ---- */

static void what_a_user_wrote_into_a_path_is_masked(void **state) {
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
    p.told = (log){0};
    CHECK_OK(privy_request_new_raw("GET", paths[i][0], &request));
    CHECK_OK(privy_request_finish(request, &p.error));
    privy_status status = observed(p.client, request, &p.told, &p.response, &p.error);
    if (status == PRIVY_NO_MEMORY) CHECK_OK(status);
    if (!harness_sweeping()) assert_string_equal(p.told.last.path, paths[i][1]);
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

/* ---- over a socket ---- */

static void a_transfer_tells_times_and_bytes(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  log told;
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(watched(s.client, "contacts.list", "{}", &told, &s.response, &s.error));
  if (!harness_sweeping()) {
    assert_int_equal(told.count, 2);
    assert_true(told.last.connect > 0 && told.last.first_byte > 0 && !told.last.reused);
    assert_true(told.last.total >= told.last.connect + told.last.first_byte && told.last.tls == 0);
    assert_int_equal(told.last.bytes_received, strlen(EMPTY_PAGE));
    assert_true(told.last.bytes_sent > strlen("GET /v1/contacts HTTP/1.1\r\n"));
    assert_true(told.last.minute_left == -1 && told.last.day_left == -1);
  }
  CHECK_OK(watched(s.client, "contacts.list", "{}", &told, &s.response, &s.error));
  if (!harness_sweeping()) assert_true(told.last.reused && told.last.connect == 0 && told.last.first_byte > 0);
done:
  scene_close(&s);
}

static void a_failure_tells_why(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_CLOSE, "", 0}};
  log told;
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_STATUS(watched(s.client, "contacts.list", "{}", &told, &s.response, &s.error), PRIVY_CONNECTION);
  assert_told(told, "1 request GET /contacts #1 0 \n1 failure GET /contacts #1 0 APIConnectionError\n");
  if (!harness_sweeping()) assert_string_equal(told.last.reason, s.error.message);
done:
  scene_close(&s);
}

static void nobody_listens_unless_asked_to(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_event event;
  privy_outcome outcome = {0};
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
  privy_request *given = request;
  request = NULL;
  CHECK_OK(privy_group_start(group, given, NULL, 1, &p.error));
  privy_group_wait(group, 5);
  CHECK_MEMORY(privy_group_take(group, &outcome));
  CHECK_OK(outcome.status);
  assert_false(privy_group_take_event(group, &event));
done:
  privy_outcome_clear(&outcome);
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_call_tells_its_request_and_its_answer),
      TEST(a_retry_a_token_and_a_wait_are_told),
      TEST(a_wait_for_budget_is_told_before_it_is_over),
      TEST(what_a_user_wrote_into_a_path_is_masked),
      TEST(a_transfer_tells_times_and_bytes),
      TEST(a_failure_tells_why),
      TEST(nobody_listens_unless_asked_to),
  };
  return HARNESS_RUN(tests);
}
