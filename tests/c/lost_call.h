/* One call whose attempts are lost, in each possible way. */
#ifndef LOST_CALL_H
#define LOST_CALL_H

#include "made_call.h"

static const privy_options patient = {.timeout = 30, .connect_timeout = 5, .max_wait = 3600, .max_retries = 3};
static const privy_options once = {.timeout = 30, .connect_timeout = 5, .max_wait = 60, .max_retries = 1};

#define JANE "{\"email\":\"jane@b.c\",\"first_name\":\"J\"}"
#define CONFLICT "{\"error\":{\"code\":\"conflict\",\"message\":\"it is there\",\"id\":\"" CONTACT "\"}}"
#define ID "{\"id\":\"" CONTACT "\"}"
#define OPEN "; the request may have been acted on"

/* The attempt fails without a connection: nothing was sent. */
static inline bool is_refused(made_call *made) {
  made->call.never_arrived = true;
  return loses(made);
}

static inline bool fails_with(made_call *made, privy_status code) {
  if (privy_error_set(&made->error, code, "broke") == PRIVY_NO_MEMORY) return false;
  privy_call_failed(&made->call, &made->account, made->now);
  return !(made->call.done && made->call.status == PRIVY_NO_MEMORY);
}

static inline bool ends_with(const char *text, const char *end) {
  return strlen(text) >= strlen(end) && strcmp(text + strlen(text) - strlen(end), end) == 0;
}

/* How an attempt may fail. */
typedef enum loss { LOST, REFUSED, S408, S429, S500, S502, S503, S503_LATER, S504, LOSSES } loss;

static inline bool meets(made_call *made, loss how) {
  static const int statuses[] = {0, 0, 408, 429, 500, 502, 503, 503, 504};
  if (how == LOST) return loses(made);
  if (how == REFUSED) return is_refused(made);
  return receives(made, statuses[how], how == S503_LATER ? "Retry-After: 1\r\n" : "", "");
}

/* Whether the server may have processed the request. */
static inline bool is_open(loss how) {
  return how != REFUSED && how != S429 && how != S503_LATER;
}

static char client_id[] = "client", client_secret[] = "secret", token_url[] = "https://api.example/oauth/token";
static const privy_settings with_oauth = {.client_id = client_id,
                                          .client_secret = client_secret,
                                          .base_url = base_url,
                                          .base_path = "/v1",
                                          .token_url = token_url};

static inline privy_status begin_with_oauth(made_call *made, const privy_options *options, const char *operation,
                                            const char *params) {
  privy_status status = begin(made, options, operation, params);
  made->call.settings = &with_oauth;
  return status;
}

#define TOKEN "{\"access_token\":\"t1\",\"expires_in\":7200}"

static inline privy_status begin_raw(made_call *made, const char *method, bool key) {
  privy_account_init(&made->account);
  made->now = 1000;
  privy_status status = privy_request_new_raw(TEXT(method), TEXT("/events"), &made->request);
  if (status != PRIVY_OK) return status;
  if (key) {
    privy_request_header(made->request);
    privy_request_key(made->request, "Idempotency-Key", 15);
    privy_request_string(made->request, "k1", 2);
  }
  status = privy_request_finish(made->request, &made->error);
  if (status != PRIVY_OK) return status;
  privy_call_init(&made->call, &settings, defaults, random_bits, made->request, &made->error);
  made->begun = true;
  return PRIVY_OK;
}

#endif
