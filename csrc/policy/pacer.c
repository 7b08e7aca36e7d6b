#include "policy/pacer.h"

#include <math.h>

#include "message/rate_headers.h"

/* How much the newest observation of other users counts. */
#define SMOOTHING 0.3
/* Fewer requests of others than this are none. */
#define NOBODY 0.1
/* How many requests may be in flight before the first answer tells of the limits. */
#define FIRST_FLIGHT 8
/* No reset is further away than a window lasts, and than two seconds of rounding: the Date and the reset are whole. */
#define FURTHEST_MINUTE 62.0
#define FURTHEST_DAY 86402.0
/* How long to wait for an answer of our own before asking again. */
#define PEEK 0.05

/* After its reset a window is whole, as far as anyone knows. One that ends too far away is left from before the clock
 * was set back. */
static void roll(privy_budget *budget, double now, double furthest) {
  bool runs = now < budget->resets_at && budget->resets_at <= now + furthest;
  if (!budget->known || budget->resets_at == 0 || runs) return;
  budget->remaining = budget->limit;
  budget->resets_at = 0;
}

/*
 * Others send while our knowledge ages. When no more is left than they send between two answers of ours, it is left to
 * them: whoever sees the fewest left stops first. It costs next to nothing: what one client leaves is what the others
 * go on to use.
 */
static bool has_room(const privy_budget *budget, int64_t in_flight, int64_t reserve) {
  if (!budget->known) return true;
  double margin = 0, most = floor((double)budget->limit / 2);
  if (budget->others > NOBODY && budget->resets_at != 0) margin = ceil(budget->others * (double)(in_flight + 1)) + 1;
  if (margin > most) margin = most;
  return (double)(budget->remaining - in_flight - reserve) > margin;
}

static double until_of(const privy_budget *budget, double now) {
  return budget->resets_at > now ? budget->resets_at : now + PEEK;
}

privy_pace privy_pacer_ask(privy_pacer *pacer, int64_t reserve, double now, double *until) {
  roll(&pacer->minute, now, FURTHEST_MINUTE);
  roll(&pacer->day, now, FURTHEST_DAY);
  if (!has_room(&pacer->day, 0, 0)) {
    *until = until_of(&pacer->day, now);
    return PRIVY_PACE_DAY;
  }
  if (!has_room(&pacer->minute, 0, reserve)) {
    *until = until_of(&pacer->minute, now);
    return PRIVY_PACE_MINUTE;
  }
  if (has_room(&pacer->day, pacer->in_flight, 0) && has_room(&pacer->minute, pacer->in_flight, reserve) &&
      (pacer->heard || pacer->in_flight < FIRST_FLIGHT))
    return PRIVY_PACE_NOW;
  *until = now + PEEK;
  return PRIVY_PACE_IN_FLIGHT;
}

void privy_pacer_sent(privy_pacer *pacer) {
  pacer->in_flight++;
  pacer->minute.own++;
  pacer->day.own++;
}

/* A second apart is the same window still: servers tell whole seconds. */
static bool same_window(const privy_budget *budget, double resets_at) {
  return budget->resets_at != 0 && resets_at < budget->resets_at + 1.5 && resets_at > budget->resets_at - 1.5;
}

/*
 * Answers overtake each other: what more was used than we have answers for may be ours as long as it is in flight. Only
 * what goes beyond that too is others'.
 */
static void learn_others(privy_budget *budget, int64_t used) {
  const int64_t beyond = used - budget->own;
  const int64_t more = beyond > budget->beyond ? beyond - budget->beyond : 0;
  budget->beyond += more;
  budget->others += SMOOTHING * ((double)more - budget->others);
}

static void learn(privy_budget *budget, const privy_rate_header *told, double resets_at, int64_t in_flight) {
  bool same = budget->known && same_window(budget, resets_at);
  if (budget->known && budget->resets_at != 0 && !same && resets_at < budget->resets_at) return; /* a late answer */
  const int64_t used = told->limit - told->remaining;
  if (same) {
    learn_others(budget, used);
  } else {
    budget->own = in_flight + 1;
    budget->beyond = used - 1;
    budget->resets_at = resets_at;
  }
  if (!same || told->remaining < budget->remaining) budget->remaining = told->remaining;
  budget->limit = told->limit;
  budget->known = true;
}

static void read_budget(privy_pacer *pacer, privy_budget *budget, const privy_rate_header *told, double now,
                        double server_now, double furthest) {
  if (!told->known) return;
  double ahead = (double)told->resets_at - server_now;
  if (ahead < -1 || ahead > furthest) return;
  learn(budget, told, now + (ahead > 0 ? ahead : 0), pacer->in_flight);
}

void privy_pacer_returned(privy_pacer *pacer, double now, double wall, const privy_response *response) {
  if (pacer->in_flight > 0) pacer->in_flight--;
  pacer->heard = true;
  if (!response) return;
  privy_rate_headers limits;
  double server_now = privy_response_date(response, wall);
  privy_rate_headers_read(response, &limits);
  read_budget(pacer, &pacer->minute, &limits.minute, now, server_now, FURTHEST_MINUTE);
  read_budget(pacer, &pacer->day, &limits.day, now, server_now, FURTHEST_DAY);
}

int64_t privy_budget_left(const privy_budget *budget, int64_t in_flight) {
  if (!budget->known) return -1;
  return budget->remaining > in_flight ? budget->remaining - in_flight : 0;
}
