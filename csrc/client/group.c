#define _DEFAULT_SOURCE /* getentropy */

#include <math.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include "base/buffer.h"
#include "base/memory.h"
#include "client/client.h"
#include "message/error.h"
#include "transport/engine.h"
#include "transport/sandbox_link.h"

/* A call's place in the group, in one of its queues or with the engine. */
typedef struct pending_call {
  uint64_t id;
  privy_call call;
  privy_error error;
  privy_request *owned;
  privy_wire_response wire_response;
  privy_transfer *transfer;        /* with the engine */
  privy_sandbox_response response; /* of the sandbox, on its way */
  double at;                       /* by privy_monotonic: when it goes on at the latest */
  struct group_queue *queue;
  struct pending_call *next, *previous;
} pending_call;

typedef struct group_queue {
  pending_call *first, *last;
  size_t count;
} group_queue;

struct privy_group {
  privy_client *client;
  privy_engine *engine;    /* NULL: the sandbox answers */
  group_queue ready;       /* may go on at once */
  group_queue waiting;     /* for budget or a token, by the client's clock */
  group_queue backing_off; /* before a retry, by the same clock */
  group_queue sending;     /* with the engine */
  group_queue late;        /* answers that the sandbox delays */
  group_queue ended;
  size_t limit; /* of calls on the wire; 0: none */
  atomic_bool woken;
  privy_trace trace;
  uint64_t fetch;    /* the token request that one of its calls makes, 0: none does */
  bool ahead;        /* its calls are made before they are needed */
  privy_level least; /* of the events that calls started from now on keep */
  bool watched;      /* an event loop knows its sockets */
  double driven_at;  /* by privy_monotonic */
  uint64_t seed[2];  /* of the random bits of its calls */
  pid_t process;     /* whose connections these are */
  privy_idle idle;
};

/* While the client's clock is a sandbox's, which may leap, it is looked at this often. */
#define CLOCK_POLL 0.02
/* Shorter times in which nobody drives a group are not worth a thought. */
#define GAP 0.01
/* While a call of the group makes a token request, the group is driven at least this often: calls of other groups that
 * wait for the token see that somebody does. */
#define FETCH_BEAT 0.1

/* ---- queues ---- */

static void leave(pending_call *pending) {
  group_queue *queue = pending->queue;
  if (!queue) return;
  *(pending->previous ? &pending->previous->next : &queue->first) = pending->next;
  *(pending->next ? &pending->next->previous : &queue->last) = pending->previous;
  queue->count--;
  pending->queue = NULL;
}

static void enter(pending_call *pending, group_queue *queue) {
  leave(pending);
  pending->queue = queue;
  pending->next = NULL;
  pending->previous = queue->last;
  *(queue->last ? &queue->last->next : &queue->first) = pending;
  queue->last = pending;
  queue->count++;
}

static void free_pending(pending_call *pending) {
  leave(pending);
  privy_call_clear(&pending->call);
  privy_error_clear(&pending->error);
  privy_wire_response_clear(&pending->wire_response);
  privy_sandbox_response_clear(&pending->response);
  privy_request_free(pending->owned);
  privy_free(pending);
}

/* ---- life ---- */

privy_status privy_group_new(privy_client *client, privy_group **out, privy_error *error) {
  privy_client_check_process(client);
  privy_group *group = privy_client_take_idle(client);
  if (group) {
    *out = group;
    return PRIVY_OK;
  }
  group = privy_calloc(1, sizeof *group);
  if (!group) return privy_error_no_memory(error);
  group->client = client;
  group->process = getpid();
  group->least = PRIVY_LEVEL_OFF;
  if (getentropy(group->seed, sizeof group->seed) != 0) {
    privy_free(group);
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "no entropy source");
  }
  atomic_init(&group->woken, false);
  if (!client->sandbox && privy_engine_new(&client->settings, &group->engine, error) != PRIVY_OK) {
    privy_free(group);
    return error->code;
  }
  *out = group;
  return PRIVY_OK;
}

/* The token request of this call, if it made one, is over. */
static void end_fetch(privy_group *group, const pending_call *pending) {
  if (group->fetch == pending->call.fetch) group->fetch = 0;
}

/* Takes the call from the engine, and ends it as interrupted. */
static void stop(privy_group *group, pending_call *pending) {
  if (pending->transfer) pending->call.never_arrived = !privy_engine_cancel(group->engine, pending->transfer);
  pending->transfer = NULL;
  if (pending->queue == &group->ended) return;
  privy_error_set(&pending->error, PRIVY_INTERRUPTED, "the call was stopped");
  end_fetch(group, pending);
  privy_client_failed(group->client, &pending->call);
  enter(pending, &group->ended);
}

