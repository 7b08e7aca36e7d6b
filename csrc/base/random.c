#include "base/random.h"

/* splitmix64 */
uint64_t privy_random(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

double privy_random_unit(uint64_t *state) {
  return (double)(privy_random(state) >> 11) / 9007199254740992.0;
}
