#include "call/call.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "base/text.h"
#include "call/call_end.h"
#include "call/call_trace.h"
#include "call/wire_request.h"
#include "message/error.h"
#include "message/rate_headers.h"
#include "message/response.h"

/* Seconds between two checks whether another call has fetched the token that both need. */
#define TOKEN_POLL 0.02
/* Shorter waits for budget are not reported, in seconds: they only wait for other calls of the client. */
#define MIN_REPORTED_WAIT 0.1

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
                       .row = -1,
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

/* ---- waiting ---- */

/* Starts a wait for responses to other requests of the client. It does not count as a wait for budget; `timeout` bounds
 * it. False when that is used up: then the call continues as if those requests did not exist. */
static bool start_in_flight_wait(privy_call *call, double now, double until) {
  double wait = until - now;
  if (wait > call->in_flight_wait_left) return false;
  call->in_flight_wait_left -= wait;
  call->until = until;
  return true;
}

/* Starts a wait for budget. False when max_wait does not allow it. */
static bool start_wait(privy_call *call, privy_account *account, double now, double until, privy_pace pace) {
  double wait = until > now ? until - now : 0;
  if (!privy_call_may_wait(call, pace, wait)) return false;
  if (pace != PRIVY_PACE_DAY) call->wait_left -= wait;
  call->waited += wait;
  call->until = until;
  if (wait > MIN_REPORTED_WAIT) privy_call_trace_pause(call, account, PRIVY_TRACE_WAIT, wait);
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
  privy_call_step step = privy_call_fail_for_now(call, account, now);
  call->limit_outlasts = call->status == PRIVY_RATE_LIMIT;
  return step;
}

/* ---- what to send ---- */

/* Waits for the token that another call fetches: first as long as `timeout`, then out of max_wait. */
static privy_call_step wait_for_token(privy_call *call, privy_account *account, double now) {
  double until = now + TOKEN_POLL;
  if (start_in_flight_wait(call, now, until) || start_wait(call, account, now, until, PRIVY_PACE_MINUTE))
    return PRIVY_CALL_WAIT;
  call->goal = PRIVY_GOAL_TOKEN;
  privy_error_set(call->error, PRIVY_TIMEOUT, "no OAuth token within max_wait: another call is still fetching it");
  return privy_call_fail(call);
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
    return privy_call_fail(call);
  }
  call->fetch = privy_account_begin_fetch(account);
  call->attempts++;
  privy_call_trace_request(call, account);
  return PRIVY_CALL_SEND;
}

static privy_call_step send_request(privy_call *call, privy_account *account, double now) {
  const char *api_token = call->settings->token, *token = api_token ? api_token : account->token.text;
  call->goal = call->verify ? PRIVY_GOAL_VERIFY : PRIVY_GOAL_RESPONSE;
  if ((!api_token && !privy_error_text(&call->token, token, strlen(token))) ||
      !privy_call_prepare_request(call, call->verify ? call->verify : call->request, token)) {
    privy_error_no_memory(call->error);
    return privy_call_fail(call);
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

/* The write may not be repeated any more: reports the failure that lost it. */
static privy_call_step give_up(privy_call *call, privy_account *account, double now) {
  const double wall = now + account->wall_offset;
  call->goal = PRIVY_GOAL_RESPONSE;
  privy_call_restore_error(call);
  if (call->error->retry_at > 0) privy_error_set_retry(call->error, fmax(call->error->retry_at - wall, 0), wall);
  return privy_call_fail_for_now(call, account, now);
}

static privy_call_step next_step(privy_call *call, privy_account *account, double now) {
  double until;
  if (call->done) return PRIVY_CALL_DONE;
  if (now < call->until) return PRIVY_CALL_WAIT;
  call->backs_off = false;
  if (!privy_call_may_repeat(call, now)) return give_up(call, account, now);
  if (privy_call_is_late(call, account, now)) return privy_call_refuse_late(call, account);
  if (!call->settings->token && !privy_token_is_fresh(&account->token, now))
    return send_token_request(call, account, now);
  privy_pace pace = privy_pacer_ask(&account->pacer, call->options.reserve, now, &until);
  if (call->options.deferred) pace = privy_slots_ask(&account->pacer, pace, call->options.reserve, now, &until);
  if (pace == PRIVY_PACE_IN_FLIGHT && start_in_flight_wait(call, now, until)) return PRIVY_CALL_WAIT;
  if (pace == PRIVY_PACE_NOW || pace == PRIVY_PACE_IN_FLIGHT) return send_request(call, account, now);
  const bool waits = pace == PRIVY_PACE_MINUTE || call->options.waits_for_day;
  if (waits && privy_call_is_late(call, account, until)) return privy_call_refuse_late(call, account);
  if (waits && !privy_call_may_repeat(call, until)) return give_up(call, account, now);
  if (!start_wait(call, account, now, until, pace)) return refuse_budget(call, account, pace, now, until);
  return PRIVY_CALL_WAIT;
}

privy_call_step privy_call_next(privy_call *call, privy_account *account, double now) {
  privy_call_trace_start(call, account, now);
  privy_call_step step = next_step(call, account, now);
  privy_call_trace_end(call, account, now);
  return step;
}
