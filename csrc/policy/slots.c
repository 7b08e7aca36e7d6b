#include "policy/slots.h"

#include <math.h>

/* The part of a window in which its slots lie. */
#define SPREAD 0.25
/* Where in a window jobs use its rest. */
#define REST 0.3
#define REST_SPREAD 0.15
/* How many slots a client takes among several, as a multiple of its share: far ahead, and of the next window. */
#define OVERBOOKING 1.25
#define OVERBOOKING_NEXT 4.0
/* Slots of each window for jobs that found the window before it full. */
#define SPARE 2
/* Seconds after which no slot is taken: a job beyond that returns before, and takes one then. Brokers deliver a job
 * again that a worker holds for 30 or 60 minutes. */
#define HORIZON 1200.0
/* Assumed before a response reports the limit. */
#define UNKNOWN_LIMIT 60
/* Seconds. */
#define FIRST_BACKOFF 2.0
#define MAX_BACKOFF 600.0
/* Seconds until a job asks again that waits for the response to another request. */
#define IN_FLIGHT_POLL 0.05

/* ---- slots ---- */

/* `ahead`: how many windows after the next one. */
static double slots_of_a_window(const privy_pacer *pacer, int64_t reserve, double ahead) {
  const privy_budget *minute = &pacer->minute;
  const double limit = minute->known ? fmax((double)(minute->limit - reserve), 1) : UNKNOWN_LIMIT;
  const double overbooking = OVERBOOKING + (OVERBOOKING_NEXT - OVERBOOKING) / pow(1 + ahead, 2);
  return fmax(limit * fmin(privy_budget_share(minute) * overbooking, 1), 1) + SPARE;
}

/* Continues with the windows of which slots are taken, or begins again: when they are over, and when `from` is before
 * all of them, as after a long Retry-After. The window at `from` may be known more exactly than when its first slots
 * were taken. */
static void move_to(privy_slots *slots, double from, double length) {
  const double earlier = from - length / 2, later = from + length / 2;
  if (slots->window_at < earlier || slots->first_at > later)
    *slots = (privy_slots){from, from, 0, slots->rest_ends, slots->rest_jobs};
  else if (slots->window_at < later)
    slots->window_at = from;
}

double privy_slots_take(privy_slots *slots, const privy_pacer *pacer, int64_t reserve, double from, double random) {
  const double length = privy_budget_window(&pacer->minute);
  move_to(slots, from, length);
  const double ahead = fmax(slots->window_at - from, 0) / length, count = slots_of_a_window(pacer, reserve, ahead);
  if (slots->taken >= count) {
    slots->window_at += length;
    slots->taken = 0;
  }
  if (slots->window_at > from + HORIZON) return from + HORIZON * (1 + random) / 2;
  const double place = (slots->taken + random) / count;
  slots->taken++;
  return slots->window_at + fmin(place, 1) * SPREAD * length;
}

/* The clients together have all slots. One that has not seen a window from its beginning learns its length here. */
double privy_slots_take_shared(privy_shared_slots *shared, const privy_pacer *pacer, int64_t reserve, double from,
                               double random) {
  privy_slots slots = {.first_at = shared->first_at, .window_at = shared->window_at, .taken = shared->taken};
  privy_pacer all = *pacer;
  if (all.minute.window > 0) shared->window = all.minute.window;
  all.minute.window = shared->window;
  all.minute.by_others = 0;
  const double at = privy_slots_take(&slots, &all, reserve, from, random);
  *shared = (privy_shared_slots){slots.first_at, slots.window_at, slots.taken, shared->window};
  return at;
}

/* ---- the rest of a window ---- */

static double at_part(const privy_budget *minute, double part) {
  return minute->resets_at - privy_budget_window(minute) * (1 - part);
}

static double rest_of(const privy_pacer *pacer, int64_t reserve) {
  return (double)(pacer->minute.remaining - pacer->in_flight - reserve);
}

bool privy_slots_has_rest(const privy_pacer *pacer, int64_t reserve, double now) {
  const privy_budget *minute = &pacer->minute;
  return minute->known && now < minute->resets_at && now >= at_part(minute, SPREAD) && rest_of(pacer, reserve) > 0;
}

/* How many requests jobs may have in flight when one more is sent: as many as there were responses in this window, and
 * half of what is left. */
static int64_t most_in_flight(const privy_pacer *pacer, int64_t reserve, double now) {
  const privy_budget *minute = &pacer->minute;
  if (!minute->known || minute->resets_at <= now) return 0;
  const int64_t responses = minute->own - pacer->in_flight, left = minute->remaining - pacer->in_flight - reserve;
  return left / 2 < responses ? left / 2 : responses;
}

privy_pace privy_slots_ask(const privy_pacer *pacer, privy_pace pace, int64_t reserve, double now, double *until) {
  privy_pacer idle = *pacer;
  idle.in_flight = 0;
  const bool rest = pace == PRIVY_PACE_MINUTE && privy_slots_has_rest(&idle, reserve, now);
  if (pace != PRIVY_PACE_NOW && !rest) return pace;
  const int64_t most = rest ? 0 : most_in_flight(pacer, reserve, now);
  if (pacer->in_flight == 0 || pacer->in_flight <= most) return PRIVY_PACE_NOW;
  *until = now + IN_FLIGHT_POLL;
  return PRIVY_PACE_IN_FLIGHT;
}

bool privy_slots_take_rest(privy_slots *slots, const privy_pacer *pacer, int64_t reserve, double now, double random,
                           double *at) {
  const privy_budget *minute = &pacer->minute;
  const double rest = rest_of(pacer, reserve);
  const bool day_is_spent = pacer->day.known && pacer->day.remaining <= pacer->in_flight;
  if (!minute->known || day_is_spent || rest <= 0 || now >= at_part(minute, REST)) return false;
  if (slots->rest_ends < minute->resets_at - privy_budget_window(minute) / 2) slots->rest_jobs = 0;
  slots->rest_ends = minute->resets_at;
  *at = at_part(minute, REST) + random * REST_SPREAD * privy_budget_window(minute);
  return (double)slots->rest_jobs++ < rest;
}

double privy_job_backoff(int failure, double random) {
  const int doublings = failure < 1 ? 0 : failure > 16 ? 15 : failure - 1;
  return fmin(FIRST_BACKOFF * pow(2, doublings), MAX_BACKOFF) * (1 + random) / 2;
}
