/* Calls that the caller's thread waits for. */
#include "base/clock.h"
#include "client/group.h"

/* Seconds between two calls of `hooks.stop`. */
#define STOP_INTERVAL 0.02

typedef struct stop_poll {
  const privy_hooks *hooks;
  double polled_at; /* by privy_monotonic */
} stop_poll;

static bool should_stop(stop_poll *poll) {
  if (!poll->hooks->stop) return false;
  const double now = privy_monotonic();
  if (now - poll->polled_at < STOP_INTERVAL) return false;
  poll->polled_at = now;
  return poll->hooks->stop(poll->hooks->context);
}

static void report_events(privy_group *group, const privy_hooks *hooks) {
  privy_trace_event event;
  while (privy_group_take_event(group, &event)) hooks->observe(hooks->context, &event);
}

static void wait_for(privy_group *group, const privy_hooks *hooks, privy_completion *completion) {
  stop_poll poll = {.hooks = hooks};
  while (!privy_group_next_completed(group, completion)) {
    if (should_stop(&poll))
      privy_group_interrupt(group, 0);
    else
      privy_group_wait(group, STOP_INTERVAL);
    report_events(group, hooks);
  }
}

static privy_status call_in_group(privy_group *group, const privy_request *request, const privy_options *options,
                                  const privy_hooks *hooks, privy_response **out, privy_error *error) {
  privy_completion completion;
  if (hooks->observe) privy_group_set_send_callback(group, hooks->send, hooks->context);
  privy_group_observe(group, hooks->observe ? hooks->min_level : PRIVY_LEVEL_OFF);
  if (privy_group_start_borrowed(group, request, options, 0, error) != PRIVY_OK) return error->code;
  wait_for(group, hooks, &completion);
  if (completion.status == PRIVY_OK) *out = completion.response;
  privy_error_clear(error);
  *error = completion.error;
  return completion.status;
}

privy_status privy_client_call(privy_client *client, const privy_request *request, const privy_options *options,
                               const privy_hooks *hooks, privy_response **out, privy_error *error) {
  privy_group *group;
  if (privy_group_new(client, &group, error) != PRIVY_OK) return error->code;
  const privy_hooks none = {0};
  const privy_status status = call_in_group(group, request, options, hooks ? hooks : &none, out, error);
  privy_group_free(group);
  return status;
}
