/* Applying a plan: with a journal, after lost responses, and while others change contacts. */
#define _POSIX_C_SOURCE 200809L
#include <unistd.h>

#include "jobs/plan.h"
#include "plan_scene.h"

#define JANE "{\"email\":\"jane@x.io\""

/* Two plans of the same reading: the second is what a process makes of a snapshot after the first one died. */
typedef struct twins {
  plan_scene s;
  privy_plan *later;
  privy_group *later_group;
  char folder[32], path[64];
} twins;

static privy_status twins_open(twins *t, const char *stored, const char *const *rows, size_t count) {
  t->later = NULL;
  t->later_group = NULL;
  strcpy(t->folder, "/tmp/privy-test-XXXXXX");
  assert_non_null(mkdtemp(t->folder));
  snprintf(t->path, sizeof t->path, "%s/j.db", t->folder);
  privy_status status = plan_open(&t->s);
  t->s.run.journal = t->path;
  t->s.run.concurrency = 1;
  t->s.run.options.max_retries = 0;
  t->s.run.options.given |= PRIVY_GIVEN(MAX_RETRIES);
  if (status == PRIVY_OK) status = store(&t->s, stored);
  if (status == PRIVY_OK) status = make_plan(&t->s, rows, count);
  if (status != PRIVY_OK) return status;
  t->later = t->s.plan;
  t->later_group = t->s.group;
  t->s.plan = NULL;
  t->s.group = NULL;
  status = make_plan(&t->s, rows, count);
  if (status == PRIVY_OK) t->later->read_at = t->s.plan->read_at;
  return status;
}

/* The first process is over; the second one has its plan. */
static void twins_next(twins *t) {
  plan_drop(&t->s);
  t->s.plan = t->later;
  t->s.group = t->later_group;
  t->later = NULL;
  t->later_group = NULL;
}

static void twins_close(twins *t) {
  privy_plan_free(t->later);
  privy_group_free(t->later_group);
  plan_close(&t->s);
  static const char *const endings[] = {"", "-wal", "-shm", "-lock"};
  char name[96];
  for (size_t i = 0; i < COUNT(endings); i++) {
    snprintf(name, sizeof name, "%s%s", t->path, endings[i]);
    unlink(name);
  }
  assert_int_equal(rmdir(t->folder), 0);
}

static privy_status lose_response(twins *t, uint32_t skip) {
  const privy_sandbox_fault lost = {.cut = PRIVY_CUT_DROP, .retry_after = -1, .skip = skip, .count = 1};
  return privy_sandbox_add_fault(t->s.sandbox, &lost);
}

static const char *const rows[] = {"{\"email\":\"new@x.io\",\"first_name\":\"N\"}", JANE ",\"first_name\":\"J\"}",
                                   "{\"email\":\"other@x.io\"}"};

static void a_journal_continues_a_plan_of_the_same_reading(void **state) {
  (void)state;
  twins t;
  privy_bulk_progress progress;
  CHECK_OK(twins_open(&t, JANE "}", rows, COUNT(rows)));
  CHECK_OK(lose_response(&t, 0));
  CHECK_OK(apply(&t.s));
  assert_int_equal(t.s.failed, 1);
  assert_int_equal(requests_of(&t.s) - t.s.before_run, 3);
  twins_next(&t);
  CHECK_OK(apply(&t.s));
  privy_bulk_get_progress(t.s.bulk, &progress);
  assert_int_equal(progress.skipped, 2);
  assert_int_equal(progress.created, 1); /* by the first process, which the 409 and the contact show */
  assert_int_equal(t.s.failed, 0);
  assert_int_equal(requests_of(&t.s) - t.s.before_run, 2);
done:
  twins_close(&t);
}

static void a_later_reading_counts_more_than_the_journal(void **state) {
  (void)state;
  twins t;
  privy_bulk_progress progress;
  CHECK_OK(twins_open(&t, JANE "}", rows, COUNT(rows)));
  t.later->read_at += 1;
  CHECK_OK(apply(&t.s));
  twins_next(&t);
  CHECK_OK(make(&t.s, "contacts.upsert", JANE ",\"first_name\":\"X\"}"));
  CHECK_OK(apply(&t.s));
  privy_bulk_get_progress(t.s.bulk, &progress);
  assert_int_equal(progress.skipped, 0);
  CHECK_OK(assert_stored(&t.s, "jane@x.io", "\"first_name\":\"J\""));
done:
  twins_close(&t);
}

static const char *const subscribing[] = {JANE ",\"email_consent\":\"subscribed\"}"};

