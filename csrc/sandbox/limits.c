#include "sandbox/limits.h"

#include <inttypes.h>

#include "base/buffer.h"

static const struct {
  const char *name;
  uint32_t seconds;
} kinds[PRIVY_LIMITS_WINDOWS] = {{"Minute", 60}, {"Day", 86400}};

void privy_sandbox_limits_set(privy_sandbox_limits *limits, uint32_t per_minute, uint32_t per_day) {
  limits->windows[0].limit = per_minute;
  limits->windows[1].limit = per_day;
  privy_sandbox_limits_restart(limits);
}

void privy_sandbox_limits_restart(privy_sandbox_limits *limits) {
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++)
    limits->windows[i] = (privy_sandbox_window){limits->windows[i].limit, 0, 0.0, false};
}

/* A window in the future, after the clock was set back, is over too. */
static bool is_current(const privy_sandbox_window *window, size_t kind, double now) {
  return window->open && now >= window->start && now < window->start + kinds[kind].seconds;
}

static bool is_spent(const privy_sandbox_window *window, size_t kind, double now) {
  return window->limit && is_current(window, kind, now) && window->used >= window->limit;
}

bool privy_sandbox_limits_take(privy_sandbox_limits *limits, double now) {
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++) {
    if (is_spent(&limits->windows[i], i, now)) return false;
  }
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++) {
    privy_sandbox_window *window = &limits->windows[i];
    if (!is_current(window, i, now)) *window = (privy_sandbox_window){window->limit, 0, now, true};
    if (window->limit) window->used++;
  }
  return true;
}

static int64_t round_up(double seconds) {
  const int64_t rounded = (int64_t)seconds;
  return (double)rounded < seconds ? rounded + 1 : rounded;
}

int64_t privy_sandbox_limits_wait(const privy_sandbox_limits *limits, double now) {
  int64_t longest = 1;
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++) {
    const privy_sandbox_window *window = &limits->windows[i];
    if (!is_spent(window, i, now)) continue;
    const int64_t wait = round_up(window->start + kinds[i].seconds - now);
    if (wait > longest) longest = wait;
  }
  return longest;
}

bool privy_sandbox_limits_headers(const privy_sandbox_limits *limits, double now, privy_buffer *out) {
  for (size_t i = 0; i < PRIVY_LIMITS_WINDOWS; i++) {
    const privy_sandbox_window *window = &limits->windows[i];
    if (!window->limit) continue;
    const bool current = is_current(window, i, now);
    const int64_t reset = round_up((current ? window->start : now) + kinds[i].seconds);
    if (!privy_buffer_format(out, "X-RateLimit-Limit-%s: %" PRIu32 "\r\n", kinds[i].name, window->limit) ||
        !privy_buffer_format(out, "X-RateLimit-Remaining-%s: %" PRIu32 "\r\n", kinds[i].name,
                             window->limit - (current ? window->used : 0)) ||
        !privy_buffer_format(out, "X-RateLimit-Reset-%s: %" PRId64 "\r\n", kinds[i].name, reset))
      return false;
  }
  return true;
}
