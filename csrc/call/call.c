#include "call/call.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "call/call_trace.h"
#include "call/wire_request.h"
#include "message/error.h"
#include "message/rate_headers.h"
#include "message/response.h"
#include "policy/conflict.h"

/* How often a call looks whether another one has brought the token that both need. */
#define TOKEN_POLL 0.02
/* A shorter wait for budget is a look at what other calls of the client are doing, and is not reported. */
#define MOMENT 0.1

void privy_call_init(privy_call *call, const privy_settings *settings, privy_options options, const uint64_t random[2],
                     const privy_request *request, privy_error *error) {
  *call = (privy_call){.settings = settings,
                       .options = options,
                       .request = request,
                       .user_request = request,
                       .wait_left = options.max_wait,
                       .in_flight_wait_left = options.timeout,
                       .random = random[0] ^ random[1],
                       .status = PRIVY_OK,
                       .error = error};
  privy_error_init(&call->saved_error);
  if (request->operation && request->operation->id == PRIVY_OP_EVENT &&
      !privy_request_find_header(request, "Idempotency-Key"))
    snprintf(call->key, sizeof call->key, "%016" PRIx64 "%016" PRIx64, random[0], random[1]);
}

void privy_call_clear(privy_call *call) {
  privy_request_free(call->follow_up);
  privy_request_free(call->verify);
  privy_free(call->token);
  privy_buffer_clear(&call->wire_request.headers);
  privy_buffer_clear(&call->path);
  privy_buffer_clear(&call->form);
  privy_response_release(call->response);
  privy_error_clear(&call->saved_error);
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

/* Sets the error aside, which is then empty. */
static void keep_error(privy_call *call) {
  privy_error_clear(&call->saved_error);
  call->saved_error = *call->error;
  privy_error_init(call->error);
}

static void restore_error(privy_call *call) {
  privy_error_clear(call->error);
  *call->error = call->saved_error;
  privy_error_init(&call->saved_error);
}

static bool is_final(privy_status code) {
  return code == PRIVY_INTERRUPTED || code == PRIVY_NO_MEMORY;
}

static bool is_write(const privy_request *request) {
  const char *method = privy_request_method(request);
  return strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0 && strcmp(method, "OPTIONS") != 0;
}

/* Whether doing it twice is as good as doing it once. Operations settle the conflicts that a repetition meets. */
static bool is_idempotent(const privy_request *request) {
  const char *method = privy_request_method(request);
  return request->operation || (strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0) ||
         privy_request_find_header(request, "Idempotency-Key");
}

/* Whether the same call made again may succeed, and has no second effect: it would carry another key than this one. */
static bool is_retryable(const privy_call *call) {
  return privy_error_may_pass(call->error->code, call->error->http_status) &&
         (!call->may_have_succeeded || (is_idempotent(call->request) && !*call->key));
}

/* Describes the request in the error. */
static void describe(privy_call *call) {
  privy_error *error = call->error;
  const char *method = call->goal == PRIVY_GOAL_TOKEN ? "POST" : privy_request_method(call->request);
  const char *path = call->goal == PRIVY_GOAL_TOKEN ? PRIVY_TOKEN_PATH : privy_request_target(call->request);
  const char *key = *call->key ? call->key : privy_request_find_header(call->request, "Idempotency-Key");
  error->attempts = call->attempts;
  error->waited = call->waited;
  error->may_have_succeeded = call->may_have_succeeded;
  error->retryable = is_retryable(call);
  if (call->may_have_succeeded && error->code != PRIVY_NO_MEMORY)
    privy_error_append(error, "; the request may have been acted on");
  if (!privy_error_text(&error->method, method, strlen(method)) ||
      !privy_error_text(&error->path, path, strcspn(path, "?")) ||
      (key && !privy_error_text(&error->idempotency_key, key, strlen(key))))
    privy_error_no_memory(error);
}

/* Ends the call with the error. A failed look at the contact of a 409 leaves the 409. */
static privy_call_step fail(privy_call *call) {
  if (call->verify && !is_final(call->error->code)) restore_error(call);
  describe(call);
  return finish(call, call->error->code);
}

/* ---- waiting ---- */

/* Waits for answers to other requests of the client. That is no wait for budget: it is bounded by what one attempt may
 * take. False when it has taken that long; the call then goes on as if those requests were not. */
static bool may_wait_in_flight(privy_call *call, double now, double until) {
  double wait = until - now;
  if (wait > call->in_flight_wait_left) return false;
  call->in_flight_wait_left -= wait;
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
  if (wait > MOMENT) privy_call_trace_pause(call, account, PRIVY_TRACE_WAIT, wait);
  return true;
}

static privy_call_step refuse_budget(privy_call *call, privy_account *account, privy_pace pace, double now,
                                     double until) {
  privy_error *error = call->error;
  double wait = fmax(until - now, 0);
  if (pace == PRIVY_PACE_DAY)
    privy_error_set(error, PRIVY_RATE_LIMIT, "daily rate limit reached; retry in %.0f s", wait);
  else
    privy_error_set(error, PRIVY_RATE_LIMIT, "per-minute rate limit reached; retry in %.1f s (exceeds max_wait)", wait);
  privy_error_set_retry(error, wait, now + account->wall_offset);
  privy_call_trace_refused(call, account);
  return fail(call);
}

/* ---- what to send ---- */

/* Waits for the token that another call fetches: for as long as a request of its own might take, then at the cost of
 * max_wait. */
static privy_call_step wait_for_token(privy_call *call, privy_account *account, double now) {
  double until = now + TOKEN_POLL;
  if (may_wait_in_flight(call, now, until) || may_wait(call, account, now, until)) return PRIVY_CALL_WAIT;
  call->goal = PRIVY_GOAL_TOKEN;
  privy_error_set(call->error, PRIVY_TIMEOUT, "no OAuth token within max_wait: another call is still fetching it");
  return fail(call);
}

static privy_call_step send_token_request(privy_call *call, privy_account *account, double now) {
  if (call->prefetch) {
    call->until = now + TOKEN_POLL;
    return PRIVY_CALL_WAIT;
  }
  if (account->fetch && !privy_account_fetch_stalls(account, &call->fetch_watch, TOKEN_POLL))
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
  call->goal = call->verify ? PRIVY_GOAL_VERIFY : PRIVY_GOAL_RESPONSE;
  if ((!fixed && !privy_error_text(&call->token, token, strlen(token))) ||
      !privy_call_prepare_request(call, call->verify ? call->verify : call->request, token)) {
    privy_error_no_memory(call->error);
    return fail(call);
  }
  call->wire_request.on_new_connection =
      call->retry_charged_for == PRIVY_CONNECTION || call->retry_charged_for == PRIVY_TIMEOUT;
  privy_pacer_sent(&account->pacer);
  call->in_flight = true;
  call->never_arrived = false;
  call->attempts++;
  if (call->first_sent == 0) call->first_sent = now;
  privy_call_trace_request(call, account);
  return PRIVY_CALL_SEND;
}

/* ---- repeating ---- */

/* Whether the request may leave once more `at` an instant. An event's key makes it safe at any time. */
static bool may_repeat(const privy_call *call, double at) {
  if (!call->lost || call->verify) return true;
  const privy_operation *operation = call->request->operation;
  bool is_event = operation && operation->id == PRIVY_OP_EVENT;
  return is_idempotent(call->request) && (is_event || privy_retry_in_time(call->lost_at, at));
}

/* An attempt has failed: notes whether the server may have acted on it. The look at a contact comes after a loss. */
static void note_loss(privy_call *call, double now, bool arrived, bool asks_to_wait) {
  if (!arrived || !is_write(call->request) || !privy_retry_may_have_succeeded(call->error->http_status, asks_to_wait))
    return;
  if (!call->lost) call->lost_at = now;
  call->lost = call->may_have_succeeded = true;
}

/* The write may not be repeated any more: the failure that lost it is reported. */
static privy_call_step give_up(privy_call *call, double wall) {
  call->goal = PRIVY_GOAL_RESPONSE;
  restore_error(call);
  if (call->error->retry_at > 0) privy_error_set_retry(call->error, fmax(call->error->retry_at - wall, 0), wall);
  return fail(call);
}

static privy_call_step next_step(privy_call *call, privy_account *account, double now) {
  double until;
  if (call->done) return PRIVY_CALL_DONE;
  if (now < call->until) return PRIVY_CALL_WAIT;
  call->backs_off = false;
  if (!may_repeat(call, now)) return give_up(call, now + account->wall_offset);
  if (!call->settings->token && !privy_token_is_fresh(&account->token, now))
    return send_token_request(call, account, now);
  privy_pace pace = privy_pacer_ask(&account->pacer, call->options.reserve, now, &until);
  if (pace == PRIVY_PACE_IN_FLIGHT && may_wait_in_flight(call, now, until)) return PRIVY_CALL_WAIT;
  if (pace == PRIVY_PACE_NOW || pace == PRIVY_PACE_IN_FLIGHT) return send_request(call, account, now);
  if (pace == PRIVY_PACE_MINUTE && !may_repeat(call, until)) return give_up(call, now + account->wall_offset);
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

/* Seconds that the answer asks to wait before another attempt; negative when it does not. */
static double asked_wait(const privy_call *call, double wall) {
  const privy_response *response = call->error->response;
  const char *after = response ? privy_response_header(response, "Retry-After") : NULL;
  return after ? privy_retry_after(after, privy_response_date(response, wall)) : -1;
}

/* Plans another attempt. False when the failure will not pass, or the call has no right to one. */
static bool plan_retry(privy_call *call, privy_account *account, double now) {
  privy_error *error = call->error;
  if (!privy_error_may_pass(error->code, error->http_status) || call->retries >= call->options.max_retries)
    return false;
  bool limited = error->code == PRIVY_RATE_LIMIT; /* no outage: the quota is not for it */
  double backoff = privy_retry_backoff(call->retries + 1, next_random(call));
  double delay = fmax(asked_wait(call, now + account->wall_offset), backoff);
  if (delay > call->wait_left || !may_repeat(call, now + delay)) return false;
  if (!limited && !privy_retry_quota_take(&account->quota, error->code)) return false;
  if (!limited) call->retry_charged_for = error->code;
  call->retries++;
  call->wait_left -= delay;
  call->waited += delay;
  call->until = now + delay;
  call->backs_off = !limited;
  privy_call_trace_pause(call, account, PRIVY_TRACE_RETRY, delay);
  return true;
}

/* The failure does not end the call. The one that lost a write may still have to be reported. */
static void set_aside(privy_call *call) {
  if (call->lost && call->goal == PRIVY_GOAL_RESPONSE && call->saved_error.code == PRIVY_OK)
    keep_error(call);
  else
    privy_error_clear(call->error);
}

static bool retried(privy_call *call, privy_account *account, double now) {
  if (!plan_retry(call, account, now)) return false;
  set_aside(call);
  return true;
}

/* The token request failed after another call had taken over: that one's answer counts, unless this call cannot go on.
 */
static bool left_token_to_other(privy_call *call) {
  if (is_final(call->error->code)) return false;
  privy_error_clear(call->error);
  return true;
}

static void take_failure(privy_call *call, privy_account *account, double now) {
  bool for_token = call->goal == PRIVY_GOAL_TOKEN;
  bool taken_over = for_token && !privy_account_end_fetch(account, call->fetch);
  bool in_flight = call->in_flight || for_token;
  if (call->in_flight) privy_pacer_returned(&account->pacer, now, 0, NULL);
  if (call->in_flight) note_loss(call, now, !call->never_arrived, false);
  call->in_flight = false;
  if (in_flight) privy_call_trace_failure(call, account);
  if ((taken_over && left_token_to_other(call)) ||
      (call->error->code != PRIVY_INTERRUPTED && retried(call, account, now))) {
    if (for_token) call->goal = PRIVY_GOAL_RESPONSE;
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
    return fresh ? PRIVY_OK
                 : privy_error_set(call->error, PRIVY_API_STATUS,
                                   "the token endpoint gave a token that has expired already");
  }
  privy_token_clear(&account->token);
  account->token = token;
  return PRIVY_OK;
}

static void token_answered(privy_call *call, privy_account *account, double now, privy_wire_response *wire_response) {
  privy_response *response = NULL;
  bool taken_over = !privy_account_end_fetch(account, call->fetch);
  privy_status status =
      privy_response_parse(NULL, wire_response->http_status, wire_response->headers.data, wire_response->headers.length,
                           &wire_response->body, &response, call->error);
  if (call->error->response) privy_error_read_waiting(call->error->response, now + account->wall_offset, call->error);
  if (status == PRIVY_OK) status = take_token(call, account, now, response, taken_over);
  privy_call_trace_response(call, account, wire_response->http_status, response ? response : call->error->response);
  privy_response_release(response);
  if (status == PRIVY_OK)
    privy_call_trace_pause(call, account, PRIVY_TRACE_TOKEN, account->token.expires_at - now);
  else
    call->error->http_status = wire_response->http_status;
  if (status == PRIVY_OK || (taken_over && left_token_to_other(call)) || retried(call, account, now))
    call->goal = PRIVY_GOAL_RESPONSE;
  else
    fail(call);
}

/* A 401 may mean that an OAuth token was revoked before its time: one new token is tried. */
static bool retried_with_new_token(privy_call *call, privy_account *account) {
  if (call->error->code != PRIVY_AUTHENTICATION || call->settings->token || call->token_renewed) return false;
  call->token_renewed = true;
  if (account->token.text && strcmp(account->token.text, call->token) == 0) privy_token_clear(&account->token);
  set_aside(call);
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
  return status == PRIVY_OK;
}

/* A 409 says which contact an upsert is to update, and which one a create whose earlier attempt was lost may have made.
 */
static bool followed_conflict(privy_call *call) {
  const privy_operation *operation = call->request->operation;
  if (call->error->code != PRIVY_CONFLICT || !call->error->contact_id || !operation) return false;
  if (operation->id == PRIVY_OP_UPSERT && !call->follow_up && follow(call, &call->follow_up, true)) {
    call->request = call->follow_up;
    call->lost = false;
    privy_error_clear(&call->saved_error);
    privy_error_clear(call->error);
    return true;
  }
  if (operation->id != PRIVY_OP_CREATE || !call->lost || call->verify || !follow(call, &call->verify, false))
    return false;
  keep_error(call);
  return true;
}

/* A delete whose earlier attempt was lost and that now finds nothing has done its work. */
static bool is_deleted(privy_call *call) {
  const privy_operation *operation = call->request->operation;
  if (call->error->code != PRIVY_NOT_FOUND || !call->lost || !operation || operation->id != PRIVY_OP_DELETE)
    return false;
  call->response = call->error->response;
  call->error->response = NULL;
  privy_error_clear(call->error);
  return true;
}

/* The contact that a 409 named is here: either it is the work of the attempt that was lost, or the 409 is true. */
static void resolve_conflict(privy_call *call, double now, double wall) {
  const privy_record *contact = privy_response_record(call->response, 0);
  double first_sent = call->first_sent + privy_response_date(call->response, wall) - now;
  size_t length;
  const char *body = privy_request_body(call->request, &length);
  bool ours = false;
  if (contact && !privy_conflict_created_by_us(body, length, contact, first_sent, &ours))
    privy_error_no_memory(call->error);
  if (ours && call->error->code == PRIVY_OK) {
    finish(call, PRIVY_OK);
    return;
  }
  call->may_have_succeeded = !contact;
  privy_response_release(call->response);
  call->response = NULL;
  fail(call);
}

static void take_answer(privy_call *call, privy_account *account, double now, privy_wire_response *wire_response) {
  if (call->goal == PRIVY_GOAL_TOKEN) {
    token_answered(call, account, now, wire_response);
    return;
  }
  const privy_request *sent = call->verify ? call->verify : call->request;
  privy_status status =
      privy_response_parse(sent->operation, wire_response->http_status, wire_response->headers.data,
                           wire_response->headers.length, &wire_response->body, &call->response, call->error);
  call->in_flight = false;
  privy_pacer_returned(&account->pacer, now, now + account->wall_offset,
                       status == PRIVY_OK ? call->response : call->error->response);
  privy_call_trace_response(call, account, wire_response->http_status,
                            status == PRIVY_OK ? call->response : call->error->response);
  if (status == PRIVY_OK) privy_retry_quota_refund(&account->quota, call->retry_charged_for);
  if (call->error->response) privy_error_read_waiting(call->error->response, now + account->wall_offset, call->error);
  if (status != PRIVY_OK) note_loss(call, now, true, asked_wait(call, now + account->wall_offset) >= 0);
  if (status == PRIVY_OK && call->verify)
    resolve_conflict(call, now, now + account->wall_offset);
  else if (status == PRIVY_OK || is_deleted(call))
    finish(call, PRIVY_OK);
  else if (!retried_with_new_token(call, account) && !followed_conflict(call) && !retried(call, account, now))
    fail(call);
}

void privy_call_received(privy_call *call, privy_account *account, double now, privy_wire_response *wire_response) {
  take_answer(call, account, now, wire_response);
  privy_call_trace_end(call, account, now);
}
