#include <math.h>
#include <string.h>

#include "base/random.h"
#include "call/call_end.h"
#include "call/call_trace.h"
#include "message/error.h"
#include "message/rate_headers.h"
#include "message/response.h"
#include "policy/conflict.h"
#include "policy/repeat.h"

/* ---- losses ---- */

static bool is_write(const privy_request *request) {
  const char *method = privy_request_method(request);
  return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 && strcmp(method, "OPTIONS") != 0;
}

/* Records, after a failed attempt, whether the server may have processed the request. Call it before the next action is
 * chosen: that depends on `lost`. */
static void record_loss(privy_call *call, double now, bool arrived, bool has_retry_after) {
  if (!arrived || !is_write(call->request) ||
      !privy_repeat_may_have_succeeded(call->error->http_status, has_retry_after))
    return;
  if (!call->lost) call->lost_at = now;
  call->lost = call->may_have_succeeded = true;
}

/* ---- retries ---- */

/* Seconds that the Retry-After of the response asks for; negative if it has none. */
static double requested_wait(const privy_call *call, double wall) {
  const privy_response *response = call->error->response;
  const char *after = response ? privy_response_header(response, "Retry-After") : NULL;
  return after ? privy_retry_after(after, privy_response_date(response, wall)) : -1;
}

typedef struct retry_plan {
  double delay;    /* seconds */
  bool for_day;    /* waits for the next day: not a part of max_wait */
  bool counts;     /* the retry quota pays for it; a 429 is no outage, so it does not count */
  uint64_t random; /* state of the jitter afterwards */
} retry_plan;

/* Whether a 429 came because the day is spent, and the call waits for the next one. */
static bool waits_for_day(const privy_call *call, const privy_account *account, double now) {
  const privy_budget *day = &account->pacer.day;
  return call->options.waits_for_day && call->error->code == PRIVY_RATE_LIMIT && day->resets_at > now &&
         privy_budget_left(day, 0) == 0;
}

/* Plans another attempt, and changes nothing else. False when the failure will not pass, or no attempt is allowed. */
static bool plan_retry(const privy_call *call, const privy_account *account, double now, retry_plan *plan) {
  const privy_error *error = call->error;
  if (!privy_error_may_pass(error->code, error->http_status) || call->retries >= call->options.max_retries)
    return false;
  plan->random = call->random;
  const double jitter = privy_random_unit(&plan->random);
  plan->delay = fmax(requested_wait(call, now + account->wall_offset), privy_retry_backoff(call->retries + 1, jitter));
  plan->counts = error->code != PRIVY_RATE_LIMIT;
  plan->for_day = waits_for_day(call, account, now);
  if ((plan->delay > call->wait_left && !plan->for_day) || !privy_call_may_repeat(call, now + plan->delay) ||
      privy_call_is_late(call, account, now + plan->delay))
    return false;
  return !plan->counts || privy_retry_quota_covers(&account->quota, error->code);
}

/* Clears the error of a failure that does not end the call. Saves it if it lost a write: give_up may report it. */
static void drop_error(privy_call *call) {
  if (call->lost && call->goal == PRIVY_GOAL_RESPONSE && call->saved_error.code == PRIVY_OK)
    privy_call_save_error(call);
  else
    privy_error_clear(call->error);
}

static void start_retry(privy_call *call, privy_account *account, double now, const retry_plan *plan) {
  if (plan->counts) privy_retry_quota_charge(&account->quota, call->error->code);
  if (plan->counts) call->retry_charged_for = call->error->code;
  call->random = plan->random;
  call->retries++;
  if (!plan->for_day) call->wait_left -= plan->delay;
  call->waited += plan->delay;
  call->until = now + plan->delay;
  call->backs_off = plan->counts;
  privy_call_trace_pause(call, account, PRIVY_TRACE_RETRY, plan->delay);
  drop_error(call);
}

/* A 429 is final. The budget may refuse other calls too, for as long or because they would be late: the call then fails
 * as they will. */
static void fail_limited(privy_call *call, privy_account *account, double now) {
  double until;
  const privy_pace pace = privy_pacer_ask(&account->pacer, call->options.reserve, now, &until);
  const bool waits = pace == PRIVY_PACE_MINUTE || (pace == PRIVY_PACE_DAY && call->options.waits_for_day);
  if (waits && privy_call_is_late(call, account, until)) {
    privy_call_refuse_late(call, account);
    return;
  }
  const bool outlasts = (waits || pace == PRIVY_PACE_DAY) && !privy_call_may_wait(call, pace, until - now);
  privy_call_fail_for_now(call, account, now);
  call->limit_outlasts = outlasts && call->status == PRIVY_RATE_LIMIT;
}

static void fail(privy_call *call, privy_account *account, double now) {
  if (call->error->code == PRIVY_RATE_LIMIT)
    fail_limited(call, account, now);
  else
    privy_call_fail_for_now(call, account, now);
}

