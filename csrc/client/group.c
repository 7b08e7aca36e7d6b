#include "client/group.h"

#include <math.h>
#include <stdatomic.h>
#include <time.h>

#include "base/clock.h"
#include "base/fork.h"
#include "base/memory.h"
#include "call/call_trace.h"
#include "client/pending.h"
#include "message/error.h"
#include "transport/sandbox_link.h"

struct privy_group {
  privy_client *client;
  privy_engine *engine;    /* NULL in a group of a sandbox's client */
  privy_queue ready;       /* advance at once, within max_in_flight */
  privy_queue waiting;     /* for budget or a token, by the client's clock */
  privy_queue backing_off; /* before a retry, by the same clock */
  privy_queue sending;     /* with the engine */
  privy_queue delayed;     /* the sandbox delays their responses */
  privy_queue completed;
  size_t max_in_flight; /* 0: no bound */
  atomic_bool woken;
  privy_trace trace;
  uint64_t fetch;               /* the token request that one of its calls makes; 0: none */
  bool prefetch;                /* privy_group_set_prefetch */
  privy_level min_level;        /* of the events that calls started from now on keep */
  unsigned kinds;               /* 1 << kind: events that they keep at any level */
  bool in_event_loop;           /* it has a socket callback */
  double driven_at;             /* by privy_monotonic */
  double received_at;           /* by privy_monotonic: when the engine last looked for responses */
  privy_send_function *on_send; /* may be NULL */
  void *on_send_context;
  int generation; /* privy_fork_generation of its connections */
};

/* Seconds between two reads of a sandbox's clock, which may jump. */
#define SANDBOX_CLOCK_POLL 0.02
/* Waits that one drive skips: a call that waits for a call of another thread must not keep this one busy. */
#define MAX_SKIPS 16
/* Shorter times without a driver are ignored, in seconds. */
#define MIN_GAP 0.01
/* Seconds after which a group that makes a token request is driven at the latest: calls of other groups that wait for
 * the token take the request over if it has no driver. */
#define FETCH_DRIVE_INTERVAL 0.1
/* Seconds between two checks of `woken` in a group of a sandbox's client. */
#define WAKE_POLL 0.004
/* Seconds after which a poll looks for responses again: libcurl asks the system for each connection. */
#define RECEIVE_INTERVAL 0.001

/* ---- life ---- */

privy_status privy_group_new(privy_client *client, privy_group **out, privy_error *error) {
  privy_client_check_process(client);
  privy_group *group = privy_calloc(1, sizeof *group);
  if (!group) return privy_error_no_memory(error);
  group->client = client;
  group->generation = privy_fork_generation();
  group->min_level = PRIVY_LEVEL_OFF;
  atomic_init(&group->woken, false);
  if (!client->sandbox) group->engine = privy_pool_take(&client->pool);
  if (!client->sandbox && !group->engine && privy_engine_new(&client->settings, &group->engine, error) != PRIVY_OK) {
    privy_free(group);
    return error->code;
  }
  *out = group;
  return PRIVY_OK;
}

/* The call no longer makes a token request. */
static void end_fetch(privy_group *group, const privy_pending *pending) {
  if (group->fetch == pending->call.fetch) group->fetch = 0;
}

/* Takes the call from the engine and completes it as interrupted. */
static void interrupt(privy_group *group, privy_pending *pending) {
  if (pending->transfer) pending->call.never_arrived = !privy_engine_cancel(group->engine, pending->transfer);
  pending->transfer = NULL;
  if (pending->queue == &group->completed) return;
  privy_error_set(&pending->error, PRIVY_INTERRUPTED, "the call was stopped");
  end_fetch(group, pending);
  privy_client_failed(group->client, &pending->call);
  privy_queue_push(&group->completed, pending);
}

static void cancel_queue(privy_group *group, const privy_queue *queue) {
  for (privy_pending *pending; (pending = queue->first); privy_pending_free(pending)) interrupt(group, pending);
}

