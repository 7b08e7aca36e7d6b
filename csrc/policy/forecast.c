#include "policy/forecast.h"

#include <math.h>

#define USUAL_WINDOW 60.0
#define SECONDS_OF_A_DAY 86400.0

/* What Privy publishes. */
static const privy_rate_limit usual_minute = {.known = true, .limit = 60, .remaining = 60};
static const privy_rate_limit usual_day = {.known = true, .limit = 10000, .remaining = 10000};

double privy_forecast(const privy_rate_limit *minute, const privy_rate_limit *day, int64_t reserve, double requests,
                      double now) {
  if (day->known && requests > (double)day->remaining) return -1;
  if (!minute->known) return 0;
  const double more = requests - fmax((double)(minute->remaining - reserve), 0);
  if (more <= 0) return 0;
  const double window = minute->window > 0 ? minute->window : USUAL_WINDOW;
  const double first = minute->resets_at > 0 ? fmax(minute->resets_at - now, 0) : window;
  return first + (ceil(more / fmax((double)(minute->limit - reserve), 1)) - 1) * window;
}

double privy_forecast_days(const privy_rate_limit *minute, const privy_rate_limit *day, int64_t reserve,
                           double requests, double now) {
  if (!minute->known) minute = &usual_minute;
  if (!day->known) day = &usual_day;
  const double more = requests - fmax((double)day->remaining, 0);
  if (more <= 0) return privy_forecast(minute, day, reserve, requests, now);
  const double limit = fmax((double)day->limit, 1);
  const double full_days = ceil(more / limit) - 1;
  const double first = day->resets_at > 0 ? fmax(day->resets_at - now, 0) : SECONDS_OF_A_DAY;
  const privy_rate_limit full_minute = {
      .known = true, .limit = minute->limit, .remaining = minute->limit, .window = minute->window};
  const privy_rate_limit no_day = {0};
  return first + full_days * SECONDS_OF_A_DAY +
         privy_forecast(&full_minute, &no_day, reserve, more - full_days * limit, now);
}
