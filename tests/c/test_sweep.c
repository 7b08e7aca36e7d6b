/* Sweeps of a sandbox: requests, pages, errors, progress. */
#include "message/page_request.h"
#include "sweep_scene.h"

/* ---- what is read ---- */

static void ten_thousand_contacts_take_a_hundred_requests(void **state) {
  (void)state;
  scene s;
  privy_sweep_progress progress;
  CHECK_OK(scene_open(&s, 10000));
  CHECK_OK(begin(&s, "{}"));
  CHECK_OK(drive(&s));
  assert_null(privy_sweep_error(s.sweep));
  assert_int_equal(s.different, s.contacts);
  assert_int_equal(s.read, s.contacts);
  privy_sweep_get_progress(s.sweep, &progress);
  assert_int_equal(progress.requests, 100);
  assert_int_equal(progress.requests, privy_sandbox_count(s.sandbox).requests);
  assert_int_equal(progress.contacts, s.contacts);
  assert_int_equal(progress.total, s.contacts);
  assert_int_equal(progress.repeated, 0);
done:
  scene_close(&s);
}

/* It is ambiguous whether a contact changed before the first response or after it. The sweep waits two seconds once. */
static void changes_just_before_a_sweep_cost_eight_requests_more(void **state) {
  (void)state;
  static const struct {
    size_t page;
    uint64_t requests;
  } cases[] = {{1, 101}, {4, 104}, {8, 108}, {9, 108}, {57, 108}, {100, 108}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    scene s;
    privy_sweep_progress progress;
    CHECK_OK(scene_open(&s, 10000));
    s.leave_after = cases[i].page;
    CHECK_OK(begin(&s, "{}"));
    CHECK_OK(drive(&s));
    CHECK_OK(touch(&s, 99));
    privy_sweep_free(s.sweep);
    s.sweep = NULL;
    s.leave_after = 0;
    const uint64_t before = privy_sandbox_count(s.sandbox).requests;
    CHECK_OK(begin(&s, "{}"));
    CHECK_OK(drive(&s));
    assert_null(privy_sweep_error(s.sweep));
    assert_int_equal(s.different, 10000);
    privy_sweep_get_progress(s.sweep, &progress);
    assert_int_equal(progress.requests, cases[i].requests);
    assert_int_equal(privy_sandbox_count(s.sandbox).requests - before, cases[i].requests);
    assert_true(progress.waited > 2 && progress.waited < 2.1);
    assert_int_equal(progress.repeated, 0);
  done:
    scene_close(&s);
  }
}

/* At the limits of Privy, with contacts that come and go: how much it costs. */
static void changes_cost_few_requests_more(void **state) {
  (void)state;
  scene s;
  privy_sweep_progress progress;
  CHECK_OK(scene_open(&s, 10000));
  privy_sandbox_set_limits(s.sandbox, 60, 10000, 60);
  s.change = delete_first;
  CHECK_OK(begin(&s, "{}"));
  CHECK_OK(drive(&s));
  assert_null(privy_sweep_error(s.sweep));
  assert_true(s.changes > 1);
  privy_sweep_get_progress(s.sweep, &progress);
  assert_true(progress.requests <= s.contacts / 80 + 4);
  assert_int_equal(s.different + s.unread, s.contacts);
  assert_true(progress.waited > 0);
done:
  scene_close(&s);
}

static void filters_are_kept_and_positions_are_not(void **state) {
  (void)state;
  scene s;
  privy_request *list = NULL;
  privy_buffer filter = PRIVY_BUFFER_EMPTY;
  privy_sweep_progress progress;
  CHECK_OK(scene_open(&s, 300));
  CHECK_OK(ask_for("contacts.list", "{\"page\":7,\"email_consent\":\"subscribed\",\"per_page\":3}", &list, &s.error));
  CHECK_MEMORY(privy_request_filter(list, &filter));
  assert_text(filter.data, filter.length, "email_consent=subscribed");
  CHECK_OK(begin(&s, "{\"page\":7,\"email_consent\":\"subscribed\",\"per_page\":3}"));
  CHECK_OK(drive(&s));
  privy_sweep_get_progress(s.sweep, &progress);
  assert_true(s.different > 20 && s.different < 300);
  assert_int_equal(s.different, progress.total);
done:
  privy_buffer_clear(&filter);
  privy_request_free(list);
  scene_close(&s);
}

static void an_empty_list_is_one_page(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, 0));
  CHECK_OK(begin(&s, "{}"));
  CHECK_OK(drive(&s));
  assert_null(privy_sweep_error(s.sweep));
  assert_int_equal(s.pages, 1);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 1);
done:
  scene_close(&s);
}

/* ---- errors ---- */

