/*
 * What a sweep has read of a list that may change between two requests, and which page it needs next. No I/O and no
 * clock. docs/internals/sweep.md has the reasons.
 *
 * A list is read in one of two ways:
 *   - by the count: pages one after the other. If as many contacts were read as a response counts, and none of them has
 *     changed since then, they are all that the list had. That response is the first one. A long list has a second
 *     reference, a page some seconds later: if a contact may have changed just before the first response, the pages
 *     before the second reference are read again after the last one. At a later sign of a change the reading begins
 *     again,
 *   - in a chain: each page overlaps what was read before. A page counts only if it has a contact of the chain that has
 *     not changed since, or begins with the first contact of the list. Otherwise the list has moved, and an earlier
 * page is read.
 */
#ifndef PRIVY_JOBS_COVERAGE_H
#define PRIVY_JOBS_COVERAGE_H

#include "jobs/contact_set.h"

#define PRIVY_COVERAGE_LONGEST_PAGE 100
/* Readings of the list at most, while more contacts are counted than found. */
#define PRIVY_COVERAGE_PASSES 3
/* After so many seconds a response is certainly of a later second than the changes before an earlier response, by one
 * that lies between. The Date header has whole seconds, and a response is made a moment after the list was read. */
#define PRIVY_COVERAGE_REST 2.01

/* By the count: before the second reference, and from it on. Then in a chain. */
enum { PRIVY_COVERAGE_COUNTS, PRIVY_COVERAGE_COUNTS_TWICE, PRIVY_COVERAGE_FIRST_CHAIN };

/* All of it but the set is a number, so that a snapshot can keep it. Start with privy_coverage_init. */
typedef struct privy_coverage {
  privy_contact_set
      contacts;            /* those read, and which of them are in the chain, or were read since the second reference */
  int64_t next;            /* where the part ends that was read: a position in the list, from 0 */
  int64_t first_total;     /* of the first page; negative: unknown */
  int64_t first_at;        /* the time of the first response; 0: unknown */
  int64_t total;           /* of the last page */
  int64_t overlap;         /* contacts that the next page shares with the chain, if nothing has changed */
  int64_t back;            /* how much further back the next page begins, because the last ones were not in the chain */
  int64_t longest;         /* contacts of a page that the server sends at most */
  int64_t pass;            /* PRIVY_COVERAGE_COUNTS, …COUNTS_TWICE; …FIRST_CHAIN and more: in a chain */
  int64_t taken_in;        /* the pass that took the last page */
  int64_t second_at;       /* the time of the second reference; 0: unknown */
  int64_t second_from;     /* the position of its first contact */
  int64_t doubtful;        /* not 0: a contact may have changed since the first response, but not since the second */
  int64_t missed;          /* contacts that this pass has found, and that an earlier one missed */
  int64_t windows;         /* pages of this pass, those not in the chain included */
  bool complete, unstable; /* how it ended */
} privy_coverage;

/* A page, by its contacts. */
typedef struct privy_coverage_page {
  int64_t first;            /* position of its first contact */
  int64_t size;             /* contacts that it has at most */
  int64_t total;            /* contacts of the list; negative: unknown */
  int64_t at;               /* the server's time of the response, in whole seconds; 0: unknown */
  size_t count;             /* contacts that it has */
  const uint64_t *keys;     /* of each; 0: unknown */
  const uint32_t *versions; /* of each: privy_contact_version */
  const int64_t *changed;   /* of each: when it was created or last changed; INT64_MAX: unknown */
} privy_coverage_page;

void privy_coverage_init(privy_coverage *coverage);
void privy_coverage_clear(privy_coverage *coverage);
/* Which page to read next, from 1, and how many contacts it is to have. */
void privy_coverage_plan(const privy_coverage *coverage, int64_t *page, int64_t *per_page);
/* Whether the next page is to be the second reference: its request should wait until PRIVY_COVERAGE_REST seconds after
 * the first response, or after the last one if that made the reading doubtful. No proof depends on the wait. */
bool privy_coverage_rests(const privy_coverage *coverage);
/* Takes a page. `*kept`: its contacts count; otherwise the page must be forgotten. Then `complete` or `unstable` may
 * be set: there is no next page. False when memory runs out. */
PRIVY_NODISCARD bool privy_coverage_take(privy_coverage *coverage, const privy_coverage_page *page, bool *kept);
/* How many requests are left, if nothing changes; negative: unknown. */
int64_t privy_coverage_left(const privy_coverage *coverage);

#endif
