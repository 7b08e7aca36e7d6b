/* One request and its response over libcurl. An engine drives the transfer. */
#ifndef PRIVY_TRANSPORT_TRANSFER_H
#define PRIVY_TRANSPORT_TRANSFER_H

#include "transport/connections.h"
#include "transport/engine.h"
#include "transport/libcurl.h"

/* What belongs to one request: privy_transfer_prepare resets all of it. Instants are by privy_monotonic. */
typedef struct privy_transfer_request {
  void *owner;
  privy_wire_response *wire_response;
  bool measured; /* fill the cost of the response */
  double started_at;
  double timeout, connect_timeout; /* seconds from started_at */
  bool extended;                   /* privy_transfer_extend was called */
  int opened[2];                   /* the sockets that libcurl opened last: it tries IPv4 and IPv6 at once; -1: none */
  int port;                        /* local port of the connection; 0: unknown */
  bool stale;                      /* the kept connection was unusable, so the request was not sent */
  bool sent;                       /* the request was sent once… */
  double sent_at;                  /* …at this instant… */
  bool new_connection;             /* …on a connection that was opened for it… */
  bool refused;                    /* …and the server refused it unread */
  size_t header_bytes, header_lines;
  bool headers_complete;
  bool headers_too_large, body_too_large;
  bool no_memory;
  char message[CURL_ERROR_SIZE]; /* libcurl's error text */
} privy_transfer_request;

/* The first members last as long as the transfer. */
struct privy_transfer {
  const privy_libcurl *curl;
  CURL *easy;                    /* its CURLOPT_PRIVATE is the transfer */
  CURLU *address;                /* its CURLOPT_CURLU… */
  const char *url;               /* …parsed from this URL of the settings */
  privy_connection *connections; /* the engine's */
  size_t max_response;           /* bytes */
  privy_buffer header_text;      /* `header_count` header lines, each ended by NUL… */
  struct curl_slist *headers;    /* …and libcurl's list of them */
  size_t header_count, header_capacity;
  struct privy_transfer *next; /* in one of the engine's lists */
  privy_transfer_request request;
};

/* A transfer that can send any number of requests, one after the other; NULL when memory runs out. `curl`, `settings`
 * and `connections` must outlive it. */
privy_transfer *privy_transfer_new(const privy_libcurl *curl, const privy_settings *settings,
                                   privy_connection *connections);
void privy_transfer_free(privy_transfer *transfer);
/* Prepares the transfer to send a request. False when memory runs out: then free the transfer. */
PRIVY_NODISCARD bool privy_transfer_prepare(privy_transfer *transfer, const privy_settings *settings,
                                            const privy_wire_request *wire_request, privy_wire_response *wire_response,
                                            void *owner);
/* Adds `seconds` to the timeouts of the request. */
void privy_transfer_extend(privy_transfer *transfer, double seconds);
/* When the request times out, by privy_monotonic. */
double privy_transfer_deadline(const privy_transfer *transfer);
/* Sets the error text of a timeout, in libcurl's words. */
void privy_transfer_expire(privy_transfer *transfer);
/* Prepares the transfer to send the same request again, on a new connection. */
void privy_transfer_use_new_connection(privy_transfer *transfer);
/* libcurl has completed the transfer with `result`: fills the response. Returns PRIVY_OK, or the status that it fills
 * `error` with (see privy_engine_next_completed). */
privy_status privy_transfer_end(privy_transfer *transfer, CURLcode result, privy_error *error);

#endif
