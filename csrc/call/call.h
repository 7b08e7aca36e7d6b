/*
 * One API call as a state machine that touches no socket, clock or random source: what happens between "the user asked"
 * and "here is the answer". The driver asks what to do and says what came of it:
 *
 *   privy_call_init(&call, settings, options, random, request, error);
 *   for (;;) switch (privy_call_next(&call, account, now)) {
 *     case PRIVY_CALL_SEND: …send call.outgoing…
 *       privy_call_received(&call, account, now, &incoming);  or  privy_call_failed(&call, account, now);
 *     case PRIVY_CALL_WAIT: …until call.until, or for a shorter time…
 *     case PRIVY_CALL_DONE: …call.status, call.response or the error…
 *   }
 *   privy_call_clear(&call);
 *
 * `now` is a clock that is never set, except a sandbox's; the account knows how far the wall clock is from it.
 * `account` is what all calls of the client share; the driver holds its lock during these functions, not while it sends
 * or waits.
 */
#ifndef PRIVY_CALL_CALL_H
#define PRIVY_CALL_CALL_H

#include "call/account.h"
#include "call/settings.h"
#include "call/trace.h"
#include "call/transport.h"
#include "message/request.h"

typedef enum privy_call_step { PRIVY_CALL_SEND, PRIVY_CALL_WAIT, PRIVY_CALL_DONE } privy_call_step;

/* What the next request is for. */
typedef enum privy_call_goal {
  PRIVY_GOAL_RESPONSE, /* what the user asked for */
  PRIVY_GOAL_TOKEN,    /* an OAuth token */
  PRIVY_GOAL_VERIFY    /* whether the contact that a 409 names is the work of our own lost attempt */
} privy_call_goal;

typedef struct privy_call {
  const privy_settings *settings;
  privy_options options;
  const privy_request *request; /* the user's, or `follow_up` */
  privy_request *follow_up;
  privy_call_goal goal;
  privy_request *verify;
  double until;   /* WAIT: not before this */
  bool backs_off; /* … because of a failure that is no 429: other calls may fare better */
  double wait_left;
  double in_flight_wait_left; /* seconds that it may still wait for answers to other requests */
  double waited;
  int attempts; /* requests sent, those for tokens included */
  int retries;
  privy_status retry_charged_for; /* the failure that the last retry paid the quota for */
  bool never_arrived;             /* of the transfer that has just failed, set by the driver */
  bool lost;                      /* an attempt of `request` failed that the server may have acted on… */
  double lost_at;                 /* …first at this instant */
  bool may_have_succeeded;        /* an attempt of any write of the call */
  privy_error saved_error; /* the failure to report if a lost write is not repeated, or the 409 that is looked into */
  double first_sent;
  bool token_renewed; /* after a 401 */
  bool in_flight;     /* counted by the pacer */
  char *token;        /* OAuth: the one that `outgoing` carries */
  uint64_t fetch;     /* number of its own token request */
  privy_fetch_watch fetch_watch;
  bool prefetch;   /* set by the driver: the call is made before it is needed, and starts no token request */
  char key[40];    /* the Idempotency-Key of this call, "" for none */
  uint64_t random; /* state of the jitter */
  bool done;
  privy_wire_request wire_request;
  privy_buffer path;
  privy_buffer form;
  privy_status status;
  privy_response *response;
  privy_error *error;
  privy_trace *trace;    /* where its events go; NULL: nowhere */
  privy_level min_level; /* of the events that go there */
  const privy_request *user_request;
  uint64_t id;         /* that its events carry */
  uint64_t number;     /* of this call in its client, 0 before its first event */
  double started_at;   /* when the first event was due */
  bool started, ended; /* it has reported its start, its end */
  privy_cost cost;     /* of the transfer that has just ended, set by the driver */
} privy_call;

/* The next number of a sequence in which none comes twice. */
uint64_t privy_random(uint64_t *state);
/* `random` are 128 bits that nobody else has. */
void privy_call_init(privy_call *call, const privy_settings *settings, privy_options options, const uint64_t random[2],
                     const privy_request *request, privy_error *error);
void privy_call_clear(privy_call *call);
/* What to do now. SEND: `outgoing` is ready. DONE: `status` tells, and `response` is the caller's to take. */
privy_call_step privy_call_next(privy_call *call, privy_account *account, double now);
/* An answer came. Takes the contents of `incoming`. */
void privy_call_received(privy_call *call, privy_account *account, double now, privy_wire_response *wire_response);
/* No answer came: the error says why already. */
void privy_call_failed(privy_call *call, privy_account *account, double now);

#endif
