#include <math.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "sandbox/ids.h"
#include "sandbox/state.h"

/* ---- lifetime ---------------------------------------------------------------------------------------------------- */

static void free_sandbox(privy_sandbox *sandbox) {
  privy_store_clear(&sandbox->store);
  privy_credentials_clear(&sandbox->credentials);
  privy_sandbox_faults_clear(&sandbox->faults);
  privy_recorder_clear(&sandbox->recorder);
  privy_free(sandbox->sms_countries);
  pthread_mutex_destroy(&sandbox->lock);
  privy_free(sandbox);
}

privy_status privy_sandbox_new(privy_sandbox **out) {
  privy_sandbox *sandbox = privy_calloc(1, sizeof *sandbox);
  if (!sandbox) return PRIVY_NO_MEMORY;
  if (pthread_mutex_init(&sandbox->lock, NULL) != 0) {
    privy_free(sandbox);
    return PRIVY_NO_MEMORY;
  }
  atomic_init(&sandbox->references, 1);
  privy_recorder_keep(&sandbox->recorder, PRIVY_SANDBOX_HISTORY);
  privy_sandbox_limits_set(&sandbox->counters.limits, 0, 0, PRIVY_SANDBOX_WINDOW);
  if (privy_sandbox_set_sms_countries(sandbox, "+1") != PRIVY_OK ||
      privy_sandbox_add_token(sandbox, PRIVY_SANDBOX_TOKEN, NULL) != PRIVY_OK ||
      privy_sandbox_add_client(sandbox, PRIVY_SANDBOX_CLIENT_ID, PRIVY_SANDBOX_CLIENT_SECRET, NULL) != PRIVY_OK) {
    free_sandbox(sandbox);
    return PRIVY_NO_MEMORY;
  }
  *out = sandbox;
  return PRIVY_OK;
}

privy_sandbox *privy_sandbox_retain(privy_sandbox *sandbox) {
  atomic_fetch_add(&sandbox->references, 1);
  return sandbox;
}

void privy_sandbox_release(privy_sandbox *sandbox) {
  if (sandbox && atomic_fetch_sub(&sandbox->references, 1) == 1) free_sandbox(sandbox);
}

void privy_sandbox_response_init(privy_sandbox_response *response) {
  *response = (privy_sandbox_response){0};
}

void privy_sandbox_response_clear(privy_sandbox_response *response) {
  if (!response) return;
  privy_buffer_clear(&response->headers);
  privy_buffer_clear(&response->body);
  privy_sandbox_response_init(response);
}

/* ---- credentials ------------------------------------------------------------------------------------------------- */

static privy_scopes scopes_of(const char *list) {
  privy_scopes scopes;
  privy_scopes_read(list, list ? strlen(list) : 0, &scopes);
  return scopes;
}

static privy_status unlock_with(privy_sandbox *sandbox, bool succeeded) {
  privy_sandbox_unlock(sandbox);
  return succeeded ? PRIVY_OK : PRIVY_NO_MEMORY;
}

privy_status privy_sandbox_add_token(privy_sandbox *sandbox, const char *token, const char *scopes) {
  privy_sandbox_lock(sandbox);
  return unlock_with(sandbox, privy_credentials_add_token(&sandbox->credentials, token, scopes_of(scopes), -1.0));
}

bool privy_sandbox_revoke_token(privy_sandbox *sandbox, const char *token) {
  privy_sandbox_lock(sandbox);
  const bool known = privy_credentials_revoke_token(&sandbox->credentials, token);
  privy_sandbox_unlock(sandbox);
  return known;
}

privy_status privy_sandbox_add_client(privy_sandbox *sandbox, const char *client_id, const char *client_secret,
                                      const char *scopes) {
  privy_sandbox_lock(sandbox);
  return unlock_with(sandbox,
                     privy_credentials_add_client(&sandbox->credentials, client_id, client_secret, scopes_of(scopes)));
}

privy_status privy_sandbox_accept(privy_sandbox *sandbox, const char *token, const char *client_id,
                                  const char *client_secret) {
  privy_sandbox_lock(sandbox);
  return unlock_with(sandbox, token ? privy_credentials_accept_token(&sandbox->credentials, token)
                                    : privy_credentials_accept_client(&sandbox->credentials, client_id, client_secret));
}

privy_status privy_sandbox_add_integration(privy_sandbox *sandbox, const char *token, bool active) {
  privy_sandbox_lock(sandbox);
  return unlock_with(sandbox, privy_credentials_add_integration(&sandbox->credentials, token, active));
}

/* ---- changes that no request can make
 * -------------------------------------------------------------------------------------- */

static privy_status set_consent(privy_store *store, const char *contact_id, const char *field, const char *value) {
  const privy_field *consent = privy_object_lookup(&privy_object_contact, field, strlen(field));
  if (!consent || !consent->enum_values) return PRIVY_VALIDATION;
  const int enum_value = privy_enum_index(consent->enum_values, value, strlen(value), false);
  if (enum_value < 0) return PRIVY_VALIDATION;
  const size_t contact = privy_store_contact(store, (privy_slice){contact_id, strlen(contact_id)});
  if (contact == PRIVY_STORE_NONE) return PRIVY_NOT_FOUND;
  store->contacts[contact].values[consent - privy_object_contact.fields] =
      privy_store_enum_value(consent->enum_values, (unsigned)enum_value);
  return PRIVY_OK;
}

