/* A client with a real socket: each kind of response. */
#define _POSIX_C_SOURCE 200809L

#include "http_scene.h"

/* 4,000 spaces, compressed. */
static const char compressed[] = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 40\r\n\r\n"
                                 "\037\213\010\000\000\000\000\000\002\003\355\301\061\001"
                                 "\000\000\000\302\240\052\353\237\322\030\076\100\001\000"
                                 "\000\000\157\003\174\225\315\272\240\017\000\000";

static const struct {
  http_reply reply;
  const char *method;
  int status;
  size_t length;
  const char *header; /* the value of X-A */
} responses[] = {
    {{HTTP_ANSWER, "HTTP/1.1 200 OK\r\nX-A: b\r\nContent-Length: 2\r\n\r\n{}", 0}, "GET", 200, 2, "b"},
    {{HTTP_ANSWER, "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n", 0},
     "POST",
     201,
     2,
     NULL},
    {{HTTP_ANSWER, "HTTP/1.1 103 Early Hints\r\nX-A: early\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 0},
     "GET",
     200,
     0,
     NULL},
    {{HTTP_ANSWER, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX-A: late\r\nContent-Length: 0\r\n\r\n", 0},
     "POST",
     200,
     0,
     "late"},
    {{HTTP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nX-A: h\r\n\r\n", 0}, "HEAD", 200, 0, "h"},
    {{HTTP_ANSWER, "HTTP/1.1 204 No Content\r\n\r\n", 0}, "DELETE", 204, 0, NULL},
    {{HTTP_ANSWER, compressed, sizeof compressed - 1}, "GET", 200, 4000, NULL},
    {{HTTP_CLOSE, "HTTP/1.0 200 OK\r\n\r\nall until the end", 0}, "GET", 200, 17, NULL},
};

static void complete_responses_are_returned(void **state) {
  (void)state;
  http_reply replies[COUNT(responses)];
  scene s;
  for (size_t i = 0; i < COUNT(responses); i++) replies[i] = responses[i].reply;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  for (size_t i = 0; i < COUNT(responses); i++) {
    size_t length;
    CHECK_OK(call_raw(s.client, responses[i].method, "/x", NULL, &s.response, &s.error));
    assert_int_equal(privy_response_status(s.response), responses[i].status);
    privy_response_body(s.response, &length);
    assert_int_equal(length, responses[i].length);
    const char *header = privy_response_header(s.response, "x-a");
    assert_string_equal(header ? header : "none", responses[i].header ? responses[i].header : "none");
    forget(&s);
  }
  assert_counts(&s, 1, COUNT(responses));
done:
  scene_close(&s);
}

static void redirects_are_not_followed(void **state) {
  (void)state;
  static const http_reply replies[] = {
      {HTTP_ANSWER, "HTTP/1.1 302 Found\r\nLocation: /v1/elsewhere\r\nContent-Length: 0\r\n\r\n", 0},
      {HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_STATUS(call(s.client, "contacts.list", "{}", &s.response, &s.error), PRIVY_API_STATUS);
  assert_string_equal(s.error.message, "302: unexpected redirect: /v1/elsewhere");
  assert_counts(&s, 1, 1);
done:
  scene_close(&s);
}

static void errors_come_with_their_request(void **state) {
  (void)state;
  static const http_reply replies[] = {
      {HTTP_ANSWER, "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 7\r\nX-Request-Id: r3\r\nContent-Length: 0\r\n\r\n",
       0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_STATUS(call(s.client, "contacts.list", "{\"email\":\"a@b\"}", &s.response, &s.error), PRIVY_RATE_LIMIT);
  assert_true(s.error.retry_after == 7);
  assert_string_equal(s.error.request_id, "r3");
  assert_string_equal(s.error.method, "GET");
  assert_string_equal(s.error.path, "/contacts");
  assert_int_equal(s.error.attempts, 1);
  assert_null(strstr(s.error.message, "privy_t"));
done:
  scene_close(&s);
}

static void responses_have_a_size_limit(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890", 0},
                                       {HTTP_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901", 0},
                                       {HTTP_FLOOD, "HTTP/1.1 200 OK\r\n\r\n", 0},
                                       {HTTP_FLOOD, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", 0},
                                       {HTTP_ANSWER, compressed, sizeof compressed - 1},
                                       {HTTP_ANSWER, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n1234567890", 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  s.config.max_response = 10;
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  for (size_t i = 0; i < COUNT(replies); i++) {
    const bool fits = i == 0 || i == COUNT(replies) - 1;
    CHECK_STATUS(call_raw(s.client, "GET", "/x", NULL, &s.response, &s.error), fits ? PRIVY_OK : PRIVY_API_STATUS);
    if (!fits) {
      assert_string_equal(s.error.message, "the response is larger than the 10 bytes allowed");
      assert_int_equal(s.error.http_status, 200);
    }
    forget(&s);
  }
done:
  scene_close(&s);
}

/* The body comes in parts; a buffer that grows with them would double its size each time. */
static void bodies_are_allocated_with_their_exact_size(void **state) {
  (void)state;
  static char text[40000];
  static const http_reply replies[] = {{HTTP_ANSWER, text, sizeof text}};
  const int head = snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: 39958\r\n\r\n");
  size_t length = 0;
  scene s;
  memset(text + head, ' ', sizeof text - (size_t)head);
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call_raw(s.client, "GET", "/x", NULL, &s.response, &s.error));
  privy_response_body(s.response, &length);
  assert_int_equal(length, sizeof text - (size_t)head);
  assert_in_range(privy_response_size(s.response), length, length + 4000);
done:
  scene_close(&s);
}

static void headers_have_a_size_limit(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_FLOOD, "HTTP/1.1 200 OK\r\nX-A: ", 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_STATUS(call(s.client, "contacts.list", "{}", &s.response, &s.error), PRIVY_API_STATUS);
  assert_string_equal(s.error.message, "the response's headers are larger than allowed");
  assert_int_equal(s.error.attempts, 1);
done:
  scene_close(&s);
}

/* Many short lines cost more than their bytes do. */
static void headers_have_a_limit_of_lines(void **state) {
  (void)state;
  enum { LINES = 1001, LINE = 4 };
  static char text[sizeof OK("11\r\n") + LINES * LINE + sizeof "\r\n{\"data\":[]}"] = OK("11\r\n");
  char *at = text + strlen(OK("11\r\n"));
  for (int i = 0; i < LINES; i++, at += LINE) memcpy(at, "a:\r\n", LINE);
  memcpy(at, "\r\n{\"data\":[]}", sizeof "\r\n{\"data\":[]}");
  const http_reply replies[] = {{HTTP_ANSWER, text, 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_STATUS(call(s.client, "contacts.list", "{}", &s.response, &s.error), PRIVY_API_STATUS);
  assert_string_equal(s.error.message, "the response's headers are larger than allowed");
done:
  scene_close(&s);
}

/* A server without TLS receives no request and no token. */
static void https_is_never_sent_as_plain_http(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  char url[64];
  scene s;
  scene_open(&s, SERVE(replies));
  snprintf(url, sizeof url, "https://127.0.0.1:%d/v1", s.server->port);
  s.config.token = "privy_t";
  s.config.base_url = url;
  s.config.options.timeout = 0.1;
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  privy_status status = call(s.client, "contacts.list", "{}", &s.response, &s.error);
  CHECK_STATUS(status == PRIVY_TIMEOUT ? PRIVY_CONNECTION : status, PRIVY_CONNECTION);
  int accepted;
  size_t asked;
  http_counts(s.server, &accepted, &asked);
  assert_int_equal(asked, 0);
done:
  scene_close(&s);
}

static const http_reply broken[] = {
    {HTTP_CLOSE, "", 0},
    {HTTP_CLOSE, "HTTP/1.1 200", 0},
    {HTTP_CLOSE, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"data\":[", 0},
    {HTTP_CLOSE, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"dat", 0},
    {HTTP_CLOSE, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 0},
    {HTTP_CLOSE, "SSH-2.0-OpenSSH_9\r\n", 0},
    {HTTP_CLOSE, "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello", 0},
};

static void incomplete_responses_are_connection_errors(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(broken); i++) {
    const http_reply replies[] = {broken[i], {HTTP_ANSWER, EMPTY_PAGE, 0}};
    bool complete = false;
    scene s;
    scene_open(&s, SERVE(replies));
    CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
    CHECK_STATUS(call(s.client, "contacts.list", "{}", &s.response, &s.error), PRIVY_CONNECTION);
    assert_null(s.response);
    assert_int_equal(s.error.http_status, 0);
    assert_int_equal(s.error.attempts, 1);
    assert_string_equal(s.error.path, "/contacts");
    assert_true(strlen(s.error.message) > 5);
    forget(&s);
    /* The next call succeeds. */
    CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
    assert_counts(&s, 2, 2);
    complete = true;
  done:
    scene_close(&s);
    if (!complete) return;
  }
}

static void nobody_listens(void **state) {
  (void)state;
  int port;
  char url[64];
  privy_config config;
  privy_client *client = NULL;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  close(http_listen(&port));
  snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
  privy_config_init(&config);
  config.token = "t";
  config.base_url = url;
  config.options.max_retries = 0;
  CHECK_OK(privy_client_new(&config, &client, &error));
  CHECK_STATUS(call(client, "contacts.list", "{}", &response, &error), PRIVY_CONNECTION);
  assert_non_null(strstr(error.message, "connect"));
  assert_int_equal(error.attempts, 1);
done:
  privy_client_free(client);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(complete_responses_are_returned),
      TEST(redirects_are_not_followed),
      TEST(errors_come_with_their_request),
      TEST(responses_have_a_size_limit),
      TEST(bodies_are_allocated_with_their_exact_size),
      TEST(headers_have_a_size_limit),
      TEST(headers_have_a_limit_of_lines),
      TEST(https_is_never_sent_as_plain_http),
      TEST(incomplete_responses_are_connection_errors),
      TEST(nobody_listens),
  };
  return HARNESS_RUN(tests);
}
