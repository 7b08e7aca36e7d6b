#include "policy/pacer.h"

#include <math.h>
#include <stdlib.h>

#include "message/rate_headers.h"

/* The weight of the newest observation in `others`. */
#define SMOOTHING 0.3
/* Below this many requests, `others` counts as 0. */
#define NO_OTHERS 0.1
/* Requests in flight before the first response reports the limits. */
#define MAX_UNINFORMED 8
/* Seconds until a reset, at most: the window, and two for the rounding of Date and reset to whole seconds. */
#define LONGEST_MINUTE 62.0
#define LONGEST_DAY 86402.0
/* Seconds of a window of the limit per minute. */
#define USUAL_WINDOW 60.0
/* Seconds until the pacer is asked again while it waits for a response. */
#define IN_FLIGHT_POLL 0.05

/* After resets_at, assumes a full window. A window that ends later than any can was recorded before the clock was set
 * back: it counts as over. */
static void start_window_if_over(privy_budget *budget, double now, double longest) {
  bool runs = now < budget->resets_at && budget->resets_at <= now + longest;
  if (!budget->known || budget->resets_at == 0 || runs) return;
  budget->remaining = budget->limit;
  budget->resets_at = 0;
}

/* What others are expected to send before all our requests in flight and one more have their responses. The client that
 * sees the fewest remaining stops first, and the others use what it leaves. */
static double needed_margin(const privy_budget *budget, int64_t in_flight) {
  if (budget->others <= NO_OTHERS || budget->resets_at == 0) return 0;
  double margin = ceil(budget->others * (double)(in_flight + 1)) + 1;
  return fmin(margin, floor((double)budget->limit / 2));
}

static bool has_budget(const privy_budget *budget, int64_t in_flight, int64_t reserve) {
  if (!budget->known) return true;
  return (double)(budget->remaining - in_flight - reserve) > needed_margin(budget, in_flight);
}

static double until_of(const privy_budget *budget, double now) {
  return budget->resets_at > now ? budget->resets_at : now + IN_FLIGHT_POLL;
}

privy_pace privy_pacer_ask(privy_pacer *pacer, int64_t reserve, double now, double *until) {
  start_window_if_over(&pacer->minute, now, LONGEST_MINUTE);
  start_window_if_over(&pacer->day, now, LONGEST_DAY);
  if (!has_budget(&pacer->day, 0, 0)) {
    *until = until_of(&pacer->day, now);
    return PRIVY_PACE_DAY;
  }
  if (!has_budget(&pacer->minute, 0, reserve)) {
    *until = until_of(&pacer->minute, now);
    return PRIVY_PACE_MINUTE;
  }
  if (has_budget(&pacer->day, pacer->in_flight, 0) && has_budget(&pacer->minute, pacer->in_flight, reserve) &&
      (pacer->has_result || pacer->in_flight < MAX_UNINFORMED))
    return PRIVY_PACE_NOW;
  *until = now + IN_FLIGHT_POLL;
  return PRIVY_PACE_IN_FLIGHT;
}

void privy_pacer_sent(privy_pacer *pacer) {
  pacer->in_flight++;
  pacer->minute.own++;
  pacer->day.own++;
}

/* By the server's own instants: those of this clock are late by as much as a response was. Servers round to whole
 * seconds. */
static bool same_window(const privy_budget *budget, const privy_rate_header *header) {
  return budget->known && budget->resets_at != 0 && llabs(header->resets_at - budget->reset) <= 1;
}

/* Responses may arrive out of order: a response may already count other requests of ours that are in flight. Only usage
 * beyond all of them is attributed to others. */
static void learn_others(privy_budget *budget, int64_t used) {
  const int64_t by_others = used - budget->own;
  const int64_t more = by_others > budget->by_others ? by_others - budget->by_others : 0;
  budget->by_others += more;
  budget->others += SMOOTHING * ((double)more - budget->others);
}

/* Clients that do not send the first request of a window: a response shows at least how long the window still lasts,
 * two windows at most how long one is. */
static void bound_window(privy_budget *budget, double resets_at, double now) {
  budget->longest = budget->ended_at > 0 ? fmin(budget->longest, resets_at - budget->ended_at) : INFINITY;
  budget->shortest = fmax(budget->shortest, resets_at - now);
  budget->ended_at = resets_at;
}

static void start_window(privy_budget *budget, const privy_rate_header *header, double resets_at, int64_t in_flight,
                         double now) {
  bound_window(budget, resets_at, now);
  budget->own = in_flight + 1;
  budget->by_others = header->limit - header->remaining - 1;
  budget->reset = header->resets_at;
  budget->resets_at = resets_at;
  budget->remaining = header->remaining;
}

/* The first request of a window sees all of it. Servers report whole seconds. A forecast uses the length; waits use
 * the reset. */
static void learn_window(privy_budget *budget, const privy_rate_header *header, double seconds) {
  if (header->remaining == header->limit - 1) budget->window = fmax(round(seconds), 1);
}

static void learn(privy_budget *budget, const privy_rate_header *header, double resets_at, int64_t in_flight,
                  double now) {
  if (same_window(budget, header)) {
    learn_others(budget, header->limit - header->remaining);
    if (header->remaining < budget->remaining) budget->remaining = header->remaining;
    budget->resets_at = fmin(budget->resets_at, resets_at); /* a Date of whole seconds never makes it too early */
    budget->ended_at = budget->resets_at;
  } else if (budget->known && budget->resets_at != 0 && header->resets_at < budget->reset) {
    return; /* a late response, of a window that is over */
  } else {
    start_window(budget, header, resets_at, in_flight, now);
  }
  budget->limit = header->limit;
  budget->known = true;
}

static void read_budget(privy_pacer *pacer, privy_budget *budget, const privy_rate_header *header, double now,
                        double server_now, double longest) {
  if (!header->known) return;
  double seconds = (double)header->resets_at - server_now;
  if (seconds < -1 || seconds > longest) return;
  learn_window(budget, header, seconds);
  learn(budget, header, now + fmax(seconds, 0), pacer->in_flight, now);
}

void privy_pacer_returned(privy_pacer *pacer, double now, double wall, const privy_response *response) {
  if (pacer->in_flight > 0) pacer->in_flight--;
  pacer->has_result = true;
  if (!response) return;
  privy_rate_headers limits;
  double server_now = privy_response_date(response, wall);
  privy_rate_headers_read(response, &limits);
  read_budget(pacer, &pacer->minute, &limits.minute, now, server_now, LONGEST_MINUTE);
  read_budget(pacer, &pacer->day, &limits.day, now, server_now, LONGEST_DAY);
}

double privy_budget_window(const privy_budget *budget) {
  if (budget->window > 0) return budget->window;
  return budget->shortest > 0 ? fmin(budget->shortest, budget->longest) : USUAL_WINDOW;
}

double privy_budget_share(const privy_budget *budget) {
  const double own = (double)(budget->own > 1 ? budget->own : 1);
  if (budget->by_others <= 0) return 1;
  return fmax(own / (own + (double)budget->by_others), 1 / (1 + budget->others));
}

int64_t privy_budget_left(const privy_budget *budget, int64_t in_flight) {
  if (!budget->known) return -1;
  return budget->remaining > in_flight ? budget->remaining - in_flight : 0;
}
