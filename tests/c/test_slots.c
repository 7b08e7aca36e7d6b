/* Jobs of a queue that run again at the retry_at of their errors, in simulated time with a sandbox. */
#include "simulation.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "order_request.h"
#include "privy_sandbox.h"

#define START 1800000000.3
#define MOST_CLIENTS 16
#define MOST_WORKERS 64
#define COUNT(array) (sizeof(array) / sizeof *(array))

static const privy_settings settings = {.token = (char *)(uintptr_t)PRIVY_SANDBOX_TOKEN,
                                        .base_url = (char *)(uintptr_t) "https://sandbox.test/v1",
                                        .base_path = "/v1"};

typedef struct job_queue {
  size_t clients, threads, jobs;
  double latency, overhead;
  uint32_t window;
  bool shared;         /* the clients share their slots */
  double poll, stalls; /* as of a simulation */
} job_queue;

typedef struct outcome {
  double time;       /* as a multiple of the ideal */
  double executions; /* for each job */
  double limited;    /* 429s for each request */
} outcome;

/* All requests of a window as fast as the workers can, as soon as it opens: jobs / 60 windows, all but the last to
 * their end. */
static double ideal(const job_queue *queue) {
  const double windows = ceil((double)queue->jobs / 60), last = (double)queue->jobs - (windows - 1) * 60;
  return (windows - 1) * queue->window +
         last / (double)(queue->clients * queue->threads) * (queue->latency + queue->overhead);
}

static outcome run_queue(const job_queue *queue, uint64_t seed) {
  simulation run = {.settings = &settings,
                    .options = {.timeout = 30, .connect_timeout = 5, .max_retries = 3},
                    .start = START,
                    .now = START,
                    .dated = true,
                    .latency = queue->latency,
                    .jitter = 0.5,
                    .overhead = queue->overhead,
                    .poll = queue->poll,
                    .stalls = queue->stalls,
                    .random = seed};
  simulated_worker workers[MOST_WORKERS] = {{0}};
  privy_shared_slots shared = {0};
  privy_account accounts[MOST_CLIENTS];
  privy_options_defer(&run.options);
  run.jobs = privy_calloc(queue->jobs, sizeof *run.jobs);
  run.job_count = queue->jobs;
  for (size_t i = 0; i < queue->clients; i++) privy_account_init(&accounts[i]);
  for (size_t i = 0; i < queue->clients * queue->threads; i++)
    workers[i] = (simulated_worker){.account = &accounts[i % queue->clients], .at = START};
  if (queue->shared) run.shared = &shared;
  assert_int_equal(privy_sandbox_new(&run.sandbox), PRIVY_OK);
  privy_sandbox_set_clock(run.sandbox, START);
  assert_int_equal(privy_sandbox_set_limits(run.sandbox, 60, 0, queue->window), PRIVY_OK);
  run.request = order_request();
  simulation_run(&run, workers, queue->clients * queue->threads);
  assert_int_equal(run.done, queue->jobs);
  privy_request_free(run.request);
  privy_sandbox_release(run.sandbox);
  privy_free(run.jobs);
  return (outcome){.time = (run.now - START) / ideal(queue),
                   .executions = (double)run.started / (double)queue->jobs,
                   .limited = (double)run.limited / (double)run.sent};
}

/* A run of 1,000 jobs takes long under valgrind: PRIVY_DEEP runs each queue with many seeds. */
static uint64_t seed_count(void) {
  return getenv("PRIVY_DEEP") ? 40 : 5;
}

/* The worst of some runs. */
static outcome worst_of(const job_queue *queue) {
  outcome worst = {0};
  for (uint64_t seed = 1; seed <= seed_count(); seed++) {
    const outcome one = run_queue(queue, seed * UINT64_C(0x9E3779B97F4A7C15));
    worst.time = fmax(worst.time, one.time);
    worst.executions = fmax(worst.executions, one.executions);
    worst.limited = fmax(worst.limited, one.limited);
  }
  printf("    %4zu jobs, %2zu clients of %2zu threads, %.3f s, window %2d s, poll %.1f, stalls %.1f%s: time %.3f, "
         "executions %.2f, 429s %.2f %%\n",
         queue->jobs, queue->clients, queue->threads, queue->latency, (int)queue->window, queue->poll, queue->stalls,
         queue->shared ? ", shared" : "", worst.time, worst.executions, worst.limited * 100);
  return worst;
}

static void threads_of_one_client(void **state) {
  (void)state;
  static const job_queue queues[] = {{1, 1, 180, 0.12, 0.005, 60, false, 0, 0},
                                     {1, 20, 1000, 0.12, 0.005, 60, false, 0, 0},
                                     {1, 20, 1000, 0.005, 0.001, 60, false, 0, 0},
                                     {1, 20, 1000, 0.005, 0.001, 5, false, 0, 0}};
  for (size_t i = 0; i < COUNT(queues); i++) {
    const outcome worst = worst_of(&queues[i]);
    assert_true(worst.time <= 1.25);
    assert_true(worst.executions <= 2.2);
    assert_true(worst.limited <= 0.01);
  }
}

