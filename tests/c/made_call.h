/* One call, driven by the test: no socket, and a clock that advances to the end of each wait. */
#ifndef MADE_CALL_H
#define MADE_CALL_H

#include <math.h>
#include <string.h>

#include "call/call.h"
#include "message/error.h"
#include "message_text.h"

static char token_text[] = "privy_token";
static char base_url[] = "https://api.example/v1";
static const privy_settings settings = {.token = token_text, .base_url = base_url, .base_path = "/v1"};
static const uint64_t random_bits[2] = {UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210)};
static const privy_options defaults = {.timeout = 30, .connect_timeout = 5, .max_wait = 60, .max_retries = 3};

typedef struct made_call {
  privy_call call;
  privy_account account;
  privy_request *request;
  privy_error error;
  bool begun;
  double now;
} made_call;

static inline privy_status begin(made_call *made, const privy_options *options, const char *operation,
                                 const char *params) {
  privy_account_init(&made->account);
  made->now = 1000;
  privy_status status = ask_for(operation, params, &made->request, &made->error);
  if (status != PRIVY_OK) return status;
  privy_call_init(&made->call, &settings, *options, random_bits, made->request, &made->error);
  made->begun = true;
  return PRIVY_OK;
}

static inline void drop(made_call *made) {
  if (made->begun) privy_call_clear(&made->call);
  privy_account_clear(&made->account);
  privy_request_free(made->request);
  privy_error_clear(&made->error);
  *made = (made_call){.error = made->error};
}

/* Advances the clock until the call sends; false if the call ends. */
static inline bool sends(made_call *made) {
  privy_call_step step;
  while ((step = privy_call_next(&made->call, &made->account, made->now)) == PRIVY_CALL_WAIT) {
    assert_true(made->call.until > made->now);
    made->now = made->call.until;
  }
  return step == PRIVY_CALL_SEND;
}

static inline bool receives(made_call *made, int status, const char *headers, const char *body) {
  privy_wire_response wire_response = {.http_status = status};
  const bool built = privy_buffer_text(&wire_response.headers, headers) && privy_buffer_text(&wire_response.body, body);
  if (built) privy_call_received(&made->call, &made->account, made->now, &wire_response);
  privy_wire_response_clear(&wire_response);
  return built && !(made->call.done && made->call.status == PRIVY_NO_MEMORY);
}

static inline bool loses(made_call *made) {
  if (privy_error_set(&made->error, PRIVY_CONNECTION, "broke") == PRIVY_NO_MEMORY) return false;
  privy_call_failed(&made->call, &made->account, made->now);
  return !(made->call.done && made->call.status == PRIVY_NO_MEMORY);
}

#define PERSON(created)                                                                                                \
  "{\"data\":{\"id\":\"" CONTACT "\",\"email\":\"jane@b.c\",\"first_name\":\"J\",\"created_at\":\"" created "\"}}"

#endif
