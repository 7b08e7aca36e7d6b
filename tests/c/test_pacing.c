/* Pacing over minutes and days, with a sandbox whose clock the test advances. */
#include "simulation.h"

#include <stdio.h>

#include "order_request.h"
#include "privy_sandbox.h"

#define START 1800000000.0

static const privy_settings settings = {.token = (char *)(uintptr_t)PRIVY_SANDBOX_TOKEN,
                                        .base_url = (char *)(uintptr_t) "https://sandbox.test/v1",
                                        .base_path = "/v1"};

static simulation new_simulation(uint32_t per_minute, uint32_t per_day) {
  simulation run = {.settings = &settings,
                    .options = {.timeout = 30, .connect_timeout = 5, .max_wait = 300, .max_retries = 3},
                    .start = START,
                    .now = START,
                    .latency = 0.2,
                    .random = 42};
  assert_int_equal(privy_sandbox_new(&run.sandbox), PRIVY_OK);
  privy_sandbox_set_clock(run.sandbox, START);
  privy_sandbox_set_limits(run.sandbox, per_minute, per_day, 60);
  run.request = order_request();
  return run;
}

static void end_simulation(simulation *run) {
  privy_request_free(run->request);
  privy_sandbox_release(run->sandbox);
}

static void ten_thousand(size_t workers, double jitter) {
  simulation run = new_simulation(60, 10000);
  run.jitter = jitter;
  simulated_worker crew[64] = {{0}};
  privy_account account;
  privy_account_init(&account);
  for (size_t i = 0; i < workers; i++) crew[i] = (simulated_worker){.account = &account, .at = START};
  run.wanted = 10000;
  simulation_run(&run, crew, workers);
  printf("    %zu at once, jitter %.1f: %.2f minutes, %d 429s, %d failed\n", workers, jitter, (run.now - START) / 60,
         (int)run.limited, (int)run.failed);
  assert_int_equal(run.done, 10000);
  assert_int_equal(run.limited, 0);
  assert_true((run.now - START) / 60 >= 166 && (run.now - START) / 60 <= 168);
  end_simulation(&run);
}

static void ten_thousand_orders_take_as_long_as_the_limit_says(void **state) {
  (void)state;
  ten_thousand(1, 0);
  ten_thousand(8, 0);
  ten_thousand(64, 0);
}

static void responses_out_of_order_are_not_attributed_to_others(void **state) {
  (void)state;
  ten_thousand(2, 0.5);
  ten_thousand(8, 0.2);
  ten_thousand(8, 0.9);
  ten_thousand(64, 0.9);
}

/* Windows of 5 seconds and of 1: the client waits for the resets of the headers, not for minutes. Returns the time
 * that the calls take, as a multiple of the shortest that the limit allows. */
static double short_windows(uint32_t window, size_t workers, double jitter, bool dated) {
  simulation run = new_simulation(60, 0);
  simulated_worker crew[8] = {{0}};
  privy_account account;
  privy_account_init(&account);
  assert_int_equal(privy_sandbox_set_limits(run.sandbox, 10, 0, window), PRIVY_OK);
  for (size_t i = 0; i < workers; i++) crew[i] = (simulated_worker){.account = &account, .at = START};
  run.latency = 0.01;
  run.jitter = jitter;
  run.dated = dated;
  run.wanted = 1000;
  simulation_run(&run, crew, workers);
  const double ratio = (run.now - START) / (99.0 * window);
  printf("    %u s, %zu at once: %.3f of the shortest time, %d 429s\n", window, workers, ratio, (int)run.limited);
  assert_int_equal(run.done, 1000);
  assert_int_equal(run.limited, 0);
  end_simulation(&run);
  return ratio;
}

static void short_windows_are_used_completely(void **state) {
  (void)state;
  assert_true(short_windows(5, 1, 0, false) < 1.02);
  assert_true(short_windows(5, 8, 0.9, false) < 1.02);
  assert_true(short_windows(5, 8, 0.9, true) < 1.02);
  assert_true(short_windows(1, 1, 0, false) < 1.15);
  assert_true(short_windows(1, 8, 0.9, true) < 1.15);
}

