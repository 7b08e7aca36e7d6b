#include "policy/forecast.h"

#include <math.h>

#define USUAL_WINDOW 60.0

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