void privy_group_cancel_all(privy_group *group) {
  group_queue *const queues[] = {&group->ready,   &group->waiting, &group->backing_off,
                                 &group->sending, &group->late,    &group->ended};
  if (group->process != getpid()) return;
  for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
    for (pending_call *pending; (pending = queues[i]->first); free_pending(pending)) stop(group, pending);
}

void privy_group_free(privy_group *group) {
  if (!group) return;
  if (group->process != getpid()) {
    privy_group_abandon(group);
    return;
  }
  privy_group_cancel_all(group);
  privy_trace_clear(&group->trace);
  atomic_store(&group->woken, false);
  group->least = PRIVY_LEVEL_OFF;
  group->ahead = false;
  group->limit = 0;
  if (group->watched) privy_group_set_socket_callback(group, NULL, NULL);
  privy_client_give_idle(group->client, group);
}

void privy_group_destroy(privy_group *group) {
  privy_engine_free(group->engine);
  privy_free(group);
}

void privy_group_abandon(privy_group *group) {
  if (group->engine) privy_engine_abandon(group->engine);
  privy_trace_clear(&group->trace);
  privy_free(group);
}

privy_idle *privy_group_idle(privy_group *group) {
  return &group->idle;
}

bool privy_group_has_closed(const privy_group *group) {
  return group->engine && privy_engine_has_closed(group->engine);
}

/* ---- starting and stopping ---- */

privy_status privy_group_start_shared(privy_group *group, const privy_request *request, const privy_options *options,
                                      uint64_t id, privy_error *error) {
  privy_options merged = privy_options_merge(group->client->settings.options, options);
  if (options && options->given && privy_options_check(&merged, error) != PRIVY_OK) return error->code;
  const uint64_t random[2] = {group->seed[0], privy_random(&group->seed[1])};
  pending_call *pending = privy_calloc(1, sizeof *pending);
  if (!pending) return privy_error_no_memory(error);
  pending->id = id;
  privy_error_init(&pending->error);
  privy_sandbox_response_init(&pending->response);
  privy_call_init(&pending->call, &group->client->settings, merged, random, request, &pending->error);
  pending->call.id = id;
  pending->call.least = group->least;
  if (group->least != PRIVY_LEVEL_OFF) pending->call.trace = &group->trace;
  enter(pending, &group->ready);
  return PRIVY_OK;
}

privy_status privy_group_start(privy_group *group, privy_request *request, const privy_options *options, uint64_t id,
                               privy_error *error) {
  privy_status status = privy_group_start_shared(group, request, options, id, error);
  if (status == PRIVY_OK)
    group->ready.last->owned = request;
  else
    privy_request_free(request);
  return status;
}

static pending_call *find(const privy_group *group, uint64_t id) {
  const group_queue *const queues[] = {&group->ready,   &group->waiting, &group->backing_off,
                                       &group->sending, &group->late,    &group->ended};
  for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
    for (pending_call *pending = queues[i]->first; pending; pending = pending->next)
      if (pending->id == id) return pending;
  return NULL;
}

void privy_group_interrupt(privy_group *group, uint64_t id) {
  pending_call *pending = find(group, id);
  if (pending) stop(group, pending);
}

bool privy_group_cancel(privy_group *group, uint64_t id) {
  pending_call *pending = find(group, id);
  if (!pending) return false;
  stop(group, pending);
  free_pending(pending);
  return true;
}

size_t privy_group_count(const privy_group *group) {
  return group->ready.count + group->waiting.count + group->backing_off.count + group->sending.count +
         group->late.count + group->ended.count;
}

void privy_completion_clear(privy_completion *completion) {
  if (!completion) return;
  privy_response_release(completion->response);
  completion->response = NULL;
  privy_error_clear(&completion->error);
}

bool privy_group_next_completed(privy_group *group, privy_completion *out) {
  pending_call *pending = group->ended.first;
  if (!pending) return false;
  *out = (privy_completion){.id = pending->id,
                            .status = pending->call.status,
                            .response = pending->call.response,
                            .error = pending->error,
                            .attempts = pending->call.attempts,
                            .updated = pending->call.follow_up != NULL};
  pending->call.response = NULL;
  privy_error_init(&pending->error);
  free_pending(pending);
  return true;
}