/* Each client only sees the headers of its own responses. */
static void four_clients_share(double pause, double spread, double jitter, size_t at_once) {
  simulation run = new_simulation(60, 0);
  run.jitter = jitter;
  simulated_worker crew[8] = {{0}};
  privy_account accounts[4];
  for (size_t i = 0; i < 4; i++) privy_account_init(&accounts[i]);
  for (size_t i = 0; i < 4 * at_once; i++) {
    double own = spread * (double)(i % 4);
    crew[i] = (simulated_worker){.account = &accounts[i % 4], .at = START + own, .pause = pause + own};
  }
  run.wanted = 6000;
  simulation_run(&run, crew, 4 * at_once);
  double used = (double)run.done / (run.now - START), limited = (double)run.limited / (double)run.sent;
  printf("    four clients, %zu at once, %.2f s and %.2f s apart, jitter %.1f: %.1f %% used, %.2f %% 429s\n", at_once,
         pause, spread, jitter, used * 100, limited * 100);
  assert_int_equal(run.done, 6000);
  assert_true(used > 0.95);
  assert_true(limited < 0.01);
  end_simulation(&run);
}

static void clients_that_share_an_account_leave_budget_to_each_other(void **state) {
  (void)state;
  four_clients_share(0, 0, 0, 1);
  four_clients_share(0, 0.013, 0, 1);
  four_clients_share(0.3, 0.1, 0, 1);
  four_clients_share(0.1, 0.5, 0.9, 1);
  four_clients_share(1.5, 0.37, 0, 1);
  four_clients_share(0, 0, 0.9, 1);
  four_clients_share(0, 0, 0.9, 2);
}

static void a_hundred_thousand_orders_stop_at_the_end_of_each_day(void **state) {
  (void)state;
  simulation run = new_simulation(60, 10000);
  simulated_worker crew[8] = {{0}};
  privy_account account;
  int days = 0;
  privy_account_init(&account);
  run.wanted = 100000;
  while (run.done < run.wanted) {
    assert_true(days < 11);
    for (size_t i = 0; i < 8; i++) crew[i] = (simulated_worker){.account = &account, .at = run.now};
    simulation_run(&run, crew, 8);
    assert_int_equal(run.done, ++days * 10000);
    run.started = run.done;
    if (run.done < run.wanted) run.now = run.refused_until;
  }
  assert_int_equal(days, 10);
  assert_int_equal(run.limited, 0);
  end_simulation(&run);
}

/* Also with few requests a day the first response does not attribute requests in flight to others. */
static void a_short_day_is_used_completely(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 300; seed++) {
    simulation run = new_simulation(60, 6);
    simulated_worker crew[3] = {{0}};
    privy_account account;
    privy_account_init(&account);
    for (size_t i = 0; i < 3; i++) crew[i] = (simulated_worker){.account = &account, .at = START};
    run.random = seed * UINT64_C(0x9E3779B97F4A7C15);
    run.jitter = 0.9;
    run.wanted = 20;
    simulation_run(&run, crew, 3);
    assert_int_equal(run.sent_before, 6);
    assert_int_equal(run.done, 6);
    assert_int_equal(run.limited, 0);
    end_simulation(&run);
  }
}

/* The reserve is never used. */
static void a_reserve_is_left_to_others(void **state) {
  (void)state;
  simulation run = new_simulation(60, 0);
  simulated_worker worker = {.at = START};
  privy_account account;
  privy_account_init(&account);
  worker.account = &account;
  run.options.reserve = 20;
  run.wanted = 400;
  simulation_run(&run, &worker, 1);
  assert_int_equal(run.done, 400);
  assert_true((run.now - START) / 60 >= 9 && (run.now - START) / 60 < 10.1);
  end_simulation(&run);
}

/* ---- clocks ------------------------------------------------------------------------------------------------------ */

