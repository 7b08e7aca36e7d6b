#define _POSIX_C_SOURCE 200809L

#include "simulation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/buffer.h"
#include "privy_sandbox.h"

/* Seconds: more than the precision of the time of day in a double. */
#define TICK 1e-6
/* Seconds between two drives of a call that waits for a response. */
#define BEAT 0.1

static uint64_t next_random(simulation *run) {
  run->random = run->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return run->random >> 11;
}

/* The clock of the clients' calls. */
static double clock_of(const simulation *run) {
  return SIMULATION_EPOCH + run->now - run->start;
}

/* A random number from -1 to 1. */
static double chance(simulation *run) {
  return (double)(next_random(run) % 2001) / 1000 - 1;
}

/* What the driver does before each step of a call. */
static double begin_step(simulation *run, simulated_worker *worker) {
  worker->account->wall_offset = run->now - clock_of(run) + (run->wall_jumps > 0 ? run->wall_jumps * chance(run) : 0);
  return clock_of(run);
}

/* The next job: of those that no worker has taken, the one that comes first. NULL if all are done or taken. */
static simulated_job *next_job(const simulation *run, bool *all_done) {
  simulated_job *next = NULL;
  *all_done = true;
  for (size_t i = 0; i < run->job_count; i++) {
    simulated_job *job = &run->jobs[i];
    if (job->done) continue;
    *all_done = false;
    if (!job->taken && (!next || job->at < next->at)) next = job;
  }
  return next;
}

/* Gives the worker a job that is due. False if it stops or waits. */
static bool take_job(simulation *run, simulated_worker *worker) {
  simulated_job *job = next_job(run, &worker->stopped);
  if (!job || job->at > run->now) {
    worker->at = job ? job->at : run->now + BEAT;
    return false;
  }
  job->taken = true;
  worker->job = job;
  return true;
}

static void end_job(simulation *run, simulated_worker *worker) {
  simulated_job *job = worker->job;
  job->taken = false;
  job->done = worker->call.status == PRIVY_OK;
  if (!job->done) {
    assert_int_equal(worker->error.code, PRIVY_RATE_LIMIT);
    assert_true(worker->error.retry_at > run->now);
    job->at = worker->error.retry_at;
    if (run->shared && job->at >= worker->error.resets_at)
      job->at = privy_slots_take_shared(run->shared, &worker->account->pacer, run->options.reserve,
                                        worker->error.resets_at, (chance(run) + 1) / 2.001);
    if (run->poll > 0) job->at = ceil(job->at / run->poll) * run->poll;
  }
  worker->stopped = false;
}

/* Whether the worker has something to do. */
static bool may_begin(simulation *run, simulated_worker *worker) {
  if (run->jobs) return take_job(run, worker);
  worker->stopped = run->started == run->wanted;
  return !worker->stopped;
}

static void begin_call(simulation *run, simulated_worker *worker) {
  uint64_t random[2] = {next_random(run), next_random(run)};
  privy_error_init(&worker->error);
  privy_call_init(&worker->call, run->settings, run->options, random, run->request, &worker->error);
  worker->busy = true;
  worker->undriven = false;
  worker->started_at = run->now;
  run->started++;
}

static void end_call(simulation *run, simulated_worker *worker) {
  if (worker->call.status == PRIVY_OK) {
    run->done++;
  } else {
    if (run->failed++ == 0) run->sent_before = run->sent;
    run->refused_until = (double)worker->error.resets_at;
    worker->stopped = true;
  }
  if (worker->job) end_job(run, worker);
  if (!worker->undriven) run->longest = fmax(run->longest, run->now - worker->started_at);
  privy_call_clear(&worker->call);
  privy_error_clear(&worker->error);
  worker->busy = false;
  worker->at = run->now + worker->pause + run->overhead;
}

static void add_date(const simulation *run, privy_buffer *headers) {
  static const char days[] = "ThuFriSatSunMonTueWed", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
  char line[64];
  const int64_t seconds = (int64_t)run->now;
  time_t machine = (time_t)seconds;
  struct tm utc;
  assert_non_null(gmtime_r(&machine, &utc));
  snprintf(line, sizeof line, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n", days + seconds / 86400 % 7 * 3,
           utc.tm_mday, months + 3 * utc.tm_mon, utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  assert_true(privy_buffer_text(headers, line));
}

static void send_request(simulation *run, simulated_worker *worker) {
  const privy_wire_request *wire_request = &worker->call.wire_request;
  privy_sandbox_response response;
  privy_sandbox_response_init(&response);
  assert_int_equal(privy_sandbox_handle(run->sandbox, wire_request->method, wire_request->target,
                                        wire_request->headers.data, wire_request->headers.length, wire_request->body,
                                        wire_request->body_length, &response),
                   PRIVY_OK);
  if (run->dated) add_date(run, &response.headers);
  run->sent++;
  run->limited += response.http_status == 429;
  worker->wire_response =
      (privy_wire_response){.http_status = response.http_status, .headers = response.headers, .body = response.body};
  worker->in_flight = true;
  worker->response_at = run->now + run->latency * (1 + run->jitter * chance(run));
  worker->at = fmin(worker->response_at, run->now + BEAT);
  if (run->undriven > 0 && next_random(run) % 3 == 0) {
    worker->undriven = true;
    worker->at = worker->response_at + run->undriven * (chance(run) + 1) / 2;
  }
}

static void step(simulation *run, simulated_worker *worker) {
  if (worker->in_flight) {
    double now = begin_step(run, worker);
    privy_account_drive_fetch(worker->account, worker->call.fetch);
    worker->at = fmin(worker->response_at, run->now + BEAT);
    if (run->now < worker->response_at) return;
    privy_call_received(&worker->call, worker->account, now, &worker->wire_response);
    privy_wire_response_clear(&worker->wire_response);
    worker->in_flight = false;
    return;
  }
  if (!worker->busy) {
    if (!may_begin(run, worker)) return;
    begin_call(run, worker);
  }
  double now = begin_step(run, worker);
  switch (privy_call_next(&worker->call, worker->account, now)) {
  case PRIVY_CALL_SEND: send_request(run, worker); break;
  case PRIVY_CALL_WAIT: worker->at = run->now + fmax(worker->call.until - clock_of(run), TICK); break;
  case PRIVY_CALL_DONE: end_call(run, worker); break;
  }
}

/* As on a machine that is too busy to run the process of a client. */
static void stall_a_client(simulation *run, simulated_worker *workers, size_t count) {
  const privy_account *account = workers[next_random(run) % count].account;
  const double until = run->now + run->stalls * fabs(chance(run));
  for (size_t i = 0; i < count; i++) {
    if (workers[i].account == account) workers[i].at = fmax(workers[i].at, until);
  }
  run->stall_at = run->now + run->stalls * fabs(chance(run));
}

void simulation_run(simulation *run, simulated_worker *workers, size_t count) {
  for (;;) {
    simulated_worker *next = NULL;
    size_t first = next_random(run) % count; /* workers of one instant run in random order */
    for (size_t i = 0; i < count; i++) {
      simulated_worker *worker = &workers[(first + i) % count];
      if (!worker->stopped && (!next || worker->at < next->at)) next = worker;
    }
    if (!next) return;
    if (next->at > run->now) run->now = next->at;
    if (run->stalls > 0 && run->now >= run->stall_at) {
      stall_a_client(run, workers, count);
      continue;
    }
    privy_sandbox_set_clock(run->sandbox, run->now);
    step(run, next);
  }
}
