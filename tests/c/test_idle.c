/* The idle connections of a client: how many it keeps, for how long, and none that the server has closed. */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "client/client.h"
#include "http_scene.h"

#define BURST 200
#define KEPT 16
#define CLOSED_BY_SERVER 3

static int count_descriptors(void) {
  int count = 0;
  for (int descriptor = 0; descriptor < 4096; descriptor++) count += fcntl(descriptor, F_GETFD) >= 0;
  return count;
}

/* Makes one call in the group. */
static privy_status call_by(privy_group *group, privy_error *error) {
  privy_completion completion;
  privy_request *request = NULL;
  privy_status status = ask_for("contacts.list", "{}", &request, error);
  if (status != PRIVY_OK) {
    privy_request_free(request);
    return status;
  }
  status = privy_group_start(group, request, NULL, 0, error);
  if (status != PRIVY_OK) return status;
  while (!privy_group_next_completed(group, &completion)) privy_group_wait(group, 1);
  status = completion.status;
  privy_completion_clear(&completion);
  return status;
}

/* Creates `count` groups, each with a connection. */
static privy_status open_groups(scene *s, privy_group **groups, size_t count) {
  privy_status status = PRIVY_OK;
  for (size_t i = 0; i < count && status == PRIVY_OK; i++) {
    status = privy_group_new(s->client, &groups[i], &s->error);
    if (status == PRIVY_OK) status = call_by(groups[i], &s->error);
  }
  return status;
}

static void free_groups(privy_group **groups, size_t count) {
  for (size_t i = 0; i < count; i++) {
    privy_group_free(groups[i]);
    groups[i] = NULL;
  }
}

/* The next call checks the idle connections, even within the interval. */
static void forget_last_check(scene *s) {
  s->client->pool.checked_at = -PRIVY_POOL_CHECK_INTERVAL;
}

static void a_burst_leaves_few_idle_connections(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  const size_t count = harness_rounds(BURST, 2), kept = count < KEPT ? count : KEPT;
  privy_group *groups[BURST] = {NULL};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(open_groups(&s, groups, count));
  assert_counts(&s, (int)count, count);
  const int peak = count_descriptors();
  free_groups(groups, count);
  assert_int_equal(s.client->pool.count, kept);
  assert_true(http_has_closed(s.server, (int)(count - kept)));
  /* Each one that was freed had a connection and at least one descriptor for wakeups. */
  assert_true(peak - count_descriptors() >= (int)(2 * (count - kept)));
done:
  free_groups(groups, BURST);
  scene_close(&s);
}

static void the_next_call_closes_what_the_server_has_closed(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_CLOSE, EMPTY_PAGE, 0},
                                       {HTTP_CLOSE, EMPTY_PAGE, 0},
                                       {HTTP_CLOSE, EMPTY_PAGE, 0},
                                       {HTTP_ANSWER, EMPTY_PAGE, 0}};
  privy_group *groups[CLOSED_BY_SERVER] = {NULL};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(open_groups(&s, groups, CLOSED_BY_SERVER));
  free_groups(groups, CLOSED_BY_SERVER);
  assert_int_equal(s.client->pool.count, CLOSED_BY_SERVER);
  assert_true(http_has_closed(s.server, CLOSED_BY_SERVER));
  const int before = count_descriptors();
  forget_last_check(&s);
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  assert_int_equal(s.client->pool.count, 1);
  /* The new call opened one connection, at both ends. */
  assert_true(before - count_descriptors() >= 2 * (CLOSED_BY_SERVER - 1) - 1);
done:
  free_groups(groups, CLOSED_BY_SERVER);
  scene_close(&s);
}

static void open_connections_are_kept(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  privy_group *groups[CLOSED_BY_SERVER] = {NULL};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(open_groups(&s, groups, CLOSED_BY_SERVER));
  free_groups(groups, CLOSED_BY_SERVER);
  forget_last_check(&s);
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  assert_int_equal(s.client->pool.count, CLOSED_BY_SERVER);
  assert_counts(&s, CLOSED_BY_SERVER, CLOSED_BY_SERVER + 1);
done:
  free_groups(groups, CLOSED_BY_SERVER);
  scene_close(&s);
}

static void connections_that_were_idle_for_a_minute_are_closed(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  privy_group *groups[CLOSED_BY_SERVER] = {NULL};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(open_groups(&s, groups, CLOSED_BY_SERVER));
  free_groups(groups, CLOSED_BY_SERVER);
  privy_pool *pool = &s.client->pool;
  privy_engine *used_last = pool->idle[pool->count - 1].engine;
  for (size_t i = 0; i < pool->count; i++) pool->idle[i].since -= pool->idle[i].engine == used_last ? 50 : 61;
  forget_last_check(&s);
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  assert_int_equal(pool->count, 1);
  assert_ptr_equal(pool->idle[0].engine, used_last);
  assert_true(http_has_closed(s.server, CLOSED_BY_SERVER - 1));
  assert_counts(&s, CLOSED_BY_SERVER, CLOSED_BY_SERVER + 1);
done:
  free_groups(groups, CLOSED_BY_SERVER);
  scene_close(&s);
}

