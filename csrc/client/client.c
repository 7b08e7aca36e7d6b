#define _DEFAULT_SOURCE /* getentropy */

#include "client/client.h"

#include <math.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/random.h>
#endif

#include "base/clock.h"
#include "base/fork.h"
#include "base/memory.h"
#include "base/random.h"
#include "call/call_trace.h"
#include "message/error.h"
#include "policy/forecast.h"
#include "privy_sandbox.h"

/* A difference between the two clocks below this many seconds only comes from reading one after the other. */
#define CLOCK_READ_GAP 0.01

static bool accept_credentials(privy_client *client) {
  const privy_settings *own = &client->settings;
  return privy_sandbox_accept(client->sandbox, own->token, own->client_id, own->client_secret) == PRIVY_OK;
}

privy_status privy_client_new(const privy_config *config, privy_client **out, privy_error *error) {
  privy_client *client = privy_calloc(1, sizeof *client);
  if (!client) return privy_error_no_memory(error);
  pthread_mutex_init(&client->mutex, NULL);
  atomic_init(&client->generation, privy_fork_generation());
  privy_pool_init(&client->pool);
  privy_account_init(&client->account);
  if (privy_settings_read(&client->settings, config, error) != PRIVY_OK ||
      (!config->sandbox && privy_engine_check(&client->settings, error) != PRIVY_OK)) {
    privy_client_free(client);
    return error->code;
  }
  if (config->sandbox) client->sandbox = privy_sandbox_retain(config->sandbox);
  client->account.sandbox = privy_client_is_sandbox(client);
  if (config->sandbox && config->accepted && !accept_credentials(client)) {
    privy_client_free(client);
    return privy_error_no_memory(error);
  }
  *out = client;
  return PRIVY_OK;
}

privy_status privy_client_stand_in(const privy_client *client, privy_sandbox *sandbox, privy_client **out,
                                   privy_error *error) {
  privy_config config;
  privy_config_init(&config);
  config.options = client->settings.options;
  config.max_response = client->settings.max_response;
  config.user_agent = client->settings.user_agent;
  config.sandbox = sandbox;
  return privy_client_new(&config, out, error);
}

void privy_client_free(privy_client *client) {
  if (!client) return;
  privy_client_check_process(client);
  privy_pool_clear(&client->pool);
  privy_sandbox_release(client->sandbox);
  privy_account_clear(&client->account);
  privy_settings_clear(&client->settings);
  pthread_mutex_destroy(&client->mutex);
  privy_free(client);
}

const char *privy_client_base_url(const privy_client *client) {
  return client->settings.base_url;
}

bool privy_client_is_sandbox(const privy_client *client) {
  return client->sandbox || privy_settings_are_sandbox(&client->settings);
}

const char *privy_client_ca_file(const privy_client *client) {
  return client->settings.ca_bundle;
}

const char *privy_client_token_url(const privy_client *client) {
  return client->settings.token_url;
}

double privy_client_now(const privy_client *client) {
  return client->sandbox ? privy_sandbox_now(client->sandbox) : privy_steady_clock();
}

/* Seconds that the wall clock is ahead of the calls' clock. */
static double wall_offset(const privy_client *client, double now) {
  return client->sandbox ? 0 : privy_wall_clock() - now;
}

double privy_client_wall(const privy_client *client, double instant) {
  return instant + wall_offset(client, privy_client_now(client));
}

/* ---- forks ---- */

static void reset_after_fork(privy_client *client) {
  client->account.fetch = 0;
  client->account.pacer.in_flight = 0;
  client->seeded = false;
  privy_pool_abandon(&client->pool);
}

/* The first thread of the child that comes here resets the client; the others spin until it has done so. */
void privy_client_check_process(privy_client *client) {
  const int current = privy_fork_generation();
  int seen = atomic_load(&client->generation);
  while (seen != current) {
    if (seen != -current && atomic_compare_exchange_strong(&client->generation, &seen, -current)) {
      reset_after_fork(client);
      atomic_store(&client->generation, current);
      return;
    }
    seen = atomic_load(&client->generation);
  }
}

/* ---- what calls share ---- */

bool privy_client_draw_random(privy_client *client, uint64_t random[2]) {
  privy_mutex_lock(&client->mutex);
  if (!client->seeded) client->seeded = getentropy(client->seed, sizeof client->seed) == 0;
  const bool seeded = client->seeded;
  for (int i = 0; i < 2; i++) random[i] = privy_random(&client->seed[i]);
  privy_mutex_unlock(&client->mutex);
  return seeded;
}

