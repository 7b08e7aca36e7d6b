/*
 * One API call as a state machine that touches no socket, clock or random source: what happens between "the user asked"
 * and "here is the answer". The driver asks what to do and says what came of it:
 *
 *   privy_call_init(&call, settings, options, token, request, error);
 *   while (privy_call_next(&call, now) == PRIVY_CALL_SEND) {
 *     …send call.outgoing…
 *     privy_call_answered(&call, now, &incoming);  or  privy_call_failed(&call);
 *   }
 *   …call.status, call.response or the error…
 *   privy_call_clear(&call);
 *
 * A call asks for an OAuth token first when it has none that is fresh, and an upsert goes on to an update after a 409.
 * One attempt each: a failure ends the call.
 */
#ifndef PRIVY_CLIENT_CALL_H
#define PRIVY_CLIENT_CALL_H

#include "client/settings.h"
#include "client/transport.h"
#include "message/request.h"
#include "policy/token.h"

typedef enum privy_call_step { PRIVY_CALL_SEND, PRIVY_CALL_DONE } privy_call_step;

typedef struct privy_call {
  const privy_settings *settings;
  privy_options options;
  const privy_request *request; /* sent next: the user's, or `follow_up` */
  privy_request *follow_up;
  privy_token token;  /* OAuth: given at the start, replaced when the call fetched a new one */
  bool token_fetched; /* `token` is new: keep it for other calls */
  bool asking_token;  /* `outgoing` asks for a token */
  bool done;
  int attempts;
  privy_outgoing outgoing;
  privy_buffer url;
  privy_buffer form;
  privy_status status;
  privy_response *response;
  privy_error *error;
} privy_call;

/* `token` (may be {0}) is taken over. */
void privy_call_init(privy_call *call, const privy_settings *settings, privy_options options, privy_token token,
                     const privy_request *request, privy_error *error);
void privy_call_clear(privy_call *call);
/* What to do now. SEND: `outgoing` is ready. DONE: `status` tells, and `response` is the caller's to take. */
privy_call_step privy_call_next(privy_call *call, double now);
/* An answer came. Takes the contents of `incoming`. */
void privy_call_answered(privy_call *call, double now, privy_incoming *incoming);
/* No answer came: the error says why already. */
void privy_call_failed(privy_call *call);

#endif
