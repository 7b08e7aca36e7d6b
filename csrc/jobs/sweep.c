#include "jobs/sweep.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "message/error.h"
#include "message/page_request.h"
#include "message/rate_headers.h"
#include "schema/schema.h"

/* Seconds: a sweep waits for the next minute's budget, but not for the next day's. */
#define DEFAULT_MAX_WAIT 3600.0

/* ---- life ---- */

void privy_sweep_config_init(privy_sweep_config *config) {
  *config = (privy_sweep_config){.options = {.max_wait = DEFAULT_MAX_WAIT, .given = PRIVY_GIVEN(MAX_WAIT)}};
}

static privy_status check(const privy_request *list, const privy_options *merged, privy_error *error) {
  if (!list->operation || list->operation->id != PRIVY_OP_LIST)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "a sweep reads a list: pass a request of contacts.list");
  return privy_options_check(merged, error);
}

static privy_sweep *allocate(privy_group *group, privy_request *list, const privy_options *merged) {
  privy_sweep *sweep = privy_calloc(1, sizeof *sweep);
  if (!sweep) return NULL;
  sweep->group = group;
  sweep->list = list;
  sweep->options = *merged;
  sweep->progress.total = -1;
  sweep->started_at = sweep->measured_at = privy_client_now(privy_group_client(group));
  sweep->rests_until = sweep->started_at + PRIVY_COVERAGE_REST;
  privy_coverage_init(&sweep->coverage);
  privy_error_init(&sweep->error);
  return sweep;
}

privy_status privy_sweep_new(privy_group *group, privy_request *list, const privy_sweep_config *config,
                             privy_sweep **out, privy_error *error) {
  const privy_client *client = privy_group_client(group);
  privy_options merged = privy_options_merge(client->settings.options, &config->options);
  merged.waits_for_day = config->on_spent_day == PRIVY_SPENT_DAY_WAITS;
  if (check(list, &merged, error) != PRIVY_OK) {
    privy_request_free(list);
    return error->code;
  }
  *out = allocate(group, list, &merged);
  if (*out) return PRIVY_OK;
  privy_request_free(list);
  return privy_error_no_memory(error);
}

static void drop_page(privy_sweep *sweep) {
  privy_response_release(sweep->response);
  sweep->response = NULL;
}

void privy_sweep_free(privy_sweep *sweep) {
  if (!sweep) return;
  if (privy_group_is_own(sweep->group)) privy_sweep_close(sweep);
  drop_page(sweep);
  privy_coverage_clear(&sweep->coverage);
  privy_request_free(sweep->list);
  privy_error_clear(&sweep->error);
  privy_free(sweep);
}

void privy_sweep_stop(privy_sweep *sweep, privy_error *error) {
  sweep->ended = true;
  if (sweep->error.code == PRIVY_OK) {
    sweep->error = *error;
    privy_error_init(error);
  }
  privy_error_clear(error);
}

void privy_sweep_close(privy_sweep *sweep) {
  privy_error error;
  if (sweep->call) {
    sweep->progress.requests += (uint64_t)sweep->call->attempts;
    privy_group_cancel(sweep->group, (uint64_t)(uintptr_t)sweep);
    sweep->call = NULL;
  }
  if (sweep->ended) return;
  privy_error_init(&error);
  privy_error_set(&error, PRIVY_INTERRUPTED, "the sweep was closed before it had read all contacts");
  privy_sweep_stop(sweep, &error);
}

const privy_error *privy_sweep_error(const privy_sweep *sweep) {
  return sweep->error.code == PRIVY_OK ? NULL : &sweep->error;
}

/* ---- pages ---- */

static int64_t number_of(const privy_response *response, size_t index) {
  const privy_record *pagination = privy_response_pagination(response);
  const privy_value value = pagination ? privy_record_get(pagination, index) : (privy_value){.type = PRIVY_ABSENT};
  int64_t number;
  const bool usable = value.type == PRIVY_NUMBER && privy_parse_int64(value.text, value.length, &number);
  return usable && number >= 0 ? number : -1;
}

/* When the contact was created or last changed, in whole seconds; INT64_MAX: unknown. */
static int64_t changed_at(const privy_record *contact) {
  privy_time created, updated;
  if (!privy_value_time(privy_record_get(contact, PRIVY_INDEX_CONTACT_created_at), &created) ||
      !privy_value_time(privy_record_get(contact, PRIVY_INDEX_CONTACT_updated_at), &updated))
    return INT64_MAX;
  return created.seconds > updated.seconds ? created.seconds : updated.seconds;
}

/* The time of the server, 0 if the response does not have it. The clock of a sandbox in memory is known. */
static double server_time(const privy_sweep *sweep, const privy_response *response) {
  const privy_client *client = privy_group_client(sweep->group);
  return privy_response_date(response, client->sandbox ? privy_client_wall(client, privy_client_now(client)) : 0);
}

/* The contacts of a page, by what the coverage needs. */
typedef struct page_contacts {
  uint64_t *keys;
  uint32_t *versions;
  int64_t *changed;
} page_contacts;

