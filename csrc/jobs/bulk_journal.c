#include "jobs/bulk_journal.h"

#include <math.h>
#include <stdio.h>

#include "base/time.h"
#include "jobs/bulk_lookup.h"
#include "jobs/owner.h"
#include "message/error.h"
#include "message/rate_headers.h"
#include "message/response.h"

/* Tolerance in seconds: the Date header has whole seconds. */
#define CLOCK_SLACK 2.0

/* ---- life ---- */

privy_status privy_bulk_journal_open(privy_bulk *bulk, const privy_bulk_config *config, privy_error *error) {
  const privy_client *client = privy_group_client(bulk->group);
  char account[PRIVY_ACCOUNT_SIZE];
  if (!config->operation)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "a journal needs the operation of its rows");
  privy_owner_account(client, account);
  const privy_journal_config settings = {
      .path = config->journal,
      .operation = config->journal_operation ? config->journal_operation : privy_operation_name(config->operation),
      .server = privy_owner_server(client),
      .account = account,
      .resume = config->resume};
  return privy_journal_open(&settings, &bulk->journal, error);
}

/* What the run has done so far. */
static privy_journal_run run_of(const privy_bulk *bulk) {
  return (privy_journal_run){.requests = privy_bulk_count_requests(bulk),
                             .seconds = fmax(bulk->measured_at - bulk->started_at, 0),
                             .waited = bulk->progress.waited};
}

privy_status privy_bulk_journal_commit(privy_bulk *bulk, privy_error *error) {
  const privy_journal_run run = run_of(bulk);
  const privy_status status = privy_journal_note(bulk->journal, &run, error);
  return status == PRIVY_OK ? privy_journal_commit(bulk->journal, error) : status;
}

/* Why the run ended before its source did; NULL: it did not. */
static const char *stop_reason(const privy_bulk *bulk) {
  if (bulk->error.code != PRIVY_OK) return bulk->error.message ? bulk->error.message : "memory ran out";
  if (bulk->source_failed) return "the source of the rows failed";
  return bulk->closed ? "the run was closed" : NULL;
}

void privy_bulk_journal_close(privy_bulk *bulk) {
  privy_error ignored; /* the run has ended, and its rows are written */
  if (!bulk->journal) return;
  privy_journal_run run = run_of(bulk);
  run.ended = true;
  run.stopped = stop_reason(bulk);
  privy_error_init(&ignored);
  if (privy_journal_note(bulk->journal, &run, &ignored) == PRIVY_OK)
    (void)!privy_journal_commit(bulk->journal, &ignored);
  privy_error_clear(&ignored);
  privy_journal_close(bulk->journal);
  bulk->journal = NULL;
}

/* ---- before a request ---- */

static double server_now(const privy_bulk *bulk) {
  const privy_client *client = privy_group_client(bulk->group);
  return privy_client_wall(client, privy_client_now(client)) + bulk->server_ahead;
}

/* An event whose key the server may have forgotten. */
static bool is_too_old(const privy_bulk *bulk, const bulk_row *row) {
  return row->request->operation->id == PRIVY_OP_EVENT &&
         server_now(bulk) - row->first_sent > PRIVY_JOURNAL_KEY_LIFETIME;
}

static bulk_verdict ask_user(const bulk_row *row, privy_error *error) {
  static const char code[] = "in_doubt_too_long";
  privy_time time;
  char text[PRIVY_TIME_TEXT_SIZE];
  privy_time_at((int64_t)row->first_sent, 0, &time);
  privy_time_text(text, &time);
  privy_error_set(error, PRIVY_JOURNAL,
                  "the event was sent at %s, more than a day ago, and its response was lost; to send it again could "
                  "record it twice",
                  text);
  error->may_have_succeeded = true;
  if (!privy_error_text(&error->api_code, code, strlen(code))) privy_error_no_memory(error);
  return error->code == PRIVY_NO_MEMORY ? BULK_NO_WRITE : BULK_DECIDE;
}

bulk_verdict privy_bulk_journal_take(privy_bulk *bulk, bulk_row *row, privy_error *error) {
  privy_journal_row found;
  if (privy_journal_take(bulk->journal, row->index, row->request, &found, error) != PRIVY_OK) return BULK_NO_WRITE;
  row->journal_id = found.id;
  bulk->progress.skipped_refused += found.state == PRIVY_JOURNAL_REFUSED;
  if (found.state != PRIVY_JOURNAL_PENDING && found.state != PRIVY_JOURNAL_SENT) return BULK_SKIP;
  row->first_sent = found.first_sent;
  memcpy(row->first_key, found.key, sizeof row->first_key);
  row->looks_up = found.state == PRIVY_JOURNAL_SENT && !found.decided && privy_bulk_lookup_is_due(row);
  const bool asks = found.state == PRIVY_JOURNAL_SENT && !found.decided && is_too_old(bulk, row);
  return asks ? ask_user(row, error) : BULK_SEND;
}

/* A contact that an earlier run may have created is then not a conflict. */
static void doubt(const privy_bulk *bulk, const bulk_row *row, privy_call *call) {
  if (row->first_sent <= 0 || call->request->operation->id != PRIVY_OP_CREATE) return;
  call->sent_before = true;
  call->first_sent = privy_client_now(privy_group_client(bulk->group)) - (server_now(bulk) - row->first_sent);
}

