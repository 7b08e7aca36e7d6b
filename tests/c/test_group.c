/* Many calls at once with real sockets: driven by waiting or by an event loop, cancelled, in the child of a fork. */
#define _POSIX_C_SOURCE 200809L

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "http_scene.h"

#define MANY 200

static const http_reply echo[] = {{HTTP_ECHO, "", 0}};
static const http_reply stall_then_answer[] = {{HTTP_STALL, "", 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};

static privy_status start_numbered(privy_group *group, uint64_t id, privy_error *error) {
  char path[32];
  privy_request *request = NULL;
  snprintf(path, sizeof path, "/number/%d", (int)id);
  privy_status status = privy_request_new_raw(TEXT("GET"), TEXT(path), &request);
  if (status != PRIVY_OK) return status;
  status = privy_request_finish(request, error);
  if (status == PRIVY_OK) return privy_group_start(group, request, NULL, id, error);
  privy_request_free(request);
  return status;
}

/* Takes all completions, each of which must be that of its own request; false if memory ran out in one. */
static bool take_all(privy_group *group, bool seen[MANY]) {
  privy_completion completion;
  char wanted[64];
  bool complete = true;
  while (privy_group_next_completed(group, &completion)) {
    size_t length = 0;
    complete = complete && completion.status != PRIVY_NO_MEMORY;
    if (completion.status != PRIVY_NO_MEMORY) {
      assert_int_equal(completion.status, PRIVY_OK);
      snprintf(wanted, sizeof wanted, "/number/%d\"", (int)completion.id);
      assert_non_null(strstr(privy_response_body(completion.response, &length), wanted));
      assert_false(seen[completion.id]);
      seen[completion.id] = true;
    }
    privy_completion_clear(&completion);
  }
  return complete;
}

static void assert_all(const bool seen[MANY], size_t count) {
  for (size_t i = 0; i < count; i++) assert_true(seen[i]);
}

static void each_thread_receives_the_response_to_its_request(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  bool seen[MANY] = {false};
  const size_t many = harness_rounds(MANY, 3);
  scene_open(&s, SERVE(echo));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  uint64_t started = 0;
  while (started < many || privy_group_count(group) > 0) {
    while (started < many && privy_group_count(group) < 8) CHECK_OK(start_numbered(group, started++, &s.error));
    privy_group_wait(group, 1);
    CHECK_MEMORY(take_all(group, seen));
  }
  assert_all(seen, many);
done:
  privy_group_free(group);
  scene_close(&s);
}

/* Polls send at once and receive in time, without a wait in between. */
static void polls_drive_a_group(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  bool seen[MANY] = {false};
  const struct timespec moment = {0, 200000};
  const size_t many = harness_rounds(MANY, 3);
  scene_open(&s, SERVE(echo));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  uint64_t started = 0;
  for (int turns = 0; started < many || privy_group_count(group) > 0; turns++) {
    assert_true(turns < 100000);
    if (started < many && privy_group_count(group) < 8) CHECK_OK(start_numbered(group, started++, &s.error));
    privy_group_poll(group);
    if (turns % 8 == 7) nanosleep(&moment, NULL);
    CHECK_MEMORY(take_all(group, seen));
  }
  assert_all(seen, many);
done:
  privy_group_free(group);
  scene_close(&s);
}

/* ---- an event loop ---- */

typedef struct loop {
  struct pollfd sockets[64];
  size_t count;
} loop;

static void watch(void *context, int socket, int events) {
  loop *watched = context;
  size_t i = 0;
  while (i < watched->count && watched->sockets[i].fd != socket) i++;
  if (events == 0) {
    if (i < watched->count) watched->sockets[i] = watched->sockets[--watched->count];
    return;
  }
  if (i == watched->count) watched->count++;
  short wanted = (short)((events & PRIVY_SOCKET_READ ? POLLIN : 0) | (events & PRIVY_SOCKET_WRITE ? POLLOUT : 0));
  watched->sockets[i] = (struct pollfd){.fd = socket, .events = wanted};
}

static void turn(loop *watched, privy_group *group) {
  double due = privy_group_timeout(group);
  int ready = poll(watched->sockets, (nfds_t)watched->count, due < 0 ? 1000 : (int)(due * 1000) + (due > 0));
  struct pollfd now[64];
  size_t count = watched->count;
  memcpy(now, watched->sockets, sizeof now);
  if (ready == 0 || privy_group_timeout(group) == 0)
    privy_group_socket_action(group, -1, 0); /* some loops handle timers first */
  for (size_t i = 0; ready > 0 && i < count; i++) {
    int events = (now[i].revents & (POLLIN | POLLHUP | POLLERR) ? PRIVY_SOCKET_READ : 0) |
                 (now[i].revents & POLLOUT ? PRIVY_SOCKET_WRITE : 0);
    if (events) privy_group_socket_action(group, now[i].fd, events);
  }
}

static void an_event_loop_drives_a_group(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  bool seen[MANY] = {false};
  loop watched = {.count = 0};
  const size_t many = harness_rounds(MANY, 3);
  scene_open(&s, SERVE(echo));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  privy_group_set_socket_callback(group, watch, &watched);
  uint64_t started = 0;
  for (int turns = 0; started < many || privy_group_count(group) > 0; turns++) {
    assert_true(turns < 100000);
    while (started < many && privy_group_count(group) < 8) CHECK_OK(start_numbered(group, started++, &s.error));
    turn(&watched, group);
    CHECK_MEMORY(take_all(group, seen));
  }
  assert_all(seen, many);
done:
  privy_group_free(group);
  scene_close(&s);
}

/* ---- stopping ---- */

static bool was_asked(const scene *s) {
  int accepted;
  size_t asked;
  http_counts(s->server, &accepted, &asked);
  return asked > 0;
}

static void a_cancelled_call_leaves_nothing_behind(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  privy_completion completion = {0};
  scene_open(&s, SERVE(stall_then_answer));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  CHECK_OK(start_numbered(group, 1, &s.error));
  for (int i = 0; i < 3000 && !was_asked(&s) && !privy_group_next_completed(group, &completion); i++)
    privy_group_wait(group, 0.02);
  CHECK_MEMORY(completion.id == 0);
  assert_true(privy_group_cancel(group, 1));
  assert_false(privy_group_cancel(group, 1));
  assert_int_equal(privy_group_count(group), 0);
  CHECK_OK(start_numbered(group, 2, &s.error));
  while (!privy_group_next_completed(group, &completion)) privy_group_wait(group, 1);
  assert_int_equal(completion.id, 2);
  CHECK_OK(completion.status);
  assert_counts(&s, 2, 2);
done:
  privy_completion_clear(&completion);
  privy_group_free(group);
  scene_close(&s);
}

/* ---- time without a driver ---- */

#define SHORT 0.2
#define LONGER 1.5 /* enough for a server to respond */

static privy_status start_timed(privy_group *group, double timeout, privy_error *error) {
  const privy_options options = {
      .timeout = timeout, .connect_timeout = timeout, .given = PRIVY_GIVEN(TIMEOUT) | PRIVY_GIVEN(CONNECT_TIMEOUT)};
  privy_request *request = NULL;
  privy_status status = ask_for("contacts.list", "{}", &request, error);
  if (status == PRIVY_OK) return privy_group_start(group, request, &options, 1, error);
  privy_request_free(request);
  return status;
}

/* Waits for longer than the timeout. */
static void be_elsewhere(double timeout) {
  const double until = privy_monotonic() + timeout * 1.5;
  while (!harness_sweeping() && privy_monotonic() < until) nanosleep(&(struct timespec){0, 10 * 1000 * 1000}, NULL);
}

static const http_reply page[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};

static void time_without_a_driver_is_no_timeout(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  privy_completion completion = {0};
  scene_open(&s, SERVE(page));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  CHECK_OK(start_timed(group, LONGER, &s.error));
  privy_group_wait(group, 0);
  be_elsewhere(LONGER);
  for (int turns = 0; turns < 500 && !privy_group_next_completed(group, &completion); turns++)
    privy_group_wait(group, 0.05);
  assert_int_equal(completion.id, 1);
  CHECK_OK(completion.status);
  assert_counts(&s, 1, 2);
done:
  privy_completion_clear(&completion);
  privy_group_free(group);
  scene_close(&s);
}

static void a_blocked_event_loop_is_no_timeout(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  privy_completion completion = {0};
  loop watched = {.count = 0};
  scene_open(&s, SERVE(page));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  privy_group_set_socket_callback(group, watch, &watched);
  CHECK_OK(start_timed(group, LONGER, &s.error));
  for (int turns = 0; turns < 3; turns++) privy_group_socket_action(group, -1, 0);
  be_elsewhere(LONGER);
  for (int turns = 0; turns < 500 && !privy_group_next_completed(group, &completion); turns++) turn(&watched, group);
  assert_int_equal(completion.id, 1);
  CHECK_OK(completion.status);
  assert_counts(&s, 1, 2);
done:
  privy_completion_clear(&completion);
  privy_group_free(group);
  scene_close(&s);
}

static void an_event_loop_still_times_out(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  privy_completion completion = {0};
  loop watched = {.count = 0};
  scene_open(&s, SERVE(stall_then_answer));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  privy_group_set_socket_callback(group, watch, &watched);
  CHECK_OK(start_timed(group, SHORT, &s.error));
  const double before = privy_monotonic();
  for (int turns = 0; turns < 100 && !privy_group_next_completed(group, &completion); turns++) turn(&watched, group);
  CHECK_STATUS(completion.status, PRIVY_TIMEOUT);
  assert_true(privy_monotonic() - before < 15);
done:
  privy_completion_clear(&completion);
  privy_group_free(group);
  scene_close(&s);
}

/* Drives the group until the call has completed; false if it does not. */
static bool ends_in_a_loop(loop *watched, privy_group *group, privy_completion *completion) {
  for (int turns = 0; turns < 20; turns++) {
    if (privy_group_next_completed(group, completion)) return true;
    turn(watched, group);
  }
  return false;
}

/* libcurl's timers expired while the loop was late, and it sets no timer for the extended timeout. */
static void a_late_event_loop_still_times_out(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  privy_completion completion = {0};
  loop watched = {.count = 0};
  scene_open(&s, SERVE(stall_then_answer));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  privy_group_set_socket_callback(group, watch, &watched);
  CHECK_OK(start_timed(group, SHORT, &s.error));
  for (int turns = 0; turns < 3; turns++) privy_group_socket_action(group, -1, 0);
  be_elsewhere(SHORT);
  CHECK_MEMORY(ends_in_a_loop(&watched, group, &completion));
  CHECK_STATUS(completion.status, PRIVY_TIMEOUT);
done:
  privy_completion_clear(&completion);
  privy_group_free(group);
  scene_close(&s);
}

static void a_late_event_loop_still_gives_up_a_handshake(void **state) {
  (void)state;
  char url[64];
  scene s;
  privy_group *group = NULL;
  privy_completion completion = {0};
  loop watched = {.count = 0};
  scene_open(&s, SERVE(stall_then_answer));
  snprintf(url, sizeof url, "https://127.0.0.1:%d/v1", s.server->port);
  s.config.token = "t";
  s.config.base_url = url;
  s.config.options.connect_timeout = 0.2;
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  privy_group_set_socket_callback(group, watch, &watched);
  CHECK_OK(start_numbered(group, 1, &s.error));
  const double before = privy_monotonic();
  for (int turns = 0; turns < 3; turns++) privy_group_socket_action(group, -1, 0);
  be_elsewhere(SHORT);
  CHECK_MEMORY(ends_in_a_loop(&watched, group, &completion));
  CHECK_STATUS(completion.status, PRIVY_TIMEOUT);
  assert_true(privy_monotonic() - before < 15); /* the timeout is 30 */
done:
  privy_completion_clear(&completion);
  privy_group_free(group);
  scene_close(&s);
}

/* ---- connections ---- */

static void groups_hand_their_connections_on(void **state) {
  (void)state;
  scene s;
  privy_group *group = NULL;
  privy_completion completion = {0};
  scene_open(&s, SERVE(page));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  for (int round = 0; round < 3; round++) {
    CHECK_OK(privy_group_new(s.client, &group, &s.error));
    CHECK_OK(start_timed(group, SHORT, &s.error));
    while (!privy_group_next_completed(group, &completion)) privy_group_wait(group, 1);
    CHECK_OK(completion.status);
    privy_completion_clear(&completion);
    privy_group_free(group);
    group = NULL;
  }
  assert_counts(&s, 1, 3);
done:
  privy_completion_clear(&completion);
  privy_group_free(group);
  scene_close(&s);
}

/* ---- fork ---- */

static void parent_and_child_use_separate_connections(void **state) {
  (void)state;
  scene s;
  int ends[2];
  char right = 0;
  assert_int_equal(pipe(ends), 0);
  scene_open(&s, SERVE(page));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  forget(&s);
  assert_counts(&s, 1, 1);
  pid_t child = fork();
  if (child == 0) {
    privy_memory_fail_at(0);
    right = call(s.client, "contacts.list", "{}", &s.response, &s.error) == PRIVY_OK;
    if (write(ends[1], &right, 1) == 1) harness_end_child();
  }
  assert_int_equal(read(ends[0], &right, 1), 1);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_true(right);
  assert_counts(&s, 2, 2);
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  assert_counts(&s, 2, 3);
done:
  close(ends[0]);
  close(ends[1]);
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(each_thread_receives_the_response_to_its_request),
      TEST(polls_drive_a_group),
      TEST(an_event_loop_drives_a_group),
      TEST(a_cancelled_call_leaves_nothing_behind),
      TEST(time_without_a_driver_is_no_timeout),
      TEST(a_blocked_event_loop_is_no_timeout),
      TEST(an_event_loop_still_times_out),
      TEST(a_late_event_loop_still_times_out),
      TEST(a_late_event_loop_still_gives_up_a_handshake),
      TEST(groups_hand_their_connections_on),
      TEST(parent_and_child_use_separate_connections),
  };
  return HARNESS_RUN(tests);
}
