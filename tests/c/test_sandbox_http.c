/* The sandbox's connections: requests and responses in HTTP/1.1. */
#include "sandbox_wire.h"

/* ---- requests and responses ----------------------------------------------------------------------------------------
 */

static void a_response_is_sent_and_the_connection_stays_open(void **state) {
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(wire_next(&l));
  assert_true(l.step.kind == PRIVY_SANDBOX_READ && l.step.idle);
  for (int i = 0; i < 2; i++) {
    CHECK_OK(wire_feed(&l, LIST));
    assert_sent(l, "HTTP/1.1 200 OK\r\nDate: Tue, 12 May 2026 10:00:00 GMT\r\nX-Request-Id: req_");
    assert_sent(l, "\r\nContent-Type: application/json; charset=utf-8\r\n");
    assert_sent(l, "\r\n\r\n{\"data\":[],\"pagination\":{");
    assert_null(strstr(wire_sent(&l), "Connection:"));
    CHECK_OK(wire_next(&l));
    assert_true(l.step.kind == PRIVY_SANDBOX_READ && l.step.idle);
  }
  assert_int_equal(privy_sandbox_count(l.sandbox).requests, 2);
done:
  wire_close(&l);
}

static void bytes_come_one_by_one(void **state) {
  (void)state;
  static const char request[] = "\r\n\r\nPOST /v1/contacts HTTP/1.1\r\nHost: localhost:8089\r\nContent-Length: 17\r\n"
                                "Content-Type: application/json\r\n" AUTHORIZED "\r\n{\"email\":\"a@b.c\"}";
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  for (size_t i = 0; i + 1 < sizeof request; i++) {
    if (i) assert_true(l.step.kind == PRIVY_SANDBOX_READ && l.step.idle == (i <= 4));
    CHECK_OK(privy_sandbox_connection_feed(l.connection, request + i, 1));
    CHECK_OK(wire_next(&l));
  }
  assert_sent(l, "HTTP/1.1 201 Created\r\n");
  assert_int_equal(privy_sandbox_count(l.sandbox).contacts, 1);
done:
  wire_close(&l);
}

static void responses_are_sent_in_the_order_of_requests(void **state) {
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(wire_feed(&l, LIST "POST /v1/contacts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n" AUTHORIZED
                              "\r\n{}HEAD /v1/contacts HTTP/1.1\r\nHost: localhost\r\n" AUTHORIZED "\r\n" LIST));
  assert_sent(l, "HTTP/1.1 200 OK\r\n");
  CHECK_OK(wire_next(&l));
  assert_sent(l, "HTTP/1.1 422 Unprocessable Content\r\n");
  CHECK_OK(wire_next(&l));
  assert_sent(l, "HTTP/1.1 404 Not Found\r\n");
  assert_true(strstr(wire_sent(&l), "\r\n\r\n")[4] == '\0'); /* a response to HEAD has no body */
  assert_null(strstr(wire_sent(&l), "Content-Length: 0"));
  CHECK_OK(wire_next(&l));
  assert_sent(l, "HTTP/1.1 200 OK\r\n");
  CHECK_OK(wire_next(&l));
  assert_int_equal(l.step.kind, PRIVY_SANDBOX_READ);
done:
  wire_close(&l);
}

static void every_method_meets_the_api(void **state) {
  static const char *const methods[] = {"TRACE", "BREW", "OPTIONS", "PUT", "CONNECT", "x!#$%&'*+-.^_`|~9"};
  (void)state;
  wire l = {0};
  char request[400];
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
    snprintf(request, sizeof request, "%s /v1/contacts HTTP/1.1\r\nHost: localhost\r\n%s\r\n", methods[i], AUTHORIZED);
    CHECK_OK(wire_feed(&l, request));
    assert_sent(l, "HTTP/1.1 404 Not Found\r\n");
    assert_sent(l, "{\"error\":{\"code\":\"not_found\",");
    CHECK_OK(wire_next(&l));
    assert_int_equal(l.step.kind, PRIVY_SANDBOX_READ);
  }
done:
  wire_close(&l);
}

