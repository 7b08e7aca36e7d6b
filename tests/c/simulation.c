#include "simulation.h"

#include <string.h>

static uint64_t next_random(simulation *run) {
  run->random = run->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return run->random >> 11;
}

static void begin_call(simulation *run, simulated_worker *worker) {
  uint64_t random[2] = {next_random(run), next_random(run)};
  privy_error_init(&worker->error);
  privy_call_init(&worker->call, run->settings, run->options, random, run->request, &worker->error);
  worker->busy = true;
  run->begun++;
}

static void end_call(simulation *run, simulated_worker *worker) {
  if (worker->call.status == PRIVY_OK) {
    run->done++;
  } else {
    if (run->failed++ == 0) run->sent_before = run->sent;
    run->refused_until = (double)worker->error.resets_at;
    worker->stopped = true;
  }
  privy_call_clear(&worker->call);
  privy_error_clear(&worker->error);
  worker->busy = false;
  worker->at = run->now + worker->pause;
}

static void send_request(simulation *run, simulated_worker *worker) {
  const privy_outgoing *outgoing = &worker->call.outgoing;
  privy_sandbox_answer answer;
  privy_sandbox_answer_init(&answer);
  assert_int_equal(privy_sandbox_handle(run->sandbox, outgoing->method, outgoing->target, outgoing->headers.data,
                                        outgoing->headers.length, outgoing->body, outgoing->body_length, &answer),
                   PRIVY_OK);
  run->sent++;
  run->limited += answer.http_status == 429;
  worker->incoming =
      (privy_incoming){.http_status = answer.http_status, .headers = answer.headers, .body = answer.body};
  worker->answering = true;
  double chance = (double)(next_random(run) % 2001) / 1000 - 1;
  worker->at = run->now + run->latency * (1 + run->jitter * chance);
}

static void step(simulation *run, simulated_worker *worker) {
  if (worker->answering) {
    privy_call_answered(&worker->call, worker->account, run->now, &worker->incoming);
    privy_incoming_clear(&worker->incoming);
    worker->answering = false;
    return;
  }
  if (!worker->busy) {
    if (run->begun == run->wanted) {
      worker->stopped = true;
      return;
    }
    begin_call(run, worker);
  }
  switch (privy_call_next(&worker->call, worker->account, run->now)) {
  case PRIVY_CALL_SEND: send_request(run, worker); break;
  case PRIVY_CALL_WAIT: worker->at = worker->call.until; break;
  case PRIVY_CALL_DONE: end_call(run, worker); break;
  }
}

void simulation_run(simulation *run, simulated_worker *workers, size_t count) {
  for (;;) {
    simulated_worker *next = NULL;
    size_t first = next_random(run) % count; /* who comes first among those of one instant is chance */
    for (size_t i = 0; i < count; i++) {
      simulated_worker *worker = &workers[(first + i) % count];
      if (!worker->stopped && (!next || worker->at < next->at)) next = worker;
    }
    if (!next) return;
    if (next->at > run->now) run->now = next->at;
    privy_sandbox_set_clock(run->sandbox, run->now);
    step(run, next);
  }
}