void privy_group_cancel_all(privy_group *group) {
  if (!privy_group_is_own(group)) return;
  cancel_queue(group, &group->ready);
  cancel_queue(group, &group->waiting);
  cancel_queue(group, &group->backing_off);
  cancel_queue(group, &group->sending);
  cancel_queue(group, &group->delayed);
  cancel_queue(group, &group->completed);
}

/* In the child of a fork the calls are leaked: they point into the parent's transfers. */
void privy_group_free(privy_group *group) {
  if (!group) return;
  privy_group_cancel_all(group);
  if (group->engine && privy_group_is_own(group)) {
    if (group->in_event_loop) privy_engine_set_socket_callback(group->engine, NULL, NULL);
    privy_pool_put(&group->client->pool, group->engine);
  } else if (group->engine) {
    privy_engine_abandon(group->engine);
  }
  privy_trace_clear(&group->trace);
  privy_free(group);
}

/* ---- starting and stopping ---- */

static privy_status start(privy_group *group, const privy_request *request, const privy_options *options, uint64_t id,
                          privy_pending **out, privy_error *error) {
  uint64_t random[2];
  privy_options merged = privy_options_merge(group->client->settings.options, options);
  if (options && options->given && privy_options_check(&merged, error) != PRIVY_OK) return error->code;
  if (!privy_client_draw_random(group->client, random))
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "no entropy source");
  privy_pending *pending = privy_pending_new(id);
  if (!pending) return privy_error_no_memory(error);
  privy_call_init(&pending->call, &group->client->settings, merged, random, request, &pending->error);
  pending->call.id = id;
  pending->call.min_level = group->min_level;
  pending->call.kinds = group->kinds;
  if (group->min_level != PRIVY_LEVEL_OFF || group->kinds) pending->call.trace = &group->trace;
  privy_queue_push(&group->ready, pending);
  *out = pending;
  return PRIVY_OK;
}

privy_status privy_group_start_borrowed(privy_group *group, const privy_request *request, const privy_options *options,
                                        uint64_t id, privy_error *error) {
  privy_pending *pending;
  return start(group, request, options, id, &pending, error);
}

privy_status privy_group_start(privy_group *group, privy_request *request, const privy_options *options, uint64_t id,
                               privy_error *error) {
  privy_pending *pending;
  privy_status status = start(group, request, options, id, &pending, error);
  if (status == PRIVY_OK)
    pending->owned_request = request;
  else
    privy_request_free(request);
  return status;
}

static privy_pending *find(const privy_group *group, uint64_t id) {
  const privy_queue *const queues[] = {&group->ready,   &group->waiting, &group->backing_off,
                                       &group->sending, &group->delayed, &group->completed};
  privy_pending *found = NULL;
  for (size_t i = 0; !found && i < sizeof queues / sizeof *queues; i++) found = privy_queue_find(queues[i], id);
  return found;
}

void privy_group_interrupt(privy_group *group, uint64_t id) {
  privy_pending *pending = find(group, id);
  if (pending) interrupt(group, pending);
}

bool privy_group_cancel(privy_group *group, uint64_t id) {
  privy_pending *pending = find(group, id);
  if (!pending) return false;
  interrupt(group, pending);
  privy_pending_free(pending);
  return true;
}

static size_t in_flight(const privy_group *group) {
  return group->sending.count + group->delayed.count;
}

size_t privy_group_count(const privy_group *group) {
  return group->ready.count + group->waiting.count + group->backing_off.count + in_flight(group) +
         group->completed.count;
}

void privy_completion_clear(privy_completion *completion) {
  if (!completion) return;
  privy_response_release(completion->response);
  completion->response = NULL;
  privy_error_clear(&completion->error);
}

bool privy_group_has_completed(const privy_group *group) {
  return group->completed.first;
}

bool privy_group_next_completed(privy_group *group, privy_completion *out) {
  privy_pending *pending = group->completed.first;
  if (!pending) return false;
  *out = (privy_completion){.id = pending->id,
                            .status = pending->call.status,
                            .response = pending->call.response,
                            .error = pending->error,
                            .attempts = pending->call.attempts,
                            .created = privy_call_created(&pending->call),
                            .limit_outlasts = pending->call.limit_outlasts};
  pending->call.response = NULL;
  privy_error_init(&pending->error);
  privy_pending_free(pending);
  return true;
}

