#include "sandbox/limits.h"

#include <inttypes.h>
#include <math.h>

#include "base/buffer.h"

static const char *const names[PRIVY_LIMITS_WINDOWS] = {"Minute", "Day"};

void privy_sandbox_limits_set(privy_sandbox_limits *limits, uint32_t per_minute, uint32_t per_day, uint32_t minute) {
  limits->windows[0] = (privy_sandbox_window){.limit = per_minute, .seconds = minute};
  limits->windows[1] = (privy_sandbox_window){.limit = per_day, .seconds = 86400};
}

void privy_sandbox_limits_restart(privy_sandbox_limits *limits) {
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++) limits->windows[i].open = false;
}

/* A window in the future, after the clock was set back, is over too. */
static bool is_current(const privy_sandbox_window *window, double now) {
  return window->open && now >= window->start && now < window->start + window->seconds;
}

static bool is_spent(const privy_sandbox_window *window, double now) {
  return window->limit && is_current(window, now) && window->used >= window->limit;
}

bool privy_sandbox_limits_take(privy_sandbox_limits *limits, double now) {
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++) {
    if (is_spent(&limits->windows[i], now)) return false;
  }
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++) {
    privy_sandbox_window *window = &limits->windows[i];
    if (!is_current(window, now)) *window = (privy_sandbox_window){window->limit, window->seconds, 0, floor(now), true};
    if (window->limit) window->used++;
  }
  return true;
}

int64_t privy_sandbox_limits_wait(const privy_sandbox_limits *limits, double now) {
  double longest = 1;
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++) {
    const privy_sandbox_window *window = &limits->windows[i];
    if (is_spent(window, now)) longest = fmax(longest, window->start + window->seconds - now);
  }
  return (int64_t)ceil(longest);
}

bool privy_sandbox_limits_headers(const privy_sandbox_limits *limits, double now, privy_buffer *out) {
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++) {
    const privy_sandbox_window *window = &limits->windows[i];
    if (!window->limit) continue;
    const bool current = is_current(window, now);
    const int64_t reset = (int64_t)(current ? window->start : floor(now)) + window->seconds;
    if (!privy_buffer_format(out, "X-RateLimit-Limit-%s: %" PRIu32 "\r\n", names[i], window->limit) ||
        !privy_buffer_format(out, "X-RateLimit-Remaining-%s: %" PRIu32 "\r\n", names[i],
                             window->limit - (current ? window->used : 0)) ||
        !privy_buffer_format(out, "X-RateLimit-Reset-%s: %" PRId64 "\r\n", names[i], reset))
      return false;
  }
  return true;
}
