/* A client with a real socket: what it sends, and on which connection. */
#define _POSIX_C_SOURCE 200809L

#include "transport/libcurl.h"

#include "http_scene.h"

/* ---- what is sent ------------------------------------------------------------------------------------------------ */

static void cut(char *from, const char *to) {
  memmove(from, to, strlen(to) + 1);
}

/* The head of a request, without the parts that depend on the version of libcurl. */
static void assert_head(const scene *s, size_t index, const char *first, const char *rest) {
  char expected[1024], head[sizeof s->server->asked[0].head], libcurl[80];
  strcpy(head, s->server->asked[index].head);
  const privy_libcurl *loaded = privy_libcurl_load(NULL);
  snprintf(libcurl, sizeof libcurl, "\r\nAccept-Encoding: %s", loaded->encodings);
  char *encodings = strstr(head, libcurl);
  assert_non_null(encodings);
  cut(encodings, encodings + strlen(libcurl));
  snprintf(libcurl, sizeof libcurl, "%s\r\n", loaded->agent);
  char *agent = strstr(head, libcurl);
  assert_non_null(agent);
  cut(agent, agent + strlen(libcurl) - 2);
  snprintf(expected, sizeof expected, "%s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s", first, s->server->port, rest);
  assert_string_equal(head, expected);
}

#define AGENT "User-Agent: privy/" PRIVY_VERSION " test/1\r\n"
#define ACCEPT "Accept: application/json\r\n"
#define AUTHORIZED "Authorization: Bearer privy_t"

static const struct {
  const char *method, *path, *body, *first, *rest;
} sent[] = {
    {"GET", "/x?a=1", NULL, "GET /v1/x?a=1", AGENT ACCEPT AUTHORIZED},
    {"POST", "/x", NULL, "POST /v1/x", AGENT ACCEPT AUTHORIZED "\r\nContent-Length: 0"},
    {"POST", "/x", "{\"a\":1}", "POST /v1/x",
     AGENT ACCEPT "Content-Type: application/json\r\n" AUTHORIZED "\r\nContent-Length: 7"},
    {"PATCH", "/x", "[]", "PATCH /v1/x",
     AGENT ACCEPT "Content-Type: application/json\r\n" AUTHORIZED "\r\nContent-Length: 2"},
    {"PUT", "/x", "\"y\"", "PUT /v1/x",
     AGENT ACCEPT "Content-Type: application/json\r\n" AUTHORIZED "\r\nContent-Length: 3"},
    {"DELETE", "/x", NULL, "DELETE /v1/x", AGENT ACCEPT AUTHORIZED},
    {"DELETE", "/x", "{}", "DELETE /v1/x",
     AGENT ACCEPT "Content-Type: application/json\r\n" AUTHORIZED "\r\nContent-Length: 2"},
    {"OPTIONS", "/x", NULL, "OPTIONS /v1/x", AGENT ACCEPT AUTHORIZED},
    {"HEAD", "/x", NULL, "HEAD /v1/x", AGENT ACCEPT AUTHORIZED},
    {"GET", "/a/./b//c/...?d=/../e", NULL, "GET /v1/a/./b//c/...?d=/../e", AGENT ACCEPT AUTHORIZED},
};

static void requests_are_exact_on_the_wire(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  s.config.user_agent = "test/1";
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  for (size_t i = 0; i < COUNT(sent); i++) {
    CHECK_OK(call_raw(s.client, sent[i].method, sent[i].path, sent[i].body, &s.response, &s.error));
    assert_int_equal(privy_response_status(s.response), 204);
    assert_head(&s, i, sent[i].first, sent[i].rest);
    assert_string_equal(s.server->asked[i].body, sent[i].body ? sent[i].body : "");
    forget(&s);
  }
  assert_counts(&s, 1, COUNT(sent));
done:
  scene_close(&s);
}

static void headers_of_a_request_are_sent(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b\",\"idempotency_key\":\"k:1\"}",
                &s.response, &s.error));
  assert_head(&s, 0, "POST /v1/events",
              "User-Agent: privy/" PRIVY_VERSION "\r\n" ACCEPT
              "Idempotency-Key: k:1\r\nContent-Type: application/json\r\n" AUTHORIZED "\r\nContent-Length: 32");
  assert_string_equal(s.server->asked[0].body, "{\"event_type\":\"x\",\"email\":\"a@b\"}");
done:
  scene_close(&s);
}

static void a_request_may_choose_its_accept_encoding(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", 0}};
  scene s;
  privy_request *request = NULL;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(privy_request_new_raw(TEXT("GET"), TEXT("/x"), &request));
  privy_request_header(request);
  privy_request_key(request, "accept-encoding", 15);
  privy_request_string(request, "identity", 8);
  CHECK_OK(privy_request_finish(request, &s.error));
  CHECK_OK(privy_client_call(s.client, request, NULL, NULL, &s.response, &s.error));
  assert_non_null(strstr(s.server->asked[0].head, "\r\naccept-encoding: identity"));
  assert_null(strstr(s.server->asked[0].head, "Accept-Encoding"));
done:
  privy_request_free(request);
  scene_close(&s);
}

static void one_connection_serves_twenty_calls(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  for (size_t i = 0; i < 20; i++) {
    CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
    forget(&s);
  }
  assert_counts(&s, 1, 20);
done:
  scene_close(&s);
}

