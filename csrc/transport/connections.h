/* The connections of an engine, remembered by their local port: which are fit to carry another request. */
#ifndef PRIVY_TRANSPORT_CONNECTIONS_H
#define PRIVY_TRANSPORT_CONNECTIONS_H

#include <stdbool.h>

/* Ports that are the same modulo this share a place; the connection that came last has it. */
#define PRIVY_CONNECTIONS_MAX 256

typedef struct privy_connection {
  int port;
  int socket;
  bool http1;              /* nothing may come on it that nobody asked for */
  double last_received_at; /* when something came last, by privy_monotonic */
} privy_connection;

/* In the child of a fork: closes its copies of the connections, which stay the parent's. */
void privy_connections_close_copies(privy_connection *connections);
/* True when the server has closed one of the connections, or one broke. */
bool privy_connections_any_closed(const privy_connection *connections);
/* Remembers the connection of this port when one of the sockets is its; false otherwise. A socket may be -1. */
bool privy_connections_add(privy_connection *connections, int port, const int sockets[2]);
/* Something has come on the connection of this port just now. */
void privy_connections_received(privy_connection *connections, int port);
/* Whether the connection of this port speaks HTTP/1. */
void privy_connections_set_http1(privy_connection *connections, int port, bool http1);
/* The socket is about to be closed. */
void privy_connections_forget(privy_connection *connections, int socket);
/* True when a connection that was kept has ended or broken, or holds what would be taken for the next answer. */
bool privy_connections_is_stale(privy_connection *connections, int port);
/*
 * A request that was sent then has been given up. HTTP/2 keeps its connection, and libcurl would give it the next one:
 * unless something has come on it since, it may be dead and is made to look closed.
 */
void privy_connections_retire(privy_connection *connections, int port, double sent_at);

#endif