static bool read_contacts(const privy_response *response, page_contacts *out) {
  const size_t count = privy_response_count(response);
  *out = (page_contacts){.keys = privy_alloc((count + 1) * sizeof *out->keys),
                         .versions = privy_alloc((count + 1) * sizeof *out->versions),
                         .changed = privy_alloc((count + 1) * sizeof *out->changed)};
  if (!out->keys || !out->versions || !out->changed) return false;
  for (size_t i = 0; i < count; i++) {
    const privy_record *contact = privy_response_record(response, i);
    const privy_value identity = privy_contact_identity(contact);
    const privy_value updated = privy_record_get(contact, PRIVY_INDEX_CONTACT_updated_at);
    out->keys[i] = identity.type == PRIVY_STRING ? privy_contact_key(identity.text, identity.length) : 0;
    out->versions[i] = privy_contact_version(updated.text, updated.type == PRIVY_STRING ? updated.length : 0);
    out->changed[i] = changed_at(contact);
  }
  return true;
}

static bool take_page(privy_sweep *sweep, const privy_response *response, bool *kept) {
  page_contacts contacts;
  int64_t page, per_page;
  privy_coverage_plan(&sweep->coverage, &page, &per_page);
  const int64_t sent_page = number_of(response, PRIVY_INDEX_PAGE_page);
  const int64_t sent_size = number_of(response, PRIVY_INDEX_PAGE_per_page);
  const bool read = read_contacts(response, &contacts);
  const privy_coverage_page view = {.size = sent_size > 0 ? sent_size : per_page,
                                    .first = ((sent_page > 0 ? sent_page : page) - 1) *
                                             (sent_size > 0 ? sent_size : per_page),
                                    .total = number_of(response, PRIVY_INDEX_PAGE_total_count),
                                    .at = (int64_t)floor(sweep->progress.read_at),
                                    .count = privy_response_count(response),
                                    .keys = contacts.keys,
                                    .versions = contacts.versions,
                                    .changed = contacts.changed};
  const bool taken = read && privy_coverage_take(&sweep->coverage, &view, kept);
  privy_free(contacts.keys);
  privy_free(contacts.versions);
  privy_free(contacts.changed);
  return taken;
}

static void stop_unstable(privy_sweep *sweep) {
  static const char code[] = "list_unstable";
  privy_error error;
  privy_error_init(&error);
  privy_error_set(&error, PRIVY_API_STATUS,
                  "the list was read %d times and still counts %lld contacts, of which %zu were found: its order "
                  "changes while it is read, so that contacts may be missing; try again when fewer contacts change",
                  PRIVY_COVERAGE_PASSES, (long long)sweep->coverage.total, sweep->coverage.contacts.count);
  if (!privy_error_text(&error.api_code, code, strlen(code))) privy_error_no_memory(&error);
  privy_sweep_stop(sweep, &error);
}

static void stop_without_memory(privy_sweep *sweep) {
  privy_error error;
  privy_error_init(&error);
  privy_error_no_memory(&error);
  privy_sweep_stop(sweep, &error);
}

/* Takes over the response. */
static void take_response(privy_sweep *sweep, privy_response *response) {
  const bool was_doubtful = sweep->coverage.doubtful;
  bool kept = false;
  sweep->response = response;
  sweep->progress.read_at = server_time(sweep, response);
  if (sweep->progress.began_at <= 0) sweep->progress.began_at = sweep->progress.read_at;
  if (!take_page(sweep, response, &kept)) {
    drop_page(sweep);
    stop_without_memory(sweep);
    return;
  }
  if (sweep->progress.pages + sweep->progress.repeated == 0 || (sweep->coverage.doubtful && !was_doubtful))
    sweep->rests_until = privy_client_now(privy_group_client(sweep->group)) + PRIVY_COVERAGE_REST;
  sweep->progress.total = sweep->coverage.total;
  sweep->progress.contacts = sweep->coverage.contacts.count;
  sweep->progress.pages += kept;
  sweep->progress.repeated += !kept;
  if (!kept) drop_page(sweep);
  if (sweep->coverage.complete)
    sweep->ended = true;
  else if (sweep->coverage.unstable)
    stop_unstable(sweep);
}

static void take_completed(privy_sweep *sweep) {
  privy_completion completion;
  if (!privy_group_next_completed(sweep->group, &completion)) return;
  sweep->call = NULL;
  sweep->progress.requests += (uint64_t)completion.attempts;
  if (completion.status == PRIVY_OK) {
    take_response(sweep, completion.response);
    privy_error_clear(&completion.error);
  } else {
    privy_sweep_stop(sweep, &completion.error);
  }
}

/* ---- steps ---- */

static void start_call(privy_sweep *sweep) {
  int64_t page, per_page;
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  const uint64_t id = (uint64_t)(uintptr_t)sweep;
  privy_coverage_plan(&sweep->coverage, &page, &per_page);
  if (privy_request_new_page(sweep->list, page, per_page, &request, &error) != PRIVY_OK ||
      privy_group_start(sweep->group, request, &sweep->options, id, &error) != PRIVY_OK) {
    privy_sweep_stop(sweep, &error);
    return;
  }
  privy_call *call = privy_group_find(sweep->group, id);
  if (privy_coverage_rests(&sweep->coverage)) call->until = sweep->rests_until;
  sweep->call = call;
}

privy_sweep_step privy_sweep_next(privy_sweep *sweep) {
  drop_page(sweep);
  if (sweep->call) take_completed(sweep);
  privy_sweep_measure_wait(sweep);
  if (sweep->response) return PRIVY_SWEEP_PAGE;
  if (!sweep->ended && !sweep->call) start_call(sweep);
  if (sweep->ended) return PRIVY_SWEEP_END;
  sweep->idle = privy_group_idle_seconds(sweep->group) >= 0;
  return PRIVY_SWEEP_WAIT;
}

const privy_response *privy_sweep_page(const privy_sweep *sweep) {
  return sweep->response;
}