static void retry_or_fail(privy_call *call, privy_account *account, double now) {
  retry_plan plan;
  if (plan_retry(call, account, now, &plan))
    start_retry(call, account, now, &plan);
  else
    fail(call, account, now);
}

/* ---- failed requests ---- */

static void request_failed(privy_call *call, privy_account *account, double now) {
  if (call->in_flight) {
    privy_pacer_returned(&account->pacer, now, 0, NULL);
    record_loss(call, now, !call->never_arrived, false);
    call->in_flight = false;
    privy_call_trace_failure(call, account);
  }
  if (call->error->code == PRIVY_INTERRUPTED)
    privy_call_fail(call);
  else
    retry_or_fail(call, account, now);
}

/* If another call has taken the token request over, its response counts, unless this call cannot continue. */
static void token_failed(privy_call *call, privy_account *account, double now, bool taken_over) {
  if (taken_over && !privy_call_is_final(call->error->code))
    privy_error_clear(call->error);
  else if (call->error->code == PRIVY_INTERRUPTED)
    privy_call_fail(call);
  else
    retry_or_fail(call, account, now);
  if (!call->done) call->goal = PRIVY_GOAL_RESPONSE;
}

void privy_call_failed(privy_call *call, privy_account *account, double now) {
  if (call->goal == PRIVY_GOAL_TOKEN) {
    const bool taken_over = !privy_account_end_fetch(account, call->fetch);
    privy_call_trace_failure(call, account);
    token_failed(call, account, now, taken_over);
  } else {
    request_failed(call, account, now);
  }
  privy_call_trace_end(call, account, now);
}

/* ---- token responses ---- */

/* Stores the token of a response. After another call has taken the request over it does not replace a valid token. */
static privy_status store_token(privy_call *call, privy_account *account, double now, const privy_response *response,
                                bool taken_over) {
  privy_token token = {0};
  privy_status status = privy_token_read(response, now, &token, call->error);
  if (status != PRIVY_OK) return status;
  bool fresh = privy_token_is_fresh(&token, now);
  if (!fresh || (taken_over && privy_token_is_fresh(&account->token, now))) {
    privy_token_clear(&token);
    return fresh ? PRIVY_OK
                 : privy_error_set(call->error, PRIVY_API_STATUS,
                                   "the token endpoint returned a token that has already expired");
  }
  privy_token_clear(&account->token);
  account->token = token;
  return PRIVY_OK;
}

static void read_waiting(privy_call *call, double wall) {
  if (call->error->response) privy_error_read_waiting(call->error->response, wall, call->error);
}

static void token_received(privy_call *call, privy_account *account, double now, privy_wire_response *wire_response) {
  privy_response *response = NULL;
  bool taken_over = !privy_account_end_fetch(account, call->fetch);
  privy_status status =
      privy_response_parse(NULL, wire_response->http_status, wire_response->headers.data, wire_response->headers.length,
                           &wire_response->body, &response, call->error);
  read_waiting(call, now + account->wall_offset);
  if (status == PRIVY_OK) status = store_token(call, account, now, response, taken_over);
  privy_call_trace_response(call, account, wire_response->http_status, response ? response : call->error->response);
  privy_response_release(response);
  if (status == PRIVY_OK) {
    privy_call_trace_pause(call, account, PRIVY_TRACE_TOKEN, account->token.expires_at - now);
    call->goal = PRIVY_GOAL_RESPONSE;
  } else {
    call->error->http_status = wire_response->http_status;
    token_failed(call, account, now, taken_over);
  }
}

/* ---- responses ---- */

/* What a call does after a response. */
typedef enum call_action {
  CALL_SUCCEEDS,
  CALL_FAILS,
  CALL_RETRIES,
  CALL_RENEWS_TOKEN,      /* 401: the OAuth token may have been revoked; one new token is tried */
  CALL_UPDATES_EXISTING,  /* 409 of an upsert: updates the contact that the 409 names */
  CALL_VERIFIES_CONFLICT, /* 409 of a create with a lost attempt: reads the contact, which that may have created */
  CALL_RESOLVES_CONFLICT, /* this is that contact */
  CALL_ACCEPTS_DELETED    /* 404 of a delete with a lost attempt, which has deleted the contact */
} call_action;

