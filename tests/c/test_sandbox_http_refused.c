/* The sandbox's connections: requests, hosts and pages that are refused, and time limits. */
#include "sandbox_wire.h"

/* ---- what is refused --------------------------------------------------------------------------------------------- */

#define HOST "Host: localhost\r\n"

static const struct {
  const char *request;
  int status;
  const char *message;
} refused[] = {
    {"GET / HTTP/1.1\nHost: localhost\n\n", 400, "does not end with CRLF"},
    {"\n", 400, "does not end with CRLF"},
    {"GET /\r HTTP/1.1\r\n" HOST "\r\n", 400, "does not end with CRLF"},
    {"GET /\r\n\r\n", 400, "no HTTP version"},
    {"GET\r\n\r\n", 400, "not a path"},
    {" / HTTP/1.1\r\n" HOST "\r\n", 400, "no method"},
    {"G(T / HTTP/1.1\r\n" HOST "\r\n", 400, "no method"},
    {"GET  HTTP/1.1\r\n" HOST "\r\n", 400, "not a path"},
    {"GET http://localhost/ HTTP/1.1\r\n" HOST "\r\n", 400, "not a path"},
    {"GET /\x7F HTTP/1.1\r\n" HOST "\r\n", 400, "not a path"},
    {"GET /\xC3\xA4 HTTP/1.1\r\n" HOST "\r\n", 400, "not a path"},
    {"GET / HTTP/1.1 \r\n" HOST "\r\n", 505, "neither 1.0 nor 1.1"},
    {"GET / x HTTP/1.1\r\n" HOST "\r\n", 400, "no HTTP version"},
    {"GET / HTTP/2.0\r\n" HOST "\r\n", 505, "neither 1.0 nor 1.1"},
    {"GET / HTTP/1.1\r\n" HOST "A\r\n\r\n", 400, "header is malformed"},
    {"GET / HTTP/1.1\r\n" HOST "A : b\r\n\r\n", 400, "header is malformed"},
    {"GET / HTTP/1.1\r\n" HOST ": b\r\n\r\n", 400, "header is malformed"},
    {"GET / HTTP/1.1\r\n" HOST "A: b\r\n c\r\n\r\n", 400, "header is malformed"},
    {"GET / HTTP/1.1\r\n" HOST "A: \x01\r\n\r\n", 400, "header is malformed"},
    {"GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n", 400, "header is malformed"},
    {"GET / HTTP/1.1\r\n" HOST "A: \x7F\r\n\r\n", 400, "header is malformed"},
    {"GET / HTTP/1.1\r\n" HOST HOST "\r\n", 400, "sent twice"},
    {"GET / HTTP/1.1\r\n" HOST "Origin: http://localhost\r\nOrigin: http://localhost\r\n\r\n", 400, "sent twice"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", 400, "Content-Length is sent twice"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
     "must not be sent together"},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nContent-Length:\r\n\r\n", 400,
     "must not be sent together"},
    {"POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 411, "needs a Content-Length"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: -5\r\n\r\n", 400, "not a number of bytes"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\n", 400, "not a number of bytes"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 5,5\r\n\r\n", 400, "not a number of bytes"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 0x5\r\n\r\n", 400, "not a number of bytes"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n", 400, "not a number of bytes"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 18446744073709551617\r\n\r\n", 400, "not a number of bytes"},
    {"POST / HTTP/1.1\r\n" HOST "Content-Length: 4194305\r\n\r\n", 413, "body is too large"},
    {"GET / HTTP/1.1\r\n\r\n", 400, "no Host header"},
    {"GET / HTTP/1.0\r\n\r\n", 400, "no Host header"},
    {"GET / HTTP/1.1\r\nHost:\r\n\r\n", 400, "no Host header"},
};

