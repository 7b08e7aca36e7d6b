/*
 * One API call as a state machine: from the user's request to its response or error. It uses no socket or random
 * source, and a clock only for trace events. The driver asks what to do, does it, and reports the result:
 *
 *   privy_call_init(&call, settings, options, random, request, error);
 *   for (;;) switch (privy_call_next(&call, account, now)) {
 *     case PRIVY_CALL_SEND: …send call.wire_request…
 *       privy_call_received(&call, account, now, &wire_response);  or  privy_call_failed(&call, account, now);
 *     case PRIVY_CALL_WAIT: …until call.until, or less…
 *     case PRIVY_CALL_DONE: …take call.status, call.response or the error…
 *   }
 *   privy_call_clear(&call);
 *
 * `now` is a clock in seconds that is never set, except that of a sandbox. All calls of a client share `account`. The
 * driver locks it during these functions, but not while it sends or waits.
 */
#ifndef PRIVY_CALL_CALL_H
#define PRIVY_CALL_CALL_H

#include "call/account.h"
#include "call/settings.h"
#include "call/trace.h"
#include "call/transport.h"
#include "message/request.h"

typedef enum privy_call_step { PRIVY_CALL_SEND, PRIVY_CALL_WAIT, PRIVY_CALL_DONE } privy_call_step;

/* The purpose of the next request, or of the one in flight. */
typedef enum privy_call_goal {
  PRIVY_GOAL_RESPONSE, /* the response to the user's request */
  PRIVY_GOAL_TOKEN,    /* an OAuth token */
  PRIVY_GOAL_VERIFY    /* the contact that a 409 names: a lost attempt of this call may have created it */
} privy_call_goal;

typedef struct privy_call {
  const privy_settings *settings;
  privy_options options;

  /* requests */
  const privy_request *user_request;
  const privy_request *request; /* user_request or follow_up */
  privy_request *follow_up;     /* the update that follows the 409 of an upsert; NULL: none */
  privy_request *verify;        /* of PRIVY_GOAL_VERIFY; NULL: none */
  privy_call_goal goal;
  privy_wire_request wire_request;
  privy_buffer path; /* that wire_request points to */
  privy_buffer form; /* the body of a token request */
  char key[40];      /* the Idempotency-Key of this call; "": none */

  /* waits */
  double until;               /* PRIVY_CALL_WAIT: not before this instant */
  bool backs_off;             /* …because of a failure that is not a 429: other calls may succeed meanwhile */
  double wait_left;           /* seconds of max_wait that are left */
  double in_flight_wait_left; /* seconds that the call may still wait for responses to other requests */
  double waited;              /* seconds */

  /* attempts */
  int attempts; /* requests sent, token requests included */
  int retries;
  privy_status retry_charged_for; /* the failure that the retry quota was last charged for */
  bool in_flight;                 /* the pacer counts its request */
  double first_sent;              /* 0: nothing was sent */
  bool sent_before;               /* set by the driver: an earlier call sent this create, at `first_sent` */
  bool never_arrived;             /* set by the driver before privy_call_failed: see privy_wire_response */
  bool lost;                      /* an attempt of `request` failed that the server may have processed… */
  double lost_at;                 /* …first at this instant */
  bool may_have_succeeded;        /* `lost` of any write of the call */
  privy_error saved_error;        /* the failure that lost a write, or the 409 that is verified */
  uint64_t random;                /* state of the jitter */

  /* OAuth */
  char *token;        /* that wire_request contains */
  bool token_renewed; /* after a 401 */
  uint64_t fetch;     /* number of its own token request */
  privy_fetch_watch fetch_watch;
  bool prefetch; /* set by the driver: the response is not needed yet, so the call starts no token request */

  /* result */
  bool done;
  privy_status status;
  bool limit_outlasts; /* PRIVY_RATE_LIMIT: the limit is reached for longer than the call may wait */
  privy_response *response;
  privy_error *error;

  /* trace */
  privy_trace *trace;    /* where events are added; NULL: nowhere */
  privy_level min_level; /* of the events that are added */
  unsigned kinds;        /* 1 << kind: events that are added at any level */
  uint64_t id;           /* privy_trace_event.id */
  int64_t row;           /* privy_trace_event.row */
  uint64_t number;       /* of this call in its client; 0 before its first event */
  double started_at;     /* as `now` */
  double began;          /* as privy_trace_event */
  bool started, ended;   /* the event was added */
  privy_cost cost;       /* of the last transfer, set by the driver */
} privy_call;

/* Initializes a call. `random`: 128 random bits that no other call has. `settings`, `request` and `error` must outlive
 * it. */
void privy_call_init(privy_call *call, const privy_settings *settings, privy_options options, const uint64_t random[2],
                     const privy_request *request, privy_error *error);
/* Frees what the call owns, `response` included. */
void privy_call_clear(privy_call *call);
/* What to do now. PRIVY_CALL_SEND: `wire_request` is ready. PRIVY_CALL_DONE: `status` is the result; with PRIVY_OK
 * `response` is set (to take it, set it to NULL), otherwise the error. */
privy_call_step privy_call_next(privy_call *call, privy_account *account, double now);
/* Reports the response to the request. Takes its contents. */
void privy_call_received(privy_call *call, privy_account *account, double now, privy_wire_response *wire_response);
/* Reports that the request failed or the call was stopped. `error` contains the reason. */
void privy_call_failed(privy_call *call, privy_account *account, double now);

#endif
