#define _GNU_SOURCE /* POLLRDHUP */

#include "transport/connections.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#ifdef POLLRDHUP
#define CLOSED (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)
#else
#define POLLRDHUP 0
#define CLOSED (POLLHUP | POLLERR | POLLNVAL)
#endif

static int port_of(int socket) {
  struct sockaddr_storage address = {0};
  socklen_t length = sizeof address;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
  if (getsockname(socket, (struct sockaddr *)&address, &length) != 0) return -1;
  memcpy(&v4, &address, sizeof v4);
  memcpy(&v6, &address, sizeof v6);
  return address.ss_family == AF_INET ? ntohs(v4.sin_port) : address.ss_family == AF_INET6 ? ntohs(v6.sin6_port) : -1;
}

/* The connection in the table, or NULL. */
static privy_connection *find(privy_connection *connections, int port) {
  privy_connection *connection = port > 0 ? &connections[port % PRIVY_CONNECTIONS_MAX] : NULL;
  return connection && connection->port == port ? connection : NULL;
}

bool privy_connections_add(privy_connection *connections, int port, const int sockets[2]) {
  for (int i = 0; i < 2; i++) {
    if (sockets[i] < 0 || port_of(sockets[i]) != port) continue;
    if (port > 0) connections[port % PRIVY_CONNECTIONS_MAX] = (privy_connection){.port = port, .socket = sockets[i]};
    return true;
  }
  return false;
}

/* Closing sends nothing, so the parent's connection continues. The child may have closed the descriptor and reused its
 * number: then the port differs. */
void privy_connections_close_copies(privy_connection *connections) {
  for (size_t i = 0; i < PRIVY_CONNECTIONS_MAX; i++) {
    if (connections[i].port > 0 && port_of(connections[i].socket) == connections[i].port) close(connections[i].socket);
    connections[i] = (privy_connection){0};
  }
}

void privy_connections_received(privy_connection *connections, int port) {
  privy_connection *connection = find(connections, port);
  if (connection) connection->last_received_at = privy_monotonic();
}

void privy_connections_set_http1(privy_connection *connections, int port, bool http1) {
  privy_connection *connection = find(connections, port);
  if (connection) connection->http1 = http1;
}

bool privy_connections_any_closed(const privy_connection *connections) {
  struct pollfd sockets[PRIVY_CONNECTIONS_MAX];
  nfds_t count = 0;
  for (size_t i = 0; i < PRIVY_CONNECTIONS_MAX; i++)
    if (connections[i].port > 0) sockets[count++] = (struct pollfd){.fd = connections[i].socket, .events = POLLRDHUP};
  bool closed = count > 0 && poll(sockets, count, 0) > 0;
  for (nfds_t i = 0; closed && i < count; i++)
    if (sockets[i].revents & CLOSED) return true;
  return false;
}

void privy_connections_forget(privy_connection *connections, int socket) {
  for (size_t i = 0; i < PRIVY_CONNECTIONS_MAX; i++)
    if (connections[i].port > 0 && connections[i].socket == socket) connections[i] = (privy_connection){0};
}

bool privy_connections_is_stale(privy_connection *connections, int port) {
  const privy_connection *connection = find(connections, port);
  char byte;
  if (!connection || !connection->http1) return false;
  return recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void privy_connections_retire(privy_connection *connections, int port, double sent_at) {
  const privy_connection *connection = find(connections, port);
  /* Only for reading: a write to a socket that is shut down for writing may raise SIGPIPE. */
  if (connection && connection->last_received_at <= sent_at) shutdown(connection->socket, SHUT_RD);
}
