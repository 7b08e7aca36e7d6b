/*
 * A kept connection that is closed after libcurl's check and before the request is sent. A server cannot time that,
 * so the tests replace the result of the core's own check.
 */
#define _POSIX_C_SOURCE 200809L

#include "http_scene.h"

/* The number of checks that find the connection closed. */
static int ended;

/* The core's check peeks; the server of the test does not. libcurl does not use this function.
 */
ssize_t recv(int socket, void *data, size_t length, int flags) {
  if (flags & MSG_PEEK && ended > 0) {
    ended--;
    return 0;
  }
  return recvfrom(socket, data, length, flags, NULL, NULL);
}

static const http_reply page[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};

/* A POST without a key is not lost either: nothing was sent. */
static void nothing_is_sent_on_a_stale_connection(void **state) {
  (void)state;
  scene s;
  scene_open(&s, SERVE(page));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  forget(&s);
  ended = 1;
  CHECK_OK(call_raw(s.client, "POST", "/things", "{}", &s.response, &s.error));
  assert_int_equal(ended, 0);
  assert_counts(&s, 2, 2);
  forget(&s);
  CHECK_OK(call_raw(s.client, "POST", "/things", "{}", &s.response, &s.error));
  assert_counts(&s, 2, 3); /* the new connection is kept */
done:
  ended = 0;
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {TEST(nothing_is_sent_on_a_stale_connection)};
  return HARNESS_RUN(tests);
}
