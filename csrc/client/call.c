#include "client/call.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "client/call_trace.h"
#include "client/outgoing.h"
#include "message/error.h"
#include "message/http_time.h"
#include "message/response.h"

/* How often a call looks whether another one has brought the token that both need. */
#define TOKEN_PEEK 0.02
/* How much a server's clock and its Date header, in whole seconds, may be off. */
#define CLOCK_SLACK 2.0
/* A shorter wait for budget is a look at what other calls of the client are doing, and is not reported. */
#define MOMENT 0.1

void privy_call_init(privy_call *call, const privy_settings *settings, privy_options options, const uint64_t random[2],
                     const privy_request *request, privy_error *error) {
  *call = (privy_call){.settings = settings,
                       .options = options,
                       .request = request,
                       .asked = request,
                       .wait_left = options.max_wait,
                       .listen_left = options.timeout,
                       .random = random[0] ^ random[1],
                       .status = PRIVY_OK,
                       .error = error};
  if (request->operation && request->operation->id == PRIVY_OP_EVENT &&
      !privy_request_find_header(request, "Idempotency-Key"))
    snprintf(call->key, sizeof call->key, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

void privy_call_clear(privy_call *call) {
  privy_request_free(call->follow_up);
  privy_request_free(call->verify);
  privy_free(call->token);
  privy_buffer_clear(&call->outgoing.headers);
  privy_buffer_clear(&call->path);
  privy_buffer_clear(&call->form);
  privy_response_release(call->response);
}

/* splitmix64 */
uint64_t privy_random(uint64_t *state) {
  uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* A number in [0, 1). */
static double next_random(privy_call *call) {
  return (double)(privy_random(&call->random) >> 11) / 9007199254740992.0;
}

/* ---- the end of a call ---- */

static privy_call_step finish(privy_call *call, privy_status status) {
  call->done = true;
  call->status = status;
  return PRIVY_CALL_DONE;
}

/* Tells the error which request it is about, and ends the call. */
static privy_call_step fail(privy_call *call) {
  privy_error *error = call->error;
  const char *method = call->goal == PRIVY_GOAL_TOKEN ? "POST" : privy_request_method(call->request);
  const char *path = call->goal == PRIVY_GOAL_TOKEN ? PRIVY_TOKEN_PATH : privy_request_target(call->request);
  const char *key = *call->key ? call->key : privy_request_find_header(call->request, "Idempotency-Key");
  error->attempts = call->attempts;
  error->waited = call->waited;
  if (!privy_error_text(&error->method, method, strlen(method)) ||
      !privy_error_text(&error->path, path, strcspn(path, "?")) ||
      (key && !privy_error_text(&error->idempotency_key, key, strlen(key))))
    privy_error_no_memory(error);
  return finish(call, error->code);
}

/* ---- waiting ---- */

/* Waits for answers to other requests of the client. That is no wait for budget: it is bounded by what one attempt may
 * take. False when it has taken that long; the call then goes on as if those requests were not. */
static bool may_listen(privy_call *call, double now, double until) {
  double wait = until - now;
  if (wait > call->listen_left) return false;
  call->listen_left -= wait;
  call->until = until;
  return true;
}

/* Plans to wait until then; false when the call may not wait that long. */
static bool may_wait(privy_call *call, privy_account *account, double now, double until) {
  double wait = until > now ? until - now : 0;
  if (wait > call->wait_left) return false;
  call->wait_left -= wait;
  call->waited += wait;
  call->until = until;
  if (wait > MOMENT) privy_call_trace_pause(call, account, PRIVY_EVENT_WAIT, wait);
  return true;
}

static privy_call_step refuse_budget(privy_call *call, privy_account *account, privy_pace pace, double now,
                                     double until) {
  privy_error *error = call->error;
  error->retry_after = until > now ? until - now : 0;
  error->resets_at = (int64_t)ceil(until + account->wall_offset);
  if (pace == PRIVY_PACE_DAY)
    privy_error_set(error, PRIVY_RATE_LIMIT, "the account's requests of the day are spent; more in %.0f seconds",
                    error->retry_after);
  else
    privy_error_set(error, PRIVY_RATE_LIMIT,
                    "the account's requests of the minute are spent; more in %.1f seconds, which is past max_wait",
                    error->retry_after);
  privy_call_trace_refused(call, account);
  return fail(call);
}

/* ---- what to send ---- */

/* Waits for the token that another call fetches: for as long as a request of its own might take, then at the cost of
 * max_wait. */
static privy_call_step wait_for_token(privy_call *call, privy_account *account, double now) {
  double until = now + TOKEN_PEEK;
  if (may_listen(call, now, until) || may_wait(call, account, now, until)) return PRIVY_CALL_WAIT;
  call->goal = PRIVY_GOAL_TOKEN;
  privy_error_set(call->error, PRIVY_TIMEOUT, "no OAuth token within max_wait: another call is still fetching it");
  return fail(call);
}

static privy_call_step send_token_request(privy_call *call, privy_account *account, double now) {
  if (call->ahead) {
    call->until = now + TOKEN_PEEK;
    return PRIVY_CALL_WAIT;
  }
  if (account->fetch && !privy_account_fetch_stalls(account, &call->fetch_watch, TOKEN_PEEK))
    return wait_for_token(call, account, now);
  call->goal = PRIVY_GOAL_TOKEN;
  if (!privy_call_prepare_token(call)) {
    privy_error_no_memory(call->error);
    return fail(call);
  }
  call->fetch = privy_account_begin_fetch(account);
  call->attempts++;
  privy_call_trace_request(call, account);
  return PRIVY_CALL_SEND;
}

static privy_call_step send_request(privy_call *call, privy_account *account, double now) {
  const char *fixed = call->settings->token, *token = fixed ? fixed : account->token.text;
  call->goal = call->verify ? PRIVY_GOAL_VERIFY : PRIVY_GOAL_ANSWER;
  if ((!fixed && !privy_error_text(&call->token, token, strlen(token))) ||
      !privy_call_prepare_request(call, call->verify ? call->verify : call->request, token)) {
    privy_error_no_memory(call->error);
    return fail(call);
  }
  call->outgoing.fresh = call->taken_for == PRIVY_CONNECTION || call->taken_for == PRIVY_TIMEOUT;
  privy_pacer_sent(&account->pacer);
  call->flying = true;
  call->attempts++;
  if (call->first_sent == 0) call->first_sent = now;
  privy_call_trace_request(call, account);
  return PRIVY_CALL_SEND;
}

static privy_call_step next_step(privy_call *call, privy_account *account, double now) {
  double until;
  if (call->done) return PRIVY_CALL_DONE;
  if (now < call->until) return PRIVY_CALL_WAIT;
  call->backs_off = false;
  if (!call->settings->token && !privy_token_is_fresh(&account->token, now))
    return send_token_request(call, account, now);
  privy_pace pace = privy_pacer_ask(&account->pacer, call->options.reserve, now, &until);
  if (pace == PRIVY_PACE_ANSWER && may_listen(call, now, until)) return PRIVY_CALL_WAIT;
  if (pace == PRIVY_PACE_GO || pace == PRIVY_PACE_ANSWER) return send_request(call, account, now);
  if (pace == PRIVY_PACE_DAY || !may_wait(call, account, now, until))
    return refuse_budget(call, account, pace, now, until);
  return PRIVY_CALL_WAIT;
}

privy_call_step privy_call_next(privy_call *call, privy_account *account, double now) {
  privy_call_trace_start(call, account, now);
  privy_call_step step = next_step(call, account, now);
  privy_call_trace_end(call, account, now);
  return step;
}

/* ---- retries ---- */

/* Seconds to wait before another attempt: what the answer asks for, else backoff with jitter. */
static double delay_of(privy_call *call, double wall) {
  const privy_response *response = call->error->response;
  const char *after = response ? privy_response_header(response, "Retry-After") : NULL;
  double asked = after ? privy_retry_after(after, privy_response_date(response, wall)) : -1;
  double backoff = privy_retry_backoff(call->retries + 1, next_random(call));
  return asked > backoff ? asked : backoff;
}

/* True when the failure that the error tells is to be followed by another attempt. */
static bool goes_on_to_retry(privy_call *call, privy_account *account, double now) {
  privy_error *error = call->error;
  if (!privy_retry_helps(error->code, error->http_status)) return false;
  bool limited = error->code == PRIVY_RATE_LIMIT; /* no outage: the quota is not for it */
  call->maybe_done = call->maybe_done || !limited;
  if (call->retries >= call->options.max_retries) return false;
  double delay = delay_of(call, now + account->wall_offset);
  if (delay > call->wait_left || (!limited && !privy_retry_quota_take(&account->quota, error->code))) return false;
  if (!limited) call->taken_for = error->code;
  call->retries++;
  call->wait_left -= delay;
  call->waited += delay;
  call->until = now + delay;
  call->backs_off = !limited;
  privy_call_trace_pause(call, account, PRIVY_EVENT_RETRY, delay);
  privy_error_clear(error);
  return true;
}

/* The token request failed after another call had taken over: that one's answer counts, unless this call cannot go on.
 */
static bool leaves_token_to_another(privy_call *call) {
  if (call->error->code == PRIVY_INTERRUPTED || call->error->code == PRIVY_NO_MEMORY) return false;
  privy_error_clear(call->error);
  return true;
}

static void take_failure(privy_call *call, privy_account *account, double now) {
  bool for_token = call->goal == PRIVY_GOAL_TOKEN;
  bool taken_over = for_token && !privy_account_end_fetch(account, call->fetch);
  bool in_flight = call->flying || for_token;
  if (call->flying) privy_pacer_returned(&account->pacer, now, 0, NULL);
  call->flying = false;
  if (in_flight) privy_call_trace_failure(call, account);
  if ((taken_over && leaves_token_to_another(call)) ||
      (call->error->code != PRIVY_INTERRUPTED && goes_on_to_retry(call, account, now))) {
    if (for_token) call->goal = PRIVY_GOAL_ANSWER;
  } else {
    fail(call);
  }
}

void privy_call_failed(privy_call *call, privy_account *account, double now) {
  take_failure(call, account, now);
  privy_call_trace_end(call, account, now);
}

/* ---- answers ---- */

/* Reads the token of an answer. One that comes after another call has taken over does not replace a fresh one. */
static privy_status take_token(privy_call *call, privy_account *account, double now, const privy_response *response,
                               bool taken_over) {
  privy_token token = {0};
  privy_status status = privy_token_read(response, now, &token, call->error);
  if (status != PRIVY_OK) return status;
  bool fresh = privy_token_is_fresh(&token, now);
  if (!fresh || (taken_over && privy_token_is_fresh(&account->token, now))) {
    privy_token_clear(&token);
    return fresh
               ? PRIVY_OK
               : privy_error_set(call->error, PRIVY_STATUS, "the token endpoint gave a token that has expired already");
  }
  privy_token_clear(&account->token);
  account->token = token;
  return PRIVY_OK;
}

static void token_answered(privy_call *call, privy_account *account, double now, privy_incoming *incoming) {
  privy_response *response = NULL;
  bool taken_over = !privy_account_end_fetch(account, call->fetch);
  privy_status status = privy_response_parse(NULL, incoming->http_status, incoming->headers.data,
                                             incoming->headers.length, &incoming->body, &response, call->error);
  if (status == PRIVY_OK) status = take_token(call, account, now, response, taken_over);
  privy_call_trace_response(call, account, incoming->http_status, response ? response : call->error->response);
  privy_response_release(response);
  if (status == PRIVY_OK)
    privy_call_trace_pause(call, account, PRIVY_EVENT_TOKEN, account->token.expires_at - now);
  else
    call->error->http_status = incoming->http_status;
  if (status == PRIVY_OK || (taken_over && leaves_token_to_another(call)) || goes_on_to_retry(call, account, now))
    call->goal = PRIVY_GOAL_ANSWER;
  else
    fail(call);
}

/* A 401 may mean that an OAuth token was revoked before its time: one new token is tried. */
static bool goes_on_to_renew(privy_call *call, privy_account *account) {
  if (call->error->code != PRIVY_AUTHENTICATION || call->settings->token || call->token_renewed) return false;
  call->token_renewed = true;
  if (account->token.text && strcmp(account->token.text, call->token) == 0) privy_token_clear(&account->token);
  privy_error_clear(call->error);
  return true;
}

/* Builds a request about the contact that the 409 names. */
static bool follow(privy_call *call, privy_request **out, bool update) {
  privy_error error;
  privy_error_init(&error);
  privy_status status = update ? privy_request_new_update_of(call->request, call->error->contact_id, out, &error)
                               : privy_request_new_get(call->error->contact_id, out, &error);
  if (status == PRIVY_NO_MEMORY) privy_error_no_memory(call->error);
  privy_error_clear(&error);
  if (status == PRIVY_OK) privy_error_clear(call->error);
  return status == PRIVY_OK;
}

/* A 409 tells an upsert which contact to update, and a create whose earlier attempt was lost which one to look at. */
static bool goes_on_after_conflict(privy_call *call) {
  const privy_operation *operation = call->request->operation;
  if (call->error->code != PRIVY_CONFLICT || !call->error->contact_id || !operation) return false;
  if (operation->id == PRIVY_OP_UPSERT && !call->follow_up) {
    if (!follow(call, &call->follow_up, true)) return false;
    call->request = call->follow_up;
    return true;
  }
  return operation->id == PRIVY_OP_CREATE && call->maybe_done && follow(call, &call->verify, false);
}

/* A delete whose earlier attempt was lost and that now finds nothing has done its work. */
static bool is_deleted(privy_call *call) {
  const privy_operation *operation = call->request->operation;
  if (call->error->code != PRIVY_NOT_FOUND || !call->maybe_done || !operation || operation->id != PRIVY_OP_DELETE)
    return false;
  call->response = call->error->response;
  call->error->response = NULL;
  privy_error_clear(call->error);
  return true;
}

/* The contact that a 409 named is here: it is our own work when it was created after our first attempt. */
static void verified(privy_call *call, double now, double wall) {
  privy_value created = privy_record_get(privy_response_record(call->response, 0), PRIVY_SLOT_CONTACT_created_at);
  double server_now = privy_response_date(call->response, wall);
  privy_time time;
  if (created.type == PRIVY_STRING && privy_time_parse(created.text, created.length, &time) &&
      (double)time.seconds + time.nanos / 1e9 >= call->first_sent + (server_now - now) - CLOCK_SLACK) {
    finish(call, PRIVY_OK);
    return;
  }
  privy_value id = privy_record_get(privy_response_record(call->response, 0), PRIVY_SLOT_CONTACT_id);
  call->error->http_status = 409;
  if (id.type == PRIVY_STRING && !privy_error_text(&call->error->contact_id, id.text, id.length))
    privy_error_no_memory(call->error);
  else
    privy_error_set(call->error, PRIVY_CONFLICT, "409 conflict: a contact with this e-mail or phone existed before");
  privy_response_release(call->response);
  call->response = NULL;
  fail(call);
}

static void take_answer(privy_call *call, privy_account *account, double now, privy_incoming *incoming) {
  if (call->goal == PRIVY_GOAL_TOKEN) {
    token_answered(call, account, now, incoming);
    return;
  }
  const privy_request *sent = call->verify ? call->verify : call->request;
  privy_status status = privy_response_parse(sent->operation, incoming->http_status, incoming->headers.data,
                                             incoming->headers.length, &incoming->body, &call->response, call->error);
  call->flying = false;
  privy_pacer_returned(&account->pacer, now, now + account->wall_offset,
                       status == PRIVY_OK ? call->response : call->error->response);
  privy_call_trace_response(call, account, incoming->http_status,
                            status == PRIVY_OK ? call->response : call->error->response);
  if (status == PRIVY_OK) privy_retry_quota_refund(&account->quota, call->taken_for);
  if (status == PRIVY_OK && call->verify)
    verified(call, now, now + account->wall_offset);
  else if (status == PRIVY_OK || is_deleted(call))
    finish(call, PRIVY_OK);
  else if (!goes_on_to_renew(call, account) && !goes_on_after_conflict(call) && !goes_on_to_retry(call, account, now))
    fail(call);
}

void privy_call_answered(privy_call *call, privy_account *account, double now, privy_incoming *incoming) {
  take_answer(call, account, now, incoming);
  privy_call_trace_end(call, account, now);
}
