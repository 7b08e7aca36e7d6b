/* Clients in the child of a fork: calls, token requests and connections of the parent stay with the parent. */
#define _POSIX_C_SOURCE 200809L

#include <sys/wait.h>

#include "base/fork.h"
#include "base/random.h"
#include "client/group.h"
#include "http_scene.h"
#include "privy_sandbox.h"

#define TOKEN_ANSWER OK("39\r\n\r\n{\"access_token\":\"t1\",\"expires_in\":7200}")

/* Runs `use` in a child and returns its result. */
static bool in_a_child(bool (*use)(scene *s, privy_group *group), scene *s, privy_group *group) {
  int ends[2];
  char right = 0;
  assert_int_equal(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    privy_memory_fail_at(0);
    right = use(s, group);
    if (write(ends[1], &right, 1) == 1) harness_end_child();
  }
  assert_int_equal(read(ends[0], &right, 1), 1);
  assert_int_equal(waitpid(child, NULL, 0), child);
  close(ends[0]);
  close(ends[1]);
  return right;
}

static privy_status start(privy_group *group, privy_error *error) {
  privy_request *request = NULL;
  privy_status status = ask_for("contacts.list", "{}", &request, error);
  if (status == PRIVY_OK) return privy_group_start(group, request, NULL, 1, error);
  privy_request_free(request);
  return status;
}

static privy_status end_of(privy_group *group) {
  privy_completion completion;
  while (!privy_group_next_completed(group, &completion)) privy_group_wait(group, 0.05);
  privy_status status = completion.status;
  privy_completion_clear(&completion);
  return status;
}

/* ---- calls of the parent ----------------------------------------------------------------------------------------- */

/* The child frees a group of the parent with a call in flight, and makes its own call. The parent's request counts
 * neither as in flight nor as lost in the child. */
static bool frees_the_group_and_calls(scene *s, privy_group *group) {
  const int64_t in_flight = s->client->account.pacer.in_flight;
  privy_group_free(group);
  if (call(s->client, "contacts.list", "{}", &s->response, &s->error) != PRIVY_OK) return false;
  return in_flight == 1 && s->client->account.pacer.in_flight == 0;
}

