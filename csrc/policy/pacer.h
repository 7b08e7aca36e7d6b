/*
 * Keeps a client within the rate limits of its account, so that requests are not spent on 429s. All processes of the
 * account share the limits: only the headers of the last responses are known, and requests in flight are added to them.
 * Pure functions of their arguments. Start a privy_pacer with {0}.
 *
 * Example. The limit is 60 a minute, and other clients use the account too. `used` is limit - remaining.
 *
 *   response   used   own   used - own     what the pacer learns
 *   first        4     1         3         baseline: 3 requests of others, at an unknown rate; others = 0
 *   second      10     2         8         5 more by others since the last response: others = 0.3 * 5 = 1.5
 *   third       13     3        10         2 more: others = 1.5 + 0.3 * (2 - 1.5) = 1.65
 *
 * Now 47 requests remain. With 2 requests in flight others may send about 1.65 before each of the next 3 responses:
 * the margin is ceil(1.65 * 3) + 1 = 6, and the client sends while remaining - in flight - reserve > 6.
 */
#ifndef PRIVY_POLICY_PACER_H
#define PRIVY_POLICY_PACER_H

#include "message/rate_headers.h"
#include "message/response.h"

/* What is known of one limit. Instants are by the caller's clock, which must never be set: not the wall clock. */
typedef struct privy_budget {
  bool known;        /* a response has reported it */
  int64_t limit;     /* requests in a window */
  int64_t remaining; /* by the responses, requests in flight not subtracted */
  double resets_at;  /* 0: `remaining` is that of a window that has not begun */
  int64_t reset;     /* that instant as the server reports it */
  double window;     /* seconds of a window, as the response to the first request of one showed; 0: unknown */
  double others;     /* requests that others send between two of our responses, smoothed */
  int64_t own;       /* our requests in this window, those in flight included */
  int64_t by_others; /* the largest `used - own` of the responses of this window */
  double shortest;   /* seconds that a window lasts at least, as other responses showed; 0: unknown… */
  double longest;    /* …and at most */
  double ended_at;   /* the end of the last window of which a response came */
} privy_budget;

typedef struct privy_pacer {
  privy_budget minute, day;
  int64_t in_flight; /* requests without a response */
  bool has_result;   /* a request has returned, with or without a response */
} privy_pacer;

/* When the next request may be sent. */
typedef enum privy_pace {
  PRIVY_PACE_NOW,
  PRIVY_PACE_IN_FLIGHT, /* after a response to a request in flight, which may use what remains */
  PRIVY_PACE_MINUTE,    /* in the next minute's window */
  PRIVY_PACE_DAY        /* in the next day's window */
} privy_pace;

/* When the next request may be sent, `reserve` requests of each minute being left to others. Unless the result is
 * PRIVY_PACE_NOW, sets `*until` to the instant to ask again: at most the length of the window after `now`. */
privy_pace privy_pacer_ask(privy_pacer *pacer, int64_t reserve, double now, double *until);
/* Counts a request that is being sent. */
void privy_pacer_sent(privy_pacer *pacer);
/* Counts its return. `response`: NULL if none came; `wall`: the wall clock, for responses without a Date. */
void privy_pacer_returned(privy_pacer *pacer, double now, double wall, const privy_response *response);
/* Seconds of a window of the limit per minute, as far as the responses have shown; 60 at first. */
double privy_budget_window(const privy_budget *budget);
/* Our part of the requests of this window, by the responses so far: 1 if no other client was seen. */
double privy_budget_share(const privy_budget *budget);
/* Requests left of a window, those in flight subtracted; -1 when unknown. */
int64_t privy_budget_left(const privy_budget *budget, int64_t in_flight);

#endif