privy_status privy_sandbox_set_consent(privy_sandbox *sandbox, const char *contact_id, const char *field,
                                       const char *value) {
  privy_sandbox_lock(sandbox);
  const privy_status status = set_consent(&sandbox->store, contact_id, field, value);
  privy_sandbox_unlock(sandbox);
  return status;
}

privy_status privy_sandbox_set_sms_countries(privy_sandbox *sandbox, const char *prefixes) {
  char *copy = privy_copy(prefixes, strlen(prefixes));
  if (!copy) return PRIVY_NO_MEMORY;
  privy_sandbox_lock(sandbox);
  privy_free(sandbox->sms_countries);
  sandbox->sms_countries = copy;
  return unlock_with(sandbox, true);
}

privy_status privy_sandbox_set_limits(privy_sandbox *sandbox, uint32_t per_minute, uint32_t per_day, uint32_t window) {
  if (window < 1 || window > PRIVY_SANDBOX_WINDOW) return PRIVY_VALIDATION;
  privy_sandbox_lock(sandbox);
  privy_sandbox_limits_set(&sandbox->counters.limits, per_minute, per_day, window);
  return unlock_with(sandbox, true);
}

privy_status privy_sandbox_add_fault(privy_sandbox *sandbox, const privy_sandbox_fault *fault) {
  if (fault->operation && !privy_operation_find(fault->operation)) return PRIVY_VALIDATION;
  privy_sandbox_lock(sandbox);
  return unlock_with(sandbox, privy_sandbox_faults_add(&sandbox->faults, fault));
}

void privy_sandbox_clear_faults(privy_sandbox *sandbox) {
  privy_sandbox_lock(sandbox);
  privy_sandbox_faults_clear(&sandbox->faults);
  privy_sandbox_unlock(sandbox);
}

/* ---- time -------------------------------------------------------------------------------------------------------- */

static double machine_time(void) {
  struct timespec now;
  if (timespec_get(&now, TIME_UTC) != TIME_UTC) return 0.0;
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

double privy_clock_now(const privy_clock *clock) {
  const double now = clock->seconds + (clock->stopped ? 0.0 : machine_time());
  if (!(now > 0.0)) return 0.0;
  return now < PRIVY_LAST_TIME ? now : PRIVY_LAST_TIME;
}

void privy_sandbox_set_clock(privy_sandbox *sandbox, double seconds) {
  const bool stopped = isfinite(seconds) && seconds >= 0.0;
  privy_sandbox_lock(sandbox);
  sandbox->clock = (privy_clock){stopped, stopped ? seconds : 0.0};
  privy_sandbox_unlock(sandbox);
}

void privy_sandbox_advance(privy_sandbox *sandbox, double seconds) {
  if (!isfinite(seconds)) return;
  privy_sandbox_lock(sandbox);
  sandbox->clock.seconds += seconds;
  privy_sandbox_unlock(sandbox);
}

double privy_sandbox_now(privy_sandbox *sandbox) {
  privy_sandbox_lock(sandbox);
  const double now = privy_clock_now(&sandbox->clock);
  privy_sandbox_unlock(sandbox);
  return now;
}

void privy_sandbox_set_skipping(privy_sandbox *sandbox, bool skips_waits) {
  privy_sandbox_lock(sandbox);
  sandbox->skips_waits = skips_waits;
  privy_sandbox_unlock(sandbox);
}

bool privy_sandbox_skip_wait(privy_sandbox *sandbox, double until) {
  privy_sandbox_lock(sandbox);
  const bool skips = sandbox->skips_waits;
  const double wait = until - privy_clock_now(&sandbox->clock);
  if (skips && wait > 0 && isfinite(wait)) sandbox->clock.seconds += wait;
  privy_sandbox_unlock(sandbox);
  return skips;
}

/* ---- what has happened ------------------------------------------------------------------------------------------- */

privy_sandbox_counts privy_sandbox_count(privy_sandbox *sandbox) {
  privy_sandbox_lock(sandbox);
  const privy_sandbox_counts counts = privy_store_count(&sandbox->store, sandbox->counters.requests);
  privy_sandbox_unlock(sandbox);
  return counts;
}

void privy_sandbox_reset(privy_sandbox *sandbox) {
  privy_sandbox_lock(sandbox);
  privy_store_clear(&sandbox->store);
  privy_recorder_clear(&sandbox->recorder);
  sandbox->counters.requests = 0;
  privy_sandbox_limits_restart(&sandbox->counters.limits);
  privy_sandbox_unlock(sandbox);
}

void privy_sandbox_keep_history(privy_sandbox *sandbox, size_t most) {
  privy_sandbox_lock(sandbox);
  privy_recorder_keep(&sandbox->recorder, most);
  privy_sandbox_unlock(sandbox);
}

privy_status privy_sandbox_history_new(privy_sandbox *sandbox, privy_sandbox_history **out) {
  privy_sandbox_lock(sandbox);
  *out = privy_recorder_history(&sandbox->recorder);
  return unlock_with(sandbox, *out != NULL);
}