static void a_closed_connection_is_replaced(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_CLOSE, EMPTY_PAGE, 0},
                                       {HTTP_ANSWER,
                                        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: "
                                        "11\r\n\r\n{\"data\":[]}",
                                        0},
                                       {HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  for (int i = 0; i < 4; i++) {
    CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
    forget(&s);
    if (i == 0) assert_true(http_has_closed(s.server, 1));
  }
  assert_counts(&s, 3, 4);
done:
  scene_close(&s);
}

/* The server may have processed a request without a response: libcurl must not repeat it. */
static void a_request_is_not_sent_twice(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}, {HTTP_CLOSE, "", 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  forget(&s);
  CHECK_STATUS(call(s.client, "contacts.list", "{}", &s.response, &s.error), PRIVY_CONNECTION);
  size_t asked;
  int accepted;
  http_counts(s.server, &accepted, &asked);
  assert_int_equal(asked, 2);
  forget(&s);
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
done:
  scene_close(&s);
}

/* ---- several requests a call ------------------------------------------------------------------------------------- */

#define TOKEN_ANSWER OK("44\r\n\r\n{\"access_token\":\"oauth-1\",\"expires_in\":7200}")

static void one_oauth_token_serves_all_calls(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, TOKEN_ANSWER, 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  s.config.client_id = "id";
  s.config.client_secret = "p&w";
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  for (size_t i = 0; i < 3; i++) {
    CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
    forget(&s);
  }
  assert_counts(&s, 1, 4);
  assert_head(&s, 0, "POST /oauth/token",
              "User-Agent: privy/" PRIVY_VERSION "\r\n" ACCEPT
              "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 62");
  assert_string_equal(s.server->asked[0].body, "grant_type=client_credentials&client_id=id&client_secret=p%26w");
  for (size_t i = 1; i < 4; i++) assert_non_null(strstr(s.server->asked[i].head, "Authorization: Bearer oauth-1"));
done:
  scene_close(&s);
}

static void an_upsert_updates_an_existing_contact(void **state) {
  (void)state;
  static const http_reply replies[] = {
      {HTTP_ANSWER, "HTTP/1.1 409 Conflict\r\nContent-Length: 39\r\n\r\n{\"error\":{\"id\":\"" CONTACT "\"}}", 0},
      {HTTP_ANSWER, OK("27\r\n\r\n{\"data\":{\"first_name\":\"J\"}}"), 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.upsert", "{\"email\":\"a@b\",\"first_name\":\"J\"}", &s.response, &s.error));
  assert_int_equal(privy_response_count(s.response), 1);
  assert_counts(&s, 1, 2);
  assert_int_equal(strncmp(s.server->asked[1].head, "PATCH /v1/contacts/" CONTACT " ", 40), 0);
  assert_string_equal(s.server->asked[1].body, "{\"first_name\":\"J\"}");
done:
  scene_close(&s);
}

static void a_request_can_be_sent_again(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", 0}};
  privy_request *request = NULL;
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(ask_for("events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b\"}", &request, &s.error));
  for (size_t i = 0; i < 2; i++) {
    CHECK_OK(privy_client_call(s.client, request, NULL, NULL, &s.response, &s.error));
    forget(&s);
  }
  /* Two calls are two events with different keys. */
  assert_non_null(strstr(s.server->asked[0].head, "Idempotency-Key: "));
  assert_string_not_equal(s.server->asked[0].head, s.server->asked[1].head);
  assert_string_equal(s.server->asked[0].body, s.server->asked[1].body);
done:
  privy_request_free(request);
  scene_close(&s);
}

/* A proxy would see the token. */
static void plain_http_uses_no_proxy(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  int port;
  char proxy[64];
  scene s;
  scene_open(&s, SERVE(replies));
  close(http_listen(&port));
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", port);
  setenv("http_proxy", proxy, 1);
  setenv("all_proxy", proxy, 1);
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  assert_counts(&s, 1, 1);
done:
  unsetenv("http_proxy");
  unsetenv("all_proxy");
  scene_close(&s);
}

/* The proxy receives the host and port, and nothing else. */
static void https_uses_the_proxy(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 0}};
  char proxy[64];
  scene s;
  scene_open(&s, SERVE(replies));
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", s.server->port);
  s.config.token = "privy_secret";
  s.config.base_url = "https://api.invalid/v1";
  s.config.proxy = proxy;
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  CHECK_STATUS(call(s.client, "contacts.list", "{}", &s.response, &s.error), PRIVY_CONNECTION);
  assert_int_equal(strncmp(s.server->asked[0].head, "CONNECT api.invalid:443 ", 24), 0);
  assert_null(strstr(s.server->asked[0].head, "secret"));
  assert_null(strstr(s.error.message, "secret"));
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(requests_are_exact_on_the_wire),
      TEST(headers_of_a_request_are_sent),
      TEST(a_request_may_choose_its_accept_encoding),
      TEST(one_connection_serves_twenty_calls),
      TEST(a_closed_connection_is_replaced),
      TEST(a_request_is_not_sent_twice),
      TEST(one_oauth_token_serves_all_calls),
      TEST(an_upsert_updates_an_existing_contact),
      TEST(a_request_can_be_sent_again),
      TEST(plain_http_uses_no_proxy),
      TEST(https_uses_the_proxy),
  };
  return HARNESS_RUN(tests);
}
