/* Calls of groups that prefetch and may have no driver: what they start, and which calls wait for them. */
#define _POSIX_C_SOURCE 200809L

#include "call/transport.h"
#include "privy_sandbox.h"
#include "response_text.h"

/* A client of a sandbox with OAuth, and two groups. */
typedef struct scene {
  privy_sandbox *sandbox;
  privy_client *client;
  privy_group *first, *second;
  privy_pager *walk;
  privy_completion completion;
  privy_error error;
} scene;

static privy_status open_client(scene *s, bool oauth) {
  privy_config config;
  *s = (scene){0};
  privy_error_init(&s->error);
  privy_config_init(&config);
  privy_status status = privy_sandbox_new(&s->sandbox);
  if (status != PRIVY_OK) return status;
  config.sandbox = s->sandbox;
  if (oauth) config.client_id = PRIVY_SANDBOX_CLIENT_ID, config.client_secret = PRIVY_SANDBOX_CLIENT_SECRET;
  return privy_client_new(&config, &s->client, &s->error);
}

static privy_status open_scene(scene *s) {
  privy_status status = open_client(s, true);
  if (status == PRIVY_OK) status = privy_group_new(s->client, &s->first, &s->error);
  if (status == PRIVY_OK) status = privy_group_new(s->client, &s->second, &s->error);
  return status;
}

static void close_scene(scene *s) {
  privy_completion_clear(&s->completion);
  privy_pager_free(s->walk);
  privy_group_free(s->first);
  privy_group_free(s->second);
  privy_client_free(s->client);
  privy_sandbox_release(s->sandbox);
  privy_error_clear(&s->error);
}

static privy_status start(scene *s, privy_group *group) {
  privy_request *request = NULL;
  privy_status status = ask_for("contacts.list", "{}", &request, &s->error);
  if (status == PRIVY_OK) return privy_group_start(group, request, NULL, 1, &s->error);
  privy_request_free(request);
  return status;
}

/* Drives the group to the end of its call and returns the status. */
static privy_status end_of(scene *s, privy_group *group) {
  for (int i = 0; !privy_group_next_completed(group, &s->completion); i++) {
    assert_true(i < 1000);
    privy_group_wait(group, 0.05);
  }
  privy_status status = s->completion.status;
  privy_completion_clear(&s->completion);
  return status;
}

static privy_status delay_answers(scene *s, double delay, uint32_t count) {
  const privy_sandbox_fault fault = {.delay = delay, .retry_after = -1, .count = count};
  return privy_sandbox_add_fault(s->sandbox, &fault);
}

static uint64_t asked(const scene *s) {
  return privy_sandbox_count(s->sandbox).requests;
}

/* ---- the token that another group fetches ------------------------------------------------------------------------ */

static void a_token_request_without_a_driver_blocks_no_call(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_OK(delay_answers(&s, 0.01, 1));
  CHECK_OK(start(&s, s.first));
  privy_group_wait(s.first, 0); /* its token request is sent, and its response is not read */
  CHECK_MEMORY(asked(&s) == 1);
  CHECK_OK(start(&s, s.second));
  CHECK_OK(end_of(&s, s.second));
  assert_int_equal(asked(&s), 3);
  CHECK_OK(end_of(&s, s.first));
  assert_int_equal(asked(&s), 4);
done:
  close_scene(&s);
}

/* Drives both groups in turn, also on a slow machine. */
static void a_slow_token_request_with_a_driver_is_waited_for(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_OK(delay_answers(&s, 0.7, 1));
  CHECK_OK(start(&s, s.first));
  CHECK_OK(start(&s, s.second));
  for (int i = 0; i < 10000 && asked(&s) < 3; i++) {
    privy_group_wait(s.first, 0.01);
    privy_group_wait(s.second, 0.01);
  }
  CHECK_OK(end_of(&s, s.first));
  CHECK_OK(end_of(&s, s.second));
  assert_int_equal(asked(&s), 3);
done:
  close_scene(&s);
}

static void a_group_is_driven_often_during_a_token_request(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_OK(delay_answers(&s, 20, 2));
  CHECK_OK(start(&s, s.first));
  assert_true(privy_group_timeout(s.first) == 0);
  privy_group_socket_action(s.first, -1, 0);
  CHECK_MEMORY(asked(&s) == 1);
  double due = privy_group_timeout(s.first);
  assert_true(due > 0 && due <= 0.1);
  assert_true(privy_group_cancel(s.first, 1));
  assert_true(privy_group_timeout(s.first) < 0);
done:
  close_scene(&s);
}

static void a_prefetching_group_fetches_no_token(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  privy_group_set_prefetch(s.first, true);
  CHECK_OK(start(&s, s.first));
  for (int i = 0; i < 5; i++) privy_group_wait(s.first, 0.03);
  assert_int_equal(asked(&s), 0);
  CHECK_OK(start(&s, s.second));
  CHECK_OK(end_of(&s, s.second));
  CHECK_OK(end_of(&s, s.first)); /* with the token that was fetched */
  assert_int_equal(asked(&s), 3);
done:
  close_scene(&s);
}

