#include "client/client.h"

#include <math.h>
#include <unistd.h>

#include "base/fork.h"
#include "base/memory.h"
#include "call/call_trace.h"
#include "message/error.h"
#include "transport/engine.h"

/* Seconds that may pass between reading one clock and the other. */
#define BETWEEN_CLOCKS 0.01

privy_status privy_client_new(const privy_config *config, privy_client **out, privy_error *error) {
  privy_client *client = privy_calloc(1, sizeof *client);
  if (!client) return privy_error_no_memory(error);
  pthread_mutex_init(&client->mutex, NULL);
  atomic_init(&client->process, getpid());
  privy_account_init(&client->account);
  if (privy_settings_read(&client->settings, config, error) != PRIVY_OK ||
      (!config->sandbox && privy_engine_check(&client->settings, error) != PRIVY_OK)) {
    privy_client_free(client);
    return error->code;
  }
  if (config->sandbox) client->sandbox = privy_sandbox_retain(config->sandbox);
  *out = client;
  return PRIVY_OK;
}

static void destroy_all(privy_group *group) {
  for (privy_group *next; group; group = next) {
    next = privy_group_idle(group)->next;
    privy_group_destroy(group);
  }
}

void privy_client_free(privy_client *client) {
  if (!client) return;
  privy_client_check_process(client);
  destroy_all(client->idle);
  privy_sandbox_release(client->sandbox);
  privy_account_clear(&client->account);
  privy_settings_clear(&client->settings);
  pthread_mutex_destroy(&client->mutex);
  privy_free(client);
}

const char *privy_client_base_url(const privy_client *client) {
  return client->settings.base_url;
}

double privy_client_now(const privy_client *client) {
  return client->sandbox ? privy_sandbox_now(client->sandbox) : privy_steady_clock();
}

/* How far the wall clock is ahead of the calls' clock. */
static double wall_offset(const privy_client *client, double now) {
  return client->sandbox ? 0 : privy_wall_clock() - now;
}

double privy_client_wall(const privy_client *client, double instant) {
  return instant + wall_offset(client, privy_client_now(client));
}

static void start_afresh(privy_client *client) {
  client->account.fetch = 0;
  client->account.pacer.in_flight = 0;
  for (privy_group *group = client->idle, *next; group; group = next) {
    next = privy_group_idle(group)->next;
    privy_group_abandon(group);
  }
  client->idle = NULL;
  client->idle_count = 0;
}

void privy_client_check_process(privy_client *client) {
  int mine = getpid(), seen = atomic_load(&client->process);
  while (seen != mine) {
    if (seen != -mine && atomic_compare_exchange_strong(&client->process, &seen, -mine)) {
      start_afresh(client);
      atomic_store(&client->process, mine);
      return;
    }
    seen = atomic_load(&client->process);
  }
}

/* ---- what calls share ---- */

static void lock(privy_client *client) {
  privy_fork_forbid();
  pthread_mutex_lock(&client->mutex);
}

static void unlock(privy_client *client) {
  pthread_mutex_unlock(&client->mutex);
  privy_fork_allow();
}

/* Takes the lock and reads the clocks. They are read one after the other: a difference that only comes of that would
 * move instants that have been reported. */
static double begin_step(privy_client *client) {
  double now = privy_client_now(client), offset = wall_offset(client, now);
  lock(client);
  if (fabs(offset - client->account.wall_offset) > BETWEEN_CLOCKS) client->account.wall_offset = offset;
  return now;
}

privy_call_step privy_client_next(privy_client *client, privy_call *call) {
  double now = begin_step(client);
  privy_call_step step = privy_call_next(call, &client->account, now);
  unlock(client);
  return step;
}

void privy_client_received(privy_client *client, privy_call *call, privy_wire_response *wire_response) {
  double now = begin_step(client);
  privy_call_received(call, &client->account, now, wire_response);
  unlock(client);
}

void privy_client_failed(privy_client *client, privy_call *call) {
  double now = begin_step(client);
  privy_call_failed(call, &client->account, now);
  unlock(client);
}

void privy_client_drive_fetch(privy_client *client, uint64_t fetch) {
  lock(client);
  privy_account_drive_fetch(&client->account, fetch);
  unlock(client);
}

bool privy_client_may_prefetch(privy_client *client, const privy_pager *walk, size_t read) {
  double until;
  if (!privy_pager_should_prefetch(walk, read)) return false;
  privy_client_check_process(client);
  double now = begin_step(client);
  privy_account *account = &client->account;
  bool may = (client->settings.token || privy_token_is_fresh(&account->token, now)) &&
             privy_pacer_ask(&account->pacer, client->settings.options.reserve, now, &until) == PRIVY_PACE_NOW;
  unlock(client);
  return may;
}