void privy_group_set_prefetch(privy_group *group, bool on) {
  group->prefetch = on;
}

void privy_group_observe(privy_group *group, privy_level min_level) {
  group->min_level = min_level;
}

void privy_group_observe_kinds(privy_group *group, unsigned kinds) {
  group->kinds = kinds;
}

void privy_group_set_send_callback(privy_group *group, privy_send_function *callback, void *context) {
  group->on_send = callback;
  group->on_send_context = context;
}

bool privy_group_take_event(privy_group *group, privy_trace_event *out) {
  return privy_trace_take(&group->trace, out);
}

const privy_error *privy_group_failure(const privy_group *group, uint64_t id) {
  for (const privy_pending *pending = group->completed.first; pending; pending = pending->next)
    if (pending->call.id == id) return pending->call.status == PRIVY_OK ? NULL : &pending->error;
  return NULL;
}

/* ---- advancing calls ---- */

/* The request of the call has a response, or (`status`) has failed. */
static void complete(privy_group *group, privy_pending *pending, privy_status status) {
  pending->call.cost = pending->wire_response.cost;
  pending->call.never_arrived = pending->wire_response.never_arrived;
  end_fetch(group, pending);
  if (status == PRIVY_OK)
    privy_client_received(group->client, &pending->call, &pending->wire_response);
  else
    privy_client_failed(group->client, &pending->call);
  privy_wire_response_clear(&pending->wire_response);
  privy_queue_push(pending->call.done ? &group->completed : &group->ready, pending);
}

static void sandbox_deliver(privy_group *group, privy_pending *pending) {
  complete(group, pending,
           privy_sandbox_link_deliver(&pending->call.wire_request, &pending->sandbox_response, &pending->wire_response,
                                      &pending->error));
}

static void sandbox_send(privy_group *group, privy_pending *pending) {
  double delay = 0;
  privy_status status = privy_sandbox_link_ask(group->client->sandbox, &pending->call.wire_request,
                                               &pending->sandbox_response, &pending->wire_response, &delay);
  if (delay > 0 && privy_sandbox_skip_wait(group->client->sandbox, privy_client_now(group->client) + delay)) delay = 0;
  pending->due = privy_monotonic() + delay;
  if (status != PRIVY_OK)
    complete(group, pending, privy_error_no_memory(&pending->error));
  else if (delay > 0)
    privy_queue_push(&group->delayed, pending);
  else
    sandbox_deliver(group, pending);
}

static void engine_send(privy_group *group, privy_pending *pending) {
  privy_queue_push(&group->sending, pending);
  if (privy_engine_start(group->engine, &pending->call.wire_request, &pending->wire_response, pending,
                         &pending->transfer) != PRIVY_OK)
    complete(group, pending, privy_error_no_memory(&pending->error));
}

/* Calls the send callback with the event of the request, which is the last one. */
static void announce(privy_group *group, privy_pending *pending) {
  if (!group->on_send || !group->trace.count) return;
  const privy_trace_event event = group->trace.events[group->trace.count - 1];
  if (event.kind != PRIVY_TRACE_REQUEST || event.id != pending->call.id) return;
  group->on_send(group->on_send_context, &event, (privy_send_headers *)&pending->call.wire_request.headers);
}

static void send_request(privy_group *group, privy_pending *pending) {
  announce(group, pending);
  if (pending->call.goal == PRIVY_GOAL_TOKEN) group->fetch = pending->call.fetch;
  if (group->engine)
    engine_send(group, pending);
  else
    sandbox_send(group, pending);
}

static void wait_until_due(privy_group *group, privy_pending *pending) {
  pending->due = privy_monotonic() + fmax(pending->call.until - privy_client_now(group->client), 0);
  privy_queue_push(pending->call.backs_off ? &group->backing_off : &group->waiting, pending);
}