static void a_prefetch_fetches_a_token_once_it_is_needed(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  privy_group_set_prefetch(s.first, true);
  CHECK_OK(start(&s, s.first));
  privy_group_wait(s.first, 0);
  assert_int_equal(asked(&s), 0);
  privy_group_set_prefetch(s.first, false);
  CHECK_OK(end_of(&s, s.first));
  assert_int_equal(asked(&s), 2);
  /* The next group does not prefetch. */
  privy_group_set_prefetch(s.first, true);
  privy_group_free(s.first);
  s.first = NULL;
  CHECK_OK(privy_group_new(s.client, &s.first, &s.error));
  privy_sandbox_advance(s.sandbox, 7200);
  CHECK_OK(start(&s, s.first));
  CHECK_OK(end_of(&s, s.first));
  assert_int_equal(asked(&s), 4);
done:
  close_scene(&s);
}

/* ---- when a list prefetches its next page ------------------------------------------------------------------------ */

/* A pager that has received some of three pages, of 20 records each. */
static privy_status walk_to(scene *s, int pages) {
  int64_t next;
  bool repeated[20];
  privy_status status = privy_pager_new(0, 20, &s->walk);
  for (int page = 1; status == PRIVY_OK && page <= pages; page++) {
    privy_response *response = NULL;
    char body[1024];
    size_t length = (size_t)snprintf(body, sizeof body, "{\"pagination\":{\"total_pages\":3},\"data\":[");
    for (int i = 0; i < 20; i++)
      length +=
          (size_t)snprintf(body + length, sizeof body - length, "%s{\"id\":\"cus_%d\"}", i ? "," : "", page * 1000 + i);
    snprintf(body + length, sizeof body - length, "]}");
    status = parse_response("contacts.list", 200, "", body, &response, &s->error);
    if (status == PRIVY_OK) status = privy_pager_take(s->walk, response, repeated, &next);
    privy_response_release(response);
  }
  return status;
}

static void a_page_is_prefetched_after_a_tenth_of_the_first(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_client(&s, false));
  CHECK_OK(walk_to(&s, 1));
  assert_int_equal(privy_pager_stride(s.walk), 2);
  assert_false(privy_client_may_prefetch(s.client, s.walk, 0));
  assert_false(privy_client_may_prefetch(s.client, s.walk, 1));
  assert_true(privy_client_may_prefetch(s.client, s.walk, 2));
  assert_true(privy_client_may_prefetch(s.client, s.walk, 20));
done:
  close_scene(&s);
}

static void later_pages_are_prefetched_at_once_and_none_after_the_last(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_client(&s, false));
  CHECK_OK(walk_to(&s, 2));
  assert_true(privy_client_may_prefetch(s.client, s.walk, 0));
  privy_pager_free(s.walk);
  s.walk = NULL;
  CHECK_OK(walk_to(&s, 3));
  assert_false(privy_client_may_prefetch(s.client, s.walk, 0));
  assert_false(privy_client_may_prefetch(s.client, s.walk, 20));
  privy_pager_free(s.walk);
  s.walk = NULL;
  CHECK_OK(walk_to(&s, 0));
  assert_int_equal(privy_pager_stride(s.walk), 1);
  assert_false(privy_client_may_prefetch(s.client, s.walk, 20));
done:
  close_scene(&s);
}

static void no_page_is_prefetched_without_a_token(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_scene(&s));
  CHECK_OK(walk_to(&s, 2));
  assert_false(privy_client_may_prefetch(s.client, s.walk, 0));
  CHECK_OK(start(&s, s.first));
  CHECK_OK(end_of(&s, s.first));
  assert_true(privy_client_may_prefetch(s.client, s.walk, 0));
  privy_sandbox_set_clock(s.sandbox, privy_sandbox_now(s.sandbox) + 7180); /* the token is about to expire */
  assert_false(privy_client_may_prefetch(s.client, s.walk, 0));
done:
  close_scene(&s);
}

static void no_page_is_prefetched_without_budget(void **state) {
  (void)state;
  scene s;
  CHECK_OK(open_client(&s, false));
  CHECK_OK(privy_group_new(s.client, &s.first, &s.error));
  privy_sandbox_set_limits(s.sandbox, 1, 0, 60);
  CHECK_OK(walk_to(&s, 2));
  assert_true(privy_client_may_prefetch(s.client, s.walk, 0));
  CHECK_OK(start(&s, s.first));
  CHECK_OK(end_of(&s, s.first));
  assert_false(privy_client_may_prefetch(s.client, s.walk, 0));
  privy_sandbox_advance(s.sandbox, 61);
done:
  close_scene(&s);
}

/* Unswept where real time passes: test_token_shared sweeps the calls. */
int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(a_token_request_without_a_driver_blocks_no_call),
      TEST_UNSWEPT(a_slow_token_request_with_a_driver_is_waited_for),
      TEST(a_group_is_driven_often_during_a_token_request),
      TEST(a_prefetching_group_fetches_no_token),
      TEST(a_prefetch_fetches_a_token_once_it_is_needed),
      TEST(a_page_is_prefetched_after_a_tenth_of_the_first),
      TEST(later_pages_are_prefetched_at_once_and_none_after_the_last),
      TEST(no_page_is_prefetched_without_a_token),
      TEST(no_page_is_prefetched_without_budget),
  };
  return HARNESS_RUN(tests);
}
