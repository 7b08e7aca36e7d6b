/* What the last event of a call reports of its result, and groups that keep some kinds of events only. */
#include "trace_scene.h"

#define CONSENT "\"email_consent\":\"subscribed\""
#define ORDER_ROW                                                                                                      \
  "{\"order_id\":\"1\",\"email\":\"j@x.io\",\"total\":5,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\"}"
#define EVENT_ROW(key) "{\"event_type\":\"seen\",\"email\":\"j@x.io\",\"idempotency_key\":\"" key "\"}"

static void the_end_reports_what_the_call_did(void **state) {
  (void)state;
  static const struct {
    const char *operation, *params;
    int created, replay;
    const char *key;
  } calls[] = {
      {"contacts.create", "{\"email\":\"jane@x.io\"," CONSENT "}", 1, -1, ""},
      {"contacts.upsert", "{\"email\":\"joe@x.io\"," CONSENT "}", 1, -1, ""},
      {"contacts.upsert", "{\"email\":\"joe@x.io\",\"first_name\":\"Joe\"}", 0, -1, ""},
      {"contacts.list", "{}", -1, -1, ""},
      {"contacts.create", "{\"email\":\"jane@x.io\"}", -1, -1, ""}, /* 409 */
      {"orders.upsert", ORDER_ROW, 1, -1, ""},
      {"orders.upsert", ORDER_ROW, 0, -1, ""},
      {"events.ingest", EVENT_ROW("job-7"), -1, 0, "job-7"},
      {"events.ingest", EVENT_ROW("job-7"), -1, 1, "job-7"},
      {"events.ingest", EVENT_ROW("joe@x.io:+14155550171"), -1, 0, "j***@x.io:+1415*****71"},
      {"events.ingest", EVENT_ROW("123e4567-e89b-12d3-a456-42661417400f:seen"), -1, 0,
       "123e4567-e89b-12d3-a456-42661417400f:seen"},
  };
  play p;
  CHECK_OK(play_open(&p, NULL));
  for (size_t i = 0; i < COUNT(calls) && !harness_sweeping(); i++) {
    (void)!watched(p.client, calls[i].operation, calls[i].params, &p.events, &p.response, &p.error);
    const privy_trace_event *end = &p.events.last;
    assert_int_equal(end->kind, PRIVY_TRACE_END);
    assert_int_equal(end->created, calls[i].created);
    assert_int_equal(end->replay, calls[i].replay);
    assert_string_equal(end->idempotency_key, calls[i].key);
    assert_true(end->sandbox && end->row == -1);
  }
done:
  play_close(&p);
}

static void an_event_without_a_key_reports_the_one_of_its_call(void **state) {
  (void)state;
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(watched(p.client, "events.ingest", "{\"event_type\":\"seen\",\"email\":\"j@x.io\"}", &p.events, &p.response,
                   &p.error));
  if (!harness_sweeping()) assert_int_equal(strlen(p.events.last.idempotency_key), 32);
done:
  play_close(&p);
}

static void a_group_keeps_events_by_kind(void **state) {
  (void)state;
  static const struct {
    unsigned kinds;
    privy_level least;
    const char *kept;
  } cases[] = {
      {0, PRIVY_LEVEL_OFF, ""},
      {1u << PRIVY_TRACE_END, PRIVY_LEVEL_OFF, "end "},
      {1u << PRIVY_TRACE_START | 1u << PRIVY_TRACE_RESPONSE, PRIVY_LEVEL_OFF, "start response "},
      {1u << PRIVY_TRACE_END, PRIVY_LEVEL_WARNING, "end "},
      {1u << PRIVY_TRACE_END, PRIVY_LEVEL_DEBUG, "start request response end "},
  };
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_completion completion = {0};
  privy_trace_event event;
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  for (size_t i = 0; i < COUNT(cases); i++) {
    char kept[64] = "";
    privy_group_observe(group, cases[i].least);
    privy_group_observe_kinds(group, cases[i].kinds);
    CHECK_OK(ask_for("contacts.list", "{}", &request, &p.error));
    privy_request *given = request;
    request = NULL;
    CHECK_OK(privy_group_start(group, given, NULL, 5, &p.error));
    while (!privy_group_next_completed(group, &completion)) privy_group_wait(group, 1);
    CHECK_OK(completion.status);
    privy_completion_clear(&completion);
    while (privy_group_take_event(group, &event)) {
      assert_true(event.kind != PRIVY_TRACE_RESPONSE || event.bytes_received > 0);
      strcat(strcat(kept, privy_trace_kind_name(event.kind)), " ");
    }
    if (!harness_sweeping()) assert_string_equal(kept, cases[i].kept);
  }
done:
  privy_completion_clear(&completion);
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

static void the_error_of_a_failed_call_is_there_until_its_completion_is_taken(void **state) {
  (void)state;
  privy_request *request = NULL;
  privy_group *group = NULL;
  privy_completion completion = {0};
  play p;
  CHECK_OK(play_open(&p, NULL));
  CHECK_OK(privy_group_new(p.client, &group, &p.error));
  CHECK_OK(ask_for("contacts.get", "{\"id\":\"cus_0123456789abcdef\"}", &request, &p.error));
  privy_request *given = request;
  request = NULL;
  CHECK_OK(privy_group_start(group, given, NULL, 3, &p.error));
  assert_null(privy_group_failure(group, 3));
  privy_group_wait(group, 1);
  if (privy_group_failure(group, 3)->code == PRIVY_NO_MEMORY) goto done;
  assert_int_equal(privy_group_failure(group, 3)->code, PRIVY_NOT_FOUND);
  assert_null(privy_group_failure(group, 4));
  assert_true(privy_group_next_completed(group, &completion));
  assert_null(privy_group_failure(group, 3));
done:
  privy_completion_clear(&completion);
  privy_request_free(request);
  privy_group_free(group);
  play_close(&p);
}

int main(void) {
  static harness_test tests[] = {
      TEST(the_end_reports_what_the_call_did),
      TEST(an_event_without_a_key_reports_the_one_of_its_call),
      TEST(a_group_keeps_events_by_kind),
      TEST(the_error_of_a_failed_call_is_there_until_its_completion_is_taken),
  };
  return HARNESS_RUN(tests);
}
