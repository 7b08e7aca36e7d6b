#include <math.h>

#include "jobs/bulk.h"

/* Shorter waits are not reported, in seconds. */
#define MIN_REPORTED_WAIT 0.25
/* So many skipped rows are reported at once: skipping one takes microseconds. */
#define REPORTED_SKIPS 1000

void privy_bulk_measure_wait(privy_bulk *bulk) {
  const double now = privy_client_now(privy_group_client(bulk->group));
  if (bulk->idle && now > bulk->measured_at) bulk->progress.waited += now - bulk->measured_at;
  bulk->idle = false;
  bulk->measured_at = now;
}

uint64_t privy_bulk_count_requests(const privy_bulk *bulk) {
  uint64_t sent = bulk->progress.requests;
  for (const bulk_row *row = bulk->first; row; row = row->next)
    if (row->state == BULK_ACTIVE) sent += (uint64_t)row->call->attempts;
  return sent;
}

/* The longer of two times for the rows that are left: by the requests that a row took so far and the rate limits, and
 * by the time that it took. */
static double eta_of(const privy_bulk *bulk, const privy_bulk_progress *progress) {
  if (progress->total < 0 || bulk->ended == 0) return -1;
  const double ended = (double)bulk->ended, left = fmax((double)progress->total - ended - (double)progress->skipped, 0);
  const double requests = ceil(left * (double)bulk->progress.requests / ended);
  const double by_budget = privy_client_forecast(privy_group_client(bulk->group), &bulk->options, requests);
  const double by_pace = left * fmax(progress->seconds - progress->waited, 0) / ended;
  return by_budget < 0 ? -1 : fmax(by_budget, by_pace);
}

void privy_bulk_get_progress(privy_bulk *bulk, privy_bulk_progress *out) {
  *out = bulk->progress;
  out->requests = privy_bulk_count_requests(bulk);
  out->seconds = fmax(bulk->measured_at - bulk->started_at, 0);
  out->waiting_until =
      privy_group_idle_seconds(bulk->group) > MIN_REPORTED_WAIT ? privy_group_waiting_until(bulk->group) : 0;
  out->eta = eta_of(bulk, out);
}

/* Rows that were skipped since the last report are one if they are many, or if no row is left. */
static bool has_skipped(const privy_bulk *bulk) {
  const uint64_t since = bulk->progress.skipped - bulk->reported_skipped;
  return since >= REPORTED_SKIPS || (since > 0 && bulk->ends && bulk->active == 0);
}

bool privy_bulk_take_progress(privy_bulk *bulk, privy_bulk_progress *out) {
  const double wait =
      privy_group_idle_seconds(bulk->group) > MIN_REPORTED_WAIT ? privy_group_waiting_until(bulk->group) : 0;
  const bool is_done = bulk->progress.done != bulk->reported_done;
  if (!is_done && fabs(wait - bulk->reported_wait) <= 1 && !has_skipped(bulk)) return false;
  bulk->reported_done = bulk->progress.done;
  bulk->reported_skipped = bulk->progress.skipped;
  bulk->reported_wait = wait;
  privy_bulk_get_progress(bulk, out);
  return true;
}
