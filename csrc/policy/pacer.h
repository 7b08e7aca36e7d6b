/*
 * Keeps a client inside its account's limits without spending requests on 429s. The limits are shared by every process
 * of the account, so the only truth is what the last answers' headers said; what is in flight is counted on top.
 * Pure functions of what they are given. Start with {0}.
 */
#ifndef PRIVY_POLICY_PACER_H
#define PRIVY_POLICY_PACER_H

#include "privy.h"

/* What is known of one limit. Times are the caller's clock, which is never set: a wall clock would not do. */
typedef struct privy_budget {
  bool known;
  int64_t limit;
  int64_t remaining;
  double resets_at; /* 0: the window that `remaining` speaks of has not begun */
  double others;    /* requests of other users of the account between two answers of ours, smoothed */
  int64_t own;      /* ours that the window may have counted: in flight, or answered since it was first told of */
  int64_t beyond;   /* the most that was seen used beyond those */
} privy_budget;

typedef struct privy_pacer {
  privy_budget minute, day;
  int64_t in_flight; /* sent and not answered yet */
  bool heard;        /* a request has come back */
} privy_pacer;

/* What keeps a request back. */
typedef enum privy_pace {
  PRIVY_PACE_NOW,
  PRIVY_PACE_IN_FLIGHT, /* requests of our own are in flight: their answers say whether there is room for another one */
  PRIVY_PACE_MINUTE,
  PRIVY_PACE_DAY
} privy_pace;

/* Whether a request may go at `now`; if not, `*until` is when to ask again: at most the length of the window later. */
privy_pace privy_pacer_ask(privy_pacer *pacer, int64_t reserve, double now, double *until);
/* A request that was allowed to go is on its way… */
void privy_pacer_sent(privy_pacer *pacer);
/* …and is back, with an answer or (NULL) without one. `wall` is the wall clock, for answers without a Date. */
void privy_pacer_returned(privy_pacer *pacer, double now, double wall, const privy_response *response);
/* Requests left of a window, those in flight taken off; -1 when no answer has told. */
int64_t privy_budget_left(const privy_budget *budget, int64_t in_flight);

#endif
