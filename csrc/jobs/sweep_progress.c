#include <math.h>

#include "jobs/sweep.h"

/* Shorter waits are not reported, in seconds. */
#define MIN_REPORTED_WAIT 0.25

void privy_sweep_measure_wait(privy_sweep *sweep) {
  const double now = privy_client_now(privy_group_client(sweep->group));
  if (sweep->idle && now > sweep->measured_at) sweep->progress.waited += now - sweep->measured_at;
  sweep->idle = false;
  sweep->measured_at = now;
}

/* The longer of two times for the requests that are left: by the rate limits, and by the time that they took so far. */
static double eta_of(const privy_sweep *sweep, const privy_sweep_progress *progress) {
  if (sweep->ended) return 0;
  const int64_t left = privy_coverage_left(&sweep->coverage);
  const uint64_t responses = progress->pages + progress->repeated;
  if (left < 0 || responses == 0) return -1;
  const double by_budget = privy_client_forecast(privy_group_client(sweep->group), &sweep->options, (double)left);
  const double by_pace = (double)left * fmax(progress->seconds - progress->waited, 0) / (double)responses;
  return by_budget < 0 ? -1 : fmax(by_budget, by_pace);
}

static double reported_wait(const privy_sweep *sweep) {
  if (!sweep->call || privy_group_idle_seconds(sweep->group) <= MIN_REPORTED_WAIT) return 0;
  return privy_group_waiting_until(sweep->group);
}

void privy_sweep_get_progress(privy_sweep *sweep, privy_sweep_progress *out) {
  *out = sweep->progress;
  if (sweep->call) out->requests += (uint64_t)sweep->call->attempts;
  out->seconds = fmax(sweep->measured_at - sweep->started_at, 0);
  out->waiting_until = reported_wait(sweep);
  out->eta = eta_of(sweep, out);
}

bool privy_sweep_take_progress(privy_sweep *sweep, privy_sweep_progress *out) {
  const double wait = reported_wait(sweep);
  const uint64_t responses = sweep->progress.pages + sweep->progress.repeated;
  if (responses == sweep->reported_pages && fabs(wait - sweep->reported_wait) <= 1) return false;
  sweep->reported_pages = responses;
  sweep->reported_wait = wait;
  privy_sweep_get_progress(sweep, out);
  return true;
}
