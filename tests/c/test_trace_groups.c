/* The trace events of calls in groups: which are kept, and that each start has one end. */
#define _POSIX_C_SOURCE 200809L

#include "base/random.h"
#include "trace_scene.h"

/* ---- groups ---- */

static void a_group_keeps_no_events_by_default(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_trace_event event;
  privy_completion completion = {0};
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
  privy_request *given = request;
  request = NULL;
  CHECK_OK(privy_group_start(group, given, NULL, 1, &p.error));
  privy_group_wait(group, 5);
  CHECK_MEMORY(privy_group_next_completed(group, &completion));
  CHECK_OK(completion.status);
  assert_false(privy_group_take_event(group, &event));
done:
  privy_completion_clear(&completion);
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

typedef struct sent {
  char requests[256];
  bool tried[6];
} sent;

static void add_own_headers(void *context, const privy_trace_event *event, privy_send_headers *headers) {
  static const char *const given[][2] = {{"X-Trace", "7"},       {"x-trace", "8"}, {"Accept", "text/csv"},
                                         {"Authorization", "x"}, {"X Y", "a"},     {"X-A", "a\r\nX-B: b"}};
  sent *seen = context;
  size_t used = strlen(seen->requests);
  snprintf(seen->requests + used, sizeof seen->requests - used, "%d:%s#%d ", (int)event->id, event->path,
           event->attempt);
  for (size_t i = 0; i < COUNT(given); i++)
    seen->tried[i] =
        privy_send_headers_add(headers, given[i][0], strlen(given[i][0]), given[i][1], strlen(given[i][1]));
}

static size_t count_of(const char *text, const char *part) {
  size_t count = 0;
  for (const char *at = text; (at = strstr(at, part)); at += strlen(part)) count++;
  return count;
}

/* The second request is the retry of the first one, or that of the other call. */
static void headers_are_added_to_each_request(void **state) {
  (void)state;
  const privy_sandbox_fault once = {.http_status = 503, .retry_after = 0, .count = 1};
  sent seen = {0};
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_completion completion = {0};
  privy_sandbox_history *history = NULL;
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_sandbox_add_fault(p.sandbox, &once));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  privy_group_set_send_callback(group, add_own_headers, &seen);
  for (uint64_t id = 0; id < 3; id++) {
    privy_group_observe(group, id < 2 ? PRIVY_LEVEL_DEBUG : PRIVY_LEVEL_INFO);
    CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
    privy_request *given = request;
    request = NULL;
    CHECK_OK(privy_group_start(group, given, NULL, id, &p.error));
  }
  for (size_t ended = 0; ended < 3; privy_group_wait(group, 5))
    for (; privy_group_next_completed(group, &completion); privy_completion_clear(&completion)) {
      CHECK_OK(completion.status);
      ended++;
    }
  CHECK_OK(privy_sandbox_history_new(p.sandbox, &history));
  if (harness_sweeping()) goto done; /* a header or an event without memory is left out */
  assert_int_equal(count_of(seen.requests, "0:/contacts#"), 2);
  assert_int_equal(count_of(seen.requests, "1:/contacts#"), 1);
  assert_int_equal(strlen(seen.requests), 3 * strlen("0:/contacts#1 "));
  assert_true(seen.tried[0]);
  for (size_t i = 1; i < COUNT(seen.tried); i++) assert_false(seen.tried[i]);
  size_t with = 0;
  const privy_sandbox_request *received;
  for (size_t i = 0; (received = privy_sandbox_history_at(history, i)); i++) {
    with += count_of(received->headers, "X-Trace: 7\r\n");
    assert_int_equal(count_of(received->headers, "x-trace") + count_of(received->headers, "X-A"), 0);
    assert_int_equal(count_of(received->headers, "Accept: "), 1);
  }
  assert_int_equal(with, 3); /* of four: the third call keeps fewer events */
done:
  privy_sandbox_history_free(history);
  privy_completion_clear(&completion);
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

static void stopped_calls_report_their_end(void **state) {
  (void)state;
  const privy_sandbox_fault slow = {.delay = 60, .count = 2};
  log events = {0};
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_trace_event event;
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_sandbox_add_fault(p.sandbox, &slow));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  privy_group_observe(group, PRIVY_LEVEL_DEBUG);
  for (uint64_t id = 0; id < 3; id++) {
    CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
    privy_request *given = request;
    request = NULL;
    if (id == 2) privy_group_wait(group, 0); /* the third is never driven: it has no start */
    CHECK_OK(privy_group_start(group, given, NULL, id, &p.error));
  }
  assert_true(privy_group_cancel(group, 0));
  privy_group_cancel_all(group);
  assert_int_equal(privy_group_count(group), 0);
  while (privy_group_take_event(group, &event)) note(&events, &event);
  assert_events(events, "1 start GET /contacts #0 0 \n1 request GET /contacts #1 0 \n"
                        "2 start GET /contacts #0 0 \n2 request GET /contacts #1 0 \n"
                        "1 failure GET /contacts #1 0 \n1 end GET /contacts #1 0 \n"
                        "2 failure GET /contacts #1 0 \n2 end GET /contacts #1 0 \n");
  if (!harness_sweeping()) assert_string_equal(events.last.reason, "the call was stopped");
done:
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

static void events_carry_the_id_of_their_call(void **state) {
  (void)state;
  static const uint64_t ids[] = {7, UINT64_MAX, 0};
  const privy_sandbox_fault fault = {.http_status = 503, .retry_after = 0, .count = 1};
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_trace_event event;
  privy_completion completion;
  size_t of_each[COUNT(ids) + 1] = {0};
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_sandbox_add_fault(p.sandbox, &fault));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  privy_group_observe(group, PRIVY_LEVEL_DEBUG);
  for (size_t i = 0; i < COUNT(ids); i++) {
    CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
    privy_request *given = request;
    request = NULL;
    CHECK_OK(privy_group_start(group, given, NULL, ids[i], &p.error));
  }
  while (privy_group_count(group) > 0) {
    privy_group_wait(group, 1);
    privy_sandbox_advance(p.sandbox, 1);
    while (privy_group_next_completed(group, &completion)) privy_completion_clear(&completion);
  }
  while (privy_group_take_event(group, &event)) {
    assert_true(event.call >= 1 && event.call <= COUNT(ids));
    assert_true(event.id == ids[event.call - 1]);
    of_each[event.call]++;
  }
  if (!harness_sweeping()) assert_int_equal(of_each[1] + of_each[2] + of_each[3], 4 * 3 + 3); /* one call has a retry */
done:
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

/* ---- each start has one end ---- */

#define CALLS 400

typedef struct lives {
  bool started[CALLS + 1], ended[CALLS + 1];
  uint64_t highest;
} lives;

static void follow_lives(privy_group *group, lives *seen) {
  privy_trace_event event;
  while (privy_group_take_event(group, &event)) {
    assert_true(event.call > 0 && event.call <= CALLS);
    assert_int_equal(event.kind == PRIVY_TRACE_START, !seen->started[event.call]);
    assert_false(seen->ended[event.call]);
    seen->started[event.call] = true;
    seen->ended[event.call] = event.kind == PRIVY_TRACE_END;
    if (event.call > seen->highest) seen->highest = event.call;
  }
}

/* Injects a fault for the next request, usually none. */
static privy_status add_some_fault(play *p, uint64_t *random) {
  static const int statuses[] = {503, 429, 500, 404, 401, 408};
  privy_sandbox_fault fault = {.count = 1, .skip = (uint32_t)(privy_random(random) % 3)};
  switch (privy_random(random) % 6) {
  case 0: fault.http_status = statuses[privy_random(random) % COUNT(statuses)]; break;
  case 1: fault.cut = PRIVY_CUT_DROP; break;
  case 2: fault.delay = 60; break;
  case 3: privy_sandbox_advance(p->sandbox, (double)(privy_random(random) % 90)); return PRIVY_OK;
  default: return PRIVY_OK;
  }
  return privy_sandbox_add_fault(p->sandbox, &fault);
}

static bool start_some_call(play *p, privy_group *group, uint64_t *random, uint64_t id) {
  static const char *const operations[][2] = {{"contacts.list", "{}"},
                                              {"contacts.upsert", "{\"email\":\"a@b.c\",\"first_name\":\"A\"}"},
                                              {"contacts.delete", "{\"id\":\"" CONTACT "\"}"},
                                              {"events.ingest", "{\"event_type\":\"x\",\"email\":\"a@b.c\"}"}};
  const size_t which = privy_random(random) % COUNT(operations);
  const privy_options options = {.timeout = 0.01, .connect_timeout = -1, .max_wait = 30, .max_retries = 2};
  privy_request *request = NULL;
  bool started = false;
  CHECK_OK(ask_for(operations[which][0], operations[which][1], &request, &p->error));
  CHECK_OK(privy_group_start(group, request, &options, id, &p->error));
  started = true;
done:
  return started;
}

static void every_start_has_one_end(void **state) {
  (void)state;
  uint64_t random = 20260512, id = 0;
  lives seen = {0};
  privy_completion completion;
  privy_group *group = NULL;
  play p;
  CHECK_OK(play_open(&p, PRIVY_SANDBOX_CLIENT_ID));
  privy_sandbox_set_clock(p.sandbox, 1000000);
  privy_sandbox_set_limits(p.sandbox, 40, 10000, 60);
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  privy_group_observe(group, PRIVY_LEVEL_DEBUG);
  while (id < CALLS) {
    CHECK_OK(add_some_fault(&p, &random));
    CHECK_MEMORY(start_some_call(&p, group, &random, id++));
    if (privy_random(&random) % 4) privy_group_wait(group, 0);
    if (privy_random(&random) % 8 == 0) privy_group_cancel(group, id - 1 - privy_random(&random) % (id < 5 ? id : 5));
    while (privy_group_next_completed(group, &completion)) privy_completion_clear(&completion);
    follow_lives(group, &seen);
  }
  privy_group_cancel_all(group);
  follow_lives(group, &seen);
  assert_true(seen.highest > CALLS / 2);
  for (uint64_t call = 1; call <= seen.highest; call++) assert_true(seen.started[call] && seen.ended[call]);
done:
  privy_group_free(group);
  play_close(&p);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_group_keeps_no_events_by_default), TEST(headers_are_added_to_each_request),
      TEST(stopped_calls_report_their_end),     TEST(events_carry_the_id_of_their_call),
      TEST_UNSWEPT(every_start_has_one_end),
  };
  return HARNESS_RUN(tests);
}
