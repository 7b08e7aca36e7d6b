/* How a plan reads contacts, as plan_read.c and plan_lookup.c share it. */
#ifndef PRIVY_JOBS_PLAN_READ_H
#define PRIVY_JOBS_PLAN_READ_H

#include "privy_jobs.h"

/* The reading of a plan. Without a sweep and without loading it looks up. */
struct plan_read {
  privy_sweep *sweep;
  bool loads;       /* contacts of the snapshot are being read */
  int64_t position; /* in the snapshot */
  size_t active;    /* look-ups in progress */
  size_t next;      /* row that is asked for next */
  size_t pass;      /* 0: the first key of each row; 1: the second one, if the first has not settled it */
};

/* Requests for the pages of a list that are left. */
int64_t privy_plan_pages_left(int64_t contacts, int64_t pages_read);
/* Whether to look up each of the keys, instead of reading the pages. */
bool privy_plan_prefers_lookups(size_t keys, int64_t pages_left);

/* Takes completions and starts look-ups. Changes the phase when all keys are known. */
void privy_plan_look_up(privy_plan *plan);
/* Requests of look-ups in progress. */
uint64_t privy_plan_lookups_in_flight(const privy_plan *plan);

#endif
