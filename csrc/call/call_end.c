#include "call/call_end.h"

#include <string.h>

#include "base/random.h"
#include "base/time.h"
#include "call/call_trace.h"
#include "message/error.h"
#include "message/response.h"
#include "policy/repeat.h"

privy_call_step privy_call_finish(privy_call *call, privy_status status) {
  call->done = true;
  call->status = status;
  return PRIVY_CALL_DONE;
}

void privy_call_save_error(privy_call *call) {
  privy_error_clear(&call->saved_error);
  call->saved_error = *call->error;
  privy_error_init(call->error);
}

void privy_call_restore_error(privy_call *call) {
  privy_error_clear(call->error);
  *call->error = call->saved_error;
  privy_error_init(&call->saved_error);
}

bool privy_call_is_final(privy_status code) {
  return code == PRIVY_INTERRUPTED || code == PRIVY_NO_MEMORY;
}

bool privy_call_is_operation(const privy_call *call, privy_operation_id id) {
  return call->request->operation && call->request->operation->id == id;
}

/* Whether two attempts have the effect of one. Operations resolve the conflicts that a second attempt meets. */
static bool is_idempotent(const privy_request *request) {
  const char *method = privy_request_method(request);
  return request->operation || (strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0) ||
         privy_request_find_header(request, "Idempotency-Key");
}

/* Whether the user may make the same call again: it may succeed, and has no second effect. The new call would have
 * another idempotency key than this one. */
static bool is_retryable(const privy_call *call) {
  return privy_error_may_pass(call->error->code, call->error->http_status) &&
         (!call->may_have_succeeded || (is_idempotent(call->request) && !*call->key));
}

/* Adds the request and the attempts to the error. */
static void complete_error(privy_call *call) {
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

privy_call_step privy_call_fail(privy_call *call) {
  if (call->verify && !privy_call_is_final(call->error->code)) privy_call_restore_error(call);
  complete_error(call);
  return privy_call_finish(call, call->error->code);
}

/* The instant at which the job of the call runs again. */
static double slot_of(privy_call *call, privy_account *account, double now) {
  const privy_error *error = call->error;
  const int64_t reserve = call->options.reserve;
  const double random = privy_random_unit(&call->random);
  double at;
  const bool refused_here = error->code == PRIVY_RATE_LIMIT && error->http_status == 0;
  if (refused_here && privy_slots_take_rest(&account->slots, &account->pacer, reserve, now, random, &at)) return at;
  return privy_slots_take(&account->slots, &account->pacer, reserve, now + error->retry_after, random);
}

privy_call_step privy_call_fail_for_now(privy_call *call, privy_account *account, double now) {
  privy_error *error = call->error;
  if (call->options.deferred && error->retry_at > 0) {
    const double resets_at = error->resets_at;
    privy_error_set_retry(error, slot_of(call, account, now) - now, now + account->wall_offset);
    error->resets_at = resets_at;
  }
  return privy_call_fail(call);
}

privy_call_step privy_call_refuse_late(privy_call *call, privy_account *account) {
  static const char code[] = "until_reached";
  privy_error *error = call->error;
  privy_time time;
  char text[PRIVY_TIME_TEXT_SIZE];
  privy_time_at((int64_t)call->options.until, 0, &time);
  privy_time_text(text, &time);
  privy_error_clear(error);
  privy_error_set(error, PRIVY_DEADLINE, "no request is sent from %s on, as `until` says; run again to continue", text);
  if (!privy_error_text(&error->api_code, code, sizeof code - 1)) privy_error_no_memory(error);
  privy_call_trace_refused(call, account);
  return privy_call_fail(call);
}

bool privy_call_may_wait(const privy_call *call, privy_pace pace, double seconds) {
  return pace == PRIVY_PACE_DAY ? call->options.waits_for_day : seconds <= call->wait_left;
}

bool privy_call_is_late(const privy_call *call, const privy_account *account, double at) {
  return call->options.until > 0 && at + account->wall_offset >= call->options.until;
}

bool privy_call_may_repeat(const privy_call *call, double at) {
  if (!call->lost || call->verify) return true;
  return is_idempotent(call->request) &&
         (privy_call_is_operation(call, PRIVY_OP_EVENT) || privy_repeat_in_time(call->lost_at, at));
}