static void advance(privy_group *group, privy_pending *pending) {
  pending->call.prefetch = group->prefetch;
  switch (privy_client_next(group->client, &pending->call)) {
  case PRIVY_CALL_SEND: send_request(group, pending); break;
  case PRIVY_CALL_WAIT: wait_until_due(group, pending); break;
  case PRIVY_CALL_DONE: privy_queue_push(&group->completed, pending); break;
  }
}

static privy_error *error_of(void *pending) {
  return &((privy_pending *)pending)->error;
}

static void complete_transfers(privy_group *group) {
  privy_status status;
  for (privy_pending *pending; (pending = privy_engine_next_completed(group->engine, &status, error_of));) {
    pending->transfer = NULL;
    complete(group, pending, status);
  }
}

static void release_delayed(privy_group *group, double now) {
  for (privy_pending *pending = group->delayed.first, *next; pending; pending = next) {
    next = pending->next;
    if (pending->due <= now) sandbox_deliver(group, pending);
  }
}

/* Makes the calls ready whose wait is over. A sandbox's clock may stand still: no wait lasts longer than it would by
 * the machine's clock. */
static void release_waiting(privy_group *group, privy_queue *queue, double now) {
  double client_now = queue->count ? privy_client_now(group->client) : 0;
  for (privy_pending *pending = queue->first, *next; pending; pending = next) {
    next = pending->next;
    if (pending->call.until > client_now && pending->due > now) continue;
    pending->call.until = fmin(pending->call.until, client_now);
    privy_queue_push(&group->ready, pending);
  }
}

/* Whether a call is ready and max_in_flight allows one more. */
static bool can_advance(const privy_group *group) {
  return group->ready.count && (!group->max_in_flight || in_flight(group) < group->max_in_flight);
}

/* By the client's clock; INFINITY: no call waits. */
static double waiting_until(const privy_group *group) {
  return privy_queue_earliest_until(&group->waiting, privy_queue_earliest_until(&group->backing_off, INFINITY));
}

/* Moves the clock of a sandbox that skips waits, once all calls wait. */
static bool skips_wait(const privy_group *group) {
  if (!group->client->sandbox || can_advance(group) || in_flight(group) || group->completed.count) return false;
  const double until = waiting_until(group);
  return !isinf(until) && privy_sandbox_skip_wait(group->client->sandbox, until);
}

static void advance_due(privy_group *group, double now) {
  release_waiting(group, &group->backing_off, now);
  release_waiting(group, &group->waiting, now);
  while (can_advance(group)) advance(group, group->ready.first);
}

static void advance_all(privy_group *group) {
  double now = group->driven_at = privy_monotonic();
  if (group->fetch) privy_client_drive_fetch(group->client, group->fetch);
  if (group->engine) complete_transfers(group);
  release_delayed(group, now);
  advance_due(group, now);
  for (int skips = 0; skips < MAX_SKIPS && skips_wait(group); skips++) advance_due(group, now);
}

/* Seconds until a call may advance or complete, transfers excluded. Negative: no call waits for time. */
static double seconds_until_due(const privy_group *group) {
  if (can_advance(group) || group->completed.count) return 0;
  double due = privy_queue_earliest_due(&group->backing_off, INFINITY);
  due = privy_queue_earliest_due(&group->waiting, due);
  due = privy_queue_earliest_due(&group->delayed, due);
  double seconds = isinf(due) ? INFINITY : due - privy_monotonic();
  if (group->client->sandbox && (group->waiting.count || group->backing_off.count))
    seconds = fmin(seconds, SANDBOX_CLOCK_POLL);
  if (group->fetch) seconds = fmin(seconds, FETCH_DRIVE_INTERVAL);
  return isinf(seconds) ? -1 : fmax(seconds, 0);
}

/* Does not count time without a driver against the timeouts of the transfers. */
static void extend_timeouts(privy_group *group, double gap) {
  if (gap < MIN_GAP) return;
  for (privy_pending *pending = group->sending.first; pending; pending = pending->next)
    privy_engine_extend(group->engine, pending->transfer, gap);
}

