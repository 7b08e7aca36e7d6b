/* Many threads share one client with its budget, quota, token and connections: with sockets and with a sandbox.
 */
#define _POSIX_C_SOURCE 200809L

#include <stdio.h>

#include "http_scene.h"
#include "privy_sandbox.h"

#define THREADS 32

typedef struct crew_member {
  pthread_t thread;
  privy_client *client;
  int number;
  int calls;
  int right; /* responses that match their requests */
} crew_member;

static bool asks(crew_member *worker, int round) {
  char path[64], wanted[80];
  size_t length;
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  snprintf(path, sizeof path, "/thread/%d/call/%d", worker->number, round);
  snprintf(wanted, sizeof wanted, "%s\"", path);
  bool right = call_raw(worker->client, "GET", path, NULL, &response, &error) == PRIVY_OK &&
               strstr(privy_response_body(response, &length), wanted);
  privy_response_release(response);
  privy_error_clear(&error);
  return right;
}

static void *work(void *context) {
  crew_member *worker = context;
  for (int i = 0; i < worker->calls; i++) worker->right += asks(worker, i);
  return NULL;
}

static void each_thread_receives_the_response_to_its_request(void **state) {
  (void)state;
  static const http_reply echo[] = {{HTTP_ECHO, "", 0}};
  crew_member workers[THREADS] = {{0}};
  scene s;
  scene_open(&s, SERVE(echo));
  CHECK_OK(http_client(s.server, &s.config, &s.client, &s.error));
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (crew_member){.client = s.client, .number = i, .calls = (int)harness_rounds(15, 1)};
    assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    assert_int_equal(workers[i].right, workers[i].calls);
  }
done:
  scene_close(&s);
}

/* ---- one token for all ---- */

static void *create(void *context) {
  crew_member *worker = context;
  for (int i = 0; i < worker->calls; i++) {
    char params[96];
    privy_response *response = NULL;
    privy_error error;
    privy_error_init(&error);
    snprintf(params, sizeof params, "{\"email\":\"p%d-%d@example.com\"}", worker->number, i);
    worker->right += call(worker->client, "contacts.create", params, &response, &error) == PRIVY_OK;
    privy_response_release(response);
    privy_error_clear(&error);
  }
  return NULL;
}

static void threads_share_one_token(void **state) {
  (void)state;
  crew_member workers[THREADS] = {{0}};
  scene s;
  scene_open(&s, NULL);
  CHECK_OK(privy_sandbox_new(&s.config.sandbox));
  s.config.client_id = PRIVY_SANDBOX_CLIENT_ID;
  s.config.client_secret = PRIVY_SANDBOX_CLIENT_SECRET;
  CHECK_OK(privy_client_new(&s.config, &s.client, &s.error));
  for (int i = 0; i < THREADS; i++) {
    workers[i] = (crew_member){.client = s.client, .number = i, .calls = (int)harness_rounds(20, 1)};
    assert_int_equal(pthread_create(&workers[i].thread, NULL, create, &workers[i]), 0);
  }
  uint64_t contacts = 0;
  for (int i = 0; i < THREADS; i++) {
    assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    assert_int_equal(workers[i].right, workers[i].calls);
    contacts += (uint64_t)workers[i].calls;
  }
  assert_int_equal(privy_sandbox_count(s.config.sandbox).contacts, contacts);
  assert_int_equal(privy_sandbox_count(s.config.sandbox).requests, contacts + 1);
done:
  scene_close(&s);
  privy_sandbox_release(s.config.sandbox);
}

int main(void) {
  static harness_test tests[] = {
      TEST(each_thread_receives_the_response_to_its_request),
      TEST(threads_share_one_token),
  };
  return HARNESS_RUN(tests);
}
