/* Random numbers and times of generated data: integers only, so that every machine gets the same. */
#ifndef PRIVY_SANDBOX_SEED_DRAW_H
#define PRIVY_SANDBOX_SEED_DRAW_H

#include <stdint.h>

/* The state of a generator; any number starts one. */
typedef struct privy_draw {
  uint64_t state;
} privy_draw;

uint64_t privy_draw_bits(privy_draw *draw);
/* A number from 0 to limit - 1; 0 if the limit is 0. */
uint32_t privy_draw_below(privy_draw *draw, uint32_t limit);
/* True in `percent` of 100 cases. */
int privy_draw_chance(privy_draw *draw, uint32_t percent);

/*
 * Times of things that happen more and more often, with the seasons of the year, the days of the week and the hours of
 * the day: a walk over the hours from `start` to `end`, each of which has a weight.
 */
typedef struct privy_times {
  int64_t start, hours; /* seconds since 1970; length */
  uint64_t total;       /* of all weights */
  int64_t hour;         /* where the walk is */
  uint64_t before;      /* weights of the hours before that one */
  uint32_t count, next; /* times to draw, and the number of the next one */
} privy_times;

/* Begins to draw `count` times in the last `days` days before `end`, or since 1970. */
void privy_times_start(privy_times *times, int64_t end, uint32_t days, uint32_t count);
/* The next time, in seconds since 1970; not before the previous one. */
int64_t privy_times_next(privy_times *times, privy_draw *draw);

#endif
