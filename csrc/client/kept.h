/* The connections of an engine, remembered by their local port: which are fit to carry another request. */
#ifndef PRIVY_CLIENT_KEPT_H
#define PRIVY_CLIENT_KEPT_H

#include <stdbool.h>

/* Ports that are the same modulo this share a place; the connection that came last has it. */
#define PRIVY_KEPT 256

typedef struct privy_kept {
  int port;
  int socket;
  bool http1;   /* nothing may come on it that nobody asked for */
  double heard; /* when something came last, by privy_monotonic */
} privy_kept;

/* In the child of a fork: closes its copies of the connections, which stay the parent's. */
void privy_kept_close_copies(privy_kept *kept);
/* True when the server has closed one of the connections, or one broke. */
bool privy_kept_any_closed(const privy_kept *kept);
/* Remembers the connection of this port when one of the sockets is its; false otherwise. A socket may be -1. */
bool privy_kept_add(privy_kept *kept, int port, const int sockets[2]);
/* Something has come on the connection of this port just now. */
void privy_kept_hear(privy_kept *kept, int port);
/* Whether the connection of this port speaks HTTP/1. */
void privy_kept_set_http1(privy_kept *kept, int port, bool http1);
/* The socket is about to be closed. */
void privy_kept_forget(privy_kept *kept, int socket);
/* True when a connection that was kept has ended or broken, or holds what would be taken for the next answer. */
bool privy_kept_is_stale(privy_kept *kept, int port);
/*
 * A request that was sent then has been given up. HTTP/2 keeps its connection, and libcurl would give it the next one:
 * unless something has come on it since, it may be dead and is made to look closed.
 */
void privy_kept_hang_up(privy_kept *kept, int port, double sent_at);

#endif