static void processes_that_know_nothing_of_each_other(void **state) {
  (void)state;
  static const job_queue queues[] = {
      {4, 1, 180, 0.005, 0.002, 60, false, 0, 0},  {4, 1, 180, 0.12, 0.005, 60, false, 0, 0},
      {4, 4, 180, 0.12, 0.005, 60, false, 0, 0},   {4, 1, 1000, 0.12, 0.005, 60, false, 0, 0},
      {2, 10, 1000, 0.12, 0.005, 60, false, 0, 0}, {4, 1, 180, 0.005, 0.002, 5, false, 0, 0}};
  for (size_t i = 0; i < COUNT(queues); i++) {
    const outcome worst = worst_of(&queues[i]);
    assert_true(worst.time <= 1.25);
    assert_true(worst.executions <= 3.5);
    assert_true(worst.limited <= 0.05);
  }
}

static void processes_that_share_their_slots(void **state) {
  (void)state;
  static const job_queue queues[] = {{4, 1, 180, 0.12, 0.005, 60, true, 0, 0},
                                     {2, 10, 1000, 0.12, 0.005, 60, true, 0, 0},
                                     {2, 10, 1000, 0.005, 0.001, 5, true, 0, 0},
                                     {4, 10, 1000, 0.12, 0.005, 60, true, 0, 0}};
  for (size_t i = 0; i < COUNT(queues); i++) {
    const outcome worst = worst_of(&queues[i]);
    assert_true(worst.time <= 1.25);
    assert_true(worst.executions <= 2.2);
    assert_true(worst.limited <= 0.05);
  }
}

/* Processes find out late what the others use, and jobs come late and many at once. */
static void processes_of_a_busy_machine(void **state) {
  (void)state;
  static const job_queue queues[] = {
      {2, 10, 180, 0.005, 0.001, 5, true, 0.8, 0},   {2, 10, 180, 0.005, 0.001, 5, true, 0.8, 0.1},
      {2, 10, 180, 0.005, 0.001, 5, true, 0.8, 0.3}, {2, 10, 180, 0.02, 0.02, 5, true, 0.8, 0.5},
      {2, 10, 180, 0.02, 0.02, 5, true, 0.8, 1},     {2, 10, 1000, 0.02, 0.02, 5, true, 0.8, 0.5},
      {2, 10, 1000, 0.12, 0.02, 60, true, 5, 1},     {4, 10, 1000, 0.12, 0.02, 60, true, 5, 1}};
  for (size_t i = 0; i < COUNT(queues); i++) {
    const outcome worst = worst_of(&queues[i]);
    assert_true(worst.executions <= 2.2);
    assert_true(worst.limited <= 0.05);
  }
}

/* Each of sixteen makes four requests of a window, and learns little from their responses. */
static void many_processes_cost_429s_and_some_time(void **state) {
  (void)state;
  static const job_queue queue = {16, 1, 1000, 0.12, 0.005, 60, false, 0, 0};
  const outcome worst = worst_of(&queue);
  assert_true(worst.time <= 1.5);
  assert_true(worst.executions <= 6);
  assert_true(worst.limited <= 0.25);
}

/* ---- slots ---- */

static privy_pacer pacer_of(int64_t own, int64_t by_others, int64_t remaining) {
  return (privy_pacer){.minute = {.known = true,
                                  .limit = 60,
                                  .remaining = remaining,
                                  .resets_at = 1060,
                                  .window = 60,
                                  .others = (double)by_others / (double)own,
                                  .own = own,
                                  .by_others = by_others}};
}

/* How many of the first `count` slots lie in the window that begins at `begin`. */
static size_t slots_in(const privy_pacer *pacer, size_t count, double begin) {
  privy_slots slots = {0};
  size_t found = 0;
  for (size_t i = 0; i < count; i++) {
    const double at = privy_slots_take(&slots, pacer, 0, 1060, 0.5);
    assert_true(at >= 1060);
    found += at >= begin && at < begin + 60;
  }
  return found;
}

static void a_client_alone_fills_one_window_after_the_other(void **state) {
  (void)state;
  const privy_pacer alone = pacer_of(60, 0, 0);
  assert_int_equal(slots_in(&alone, 200, 1060), 62);
  assert_int_equal(slots_in(&alone, 200, 1120), 62);
  assert_int_equal(slots_in(&alone, 200, 1240), 14);
}