/* The request was applied, its response was lost, and then the person unsubscribed. */
static void a_lost_update_does_not_subscribe_again(void **state) {
  (void)state;
  twins t;
  CHECK_OK(twins_open(&t, JANE "}", subscribing, COUNT(subscribing)));
  CHECK_OK(lose_response(&t, 0));
  CHECK_OK(apply(&t.s));
  assert_int_equal(t.s.failed, 1);
  twins_next(&t);
  privy_sandbox_advance(t.s.sandbox, 60);
  CHECK_OK(make(&t.s, "contacts.upsert", JANE ",\"email_consent\":\"unsubscribed\"}"));
  CHECK_OK(apply(&t.s));
  assert_int_equal(t.s.failed, 0);
  CHECK_OK(assert_stored(&t.s, "jane@x.io", "\"email_consent\":\"unsubscribed\""));
done:
  twins_close(&t);
}

static void a_lost_update_that_had_no_effect_is_sent(void **state) {
  (void)state;
  twins t;
  const privy_sandbox_fault failing = {.http_status = 500, .retry_after = -1, .count = 1};
  CHECK_OK(twins_open(&t, JANE "}", subscribing, COUNT(subscribing)));
  privy_sandbox_advance(t.s.sandbox, 60);
  CHECK_OK(privy_sandbox_add_fault(t.s.sandbox, &failing));
  CHECK_OK(apply(&t.s));
  assert_int_equal(t.s.failed, 1);
  twins_next(&t);
  CHECK_OK(apply(&t.s));
  assert_int_equal(t.s.failed, 0);
  assert_int_equal(requests_of(&t.s) - t.s.before_run, 2);
  CHECK_OK(assert_stored(&t.s, "jane@x.io", "\"email_consent\":\"subscribed\""));
done:
  twins_close(&t);
}

static void what_others_change_meanwhile_stays(void **state) {
  (void)state;
  plan_scene s;
  static const char *const changed[] = {JANE ",\"first_name\":\"J\",\"last_name\":\"Doe\"}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(store(&s, JANE ",\"first_name\":\"A\",\"last_name\":\"Doe\"}"));
  CHECK_OK(make_plan(&s, ROWS(changed)));
  CHECK_OK(make(&s, "contacts.upsert", JANE ",\"last_name\":\"Smith\",\"tags\":[\"vip\"]}"));
  CHECK_OK(apply(&s));
  CHECK_OK(assert_stored(&s, "jane@x.io", "\"first_name\":\"J\",\"last_name\":\"Smith\""));
  CHECK_OK(assert_stored(&s, "jane@x.io", "\"tags\":[\"vip\"]"));
done:
  plan_close(&s);
}

static void a_contact_that_was_created_meanwhile_is_a_conflict(void **state) {
  (void)state;
  plan_scene s;
  static const char *const added[] = {"{\"email\":\"new@x.io\",\"email_consent\":\"subscribed\"}"};
  CHECK_OK(plan_open(&s));
  CHECK_OK(make_plan(&s, ROWS(added)));
  CHECK_OK(store(&s, "{\"email\":\"new@x.io\",\"email_consent\":\"unsubscribed\"}"));
  CHECK_OK(apply(&s));
  assert_int_equal(s.failed, 1);
  CHECK_OK(assert_stored(&s, "new@x.io", "\"email_consent\":\"unsubscribed\""));
done:
  plan_close(&s);
}

static void headers_of_the_rows_are_sent(void **state) {
  (void)state;
  plan_scene s;
  privy_request *request = NULL;
  privy_sandbox_history *history = NULL;
  CHECK_OK(plan_open(&s));
  CHECK_OK(plan_begin(&s));
  CHECK_OK(privy_request_new(privy_operation_find("contacts.upsert"), &request));
  ask(request, JANE "}");
  privy_request_header(request);
  ask(request, "{\"traceparent\":\"00-1\"}");
  CHECK_OK(privy_request_finish(request, &s.error));
  privy_plan_add(s.plan, request);
  request = NULL;
  privy_plan_end_rows(s.plan);
  CHECK_OK(plan_drive(&s));
  CHECK_OK(apply(&s));
  CHECK_OK(privy_sandbox_history_new(s.sandbox, &history));
  const privy_sandbox_request *sent = privy_sandbox_history_at(history, 1);
  if (harness_sweeping()) goto done; /* without memory a request is not kept */
  assert_string_equal(sent->method, "POST");
  assert_non_null(strstr(sent->headers, "traceparent: 00-1"));
done:
  privy_request_free(request);
  privy_sandbox_history_free(history);
  plan_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_journal_continues_a_plan_of_the_same_reading),
      TEST(a_later_reading_counts_more_than_the_journal),
      TEST(a_lost_update_does_not_subscribe_again),
      TEST(a_lost_update_that_had_no_effect_is_sent),
      TEST(what_others_change_meanwhile_stays),
      TEST(a_contact_that_was_created_meanwhile_is_a_conflict),
      TEST(headers_of_the_rows_are_sent),
  };
  return HARNESS_RUN(tests);
}