static void requests_that_readers_may_read_differently_are_refused(void **state) {
  (void)state;
  wire l = {0};
  char status[32];
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
    CHECK_OK(wire_feed(&l, refused[i].request));
    snprintf(status, sizeof status, "HTTP/1.1 %d ", refused[i].status);
    assert_sent(l, status);
    assert_sent(l, refused[i].message);
    assert_sent(l, "{\"error\":{\"code\":\"");
    assert_sent(l, "\r\nConnection: close\r\n");
    CHECK_OK(wire_next(&l));
    assert_true(l.step.kind == PRIVY_SANDBOX_READ && l.step.idle);
    CHECK_OK(wire_feed(&l, LIST)); /* what comes afterwards is not read */
    assert_int_equal(l.step.kind, PRIVY_SANDBOX_READ);
    assert_int_equal(privy_sandbox_count(l.sandbox).requests, 0);
    wire_close(&l);
    l = (wire){0};
  }
done:
  wire_close(&l);
}

static void nuls_are_refused(void **state) {
  static const char request[] = "GET / HTTP/1.1\r\nHost: localhost\r\nA: \0\r\n\r\n";
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(privy_sandbox_connection_feed(l.connection, request, sizeof request - 1));
  CHECK_OK(wire_next(&l));
  assert_sent(l, "The request contains a NUL byte.");
done:
  wire_close(&l);
}

static void a_refusal_after_head_has_a_body(void **state) {
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(wire_feed(&l, "HEAD / HTTP/1.1\r\n" HOST "\r\nGET\n"));
  assert_sent(l, "HTTP/1.1 401 Unauthorized\r\n");
  CHECK_OK(wire_next(&l));
  assert_sent(l, "\r\n\r\n{\"error\":{\"code\":\"bad_request\"");
done:
  wire_close(&l);
}

static void what_follows_a_refusal_takes_no_memory(void **state) {
  (void)state;
  wire l = {0};
  assert_int_equal(wire_open(&l, "127.0.0.1", NULL), PRIVY_OK);
  assert_int_equal(wire_feed(&l, "\n"), PRIVY_OK);
  assert_sent(l, "HTTP/1.1 400 ");
  privy_memory_fail_at(1);
  for (int i = 0; i < 100; i++) assert_int_equal(wire_feed(&l, LIST LIST LIST LIST), PRIVY_OK);
  assert_false(privy_memory_failed());
  privy_memory_fail_at(0);
  wire_close(&l);
}

static void heads_are_bounded(void **state) {
  (void)state;
  wire l = {0};
  size_t sent = 0;
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(wire_feed(&l, "GET / HTTP/1.1\r\n" HOST));
  while (l.step.kind == PRIVY_SANDBOX_READ && sent < 1 << 20) {
    CHECK_OK(wire_feed(&l, "X-Long: 0123456789012345678901234567890123456789012345678901234567890123456789\r\n"));
    sent += 80;
  }
  assert_sent(l, "HTTP/1.1 431 Request Header Fields Too Large\r\n");
  assert_in_range(sent, (32 << 10) - 160, (32 << 10) + 160);
done:
  wire_close(&l);
}

/* ---- hosts and web pages ----------------------------------------------------------------------------------------- */