void privy_group_set_prefetch(privy_group *group, bool on) {
  group->ahead = on;
}

void privy_group_observe(privy_group *group, privy_level least) {
  group->least = least;
}

bool privy_group_take_event(privy_group *group, privy_trace_event *out) {
  return privy_trace_take(&group->trace, out);
}

/* ---- moving on ---- */

static void settle(privy_group *group, pending_call *pending, privy_status status) {
  pending->call.cost = pending->wire_response.cost;
  pending->call.never_arrived = pending->wire_response.never_arrived;
  end_fetch(group, pending);
  if (status == PRIVY_OK)
    privy_client_received(group->client, &pending->call, &pending->wire_response);
  else
    privy_client_failed(group->client, &pending->call);
  privy_wire_response_clear(&pending->wire_response);
  enter(pending, pending->call.done ? &group->ended : &group->ready);
}

static privy_status deliver(pending_call *pending) {
  return privy_sandbox_link_deliver(&pending->call.wire_request, &pending->response, &pending->wire_response,
                                    &pending->error);
}

static void ask_sandbox(privy_group *group, pending_call *pending) {
  double delay = 0;
  privy_status status = privy_sandbox_link_ask(group->client->sandbox, &pending->call.wire_request, &pending->response,
                                               &pending->wire_response, &delay);
  pending->at = privy_monotonic() + delay;
  if (status != PRIVY_OK)
    settle(group, pending, privy_error_no_memory(&pending->error));
  else if (delay > 0)
    enter(pending, &group->late);
  else
    settle(group, pending, deliver(pending));
}

static void carry(privy_group *group, pending_call *pending) {
  if (pending->call.goal == PRIVY_GOAL_TOKEN) group->fetch = pending->call.fetch;
  if (!group->engine) {
    ask_sandbox(group, pending);
    return;
  }
  enter(pending, &group->sending);
  if (privy_engine_start(group->engine, &pending->call.wire_request, &pending->wire_response, pending,
                         &pending->transfer) == PRIVY_OK)
    return;
  settle(group, pending, privy_error_no_memory(&pending->error));
}

static void go_on(privy_group *group, pending_call *pending) {
  pending->call.ahead = group->ahead;
  switch (privy_client_next(group->client, &pending->call)) {
  case PRIVY_CALL_SEND: carry(group, pending); break;
  case PRIVY_CALL_WAIT:
    pending->at = privy_monotonic() + fmax(pending->call.until - privy_client_now(group->client), 0);
    enter(pending, pending->call.backs_off ? &group->backing_off : &group->waiting);
    break;
  case PRIVY_CALL_DONE: enter(pending, &group->ended); break;
  }
}

static privy_error *error_of(void *owner) {
  return &((pending_call *)owner)->error;
}

static void take_transfers(privy_group *group) {
  privy_status status;
  for (pending_call *pending; (pending = privy_engine_next_completed(group->engine, &status, error_of));) {
    pending->transfer = NULL;
    settle(group, pending, status);
  }
}

static void take_late(privy_group *group, double now) {
  for (pending_call *pending = group->late.first, *next; pending; pending = next) {
    next = pending->next;
    if (pending->at <= now) settle(group, pending, deliver(pending));
  }
}

/* A sandbox's clock may stand still: no wait is longer than it would be by the machine's. */
static void take_waiting(privy_group *group, group_queue *queue, double now) {
  double client_now = queue->count ? privy_client_now(group->client) : 0;
  for (pending_call *pending = queue->first, *next; pending; pending = next) {
    next = pending->next;
    if (pending->call.until > client_now && pending->at > now) continue;
    if (pending->call.until > client_now) pending->call.until = client_now;
    enter(pending, &group->ready);
  }
}

/* Whether a call may go on at once: it may need a place on the wire. */
static bool has_ready(const privy_group *group) {
  return group->ready.count && (!group->limit || group->sending.count + group->late.count < group->limit);
}

static void move(privy_group *group) {
  double now = group->driven_at = privy_monotonic();
  if (group->fetch) privy_client_drive_fetch(group->client, group->fetch);
  if (group->engine) take_transfers(group);
  take_late(group, now);
  take_waiting(group, &group->backing_off, now);
  take_waiting(group, &group->waiting, now);
  while (has_ready(group)) go_on(group, group->ready.first);
}

/* When the first call of a queue is due, by privy_monotonic. */
static double first_of(const group_queue *queue, double first) {
  for (const pending_call *pending = queue->first; pending; pending = pending->next) first = fmin(first, pending->at);
  return first;
}

