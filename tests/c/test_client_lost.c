/* Requests without a response, with a real socket: whether the request can have arrived. */
#define _POSIX_C_SOURCE 200809L

#include "call/transport.h"
#include "http_scene.h"

#define BODY "{\"a\":1}"

static privy_status post(scene *s) {
  forget(s);
  return call_raw(s->client, "POST", "/things", BODY, &s->response, &s->error);
}

static privy_status open_client(scene *s, int retries) {
  s->config.options.max_retries = retries;
  s->config.options.timeout = 0.3;
  return http_client(s->server, &s->config, &s->client, &s->error);
}

static const http_reply page[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
static const http_reply closes[] = {{HTTP_CLOSE, "", 0}};
static const http_reply breaks[] = {{HTTP_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n{\"da", 0}};
static const http_reply breaks_early[] = {{HTTP_CLOSE, "HTTP/1.1 200 OK\r\nX-A: b\r\n", 0}};
static const http_reply stalls[] = {{HTTP_STALL, "", 0}};
static const http_reply closes_after[] = {{HTTP_CLOSE, EMPTY_PAGE, 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};

/* No server: the request is repeated, and the write is not lost. */
static void a_refused_connection_loses_no_write(void **state) {
  (void)state;
  scene s;
  scene_open(&s, SERVE(page));
  CHECK_OK(open_client(&s, 1));
  http_stop(s.server);
  s.server = NULL;
  CHECK_STATUS(post(&s), PRIVY_CONNECTION);
  assert_int_equal(s.error.attempts, 2);
  assert_false(s.error.may_have_succeeded);
done:
  scene_close(&s);
}

/* The server does not complete the handshake: the request is not sent. */
static void a_failed_handshake_loses_no_write(void **state) {
  (void)state;
  char url[64];
  scene s;
  scene_open(&s, SERVE(page));
  snprintf(url, sizeof url, "https://127.0.0.1:%d/v1", s.server->port);
  s.config.options.max_retries = 1;
  s.config.options.connect_timeout = 0.2;
  s.config.base_url = url;
  s.config.token = "privy_t";
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  CHECK_STATUS(post(&s), PRIVY_TIMEOUT);
  assert_int_equal(s.error.attempts, 2);
  assert_false(s.error.may_have_succeeded);
done:
  scene_close(&s);
}

/* The request was sent, and no response came: it is not repeated, because the server may have processed it. */
static void a_broken_connection_may_lose_a_write(void **state) {
  (void)state;
  static const struct {
    const http_reply *reply;
    privy_status status;
  } cases[] = {{closes, PRIVY_CONNECTION},
               {breaks, PRIVY_CONNECTION},
               {breaks_early, PRIVY_CONNECTION},
               {stalls, PRIVY_TIMEOUT}};
  scene s;
  for (size_t i = 0; i < COUNT(cases); i++) {
    scene_open(&s, http_start(cases[i].reply, 1));
    CHECK_OK(open_client(&s, 1));
    CHECK_STATUS(post(&s), cases[i].status);
    assert_true(s.error.may_have_succeeded);
    assert_int_equal(s.error.attempts, 1);
    assert_counts(&s, 1, 1);
    scene_close(&s);
    scene_open(&s, NULL);
  }
done:
  scene_close(&s);
}

/* A kept connection that the server has closed is replaced before anything is sent on it. */
static void a_connection_that_the_server_closed_is_replaced(void **state) {
  (void)state;
  scene s;
  scene_open(&s, SERVE(closes_after));
  CHECK_OK(open_client(&s, 0));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  assert_true(http_has_closed(s.server, 1));
  CHECK_OK(post(&s));
  assert_counts(&s, 2, 2);
done:
  scene_close(&s);
}

/* ---- stopped ----------------------------------------------------------------------------------------------------- */

typedef struct patience {
  http_server *server;
  bool sent; /* stop after the request has arrived; otherwise at once */
} patience;

static bool loses_it(void *context) {
  const patience *p = context;
  int accepted;
  size_t asked;
  http_counts(p->server, &accepted, &asked);
  return asked > 0 || !p->sent;
}

static privy_status post_until(scene *s, patience *p) {
  const privy_hooks hooks = {.stop = loses_it, .context = p};
  privy_request *request = NULL;
  forget(s);
  privy_status status = privy_request_new_raw(TEXT("POST"), TEXT("/things"), &request);
  if (status == PRIVY_OK) status = privy_request_finish(request, &s->error);
  if (status == PRIVY_OK) status = privy_client_call(s->client, request, NULL, &hooks, &s->response, &s->error);
  privy_request_free(request);
  return status;
}

static void a_stopped_call_reports_whether_its_request_was_sent(void **state) {
  (void)state;
  scene s;
  scene_open(&s, SERVE(stalls));
  s.config.options.timeout = 60;
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  patience p = {.server = s.server, .sent = false};
  CHECK_STATUS(post_until(&s, &p), PRIVY_INTERRUPTED);
  assert_false(s.error.may_have_succeeded);
  p.sent = true;
  CHECK_STATUS(post_until(&s, &p), PRIVY_INTERRUPTED);
  assert_true(s.error.may_have_succeeded);
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(a_refused_connection_loses_no_write),         TEST_UNSWEPT(a_failed_handshake_loses_no_write),
      TEST_UNSWEPT(a_broken_connection_may_lose_a_write),        TEST(a_connection_that_the_server_closed_is_replaced),
      TEST(a_stopped_call_reports_whether_its_request_was_sent),
  };
  return HARNESS_RUN(tests);
}