static const struct {
  const char *listens_on, *allowed, *headers;
  int status; /* 401: the request reached the sandbox */
} visitors[] = {
    {"127.0.0.1", NULL, "Host: 127.0.0.1:8089\r\n", 401},
    {"127.0.0.1", NULL, "Host: LOCALHOST:1\r\n", 401},
    {"127.0.0.1", NULL, "Host: [::1]:8089\r\n", 401},
    {"127.0.0.1", NULL, "Host: [::1]\r\n", 401},
    {NULL, NULL, "Host: localhost\r\n", 401},
    {"127.0.0.1", NULL, "Host: evil.example\r\n", 421},
    {"127.0.0.1", NULL, "Host: localhost.evil.example\r\n", 421},
    {"127.0.0.1", NULL, "Host: 127.0.0.1.evil.example\r\n", 421},
    {"127.0.0.1", NULL, "Host: 10.1.2.3\r\n", 421},
    {"127.0.0.1", NULL, "Host: 127.0.0.1:80x\r\n", 421},
    {"127.0.0.1", NULL, "Host: [::1]x\r\n", 421},
    {"127.0.0.1", NULL, "Host: [::1\r\n", 421},
    {"127.0.0.1", NULL, "Host: user@localhost\r\n", 421},
    {"127.0.0.1", NULL, "Host: :80\r\n", 421},
    {"127.0.0.1", "privy shop.test", "Host: privy:8089\r\n", 401},
    {"127.0.0.1", "privy shop.test", "Host: Shop.Test\r\n", 401},
    {"127.0.0.1", "privy shop.test", "Host: shop\r\n", 421},
    {"127.0.0.1", "privy shop.test", "Host: priv\r\n", 421},
    {"0.0.0.0", NULL, "Host: 10.1.2.3:8089\r\n", 401},
    {"0.0.0.0", NULL, "Host: [fe80::1]:8089\r\n", 401},
    {"0.0.0.0", NULL, "Host: privy\r\n", 421},
    {"", NULL, "Host: :80\r\n", 421},
    {"", NULL, "Host: 10.1.2.3\r\n", 401},
    {"box.lan", NULL, "Host: box.lan:8089\r\n", 401},
    {"box.lan", NULL, "Host: box\r\n", 421},
    {"127.0.0.1", NULL, HOST "Origin: http://localhost:3000\r\n", 401},
    {"127.0.0.1", NULL, HOST "Origin: https://127.0.0.1\r\nSec-Fetch-Site: cross-site\r\n", 401},
    {"127.0.0.1", NULL, HOST "Origin: https://evil.example\r\n", 403},
    {"127.0.0.1", NULL, HOST "Origin: http://10.1.2.3\r\n", 403},
    {"127.0.0.1", NULL, HOST "Origin: http://localhost.evil.example\r\n", 403},
    {"127.0.0.1", NULL, HOST "Origin: null\r\n", 403},
    {"127.0.0.1", NULL, HOST "Origin:\r\n", 403},
    {"127.0.0.1", NULL, HOST "Origin: http://\r\n", 403},
    {"127.0.0.1", NULL, HOST "Origin: file://localhost\r\n", 403},
    {"127.0.0.1", NULL, HOST "Sec-Fetch-Site: cross-site\r\n", 403},
    {"127.0.0.1", NULL, HOST "Sec-Fetch-Site: same-origin\r\n", 401},
    {"127.0.0.1", "shop.test", HOST "Origin: https://shop.test:444\r\n", 401},
    {"0.0.0.0", NULL, "Host: 10.1.2.3:8089\r\nOrigin: http://10.1.2.3:8089\r\n", 401},
    {"0.0.0.0", NULL, "Host: 10.1.2.3:8089\r\nOrigin: http://10.1.2.3:80\r\n", 403},
};

static void other_hosts_and_their_pages_are_refused(void **state) {
  (void)state;
  wire l = {0};
  char text[300];
  for (size_t i = 0; i < sizeof visitors / sizeof *visitors; i++) {
    CHECK_OK(wire_open(&l, visitors[i].listens_on, visitors[i].allowed));
    snprintf(text, sizeof text, "GET /v1/contacts HTTP/1.1\r\n%s\r\n", visitors[i].headers);
    CHECK_OK(wire_feed(&l, text));
    snprintf(text, sizeof text, "HTTP/1.1 %d ", visitors[i].status);
    if (!strstr(wire_sent(&l), text)) print_error("visitor %zu: %s", i, visitors[i].headers);
    assert_sent(l, text);
    assert_int_equal(privy_sandbox_count(l.sandbox).requests, visitors[i].status == 401);
    wire_close(&l);
    l = (wire){0};
  }
done:
  wire_close(&l);
}