static void a_client_among_others_takes_more_than_its_share_of_the_next_window_most_of_all(void **state) {
  (void)state;
  const privy_pacer one_of_four = pacer_of(15, 45, 0);
  assert_int_equal(slots_in(&one_of_four, 200, 1060), 62);
  assert_int_equal(slots_in(&one_of_four, 200, 1120), 32);
  assert_int_equal(slots_in(&one_of_four, 200, 1180), 26);
}

static void slots_of_a_window_lie_in_its_first_quarter(void **state) {
  (void)state;
  const privy_pacer alone = pacer_of(60, 0, 0);
  privy_slots slots = {0};
  double last = 0;
  for (int i = 0; i < 62; i++) {
    const double at = privy_slots_take(&slots, &alone, 0, 1060, 0.99);
    assert_true(at > last && at < 1075);
    last = at;
  }
  assert_true(privy_slots_take(&slots, &alone, 0, 1060, 0) >= 1120);
}

/* Two clients that see only a part of the requests, and one that has not seen a window from its beginning. */
static void clients_share_slots_as_if_they_were_one(void **state) {
  (void)state;
  privy_pacer pacers[] = {pacer_of(15, 45, 0), pacer_of(40, 20, 0), pacer_of(5, 55, 0)};
  pacers[2].minute.window = 0;
  pacers[2].minute.shortest = 31;
  pacers[2].minute.longest = INFINITY;
  privy_shared_slots shared = {0};
  size_t found[4] = {0};
  double last = 0;
  for (size_t i = 0; i < 200; i++) {
    const double at = privy_slots_take_shared(&shared, &pacers[i % 3], 0, 1060, 0.5);
    assert_true(at > last);
    last = at;
    found[(int)((at - 1060) / 60)]++;
  }
  assert_true(found[0] == 62 && found[1] == 62 && found[2] == 62 && found[3] == 14);
  assert_true(shared.window == 60);
  /* The server's window begins later than was known. */
  assert_true(privy_slots_take_shared(&shared, &pacers[0], 0, 1123, 0) > 1240);
  /* All that was taken is over. */
  assert_true(privy_slots_take_shared(&shared, &pacers[1], 0, 5000, 0) == 5000);
}

static void shared_slots_leave_the_reserve(void **state) {
  (void)state;
  const privy_pacer pacer = pacer_of(15, 45, 0);
  privy_shared_slots shared = {0};
  size_t found = 0;
  for (size_t i = 0; i < 100; i++) found += privy_slots_take_shared(&shared, &pacer, 10, 1060, 0.5) < 1120;
  assert_int_equal(found, 52);
}

static void nothing_is_more_than_twenty_minutes_ahead(void **state) {
  (void)state;
  const privy_pacer alone = pacer_of(60, 0, 0);
  privy_slots slots = {0};
  for (int i = 0; i < 10000; i++) assert_true(privy_slots_take(&slots, &alone, 0, 1060, 0.7) < 1060 + 1200 + 15);
  /* Jobs that came later than that have taken no slot: the next hour begins empty. */
  assert_true(privy_slots_take(&slots, &alone, 0, 1060 + 3600, 0) == 1060 + 3600);
}

static void slots_of_an_instant_that_was_wrong_are_given_up(void **state) {
  (void)state;
  const privy_pacer alone = pacer_of(60, 0, 0);
  privy_slots slots = {0};
  assert_true(privy_slots_take(&slots, &alone, 0, 86400, 0) == 86400); /* the day's limit was spent, then raised */
  assert_true(privy_slots_take(&slots, &alone, 0, 1060, 0) == 1060);
  assert_true(privy_slots_take(&slots, &alone, 0, 1360, 0) == 1360); /* a long Retry-After */
  assert_true(privy_slots_take(&slots, &alone, 0, 1060, 0) == 1060);
}

static void jobs_use_the_rest_of_a_window_after_its_slots(void **state) {
  (void)state;
  privy_pacer pacer = pacer_of(15, 41, 4);
  privy_slots slots = {0};
  double at = 0;
  for (int i = 0; i < 4; i++) {
    assert_true(privy_slots_take_rest(&slots, &pacer, 0, 1001, 0.5, &at));
    assert_true(at > 1000 + 0.3 * 60 && at < 1000 + 0.45 * 60);
  }
  assert_false(privy_slots_take_rest(&slots, &pacer, 0, 1001, 0.5, &at));
  assert_false(privy_slots_has_rest(&pacer, 0, 1001));
  assert_true(privy_slots_has_rest(&pacer, 0, 1020));
  assert_false(privy_slots_has_rest(&pacer, 4, 1020));
  assert_false(privy_slots_has_rest(&pacer, 0, 1060));
  pacer.in_flight = 4;
  assert_false(privy_slots_has_rest(&pacer, 0, 1020));
}

