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
#include "client/engine.h"
#include "client/sandbox_link.h"
#include "message/error.h"

/* A call's place in the group, in one of its queues or with the engine. */
typedef struct group_flight {
  uint64_t id;
  privy_call call;
  privy_error error;
  privy_request *owned;
  privy_incoming incoming;
  privy_transfer *transfer;    /* with the engine */
  privy_sandbox_answer answer; /* of the sandbox, on its way */
  double at;                   /* by privy_monotonic: when it goes on at the latest */
  struct group_queue *queue;
  struct group_flight *next, *previous;
} group_flight;

typedef struct group_queue {
  group_flight *first, *last;
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
  privy_trail trail;
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
#define CLOCK_PEEK 0.02
/* Shorter times in which nobody drives a group are not worth a thought. */
#define GAP 0.01
/* While a call of the group makes a token request, the group is driven at least this often: calls of other groups that
 * wait for the token see that somebody does. */
#define FETCH_BEAT 0.1

/* ---- queues ---- */

static void leave(group_flight *flight) {
  group_queue *queue = flight->queue;
  if (!queue) return;
  *(flight->previous ? &flight->previous->next : &queue->first) = flight->next;
  *(flight->next ? &flight->next->previous : &queue->last) = flight->previous;
  queue->count--;
  flight->queue = NULL;
}

static void enter(group_flight *flight, group_queue *queue) {
  leave(flight);
  flight->queue = queue;
  flight->next = NULL;
  flight->previous = queue->last;
  *(queue->last ? &queue->last->next : &queue->first) = flight;
  queue->last = flight;
  queue->count++;
}

static void free_flight(group_flight *flight) {
  leave(flight);
  privy_call_clear(&flight->call);
  privy_error_clear(&flight->error);
  privy_incoming_clear(&flight->incoming);
  privy_sandbox_answer_clear(&flight->answer);
  privy_request_free(flight->owned);
  privy_free(flight);
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
    return privy_error_set(error, PRIVY_ERROR, "no entropy source");
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
static void end_fetch(privy_group *group, const group_flight *flight) {
  if (group->fetch == flight->call.fetch) group->fetch = 0;
}

/* Takes the call from the engine, and ends it as interrupted. */
static void stop(privy_group *group, group_flight *flight) {
  if (flight->transfer) flight->call.never_arrived = !privy_engine_cancel(group->engine, flight->transfer);
  flight->transfer = NULL;
  if (flight->queue == &group->ended) return;
  privy_error_set(&flight->error, PRIVY_INTERRUPTED, "the call was stopped");
  end_fetch(group, flight);
  privy_client_failed(group->client, &flight->call);
  enter(flight, &group->ended);
}

void privy_group_cancel_all(privy_group *group) {
  group_queue *const queues[] = {&group->ready,   &group->waiting, &group->backing_off,
                                 &group->sending, &group->late,    &group->ended};
  if (group->process != getpid()) return;
  for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
    for (group_flight *flight; (flight = queues[i]->first); free_flight(flight)) stop(group, flight);
}

void privy_group_free(privy_group *group) {
  if (!group) return;
  if (group->process != getpid()) {
    privy_group_abandon(group);
    return;
  }
  privy_group_cancel_all(group);
  privy_trail_clear(&group->trail);
  atomic_store(&group->woken, false);
  group->least = PRIVY_LEVEL_OFF;
  group->ahead = false;
  group->limit = 0;
  if (group->watched) privy_group_watch(group, NULL, NULL);
  privy_client_give_idle(group->client, group);
}

void privy_group_destroy(privy_group *group) {
  privy_engine_free(group->engine);
  privy_free(group);
}

void privy_group_abandon(privy_group *group) {
  if (group->engine) privy_engine_abandon(group->engine);
  privy_trail_clear(&group->trail);
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
  group_flight *flight = privy_calloc(1, sizeof *flight);
  if (!flight) return privy_error_no_memory(error);
  flight->id = id;
  privy_error_init(&flight->error);
  privy_sandbox_answer_init(&flight->answer);
  privy_call_init(&flight->call, &group->client->settings, merged, random, request, &flight->error);
  flight->call.id = id;
  flight->call.least = group->least;
  if (group->least != PRIVY_LEVEL_OFF) flight->call.trail = &group->trail;
  enter(flight, &group->ready);
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

static group_flight *find(const privy_group *group, uint64_t id) {
  const group_queue *const queues[] = {&group->ready,   &group->waiting, &group->backing_off,
                                       &group->sending, &group->late,    &group->ended};
  for (size_t i = 0; i < sizeof queues / sizeof queues[0]; i++)
    for (group_flight *flight = queues[i]->first; flight; flight = flight->next)
      if (flight->id == id) return flight;
  return NULL;
}

void privy_group_interrupt(privy_group *group, uint64_t id) {
  group_flight *flight = find(group, id);
  if (flight) stop(group, flight);
}

bool privy_group_cancel(privy_group *group, uint64_t id) {
  group_flight *flight = find(group, id);
  if (!flight) return false;
  stop(group, flight);
  free_flight(flight);
  return true;
}

size_t privy_group_count(const privy_group *group) {
  return group->ready.count + group->waiting.count + group->backing_off.count + group->sending.count +
         group->late.count + group->ended.count;
}

void privy_outcome_clear(privy_outcome *outcome) {
  if (!outcome) return;
  privy_response_release(outcome->response);
  outcome->response = NULL;
  privy_error_clear(&outcome->error);
}

bool privy_group_take(privy_group *group, privy_outcome *out) {
  group_flight *flight = group->ended.first;
  if (!flight) return false;
  *out = (privy_outcome){.id = flight->id,
                         .status = flight->call.status,
                         .response = flight->call.response,
                         .error = flight->error,
                         .attempts = flight->call.attempts,
                         .updated = flight->call.follow_up != NULL};
  flight->call.response = NULL;
  privy_error_init(&flight->error);
  free_flight(flight);
  return true;
}

void privy_group_set_ahead(privy_group *group, bool on) {
  group->ahead = on;
}

void privy_group_observe(privy_group *group, privy_level least) {
  group->least = least;
}

bool privy_group_take_event(privy_group *group, privy_event *out) {
  return privy_trail_take(&group->trail, out);
}

/* ---- moving on ---- */

static void settle(privy_group *group, group_flight *flight, privy_status status) {
  flight->call.cost = flight->incoming.cost;
  flight->call.never_arrived = flight->incoming.never_arrived;
  end_fetch(group, flight);
  if (status == PRIVY_OK)
    privy_client_answered(group->client, &flight->call, &flight->incoming);
  else
    privy_client_failed(group->client, &flight->call);
  privy_incoming_clear(&flight->incoming);
  enter(flight, flight->call.done ? &group->ended : &group->ready);
}

static privy_status deliver(group_flight *flight) {
  return privy_sandbox_link_deliver(&flight->call.outgoing, &flight->answer, &flight->incoming, &flight->error);
}

static void ask_sandbox(privy_group *group, group_flight *flight) {
  double delay = 0;
  privy_status status = privy_sandbox_link_ask(group->client->sandbox, &flight->call.outgoing, &flight->answer,
                                               &flight->incoming, &delay);
  flight->at = privy_monotonic() + delay;
  if (status != PRIVY_OK)
    settle(group, flight, privy_error_no_memory(&flight->error));
  else if (delay > 0)
    enter(flight, &group->late);
  else
    settle(group, flight, deliver(flight));
}

static void carry(privy_group *group, group_flight *flight) {
  if (flight->call.goal == PRIVY_GOAL_TOKEN) group->fetch = flight->call.fetch;
  if (!group->engine) {
    ask_sandbox(group, flight);
    return;
  }
  enter(flight, &group->sending);
  if (privy_engine_start(group->engine, &flight->call.outgoing, &flight->incoming, flight, &flight->transfer) ==
      PRIVY_OK)
    return;
  settle(group, flight, privy_error_no_memory(&flight->error));
}

static void go_on(privy_group *group, group_flight *flight) {
  flight->call.ahead = group->ahead;
  switch (privy_client_next(group->client, &flight->call)) {
  case PRIVY_CALL_SEND: carry(group, flight); break;
  case PRIVY_CALL_WAIT:
    flight->at = privy_monotonic() + fmax(flight->call.until - privy_client_now(group->client), 0);
    enter(flight, flight->call.backs_off ? &group->backing_off : &group->waiting);
    break;
  case PRIVY_CALL_DONE: enter(flight, &group->ended); break;
  }
}

static privy_error *error_of(void *owner) {
  return &((group_flight *)owner)->error;
}

static void take_transfers(privy_group *group) {
  privy_status status;
  for (group_flight *flight; (flight = privy_engine_take(group->engine, &status, error_of));) {
    flight->transfer = NULL;
    settle(group, flight, status);
  }
}

static void take_late(privy_group *group, double now) {
  for (group_flight *flight = group->late.first, *next; flight; flight = next) {
    next = flight->next;
    if (flight->at <= now) settle(group, flight, deliver(flight));
  }
}

/* A sandbox's clock may stand still: no wait is longer than it would be by the machine's. */
static void take_waiting(privy_group *group, group_queue *queue, double now) {
  double client_now = queue->count ? privy_client_now(group->client) : 0;
  for (group_flight *flight = queue->first, *next; flight; flight = next) {
    next = flight->next;
    if (flight->call.until > client_now && flight->at > now) continue;
    if (flight->call.until > client_now) flight->call.until = client_now;
    enter(flight, &group->ready);
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
  for (const group_flight *flight = queue->first; flight; flight = flight->next) first = fmin(first, flight->at);
  return first;
}

/* Seconds until something in these queues is due; negative: nothing is. */
static double due_of(const privy_group *group) {
  const size_t waiting = group->waiting.count + group->backing_off.count;
  double first = first_of(&group->late, first_of(&group->waiting, first_of(&group->backing_off, INFINITY)));
  if (!isinf(first)) first -= privy_monotonic();
  if (waiting && group->client->sandbox) first = fmin(first, CLOCK_PEEK);
  if (group->fetch) first = fmin(first, FETCH_BEAT);
  if (has_ready(group) || group->ended.count) first = 0;
  return isinf(first) ? -1 : fmax(first, 0);
}

/* Time in which nobody drove the group is no time that a server took. */
static void catch_up(privy_group *group, double gap) {
  if (gap < GAP) return;
  for (group_flight *flight = group->sending.first; flight; flight = flight->next)
    privy_engine_extend(group->engine, flight->transfer, gap);
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
  if (group->trail.count > 0) seconds = 0;
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

void privy_group_watch(privy_group *group, privy_socket_function *watch, void *context) {
  group->watched = watch != NULL;
  if (group->engine) privy_engine_watch(group->engine, watch, context);
}

double privy_group_due(const privy_group *group) {
  double due = due_of(group), engine = group->engine ? privy_engine_due(group->engine) : -1;
  if (due < 0 || (engine >= 0 && engine < due)) return engine;
  return due;
}

static void end_overdue(privy_group *group) {
  for (group_flight *flight = group->sending.first; flight; flight = flight->next)
    privy_engine_expire(group->engine, flight->transfer);
  move(group);
}

void privy_group_act(privy_group *group, int socket, int events) {
  if (group->engine) catch_up(group, privy_engine_late(group->engine));
  if (group->engine) privy_engine_act(group->engine, socket, events);
  move(group);
  if (group->engine && privy_engine_overdue(group->engine)) end_overdue(group);
}

static double first_until(const group_queue *queue, double first) {
  for (const group_flight *flight = queue->first; flight; flight = flight->next)
    if (first == 0 || flight->call.until < first) first = flight->call.until;
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
  group_flight *flight = find(group, id);
  return flight ? &flight->call : NULL;
}

size_t privy_group_backing_off(const privy_group *group) {
  return group->backing_off.count;
}

double privy_group_idle_seconds(const privy_group *group) {
  double until = waiting_until(group);
  if (until == 0 || group->sending.count + group->late.count + group->ready.count + group->ended.count) return -1;
  return fmax(until - privy_client_now(group->client), 0);
}