static void a_failed_request_ends_a_sweep(void **state) {
  (void)state;
  scene s;
  const privy_sandbox_fault fault = {.http_status = 403, .skip = 1, .count = 1, .retry_after = -1};
  CHECK_OK(scene_open(&s, 250));
  CHECK_OK(privy_sandbox_add_fault(s.sandbox, &fault));
  CHECK_OK(begin(&s, "{}"));
  CHECK_OK(drive(&s));
  assert_int_equal(privy_sweep_error(s.sweep)->code, PRIVY_PERMISSION_DENIED);
  assert_int_equal(s.pages, 1);
  assert_int_equal(privy_sweep_next(s.sweep), PRIVY_SWEEP_END);
done:
  scene_close(&s);
}

static void a_server_error_is_repeated(void **state) {
  (void)state;
  scene s;
  const privy_sandbox_fault fault = {.http_status = 503, .skip = 1, .count = 2, .retry_after = 1};
  CHECK_OK(scene_open(&s, 250));
  CHECK_OK(privy_sandbox_add_fault(s.sandbox, &fault));
  CHECK_OK(begin(&s, "{}"));
  CHECK_OK(drive(&s));
  assert_null(privy_sweep_error(s.sweep));
  assert_int_equal(s.different, 250);
done:
  scene_close(&s);
}

static privy_status sweep_a_spent_day(scene *s, privy_spent_day on_spent_day) {
  privy_sandbox_set_limits(s->sandbox, 60, 3, 60);
  s->config.on_spent_day = on_spent_day;
  const privy_status status = begin(s, "{}");
  return status == PRIVY_OK ? drive(s) : status;
}

static void a_spent_day_ends_a_sweep(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, 500));
  CHECK_OK(sweep_a_spent_day(&s, PRIVY_SPENT_DAY_STOPS));
  assert_int_equal(privy_sweep_error(s.sweep)->code, PRIVY_RATE_LIMIT);
  assert_int_equal(s.different, 300);
done:
  scene_close(&s);
}

static void a_sweep_may_wait_for_the_next_day(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, 500));
  CHECK_OK(sweep_a_spent_day(&s, PRIVY_SPENT_DAY_WAITS));
  assert_null(privy_sweep_error(s.sweep));
  assert_int_equal(s.different, 500);
done:
  scene_close(&s);
}

static void only_lists_are_swept(void **state) {
  (void)state;
  scene s;
  privy_request *request = NULL;
  CHECK_OK(scene_open(&s, 0));
  CHECK_OK(ask_for("contacts.create", "{\"email\":\"jane@example.com\"}", &request, &s.error));
  privy_request *taken = request;
  request = NULL;
  CHECK_STATUS(privy_sweep_new(s.group, taken, &s.config, &s.sweep, &s.error), PRIVY_CONFIG_ERROR);
done:
  privy_request_free(request);
  scene_close(&s);
}

static void a_closed_sweep_is_at_its_end(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, 250));
  s.leave_after = 1;
  CHECK_OK(begin(&s, "{}"));
  CHECK_OK(drive(&s));
  privy_sweep_close(s.sweep);
  assert_int_equal(privy_sweep_next(s.sweep), PRIVY_SWEEP_END);
  const privy_status code = privy_sweep_error(s.sweep)->code;
  assert_true(code == PRIVY_INTERRUPTED || code == PRIVY_NO_MEMORY);
done:
  scene_close(&s);
}

static void progress_is_reported_page_by_page(void **state) {
  (void)state;
  scene s;
  privy_sweep_progress progress;
  CHECK_OK(scene_open(&s, 950));
  s.leave_after = 4;
  CHECK_OK(begin(&s, "{}"));
  assert_false(privy_sweep_take_progress(s.sweep, &progress));
  CHECK_OK(drive(&s));
  if (privy_sweep_error(s.sweep)) goto done;
  assert_true(privy_sweep_take_progress(s.sweep, &progress));
  assert_int_equal(progress.pages, 4);
  assert_int_equal(progress.contacts, 400);
  assert_int_equal(progress.total, 950);
  assert_true(progress.eta >= 0);
  assert_true(progress.began_at >= START);
  assert_false(privy_sweep_take_progress(s.sweep, &progress));
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(ten_thousand_contacts_take_a_hundred_requests),
      TEST_UNSWEPT(changes_just_before_a_sweep_cost_eight_requests_more),
      TEST_UNSWEPT(changes_cost_few_requests_more),
      TEST(filters_are_kept_and_positions_are_not),
      TEST(an_empty_list_is_one_page),
      TEST(a_failed_request_ends_a_sweep),
      TEST_UNSWEPT(a_server_error_is_repeated),
      TEST_UNSWEPT(a_spent_day_ends_a_sweep),
      TEST_UNSWEPT(a_sweep_may_wait_for_the_next_day),
      TEST(only_lists_are_swept),
      TEST(a_closed_sweep_is_at_its_end),
      TEST_UNSWEPT(progress_is_reported_page_by_page),
  };
  const int failures = HARNESS_RUN(tests);
  forget_seeds();
  return failures;
}
