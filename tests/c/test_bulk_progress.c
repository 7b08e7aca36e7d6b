/* Bulk runs: progress, estimates and configurations. */
#include "bulk_scene.h"

/* ---- progress ---- */

static void progress_counts_the_requests_that_rows_take(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  OPEN("contacts.upsert", NULL, 100);
  s.before = "{\"email\":\"x@example.com\",\"first_name\":\"";
  s.after = "\"}";
  privy_sandbox_set_limits(s.sandbox, 10, 10000, 60);
  s.leave_after = 21; /* 41 requests: the first row takes one, the others take two */
  CHECK_OK(drive(&s, "contacts.upsert"));
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.created, 1);
  assert_true(progress.done >= 21);
  assert_int_equal(progress.updated, progress.done - 1);
  assert_true(progress.requests >= 2 * progress.done - 1);
  /* About 79 rows at two requests each, 10 a minute: about 16 minutes. */
  assert_true(progress.eta > 14 * 60 && progress.eta < 17 * 60);
  assert_true(progress.waited > 3 * 60);
  privy_bulk_progress again;
  assert_true(privy_bulk_take_progress(s.bulk, &again));
  assert_false(privy_bulk_take_progress(s.bulk, &again));
done:
  scene_close(&s);
}

static void a_days_budget_gives_no_estimate(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  OPEN("orders.upsert", NULL, 100);
  number_orders(&s);
  privy_sandbox_set_limits(s.sandbox, 60, 50, 60);
  s.leave_after = 2;
  CHECK_OK(drive(&s, "orders.upsert"));
  privy_bulk_get_progress(s.bulk, &progress);
  assert_true(progress.eta < 0);
  assert_int_equal(progress.total, 100);
done:
  scene_close(&s);
}

static void configurations_are_checked(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 0));
  s.config.concurrency = 0;
  CHECK_STATUS(begin(&s), PRIVY_CONFIG_ERROR);
  assert_string_equal(s.error.message, "concurrency must be a whole number, 1 or more");
  privy_error_clear(&s.error);
  CHECK_STATUS(privy_bulk_config_concurrency(&s.config, 1.5, &s.error), PRIVY_CONFIG_ERROR);
  CHECK_OK(privy_bulk_config_concurrency(&s.config, 3, &s.error));
  assert_int_equal(s.config.concurrency, 3);
  CHECK_OK(privy_bulk_config_concurrency(&s.config, 1e300, &s.error));
  assert_int_equal(s.config.concurrency, INT64_MAX);
  s.config.options.timeout = 0;
  s.config.options.given |= PRIVY_GIVEN(TIMEOUT);
  CHECK_STATUS(begin(&s), PRIVY_CONFIG_ERROR);
  privy_error_clear(&s.error);
  s.config.options.timeout = 1;
  CHECK_OK(begin(&s));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 0);
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(progress_counts_the_requests_that_rows_take),
      TEST_UNSWEPT(a_days_budget_gives_no_estimate),
      TEST(configurations_are_checked),
  };
  return HARNESS_RUN(tests);
}