/* Chooses the action, and changes nothing. `plan` is set for CALL_RETRIES. */
static call_action next_action(const privy_call *call, const privy_account *account, double now, privy_status status,
                               retry_plan *plan) {
  if (status == PRIVY_OK) return call->verify ? CALL_RESOLVES_CONFLICT : CALL_SUCCEEDS;
  const privy_status code = call->error->code;
  const bool names_contact = code == PRIVY_CONFLICT && call->error->contact_id;
  if (code == PRIVY_AUTHENTICATION && !call->settings->token && !call->token_renewed) return CALL_RENEWS_TOKEN;
  if (code == PRIVY_NOT_FOUND && privy_call_is_operation(call, PRIVY_OP_DELETE) && call->lost)
    return CALL_ACCEPTS_DELETED;
  if (names_contact && privy_call_is_operation(call, PRIVY_OP_UPSERT) && !call->follow_up) return CALL_UPDATES_EXISTING;
  if (names_contact && privy_call_is_operation(call, PRIVY_OP_CREATE) && (call->lost || call->sent_before) &&
      !call->verify)
    return CALL_VERIFIES_CONFLICT;
  return plan_retry(call, account, now, plan) ? CALL_RETRIES : CALL_FAILS;
}

static void renew_token(privy_call *call, privy_account *account) {
  call->token_renewed = true;
  if (account->token.text && strcmp(account->token.text, call->token) == 0) privy_token_clear(&account->token);
  drop_error(call);
}

/* The contact's id cannot be part of a path, or memory ran out: the call fails. */
static bool follow_failed(privy_call *call, privy_status status, privy_error *error) {
  if (status == PRIVY_NO_MEMORY) privy_error_no_memory(call->error);
  privy_error_clear(error);
  if (status != PRIVY_OK) privy_call_fail(call);
  return status != PRIVY_OK;
}

static void update_existing(privy_call *call) {
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_request_new_update_of(call->request, call->error->contact_id, &call->follow_up, &error);
  if (follow_failed(call, status, &error)) return;
  call->request = call->follow_up;
  call->lost = false;
  privy_error_clear(&call->saved_error);
  privy_error_clear(call->error);
}

static void verify_conflict(privy_call *call) {
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_request_new_get(call->request, call->error->contact_id, &call->verify, &error);
  if (!follow_failed(call, status, &error)) privy_call_save_error(call);
}

/* The call succeeds if a lost attempt created the contact that the 409 named. Otherwise it fails with the 409. */
static void resolve_conflict(privy_call *call, double now, double wall) {
  const privy_record *contact = privy_response_record(call->response, 0);
  double first_sent = call->first_sent + privy_response_date(call->response, wall) - now;
  size_t length;
  const char *body = privy_request_body(call->request, &length);
  bool ours = false;
  if (contact && !privy_conflict_created_by_us(body, length, contact, first_sent, &ours))
    privy_error_no_memory(call->error);
  if (ours && call->error->code == PRIVY_OK) {
    privy_call_finish(call, PRIVY_OK);
    return;
  }
  call->may_have_succeeded = !contact;
  privy_response_release(call->response);
  call->response = NULL;
  privy_call_fail(call);
}

static void accept_deleted(privy_call *call) {
  call->response = call->error->response;
  call->error->response = NULL;
  privy_error_clear(call->error);
  privy_call_finish(call, PRIVY_OK);
}

static void act(privy_call *call, privy_account *account, double now, privy_status status) {
  retry_plan plan;
  switch (next_action(call, account, now, status, &plan)) {
  case CALL_SUCCEEDS: privy_call_finish(call, PRIVY_OK); break;
  case CALL_FAILS: fail(call, account, now); break;
  case CALL_RETRIES: start_retry(call, account, now, &plan); break;
  case CALL_RENEWS_TOKEN: renew_token(call, account); break;
  case CALL_UPDATES_EXISTING: update_existing(call); break;
  case CALL_VERIFIES_CONFLICT: verify_conflict(call); break;
  case CALL_RESOLVES_CONFLICT: resolve_conflict(call, now, now + account->wall_offset); break;
  case CALL_ACCEPTS_DELETED: accept_deleted(call); break;
  }
}

static void response_received(privy_call *call, privy_account *account, double now,
                              privy_wire_response *wire_response) {
  const privy_request *sent = call->verify ? call->verify : call->request;
  const double wall = now + account->wall_offset;
  privy_status status =
      privy_response_parse(sent->operation, wire_response->http_status, wire_response->headers.data,
                           wire_response->headers.length, &wire_response->body, &call->response, call->error);
  const privy_response *response = status == PRIVY_OK ? call->response : call->error->response;
  call->in_flight = false;
  privy_pacer_returned(&account->pacer, now, wall, response);
  privy_call_trace_response(call, account, wire_response->http_status, response);
  if (status == PRIVY_OK) privy_retry_quota_refund(&account->quota, call->retry_charged_for);
  read_waiting(call, wall);
  if (status != PRIVY_OK) record_loss(call, now, true, requested_wait(call, wall) >= 0);
  act(call, account, now, status);
}

void privy_call_received(privy_call *call, privy_account *account, double now, privy_wire_response *wire_response) {
  if (call->goal == PRIVY_GOAL_TOKEN)
    token_received(call, account, now, wire_response);
  else
    response_received(call, account, now, wire_response);
  privy_call_trace_end(call, account, now);
}
