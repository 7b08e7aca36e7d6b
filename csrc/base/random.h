/* Pseudorandom numbers, for jitter. Not for secrets. */
#ifndef PRIVY_BASE_RANDOM_H
#define PRIVY_BASE_RANDOM_H

#include <stdint.h>

/* The next number of a sequence that never repeats a number. `state` starts with any value. */
uint64_t privy_random(uint64_t *state);
/* The same as a number in [0, 1). */
double privy_random_unit(uint64_t *state);

#endif
