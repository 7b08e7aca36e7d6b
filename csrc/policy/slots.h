/*
 * When the jobs of a queue run again that found no budget. A client does not know how many jobs wait in all processes.
 * Each job gets a slot of its own, so that they do not all return when the next window opens. Pure functions of their
 * arguments. Start with {0}.
 *
 *   window   0 ........ 1/4 . 0.3 ... 0.45 .......... 1
 *            slots            rest                     (new jobs)
 *
 * A client that is alone fills one window after the other: as many slots as the limit allows. Among several clients,
 * the share of a client is what it made of the requests of this window. It takes more slots than this share, most of
 * all in the next window, because the others may have no jobs left. A job that finds its window full takes another
 * slot: that costs no request. The rest is what the pacers of all clients withhold as a margin for each other: when the
 * slots are over nothing is in flight, and jobs use it.
 *
 * Example. The limit is 60 a minute; this client made 15 of 60 requests, and 40 of its jobs wait. Alone it would have
 * 62 slots a window; its share is 1/4, and the next window has 60 * min(1/4 * 4, 1) + 2 = 62 of its slots. If it had
 * 200 jobs, the window after it would take 60 * 1/4 * (1.25 + 2.75 / 2^2) + 2 = 32 at most, later ones down to 21.
 */
#ifndef PRIVY_POLICY_SLOTS_H
#define PRIVY_POLICY_SLOTS_H

#include "policy/pacer.h"

typedef struct privy_slots {
  double first_at;   /* the first instant for which a slot was taken, of those that are not over */
  double window_at;  /* where the window begins of which slots are being taken; 0: none was taken */
  double taken;      /* slots of that window that are taken */
  double rest_ends;  /* the end of the window of which jobs use the rest */
  int64_t rest_jobs; /* jobs that wait for that rest, or have used it */
} privy_slots;

/*
 * Takes a slot. `from`: the beginning of the next window, or another instant before which the job cannot succeed.
 * `reserve`: requests of each minute that are left to others. `random`: in [0, 1). Returns an instant: `from` or later,
 * at most 20 minutes after `from`.
 */
double privy_slots_take(privy_slots *slots, const privy_pacer *pacer, int64_t reserve, double from, double random);
/* The same with slots that all clients of the account share. Instants are those of `shared`. */
double privy_slots_take_shared(privy_shared_slots *shared, const privy_pacer *pacer, int64_t reserve, double from,
                               double random);
/* For a job that found no budget in this window: sets `*at` to an instant in which it can use the rest of the window.
 * False if it cannot. */
bool privy_slots_take_rest(privy_slots *slots, const privy_pacer *pacer, int64_t reserve, double now, double random,
                           double *at);
/* Whether a job may use a request of this window that the pacer withholds from other calls as a margin. */
bool privy_slots_has_rest(const privy_pacer *pacer, int64_t reserve, double now);
/*
 * When the request of a job may be sent, by what the pacer says of all calls: `pace`. Other processes may have used the
 * window since the last response. So a client asks alone at first, and at the end; a request of the rest is always
 * alone. Sets `*until` if the job waits for the responses to other requests.
 */
privy_pace privy_slots_ask(const privy_pacer *pacer, privy_pace pace, int64_t reserve, double now, double *until);

#endif