static void connections_are_closed_when_asked_for(void **state) {
  static const struct {
    const char *head, *response;
    bool kept;
  } cases[] = {
      {"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", "\r\nConnection: close\r\n", false},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: x, Close\r\n\r\n", "\r\nConnection: close\r\n", false},
      {"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", "\r\nConnection: close\r\n", false},
      {"GET / HTTP/1.0\r\nHost: localhost\r\nConnection: Keep-Alive\r\n\r\n", "\r\nConnection: keep-alive\r\n", true},
      {"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: x\r\n\r\n", "HTTP/1.1 401 Unauthorized\r\n", true},
  };
  (void)state;
  wire l = {0};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
    CHECK_OK(wire_feed(&l, cases[i].head));
    assert_sent(l, cases[i].response);
    CHECK_OK(wire_next(&l));
    assert_int_equal(l.step.kind, cases[i].kept ? PRIVY_SANDBOX_READ : PRIVY_SANDBOX_CLOSE);
    wire_close(&l);
    l = (wire){0};
  }
done:
  wire_close(&l);
}

static void a_client_that_expects_continue_gets_it(void **state) {
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(wire_feed(&l, "POST /v1/contacts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                         "Expect: 100-Continue\r\n" AUTHORIZED "\r\n"));
  assert_string_equal(wire_sent(&l), "HTTP/1.1 100 Continue\r\n\r\n");
  CHECK_OK(wire_next(&l));
  assert_true(l.step.kind == PRIVY_SANDBOX_READ && !l.step.idle);
  CHECK_OK(wire_feed(&l, "{}"));
  assert_sent(l, "HTTP/1.1 422 ");
  CHECK_OK(wire_next(&l));
  CHECK_OK(wire_feed(&l, "POST /v1/contacts HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
                         "Expect: 100-continue\r\n" AUTHORIZED "\r\n{}"));
  assert_sent(l, "HTTP/1.1 422 ");
  CHECK_OK(wire_next(&l));
  CHECK_OK(wire_feed(&l, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  assert_sent(l, "HTTP/1.1 100 Continue\r\n");
  CHECK_OK(wire_next(&l));
  CHECK_OK(wire_feed(&l, "{}"));
  CHECK_OK(wire_next(&l));
  CHECK_OK(wire_feed(&l, "POST / HTTP/1.0\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"));
  assert_int_equal(l.step.kind, PRIVY_SANDBOX_READ); /* HTTP/1.0 has no interim response */
done:
  wire_close(&l);
}

static void faults_delay_and_cut_responses(void **state) {
  privy_sandbox_fault fault = {.retry_after = -1, .delay = 0.5, .cut = PRIVY_CUT_TRUNCATE, .count = 1};
  (void)state;
  wire l = {0};
  unsigned length;
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(privy_sandbox_add_fault(l.sandbox, &fault));
  CHECK_OK(wire_feed(&l, LIST));
  assert_true(l.step.delay == 0.5);
  const char *sent = wire_sent(&l);
  assert_int_equal(sscanf(strstr(sent, "Content-Length: "), "Content-Length: %u", &length), 1);
  assert_int_equal(strlen(strstr(sent, "\r\n\r\n") + 4), length / 2);
  CHECK_OK(wire_next(&l));
  assert_int_equal(l.step.kind, PRIVY_SANDBOX_CLOSE);
  wire_close(&l);
  l = (wire){0};
  fault.cut = PRIVY_CUT_DROP;
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(privy_sandbox_add_fault(l.sandbox, &fault));
  CHECK_OK(wire_feed(&l, LIST));
  assert_int_equal(l.step.kind, PRIVY_SANDBOX_CLOSE);
  assert_int_equal(privy_sandbox_count(l.sandbox).requests, 1);
done:
  wire_close(&l);
}

static void a_response_without_content_has_no_length(void **state) {
  const privy_sandbox_fault fault = {.http_status = 204, .retry_after = -1, .count = 1};
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(privy_sandbox_add_fault(l.sandbox, &fault));
  CHECK_OK(wire_feed(&l, LIST));
  assert_sent(l, "HTTP/1.1 204 No Content\r\n");
  assert_null(strstr(wire_sent(&l), "Content-Length"));
done:
  wire_close(&l);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_response_is_sent_and_the_connection_stays_open),
      TEST(bytes_come_one_by_one),
      TEST(responses_are_sent_in_the_order_of_requests),
      TEST(every_method_meets_the_api),
      TEST(connections_are_closed_when_asked_for),
      TEST(a_client_that_expects_continue_gets_it),
      TEST(faults_delay_and_cut_responses),
      TEST(a_response_without_content_has_no_length),
  };
  return HARNESS_RUN(tests);
}