static void tell_limit(const privy_account *account, const privy_budget *budget, privy_rate_limit *out) {
  int64_t left = budget->known ? privy_budget_left(budget, account->pacer.in_flight) : 0;
  double resets_at = budget->resets_at == 0 ? 0 : budget->resets_at + account->wall_offset;
  *out = (privy_rate_limit){budget->known, budget->limit, left, resets_at};
}

void privy_client_rate_limits(privy_client *client, privy_rate_limit *minute, privy_rate_limit *day) {
  privy_client_check_process(client);
  double now = begin_step(client), until;
  privy_pacer *pacer = &client->account.pacer;
  privy_pacer_ask(pacer, 0, now, &until); /* so that a window whose end has passed counts as whole */
  tell_limit(&client->account, &pacer->minute, minute);
  tell_limit(&client->account, &pacer->day, day);
  unlock(client);
}

bool privy_client_refused(privy_client *client, const privy_request *request, const privy_error *error,
                          privy_level least, privy_trace_event *out) {
  privy_client_check_process(client);
  lock(client);
  bool made = privy_trace_refusal(&client->account, request, error, least, out);
  unlock(client);
  return made;
}

/* ---- groups to be used again ---- */

/* Moves the group at `*place` from the idle ones to the front of `list`. */
static privy_group *move_idle(privy_client *client, privy_group **place, privy_group *list) {
  privy_group *group = *place;
  *place = privy_group_idle(group)->next;
  privy_group_idle(group)->next = list;
  client->idle_count--;
  return group;
}

/* The idle groups that are not worth keeping, taken out of the client's. */
static privy_group *remove_useless(privy_client *client, double now) {
  privy_group *useless = NULL;
  if (!client->idle || now - client->idle_checked_at < PRIVY_IDLE_CHECK) return NULL;
  client->idle_checked_at = now;
  for (privy_group **place = &client->idle; *place;) {
    if (now - privy_group_idle(*place)->since > PRIVY_IDLE_SECONDS || privy_group_has_closed(*place))
      useless = move_idle(client, place, useless);
    else
      place = &privy_group_idle(*place)->next;
  }
  return useless;
}

privy_group *privy_client_take_idle(privy_client *client) {
  double now = privy_monotonic();
  lock(client);
  privy_group *useless = remove_useless(client, now);
  privy_group *group = client->idle ? move_idle(client, &client->idle, NULL) : NULL;
  unlock(client);
  destroy_all(useless);
  return group;
}

/* The one idle for longest; it is the last, for groups come and go at the front. */
static privy_group **last_idle(privy_client *client) {
  privy_group **place = &client->idle;
  while (privy_group_idle(*place)->next) place = &privy_group_idle(*place)->next;
  return place;
}

void privy_client_give_idle(privy_client *client, privy_group *group) {
  privy_group *useless = NULL;
  *privy_group_idle(group) = (privy_idle){.since = privy_monotonic()};
  lock(client);
  privy_group_idle(group)->next = client->idle;
  client->idle = group;
  if (++client->idle_count > PRIVY_IDLE_MOST) useless = move_idle(client, last_idle(client), NULL);
  unlock(client);
  destroy_all(useless);
}

/* ---- one call, waited for ---- */

static void wake(void *group) {
  privy_group_wake(group);
}

static void tell_events(privy_group *group, const privy_hooks *hooks) {
  privy_trace_event event;
  while (privy_group_take_event(group, &event)) hooks->observe(hooks->context, &event);
}

static void wait_for(privy_group *group, privy_watch *watch, privy_completion *completion) {
  privy_interrupt_attach(watch->hooks.interrupt, wake, group);
  while (!privy_group_next_completed(group, completion)) {
    if (privy_watch_stops(watch))
      privy_group_interrupt(group, 0);
    else
      privy_group_wait(group, PRIVY_WATCH_SECONDS);
    tell_events(group, &watch->hooks);
  }
  privy_interrupt_attach(watch->hooks.interrupt, NULL, NULL);
}

privy_status privy_client_call(privy_client *client, const privy_request *request, const privy_options *options,
                               const privy_hooks *hooks, privy_response **out, privy_error *error) {
  privy_group *group;
  privy_completion completion;
  privy_watch watch = {.hooks = hooks ? *hooks : (privy_hooks){0}};
  privy_status status = privy_group_new(client, &group, error);
  if (status != PRIVY_OK) return status;
  privy_group_observe(group, watch.hooks.observe ? watch.hooks.least : PRIVY_LEVEL_OFF);
  status = privy_group_start_shared(group, request, options, 0, error);
  if (status == PRIVY_OK) {
    wait_for(group, &watch, &completion);
    status = completion.status;
    if (status == PRIVY_OK) *out = completion.response;
    completion.response = NULL;
    privy_error_clear(error);
    *error = completion.error;
  }
  privy_group_free(group);
  return status;
}
