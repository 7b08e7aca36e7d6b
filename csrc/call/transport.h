/* The seam between a call and what carries it: libcurl (engine) or the sandbox. */
#ifndef PRIVY_CALL_TRANSPORT_H
#define PRIVY_CALL_TRANSPORT_H

#include "privy.h"

/* One request, ready for the wire. All pointers are the sender's. */
typedef struct privy_wire_request {
  const char *method;
  const char *url;      /* the settings' base_url or token_url */
  const char *path;     /* path and query on the server; NULL: the URL's */
  const char *target;   /* path and query below the base URL */
  privy_buffer headers; /* "Name: value" lines, each ended by CRLF */
  const char *body;
  size_t body_length;
  double timeout;
  double connect_timeout;
  bool fresh;    /* on a new connection: the last one may be dead */
  bool measured; /* what it takes is asked for */
} privy_wire_request;

/* What one transfer took; the members of privy_trace_event of the same names tell more. */
typedef struct privy_cost {
  double lookup, connect, tls, first_byte, total;
  uint64_t bytes_sent, bytes_received;
  bool reused;
} privy_cost;

/* One answer, as it came. Start with {0}. `cost` is told if the request asks for it, also when no answer came. */
typedef struct privy_wire_response {
  int http_status;
  privy_buffer headers; /* lines as in privy_wire_request */
  privy_buffer body;
  privy_cost cost;
  bool never_arrived; /* no answer came, and the server cannot have read the request */
} privy_wire_response;

void privy_wire_response_clear(privy_wire_response *wire_response);

/* What may stop a call while it waits. */
typedef struct privy_watch {
  privy_hooks hooks;
  double asked_at; /* when `hooks.stop` was asked last, by privy_monotonic */
} privy_watch;

#define PRIVY_WATCH_SECONDS 0.02

double privy_monotonic(void);
/* The same, but time in which the machine was suspended counts as well: windows and tokens end while it sleeps. */
double privy_steady_clock(void);
double privy_wall_clock(void);
/* True when the call is to stop. Asks `stop` at most every PRIVY_WATCH_SECONDS. */
bool privy_watch_stops(privy_watch *watch);

/* Lets privy_interrupt_raise wake what the call waits in; `wake` NULL ends that. */
typedef void privy_wake_function(void *context);
void privy_interrupt_attach(privy_interrupt *interrupt, privy_wake_function *wake, void *context);

#endif