/* ---- driven by waiting ---- */

static void sleep_until_woken(privy_group *group, double seconds) {
  double until = privy_monotonic() + seconds;
  for (double left = seconds; left > 0 && !atomic_load(&group->woken); left = until - privy_monotonic())
    nanosleep(&(struct timespec){0, (long)(fmin(left, WAKE_POLL) * 1e9)}, NULL);
}

/*
 * In this order:
 *   1. Extend the timeouts by the time since the last drive, before libcurl compares them with the clock.
 *   2. Advance all calls, so that their requests leave before the wait. This also completes and releases calls.
 *   3. Wait for sockets, at most until the first call is due. Do not wait if there is a completion or an event to take.
 *   4. Advance all calls again: complete those whose responses came during the wait.
 */
void privy_group_wait(privy_group *group, double seconds) {
  extend_timeouts(group, privy_monotonic() - group->driven_at);
  advance_all(group);
  double due = seconds_until_due(group);
  if (due >= 0 && due < seconds) seconds = due;
  if (group->trace.count > 0) seconds = 0;
  if (group->completed.count == 0 && group->engine) {
    group->received_at = group->driven_at;
    privy_engine_wait(group->engine, seconds);
  } else if (group->completed.count == 0) {
    sleep_until_woken(group, seconds);
  }
  atomic_store(&group->woken, false);
  advance_all(group);
}

void privy_group_poll(privy_group *group) {
  double now = privy_monotonic();
  if (!group->engine || now - group->received_at >= RECEIVE_INTERVAL) {
    privy_group_wait(group, 0);
    return;
  }
  extend_timeouts(group, now - group->driven_at);
  advance_all(group);
  privy_engine_send(group->engine);
}

void privy_group_wake(privy_group *group) {
  atomic_store(&group->woken, true);
  if (group->engine) privy_engine_wake(group->engine);
}

/* ---- driven by an event loop ---- */

void privy_group_set_socket_callback(privy_group *group, privy_socket_function *callback, void *context) {
  group->in_event_loop = callback != NULL;
  if (group->engine) privy_engine_set_socket_callback(group->engine, callback, context);
}

double privy_group_timeout(const privy_group *group) {
  double due = seconds_until_due(group), engine = group->engine ? privy_engine_timeout(group->engine) : -1;
  if (due < 0 || (engine >= 0 && engine < due)) return engine;
  return due;
}

static void expire_transfers(privy_group *group) {
  for (privy_pending *pending = group->sending.first; pending; pending = pending->next)
    privy_engine_expire(group->engine, pending->transfer);
  advance_all(group);
}

void privy_group_socket_action(privy_group *group, int socket, int events) {
  if (group->engine) extend_timeouts(group, privy_engine_late(group->engine));
  if (group->engine) privy_engine_socket_action(group->engine, socket, events);
  advance_all(group);
  if (group->engine && privy_engine_overdue(group->engine)) expire_transfers(group);
}

double privy_group_waiting_until(const privy_group *group) {
  double until = waiting_until(group);
  return isinf(until) ? 0 : privy_client_wall(group->client, until);
}

/* ---- for bulk runs ---- */

void privy_group_set_max_in_flight(privy_group *group, size_t calls) {
  group->max_in_flight = calls;
}

privy_client *privy_group_client(const privy_group *group) {
  return group->client;
}

bool privy_group_is_own(const privy_group *group) {
  return group->generation == privy_fork_generation();
}

privy_call *privy_group_find(const privy_group *group, uint64_t id) {
  privy_pending *pending = find(group, id);
  return pending ? &pending->call : NULL;
}

size_t privy_group_backing_off(const privy_group *group) {
  return group->backing_off.count;
}

double privy_group_idle_seconds(const privy_group *group) {
  double until = waiting_until(group);
  if (isinf(until) || in_flight(group) || group->ready.count || group->completed.count) return -1;
  return fmax(until - privy_client_now(group->client), 0);
}
