#include "sandbox/ids.h"

#include <inttypes.h>
#include <stdio.h>

/* Mixes a serial number into 64 bits. Every step is invertible, so no two serials give the same result. */
static uint64_t scatter(uint64_t value) {
  value += UINT64_C(0x9E3779B97F4A7C15);
  value ^= value >> 31;
  value *= UINT64_C(0xD6E8FEB86659FD93);
  value ^= value >> 29;
  value *= UINT64_C(0xA0761D6478BD642F);
  return value ^ value >> 32;
}

void privy_make_id(char out[PRIVY_ID_SIZE], const char *prefix, uint64_t serial) {
  snprintf(out, PRIVY_ID_SIZE, "%.7s%016" PRIx64, prefix, scatter(serial ^ (uint64_t)(unsigned char)*prefix << 56));
}

void privy_make_secret(char out[PRIVY_SECRET_SIZE], uint64_t serial) {
  const uint64_t first = scatter(serial), second = scatter(~first), third = scatter(second ^ serial);
  snprintf(out, PRIVY_SECRET_SIZE, "privy_oauth_%016" PRIx64 "%016" PRIx64 "%08" PRIx32, first, second,
           (uint32_t)(third >> 32));
}

void privy_now_text(char out[PRIVY_TIME_TEXT_SIZE], double now) {
  const int64_t millis = (int64_t)(now * 1000.0 + 0.5);
  privy_time time;
  privy_time_at(millis / 1000, (int32_t)(millis % 1000) * 1000000, &time);
  privy_time_text(out, &time);
}