/* Seconds until something in these queues is due; negative: nothing is. */
static double due_of(const privy_group *group) {
  const size_t waiting = group->waiting.count + group->backing_off.count;
  double first = first_of(&group->late, first_of(&group->waiting, first_of(&group->backing_off, INFINITY)));
  if (!isinf(first)) first -= privy_monotonic();
  if (waiting && group->client->sandbox) first = fmin(first, CLOCK_POLL);
  if (group->fetch) first = fmin(first, FETCH_BEAT);
  if (has_ready(group) || group->ended.count) first = 0;
  return isinf(first) ? -1 : fmax(first, 0);
}

/* Time in which nobody drove the group is no time that a server took. */
static void catch_up(privy_group *group, double gap) {
  if (gap < GAP) return;
  for (pending_call *pending = group->sending.first; pending; pending = pending->next)
    privy_engine_extend(group->engine, pending->transfer, gap);
}

/* ---- driven by waiting ---- */

static void sleep_until_woken(privy_group *group, double seconds) {
  double until = privy_monotonic() + seconds;
  for (double left = seconds; left > 0 && !atomic_load(&group->woken); left = until - privy_monotonic()) {
    double step = fmin(left, PRIVY_WATCH_SECONDS / 5);
    nanosleep(&(struct timespec){0, (long)(step * 1e9)}, NULL);
  }
}

void privy_group_wait(privy_group *group, double seconds) {
  catch_up(group, privy_monotonic() - group->driven_at);
  move(group);
  double due = due_of(group);
  if (due >= 0 && due < seconds) seconds = due;
  if (group->trace.count > 0) seconds = 0;
  if (group->ended.count == 0 && group->engine)
    privy_engine_wait(group->engine, seconds);
  else if (group->ended.count == 0)
    sleep_until_woken(group, seconds);
  atomic_store(&group->woken, false);
  move(group);
}

void privy_group_wake(privy_group *group) {
  atomic_store(&group->woken, true);
  if (group->engine) privy_engine_wake(group->engine);
}

/* ---- driven by an event loop ---- */

void privy_group_set_socket_callback(privy_group *group, privy_socket_function *watch, void *context) {
  group->watched = watch != NULL;
  if (group->engine) privy_engine_set_socket_callback(group->engine, watch, context);
}

double privy_group_timeout(const privy_group *group) {
  double due = due_of(group), engine = group->engine ? privy_engine_timeout(group->engine) : -1;
  if (due < 0 || (engine >= 0 && engine < due)) return engine;
  return due;
}

static void end_overdue(privy_group *group) {
  for (pending_call *pending = group->sending.first; pending; pending = pending->next)
    privy_engine_expire(group->engine, pending->transfer);
  move(group);
}

void privy_group_socket_action(privy_group *group, int socket, int events) {
  if (group->engine) catch_up(group, privy_engine_late(group->engine));
  if (group->engine) privy_engine_socket_action(group->engine, socket, events);
  move(group);
  if (group->engine && privy_engine_overdue(group->engine)) end_overdue(group);
}

static double first_until(const group_queue *queue, double first) {
  for (const pending_call *pending = queue->first; pending; pending = pending->next)
    if (first == 0 || pending->call.until < first) first = pending->call.until;
  return first;
}

/* By the client's clock; 0: none waits. */
static double waiting_until(const privy_group *group) {
  return first_until(&group->waiting, first_until(&group->backing_off, 0));
}

double privy_group_waiting_until(const privy_group *group) {
  double until = waiting_until(group);
  return until == 0 ? 0 : privy_client_wall(group->client, until);
}

/* ---- for bulk runs ---- */

void privy_group_limit(privy_group *group, size_t most) {
  group->limit = most;
}

privy_client *privy_group_client(const privy_group *group) {
  return group->client;
}

bool privy_group_is_own(const privy_group *group) {
  return group->process == getpid();
}

privy_call *privy_group_find(const privy_group *group, uint64_t id) {
  pending_call *pending = find(group, id);
  return pending ? &pending->call : NULL;
}

size_t privy_group_backing_off(const privy_group *group) {
  return group->backing_off.count;
}

double privy_group_idle_seconds(const privy_group *group) {
  double until = waiting_until(group);
  if (until == 0 || group->sending.count + group->late.count + group->ready.count + group->ended.count) return -1;
  return fmax(until - privy_client_now(group->client), 0);
}
