#include "sandbox/seed_draw.h"

#include "base/time.h"

#define HOUR 3600
#define DAY 86400

uint64_t privy_draw_bits(privy_draw *draw) {
  uint64_t bits = draw->state += UINT64_C(0x9E3779B97F4A7C15);
  bits = (bits ^ bits >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
  bits = (bits ^ bits >> 27) * UINT64_C(0x94D049BB133111EB);
  return bits ^ bits >> 31;
}

uint32_t privy_draw_below(privy_draw *draw, uint32_t limit) {
  return (uint32_t)((privy_draw_bits(draw) >> 32) * limit >> 32);
}

int privy_draw_chance(privy_draw *draw, uint32_t percent) {
  return privy_draw_below(draw, 100) < percent;
}

/* ---- times ------------------------------------------------------------------------------------------------------- */

/* By month, January first: a shop sells most before the holidays. */
static const uint8_t seasons[12] = {9, 8, 9, 9, 10, 9, 8, 8, 10, 11, 18, 16};
/* By day of the week, Sunday first. */
static const uint8_t weekdays[7] = {13, 10, 10, 10, 11, 12, 13};
/* By hour of the day in UTC, for customers most of whom live in America. */
static const uint8_t daytimes[24] = {14, 12, 9,  6,  4,  2,  2,  1,  1,  2,  3,  4,
                                     6,  9,  12, 14, 16, 17, 17, 16, 16, 17, 18, 16};

static uint64_t weight_of(const privy_times *times, int64_t hour) {
  privy_time time;
  privy_time_at(times->start + hour * HOUR, 0, &time);
  const uint64_t growth = 100 + (uint64_t)(200 * hour / times->hours);
  return growth * seasons[time.month - 1] * weekdays[(time.seconds / DAY + 4) % 7] * daytimes[time.hour];
}

void privy_times_start(privy_times *times, int64_t end, uint32_t days, uint32_t count) {
  const int64_t hours = end / HOUR < (int64_t)days * 24 ? end / HOUR : (int64_t)days * 24;
  *times = (privy_times){.start = end - hours * HOUR, .hours = hours, .count = count};
  for (int64_t hour = 0; hour < hours; hour++) times->total += weight_of(times, hour);
}

int64_t privy_times_next(privy_times *times, privy_draw *draw) {
  if (times->hours == 0) return times->start;
  const uint64_t share = times->total / times->count;
  const uint64_t place = times->total * times->next++ / times->count + privy_draw_bits(draw) % (share ? share : 1);
  uint64_t weight = weight_of(times, times->hour);
  while (place >= times->before + weight && times->hour + 1 < times->hours) {
    times->before += weight;
    weight = weight_of(times, ++times->hour);
  }
  const uint64_t inside = place > times->before ? place - times->before : 0;
  const uint64_t second = inside * HOUR / weight;
  return times->start + times->hour * HOUR + (int64_t)(second < HOUR ? second : HOUR - 1);
}