static void a_client_asks_alone_until_it_knows_the_window(void **state) {
  (void)state;
  privy_pacer pacer = {0};
  double until = 0;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_NOW, 0, 1001, &until), PRIVY_PACE_NOW);
  pacer.in_flight = 1;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_NOW, 0, 1001, &until), PRIVY_PACE_IN_FLIGHT);
  assert_true(until > 1001 && until < 1001.1);
  pacer = pacer_of(3, 0, 57); /* two responses */
  pacer.in_flight = 1;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_NOW, 0, 1001, &until), PRIVY_PACE_NOW);
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_NOW, 0, 1061, &until),
                   PRIVY_PACE_IN_FLIGHT); /* the next window */
  pacer.minute.own = 5;
  pacer.in_flight = 3;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_NOW, 0, 1001, &until), PRIVY_PACE_IN_FLIGHT);
}

static void a_client_asks_alone_when_little_is_left(void **state) {
  (void)state;
  privy_pacer pacer = pacer_of(40, 10, 10);
  double until = 0;
  pacer.in_flight = 3;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_NOW, 0, 1001, &until), PRIVY_PACE_NOW);
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_NOW, 2, 1001, &until), PRIVY_PACE_IN_FLIGHT);
  pacer.in_flight = 4;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_NOW, 0, 1001, &until), PRIVY_PACE_IN_FLIGHT);
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_DAY, 0, 1001, &until), PRIVY_PACE_DAY);
  pacer.minute.remaining = 1;
  pacer.in_flight = 0;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_NOW, 0, 1001, &until), PRIVY_PACE_NOW);
}

static void jobs_use_the_rest_one_after_the_other(void **state) {
  (void)state;
  privy_pacer pacer = pacer_of(15, 41, 4);
  double until = 0;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_MINUTE, 0, 1001, &until), PRIVY_PACE_MINUTE);
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_MINUTE, 0, 1020, &until), PRIVY_PACE_NOW);
  pacer.in_flight = 1;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_MINUTE, 0, 1020, &until), PRIVY_PACE_IN_FLIGHT);
  pacer.minute.remaining = 0;
  assert_int_equal(privy_slots_ask(&pacer, PRIVY_PACE_MINUTE, 0, 1020, &until), PRIVY_PACE_MINUTE);
}

static void a_spent_day_leaves_no_rest(void **state) {
  (void)state;
  privy_pacer pacer = pacer_of(15, 41, 4);
  privy_slots slots = {0};
  double at = 0;
  pacer.day = (privy_budget){.known = true, .limit = 100, .remaining = 0, .resets_at = 5000};
  assert_false(privy_slots_take_rest(&slots, &pacer, 0, 1001, 0.5, &at));
}

static void the_backoff_of_a_job_doubles_up_to_ten_minutes(void **state) {
  (void)state;
  assert_true(privy_job_backoff(1, 0) == 1 && privy_job_backoff(1, 0.5) == 1.5);
  assert_true(privy_job_backoff(2, 0) == 2 && privy_job_backoff(4, 0) == 8);
  assert_true(privy_job_backoff(10, 0) == 300 && privy_job_backoff(1000000, 0.99) < 600);
  assert_true(privy_job_backoff(0, 0) == 1 && privy_job_backoff(-5, 0) == 1);
}

/* Unswept: slots allocate nothing. */
int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(threads_of_one_client),
      TEST_UNSWEPT(processes_that_know_nothing_of_each_other),
      TEST_UNSWEPT(processes_that_share_their_slots),
      TEST_UNSWEPT(processes_of_a_busy_machine),
      TEST_UNSWEPT(many_processes_cost_429s_and_some_time),
      TEST_UNSWEPT(a_client_alone_fills_one_window_after_the_other),
      TEST_UNSWEPT(a_client_among_others_takes_more_than_its_share_of_the_next_window_most_of_all),
      TEST_UNSWEPT(slots_of_a_window_lie_in_its_first_quarter),
      TEST_UNSWEPT(clients_share_slots_as_if_they_were_one),
      TEST_UNSWEPT(shared_slots_leave_the_reserve),
      TEST_UNSWEPT(nothing_is_more_than_twenty_minutes_ahead),
      TEST_UNSWEPT(slots_of_an_instant_that_was_wrong_are_given_up),
      TEST_UNSWEPT(jobs_use_the_rest_of_a_window_after_its_slots),
      TEST_UNSWEPT(a_client_asks_alone_until_it_knows_the_window),
      TEST_UNSWEPT(a_client_asks_alone_when_little_is_left),
      TEST_UNSWEPT(jobs_use_the_rest_one_after_the_other),
      TEST_UNSWEPT(a_spent_day_leaves_no_rest),
      TEST_UNSWEPT(the_backoff_of_a_job_doubles_up_to_ten_minutes),
  };
  return HARNESS_RUN(tests);
}