static void a_preflight_of_another_page_is_refused(void **state) {
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(wire_feed(&l, "OPTIONS /v1/contacts HTTP/1.1\r\n" HOST "Origin: https://evil.example\r\n"
                         "Access-Control-Request-Method: POST\r\n\r\n"));
  assert_sent(l, "HTTP/1.1 403 Forbidden\r\n");
  assert_sent(l, "\"code\":\"foreign_origin\"");
  assert_null(strstr(wire_sent(&l), "Access-Control"));
done:
  wire_close(&l);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static void an_idle_connection_is_closed_in_time(void **state) {
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(wire_next(&l));
  assert_true(l.step.until == 1060);
  l.now = 1059;
  CHECK_OK(wire_feed(&l, "\r\n")); /* empty lines do not prolong it */
  assert_true(l.step.kind == PRIVY_SANDBOX_READ && l.step.idle && l.step.until == 1060);
  l.now = 1060;
  CHECK_OK(wire_next(&l));
  assert_int_equal(l.step.kind, PRIVY_SANDBOX_CLOSE);
done:
  wire_close(&l);
}

static void a_head_that_trickles_in_is_refused(void **state) {
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(wire_next(&l));
  l.now = 1050;
  CHECK_OK(wire_feed(&l, "GET / HTTP/1.1\r\n"));
  assert_true(l.step.kind == PRIVY_SANDBOX_READ && !l.step.idle && l.step.until == 1060);
  for (l.now = 1051; l.now < 1060; l.now++) {
    CHECK_OK(wire_feed(&l, "X: y\r\n"));
    assert_true(l.step.kind == PRIVY_SANDBOX_READ && l.step.until == 1060);
  }
  CHECK_OK(wire_next(&l));
  assert_sent(l, "HTTP/1.1 408 Request Timeout\r\n");
  assert_sent(l, "\"code\":\"request_timeout\"");
  CHECK_OK(wire_next(&l));
  assert_true(l.step.kind == PRIVY_SANDBOX_READ && l.step.idle && l.step.until == 1062);
  l.now = 1062;
  CHECK_OK(wire_next(&l));
  assert_int_equal(l.step.kind, PRIVY_SANDBOX_CLOSE);
  CHECK_OK(wire_feed(&l, LIST));
  assert_int_equal(l.step.kind, PRIVY_SANDBOX_CLOSE);
done:
  wire_close(&l);
}

static void a_body_that_trickles_in_is_refused(void **state) {
  (void)state;
  wire l = {0};
  CHECK_OK(wire_open(&l, "127.0.0.1", NULL));
  CHECK_OK(wire_feed(&l, "POST / HTTP/1.1\r\n" HOST "Content-Length: 1000\r\n\r\n"));
  assert_true(l.step.kind == PRIVY_SANDBOX_READ && !l.step.idle && l.step.until == 1030);
  l.now = 1029;
  CHECK_OK(wire_feed(&l, "x"));
  assert_true(l.step.kind == PRIVY_SANDBOX_READ && l.step.until == 1030);
  l.now = 1030;
  CHECK_OK(wire_next(&l));
  assert_sent(l, "HTTP/1.1 408 ");
  assert_int_equal(privy_sandbox_count(l.sandbox).requests, 0);
done:
  wire_close(&l);
}

static void the_response_of_a_busy_server_is_complete(void **state) {
  unsigned length;
  (void)state;
  assert_int_equal(sscanf(strstr(PRIVY_SANDBOX_BUSY, "Content-Length: "), "Content-Length: %u", &length), 1);
  assert_int_equal(strlen(strstr(PRIVY_SANDBOX_BUSY, "\r\n\r\n") + 4), length);
}

static void what_other_machines_can_reach(void **state) {
  (void)state;
  assert_true(privy_host_is_local("127.0.0.1") && privy_host_is_local("localhost") && privy_host_is_local("::1"));
  assert_false(privy_host_is_local("0.0.0.0") || privy_host_is_local("::") || privy_host_is_local("") ||
               privy_host_is_local("box.lan") || privy_host_is_local("10.1.2.3"));
}

int main(void) {
  static harness_test tests[] = {
      TEST(requests_that_readers_may_read_differently_are_refused),
      TEST(nuls_are_refused),
      TEST(a_refusal_after_head_has_a_body),
      TEST_UNSWEPT(what_follows_a_refusal_takes_no_memory),
      TEST(heads_are_bounded),
      TEST(other_hosts_and_their_pages_are_refused),
      TEST(a_preflight_of_another_page_is_refused),
      TEST(an_idle_connection_is_closed_in_time),
      TEST(a_head_that_trickles_in_is_refused),
      TEST(a_body_that_trickles_in_is_refused),
      TEST(the_response_of_a_busy_server_is_complete),
      TEST(what_other_machines_can_reach),
  };
  return HARNESS_RUN(tests);
}