/* Locks the client, reads the clocks and returns the calls' clock. Ignores a small change of the offset: it only comes
 * from reading one clock after the other, and would move instants that were reported before. */
static double lock_and_read_clocks(privy_client *client) {
  double now = privy_client_now(client), offset = wall_offset(client, now);
  privy_mutex_lock(&client->mutex);
  if (fabs(offset - client->account.wall_offset) > CLOCK_READ_GAP) client->account.wall_offset = offset;
  return now;
}

privy_call_step privy_client_next(privy_client *client, privy_call *call) {
  double now = lock_and_read_clocks(client);
  privy_call_step step = privy_call_next(call, &client->account, now);
  privy_mutex_unlock(&client->mutex);
  return step;
}

void privy_client_received(privy_client *client, privy_call *call, privy_wire_response *wire_response) {
  double now = lock_and_read_clocks(client);
  privy_call_received(call, &client->account, now, wire_response);
  privy_mutex_unlock(&client->mutex);
}

void privy_client_failed(privy_client *client, privy_call *call) {
  double now = lock_and_read_clocks(client);
  privy_call_failed(call, &client->account, now);
  privy_mutex_unlock(&client->mutex);
}

void privy_client_drive_fetch(privy_client *client, uint64_t fetch) {
  privy_mutex_lock(&client->mutex);
  privy_account_drive_fetch(&client->account, fetch);
  privy_mutex_unlock(&client->mutex);
}

bool privy_client_may_prefetch(privy_client *client, const privy_pager *pager, size_t read) {
  double until;
  if (!privy_pager_should_prefetch(pager, read)) return false;
  privy_client_check_process(client);
  double now = lock_and_read_clocks(client);
  privy_account *account = &client->account;
  bool may = (client->settings.token || privy_token_is_fresh(&account->token, now)) &&
             privy_pacer_ask(&account->pacer, client->settings.options.reserve, now, &until) == PRIVY_PACE_NOW;
  privy_mutex_unlock(&client->mutex);
  return may;
}

static void read_limit(const privy_account *account, const privy_budget *budget, privy_rate_limit *out) {
  int64_t left = budget->known ? privy_budget_left(budget, account->pacer.in_flight) : 0;
  double resets_at = budget->resets_at == 0 ? 0 : budget->resets_at + account->wall_offset;
  *out = (privy_rate_limit){budget->known, budget->limit, left, resets_at, budget->window};
}

void privy_client_rate_limits(privy_client *client, privy_rate_limit *minute, privy_rate_limit *day) {
  privy_client_check_process(client);
  double now = lock_and_read_clocks(client), until;
  privy_pacer *pacer = &client->account.pacer;
  privy_pacer_ask(pacer, 0, now, &until); /* a window that is over becomes a full one */
  read_limit(&client->account, &pacer->minute, minute);
  read_limit(&client->account, &pacer->day, day);
  privy_mutex_unlock(&client->mutex);
}

double privy_client_forecast(privy_client *client, const privy_options *options, double requests) {
  privy_rate_limit minute, day;
  privy_client_rate_limits(client, &minute, &day);
  const double now = privy_client_wall(client, privy_client_now(client));
  const privy_options merged = privy_options_merge(client->settings.options, options);
  return privy_forecast(&minute, &day, merged.reserve, requests, now);
}

double privy_client_duration(privy_client *client, const privy_options *options, double requests) {
  privy_rate_limit minute, day;
  privy_client_rate_limits(client, &minute, &day);
  const double now = privy_client_wall(client, privy_client_now(client));
  const privy_options merged = privy_options_merge(client->settings.options, options);
  return privy_forecast_days(&minute, &day, merged.reserve, requests, now);
}

double privy_client_take_slot(privy_client *client, const privy_options *options, double from,
                              privy_shared_slots *slots) {
  uint64_t random[2];
  if (!privy_client_draw_random(client, random)) return 0;
  const privy_options merged = privy_options_merge(client->settings.options, options);
  (void)lock_and_read_clocks(client);
  privy_pacer pacer = client->account.pacer;
  privy_mutex_unlock(&client->mutex);
  if (!pacer.minute.known) return 0;
  return privy_slots_take_shared(slots, &pacer, merged.reserve, from, privy_random_unit(&random[0]));
}

bool privy_client_refused(privy_client *client, const privy_request *request, const privy_error *error,
                          privy_level min_level, privy_trace_event *out) {
  privy_client_check_process(client);
  privy_mutex_lock(&client->mutex);
  bool made = privy_trace_refusal(&client->account, request, error, min_level, out);
  privy_mutex_unlock(&client->mutex);
  return made;
}