/* The wall clock jumps by hours between all steps: windows are kept by a clock that is never set. */
static void jumps_of_the_wall_clock_change_nothing(void **state) {
  (void)state;
  for (size_t workers = 1; workers <= 8; workers += 7) {
    simulation run = new_simulation(60, 0);
    simulated_worker crew[8] = {{0}};
    privy_account account;
    privy_account_init(&account);
    for (size_t i = 0; i < workers; i++) crew[i] = (simulated_worker){.account = &account, .at = START};
    run.dated = true;
    run.wall_jumps = 7200;
    run.options.max_wait = 63;
    run.wanted = 600;
    simulation_run(&run, crew, workers);
    assert_int_equal(run.done, 600);
    assert_int_equal(run.limited, 0);
    assert_true((run.now - START) / 60 >= 9 && (run.now - START) / 60 < 10.2);
    end_simulation(&run);
  }
}

/* The first calls of many threads wait for each other's responses, which is no wait for budget. */
static void calls_that_may_not_wait_share_the_first_responses(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 100; seed++) {
    simulation run = new_simulation(60, 0);
    simulated_worker crew[64] = {{0}};
    privy_account account;
    privy_account_init(&account);
    for (size_t i = 0; i < 64; i++) crew[i] = (simulated_worker){.account = &account, .at = START};
    run.options.max_wait = 0;
    run.jitter = 0.9;
    run.random = seed;
    run.wanted = 60;
    simulation_run(&run, crew, 64);
    assert_int_equal(run.failed, 0);
    assert_int_equal(run.done, 60);
    assert_int_equal(run.limited, 0);
    end_simulation(&run);
  }
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static const privy_settings with_oauth = {.client_id = (char *)(uintptr_t)PRIVY_SANDBOX_CLIENT_ID,
                                          .client_secret = (char *)(uintptr_t)PRIVY_SANDBOX_CLIENT_SECRET,
                                          .base_url = (char *)(uintptr_t) "https://sandbox.test/v1",
                                          .base_path = "/v1",
                                          .token_url = (char *)(uintptr_t) "https://sandbox.test/oauth/token"};

/* Drivers stop for most of an hour, some of them during the token request that the others wait for. */
static void drivers_that_stop_block_no_other_call(void **state) {
  (void)state;
  for (uint64_t seed = 0; seed < 20; seed++) {
    simulation run = new_simulation(0, 0);
    simulated_worker crew[6] = {{0}};
    privy_account account;
    privy_account_init(&account);
    for (size_t i = 0; i < 6; i++) crew[i] = (simulated_worker){.account = &account, .at = START, .pause = 700};
    run.settings = &with_oauth;
    run.undriven = 3000;
    run.jitter = 0.9;
    run.random = seed;
    run.wanted = 1000;
    simulation_run(&run, crew, 6);
    assert_int_equal(run.done, 1000);
    assert_true(run.longest < 3);
    assert_true(account.fetch_count > 10);
    privy_account_clear(&account);
    end_simulation(&run);
  }
}

/* Unswept: the pacer allocates nothing, and test_retry and test_call sweep calls. */
int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(ten_thousand_orders_take_as_long_as_the_limit_says),
      TEST_UNSWEPT(responses_out_of_order_are_not_attributed_to_others),
      TEST_UNSWEPT(short_windows_are_used_completely),
      TEST_UNSWEPT(clients_that_share_an_account_leave_budget_to_each_other),
      TEST_UNSWEPT(a_hundred_thousand_orders_stop_at_the_end_of_each_day),
      TEST_UNSWEPT(a_short_day_is_used_completely),
      TEST_UNSWEPT(a_reserve_is_left_to_others),
      TEST_UNSWEPT(jumps_of_the_wall_clock_change_nothing),
      TEST_UNSWEPT(calls_that_may_not_wait_share_the_first_responses),
      TEST_UNSWEPT(drivers_that_stop_block_no_other_call),
  };
  return HARNESS_RUN(tests);
}