static void a_call_of_the_parent_stays_with_the_parent(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_STALL, "", 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  privy_group *group = NULL;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  privy_group_observe(group, PRIVY_LEVEL_DEBUG);
  CHECK_OK(start(group, &s.error));
  size_t asked = 0;
  for (int accepted; asked == 0; http_counts(s.server, &accepted, &asked)) privy_group_wait(group, 0.02);
  assert_true(in_a_child(frees_the_group_and_calls, &s, group));
  assert_counts(&s, 2, 2);
  assert_int_equal(s.client->account.pacer.in_flight, 1);
  shutdown(s.server->connections[0].socket, SHUT_RDWR);
  CHECK_STATUS(end_of(group), PRIVY_CONNECTION); /* the parent's own call ends here */
done:
  privy_group_free(group);
  scene_close(&s);
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

/* The parent waits for the response to a token request: the child does not wait for it. */
static bool fetches_its_own(scene *s, privy_group *group) {
  (void)group;
  if (s->client->account.fetch == 0) return false;
  return call(s->client, "contacts.list", "{}", &s->response, &s->error) == PRIVY_OK &&
         s->client->account.fetch_count == 2;
}

static void a_child_does_not_wait_for_the_parent_s_token_request(void **state) {
  (void)state;
  static const http_reply replies[] = {
      {HTTP_STALL, "", 0}, {HTTP_ANSWER, TOKEN_ANSWER, 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  privy_group *group = NULL;
  scene_open(&s, SERVE(replies));
  s.config.client_id = "client";
  s.config.client_secret = "secret";
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  CHECK_OK(start(group, &s.error));
  size_t asked = 0;
  for (int accepted; asked == 0; http_counts(s.server, &accepted, &asked)) privy_group_wait(group, 0.02);
  assert_true(in_a_child(fetches_its_own, &s, group));
  assert_counts(&s, 2, 3);
done:
  privy_group_free(group);
  scene_close(&s);
}

/* The child uses the parent's token. */
static bool uses_the_token(scene *s, privy_group *group) {
  (void)group;
  return call(s->client, "contacts.list", "{}", &s->response, &s->error) == PRIVY_OK &&
         s->client->account.fetch_count == 1;
}

static void a_child_keeps_the_token(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, TOKEN_ANSWER, 0}, {HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  s.config.client_id = "client";
  s.config.client_secret = "secret";
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  forget(&s);
  assert_true(in_a_child(uses_the_token, &s, NULL));
  assert_counts(&s, 2, 3);
done:
  scene_close(&s);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

#define THREADS 4

typedef struct caller {
  pthread_t thread;
  scene *s;
  bool right;
} caller;

static void *call_once(void *context) {
  caller *c = context;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  c->right = call(c->s->client, "contacts.list", "{}", &response, &error) == PRIVY_OK;
  privy_response_release(response);
  privy_error_clear(&error);
  return NULL;
}

/* The first thread of the child that uses the client resets it, and no other thread does. */
static bool calls_from_many_threads(scene *s, privy_group *group) {
  (void)group;
  caller callers[THREADS];
  bool right = true;
  for (int i = 0; i < THREADS; i++) {
    callers[i] = (caller){.s = s};
    if (pthread_create(&callers[i].thread, NULL, call_once, &callers[i]) != 0) return false;
  }
  for (int i = 0; i < THREADS; i++) {
    pthread_join(callers[i].thread, NULL);
    right = right && callers[i].right;
  }
  return right;
}

static void the_threads_of_a_child_reset_the_client_once(void **state) {
  (void)state;
  static const http_reply replies[] = {{HTTP_ANSWER, EMPTY_PAGE, 0}};
  scene s;
  scene_open(&s, SERVE(replies));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  forget(&s);
  assert_true(in_a_child(calls_from_many_threads, &s, NULL));
  CHECK_OK(call(s.client, "contacts.list", "{}", &s.response, &s.error));
  int accepted;
  size_t asked;
  http_counts(s.server, &accepted, &asked);
  assert_int_equal(asked, THREADS + 2);
  assert_in_range(accepted, 2, THREADS + 1);
done:
  scene_close(&s);
}

/* ---- random bits ------------------------------------------------------------------------------------------------- */

/* The child draws other bits than the parent would: two events must not have the same idempotency key. */
static bool draws_other_bits(scene *s, privy_group *group) {
  (void)group;
  uint64_t seed[2] = {s->client->seed[0], s->client->seed[1]}, drawn[2];
  privy_client_check_process(s->client);
  return privy_client_draw_random(s->client, drawn) && drawn[0] != privy_random(&seed[0]) &&
         drawn[1] != privy_random(&seed[1]);
}

static void a_child_draws_other_random_bits(void **state) {
  (void)state;
  uint64_t drawn[2];
  scene s;
  scene_open(&s, NULL);
  s.config.token = "t";
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  assert_true(privy_client_draw_random(s.client, drawn));
  assert_true(in_a_child(draws_other_bits, &s, NULL));
done:
  scene_close(&s);
}

/* ---- generations ------------------------------------------------------------------------------------------------- */

static int parents_generation;

static bool has_the_next_generation(scene *s, privy_group *group) {
  (void)s;
  return privy_fork_generation() == parents_generation + 1 && !privy_group_is_own(group);
}

static void a_child_has_the_next_generation(void **state) {
  (void)state;
  privy_group *group = NULL;
  scene s;
  scene_open(&s, NULL);
  s.config.token = "t";
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  CHECK_OK(privy_group_new(s.client, &group, &s.error));
  parents_generation = privy_fork_generation();
  assert_true(in_a_child(has_the_next_generation, &s, group));
  assert_int_equal(privy_fork_generation(), parents_generation);
  assert_true(privy_group_is_own(group));
done:
  privy_group_free(group);
  scene_close(&s);
}

/* ---- sandboxes --------------------------------------------------------------------------------------------------- */

/* A fork copies an in-process sandbox. */
static bool calls_its_sandbox(scene *s, privy_group *group) {
  (void)group;
  return call(s->client, "contacts.list", "{}", &s->response, &s->error) == PRIVY_OK;
}

static void a_child_has_its_own_copy_of_a_sandbox(void **state) {
  (void)state;
  privy_sandbox *sandbox = NULL;
  scene s;
  scene_open(&s, NULL);
  CHECK_OK(privy_sandbox_new(&sandbox));
  s.config.sandbox = sandbox;
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  assert_true(in_a_child(calls_its_sandbox, &s, NULL));
  assert_int_equal(privy_sandbox_count(sandbox).requests, 0);
done:
  privy_sandbox_release(sandbox);
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(a_call_of_the_parent_stays_with_the_parent),
      TEST_UNSWEPT(a_child_does_not_wait_for_the_parent_s_token_request),
      TEST_UNSWEPT(a_child_keeps_the_token),
      TEST_UNSWEPT(the_threads_of_a_child_reset_the_client_once),
      TEST_UNSWEPT(a_child_draws_other_random_bits),
      TEST_UNSWEPT(a_child_has_the_next_generation),
      TEST_UNSWEPT(a_child_has_its_own_copy_of_a_sandbox),
  };
  return HARNESS_RUN(tests);
}