privy_status privy_bulk_journal_send(privy_bulk *bulk, const bulk_row *row, privy_call *call, privy_error *error) {
  doubt(bulk, row, call);
  if (*call->key && *row->first_key) memcpy(call->key, row->first_key, sizeof call->key);
  const char *key = row->given_key ? row->given_key : *call->key ? call->key : NULL;
  return privy_journal_send(bulk->journal, row->journal_id, key, server_now(bulk), error);
}

/* ---- after a response ---- */

static privy_value value_of(const privy_record *record, const char *name) {
  const int index = record ? privy_object_index(privy_record_object(record), name, strlen(name)) : -1;
  return index < 0 ? (privy_value){.type = PRIVY_ABSENT} : privy_record_get(record, (size_t)index);
}

static void copy_id(const privy_record *record, char *out, size_t size) {
  static const char *const names[] = {"event_id", "order_id", "id"};
  *out = '\0';
  for (size_t i = 0; !*out && i < sizeof names / sizeof *names; i++) {
    const privy_value value = value_of(record, names[i]);
    if ((value.type == PRIVY_STRING || value.type == PRIVY_NUMBER) && value.length < size)
      snprintf(out, size, "%.*s", (int)value.length, value.text);
  }
}

static bool is_refusal(const privy_completion *completion) {
  if (completion->status == PRIVY_AUTHENTICATION || completion->status == PRIVY_PERMISSION_DENIED) return false;
  const int status = completion->error.http_status;
  return completion->status == PRIVY_VALIDATION || (status >= 400 && status < 500 && status != 408 && status != 429);
}

/* The state of a row that was in doubt before its call: without a new outcome it still is. */
static privy_journal_state without_outcome(const bulk_row *row) {
  return row->first_sent > 0 ? PRIVY_JOURNAL_SENT : PRIVY_JOURNAL_PENDING;
}

static privy_journal_state state_of(const bulk_row *row, const privy_completion *completion) {
  if (completion->status == PRIVY_OK)
    return completion->created < 0 ? PRIVY_JOURNAL_DONE
                                   : (completion->created ? PRIVY_JOURNAL_CREATED : PRIVY_JOURNAL_UPDATED);
  if (completion->error.may_have_succeeded) return PRIVY_JOURNAL_SENT;
  if (is_refusal(completion)) return PRIVY_JOURNAL_REFUSED;
  const bool unknown = completion->status == PRIVY_NO_MEMORY || completion->status == PRIVY_INTERRUPTED;
  return unknown && completion->attempts ? PRIVY_JOURNAL_SENT : without_outcome(row);
}

/* Whether the record was created after the instant. */
static bool is_created_since(const privy_record *record, double since) {
  privy_time time;
  return privy_value_time(value_of(record, "created_at"), &time) &&
         (double)time.seconds + time.nanos / 1e9 >= since - CLOCK_SLACK;
}

/* Corrects the outcome of a row that was in doubt: what its first request created was not updated by the second. */
static privy_status correct(privy_bulk *bulk, const bulk_row *row, privy_completion *completion, privy_error *error) {
  if (row->first_sent <= 0 || completion->created != 0 || row->updates) return PRIVY_OK;
  bool other = false;
  if (!is_created_since(privy_response_record(completion->response, 0), row->first_sent)) return PRIVY_OK;
  if (privy_journal_find_creator(bulk->journal, row->journal_id, &other, error) != PRIVY_OK) return error->code;
  if (!other) completion->created = 1;
  return PRIVY_OK;
}

static void compare_clocks(privy_bulk *bulk, const privy_response *response) {
  const privy_client *client = privy_group_client(bulk->group);
  const double wall = privy_client_wall(client, privy_client_now(client));
  bulk->server_ahead = privy_response_date(response, wall) - wall;
}

/* The first requests of a run are sent before a response shows the server's clock, so their times are of this
 * machine's. If it is ahead of the server, the time is moved back, also one that was of the server's clock: an earlier
 * time leaves more to the user, a later one could subscribe somebody again. */
double privy_bulk_journal_first_sent(privy_bulk *bulk, const bulk_row *row, const privy_response *response) {
  if (response) compare_clocks(bulk, response);
  return row->first_sent + fmin(bulk->server_ahead, 0);
}

privy_status privy_bulk_journal_end(privy_bulk *bulk, const bulk_row *row, privy_completion *completion,
                                    privy_error *error) {
  char id[128] = "";
  const privy_response *response = completion->response;
  const privy_record *record = response ? privy_response_record(response, 0) : NULL;
  if (response) compare_clocks(bulk, response);
  if (correct(bulk, row, completion, error) != PRIVY_OK) return error->code;
  copy_id(record, id, sizeof id);
  const bool failed = completion->status != PRIVY_OK;
  const privy_journal_outcome outcome = {.state = state_of(row, completion),
                                         .http_status =
                                             response ? privy_response_status(response) : completion->error.http_status,
                                         .record_id = *id ? id : NULL,
                                         .message = failed ? completion->error.message : NULL,
                                         .details = failed ? &completion->error.details : NULL};
  return privy_journal_end(bulk->journal, row->journal_id, &outcome, error);
}

void privy_bulk_journal_take_back(privy_bulk *bulk, const bulk_row *row) {
  const privy_journal_outcome outcome = {.state = without_outcome(row)};
  privy_error error;
  privy_error_init(&error);
  (void)!privy_journal_end(bulk->journal, row->journal_id, &outcome, &error);
  privy_error_clear(&error);
}