/* ---- the child of a fork ---- */

/* Whether a descriptor is a connection to the port. */
static bool leads_to(int descriptor, int port) {
  struct sockaddr_in address = {0};
  socklen_t length = sizeof address;
  return getpeername(descriptor, (struct sockaddr *)&address, &length) == 0 && address.sin_family == AF_INET &&
         ntohs(address.sin_port) == port;
}

static int count_connections(int port) {
  int count = 0;
  for (int descriptor = 0; descriptor < 4096; descriptor++) count += leads_to(descriptor, port);
  return count;
}

/* In the child: 0 if only the connection of its own call is open. A descriptor that was closed and reused
 * must stay open. */
static int use_in_child(scene *s) {
  int first = 0;
  while (!leads_to(first, s->server->port)) first++;
  const int other = open("/dev/null", O_RDONLY);
  dup2(other, first);
  if (call(s->client, "contacts.list", "{}", &s->response, &s->error) != PRIVY_OK) return 2;
  return count_connections(s->server->port) == 1 && fcntl(first, F_GETFD) >= 0 ? 0 : 1;
}

static void a_child_closes_its_descriptors_and_the_parent_continues(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  privy_group *groups[CLOSED_BY_SERVER] = {NULL};
  int ends[2], result = -1;
  scene s;
  assert_int_equal(pipe(ends), 0);
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(open_groups(&s, groups, CLOSED_BY_SERVER));
  free_groups(groups, CLOSED_BY_SERVER);
  const pid_t child = fork();
  if (child == 0) {
    result = use_in_child(&s);
    if (write(ends[1], &result, sizeof result) > 0) harness_end_child();
  }
  assert_int_equal(read(ends[0], &result, sizeof result), sizeof result);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_int_equal(result, 0);
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  assert_counts(&s, CLOSED_BY_SERVER + 1, CLOSED_BY_SERVER + 2);
done:
  close(ends[0]);
  close(ends[1]);
  free_groups(groups, CLOSED_BY_SERVER);
  scene_close(&s);
}

/* ---- groups driven by an event loop ---- */

typedef struct loop {
  int socket, events;
} loop;

static void on_socket(void *context, int socket, int events) {
  loop *sockets = context;
  if (events)
    *sockets = (loop){socket, events};
  else if (sockets->socket == socket)
    sockets->socket = -1;
}

static void turn(privy_group *group, loop *sockets) {
  struct pollfd ready = {.fd = sockets->socket, .events = POLLIN};
  if (sockets->events & PRIVY_SOCKET_WRITE) ready.events |= POLLOUT;
  const double due = privy_group_timeout(group);
  if (poll(&ready, 1, due < 0 || due > 0.05 ? 50 : (int)(due * 1000)) == 0 || sockets->socket < 0)
    privy_group_socket_action(group, -1, 0);
  else
    privy_group_socket_action(group, sockets->socket,
                              (ready.revents & (POLLIN | POLLHUP | POLLERR) ? PRIVY_SOCKET_READ : 0) |
                                  (ready.revents & POLLOUT ? PRIVY_SOCKET_WRITE : 0));
}

static privy_status call_in_loop(scene *s, privy_group *group, loop *sockets) {
  privy_completion completion;
  privy_request *request = NULL;
  privy_status status = ask_for("contacts.list", "{}", &request, &s->error);
  if (status != PRIVY_OK) {
    privy_request_free(request);
    return status;
  }
  privy_group_set_socket_callback(group, on_socket, sockets);
  status = privy_group_start(group, request, NULL, 0, &s->error);
  if (status != PRIVY_OK) return status;
  while (!privy_group_next_completed(group, &completion)) turn(group, sockets);
  status = completion.status;
  privy_completion_clear(&completion);
  return status;
}

/* An event loop and a blocking call use one connection in turn. */
static void connections_of_an_event_loop_are_used_by_waiting_calls(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  loop sockets = {-1, 0};
  privy_group *group = NULL;
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  for (int i = 0; i < 3; i++) {
    CHECK_OK(privy_group_new(s.client, &group, &s.error));
    CHECK_OK(call_in_loop(&s, group, &sockets));
    privy_group_free(group);
    group = NULL;
    assert_int_equal(s.client->pool.count, 1);
    CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
    forget(&s);
  }
  assert_counts(&s, 1, 6);
done:
  privy_group_free(group);
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_burst_leaves_few_idle_connections),
      TEST(the_next_call_closes_what_the_server_has_closed),
      TEST(open_connections_are_kept),
      TEST(connections_that_were_idle_for_a_minute_are_closed),
      TEST_UNSWEPT(a_child_closes_its_descriptors_and_the_parent_continues), /* allocations of the child do not fail */
      TEST(connections_of_an_event_loop_are_used_by_waiting_calls),
  };
  return HARNESS_RUN(tests);
}
