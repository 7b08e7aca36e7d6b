/* What a call and its transport exchange. The transport is libcurl (transport/engine.h) or the sandbox. */
#ifndef PRIVY_CALL_TRANSPORT_H
#define PRIVY_CALL_TRANSPORT_H

#include "privy.h"

/* One request, ready to be sent. All pointers belong to the sender. */
typedef struct privy_wire_request {
  const char *method;
  const char *url;      /* base_url or token_url of the settings */
  const char *path;     /* path and query on the server; NULL: those of `url` */
  const char *target;   /* path and query below the base URL */
  privy_buffer headers; /* lines "Name: value", each ended by CRLF */
  const char *body;
  size_t body_length;
  double timeout;         /* seconds */
  double connect_timeout; /* seconds */
  bool on_new_connection; /* the last connection may be dead */
  bool measured;          /* fill the cost of the response */
} privy_wire_request;

/* What one transfer took. The members of the same names in privy_trace_event have the details. */
typedef struct privy_cost {
  double lookup, connect, tls, first_byte, total; /* seconds */
  uint64_t bytes_sent, bytes_received;
  bool reused;
} privy_cost;

/* One response as it came. Start with {0}. */
typedef struct privy_wire_response {
  int http_status;
  privy_buffer headers; /* lines as in privy_wire_request */
  privy_buffer body;
  privy_cost cost;    /* if the request is measured, also after a failure */
  bool never_arrived; /* the request failed, and the server cannot have read it */
} privy_wire_response;

/* Frees the contents and leaves {0}. */
void privy_wire_response_clear(privy_wire_response *wire_response);

#endif
