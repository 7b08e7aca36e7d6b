/* One request and its answer on their way, over libcurl. An engine carries them. */
#ifndef PRIVY_TRANSPORT_TRANSFER_H
#define PRIVY_TRANSPORT_TRANSFER_H

#include "transport/connections.h"
#include "transport/engine.h"
#include "transport/libcurl.h"

struct privy_transfer {
  const privy_libcurl *curl;
  CURL *easy;                    /* its CURLOPT_PRIVATE is the transfer */
  CURLU *address;                /* its CURLOPT_CURLU… */
  const char *url;               /* …which is this one of the settings */
  privy_connection *connections; /* the engine's */
  size_t max_response;
  void *owner;
  privy_wire_response *wire_response;
  size_t header_bytes, header_lines;
  double timeout, connect_timeout;
  double begun;   /* by privy_monotonic */
  int opened[2];  /* the sockets opened last for it: IPv4 and IPv6 are tried side by side */
  int port;       /* the connection's local one */
  double sent_at; /* by privy_monotonic */
  bool measured;  /* its cost is asked for */
  bool huge_headers, huge_body;
  bool no_memory;
  bool stale;                /* the kept connection held something already when the request was to go out */
  bool sent;                 /* the request has gone out once… */
  bool new_connection;       /* …on a connection that was made for it… */
  bool refused;              /* …and the server has let it be repeated: it has not looked at it */
  bool extended;             /* it was given more time */
  bool headed;               /* the answer's headers have come whole */
  privy_buffer lines;        /* its `count` headers, a NUL behind each… */
  struct curl_slist *places; /* …and libcurl's list of them, room for `room` */
  size_t count, room;
  struct privy_transfer *next; /* in the engine's `idle` */
  char message[CURL_ERROR_SIZE];
};

/* A transfer for any number of requests, one after the other; NULL when memory runs out. */
privy_transfer *privy_transfer_new(const privy_libcurl *curl, const privy_settings *settings,
                                   privy_connection *connections);
void privy_transfer_free(privy_transfer *transfer);
/* Makes it ready to send the request. False when memory runs out. */
PRIVY_NODISCARD bool privy_transfer_prepare(privy_transfer *transfer, const privy_settings *settings,
                                            const privy_wire_request *wire_request, privy_wire_response *wire_response,
                                            void *owner);
/* Gives it so many seconds more before it times out. */
void privy_transfer_extend(privy_transfer *transfer, double seconds);
/* When it times out, by privy_monotonic. */
double privy_transfer_deadline(const privy_transfer *transfer);
/* Notes why it is ended at its deadline, as libcurl says it. */
void privy_transfer_expire(privy_transfer *transfer);
/* The same request is to go out on a new connection. */
void privy_transfer_renew(privy_transfer *transfer);
/* libcurl has ended it: fills `incoming`, and `error` unless it gives PRIVY_OK. */
privy_status privy_transfer_end(privy_transfer *transfer, CURLcode result, privy_error *error);

#endif
