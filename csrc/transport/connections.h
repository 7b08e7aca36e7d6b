/* The connections of an engine, by their local port: which of them may carry another request. */
#ifndef PRIVY_TRANSPORT_CONNECTIONS_H
#define PRIVY_TRANSPORT_CONNECTIONS_H

#include <stdbool.h>

/* The table has this many entries. A connection replaces an older one whose port has the same remainder. */
#define PRIVY_CONNECTIONS_MAX 256

typedef struct privy_connection {
  int port; /* 0: no connection */
  int socket;
  bool http1;              /* HTTP/1: the server sends nothing without a request */
  double last_received_at; /* by privy_monotonic; 0: never */
} privy_connection;

/* In all functions `connections` is the table, and `port` the local port of a connection; 0: unknown. */

/* In the child of a fork: closes the child's descriptors, and leaves the parent's connections open. */
void privy_connections_close_copies(privy_connection *connections);
/* Whether a server has closed one of the connections, or one is broken. */
bool privy_connections_any_closed(const privy_connection *connections);
/* Adds the connection if one of the sockets has this local port; otherwise returns false. A socket may be -1. */
bool privy_connections_add(privy_connection *connections, int port, const int sockets[2]);
/* Reports that bytes were received just now. */
void privy_connections_received(privy_connection *connections, int port);
/* Reports whether the connection uses HTTP/1. */
void privy_connections_set_http1(privy_connection *connections, int port, bool http1);
/* Removes the connection of a socket that is about to be closed. */
void privy_connections_forget(privy_connection *connections, int socket);
/* Whether a kept connection is closed or broken, or has bytes that would be read as the response to the next request.
 */
bool privy_connections_is_stale(privy_connection *connections, int port);
/*
 * Reports that a request sent at `sent_at` (by privy_monotonic) was abandoned. libcurl keeps an HTTP/2 connection in
 * that case. If nothing was received since then, the connection may be dead: shuts it down for reading, so that libcurl
 * does not use it again.
 */
void privy_connections_retire(privy_connection *connections, int port, double sent_at);

#endif
