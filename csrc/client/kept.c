#define _GNU_SOURCE /* POLLRDHUP */

#include "client/kept.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/transport.h"

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

/* The connection when it is remembered. */
static privy_kept *find(privy_kept *kept, int port) {
  privy_kept *place = port > 0 ? &kept[port % PRIVY_KEPT] : NULL;
  return place && place->port == port ? place : NULL;
}

bool privy_kept_add(privy_kept *kept, int port, const int sockets[2]) {
  for (int i = 0; i < 2; i++) {
    if (sockets[i] < 0 || port_of(sockets[i]) != port) continue;
    if (port > 0) kept[port % PRIVY_KEPT] = (privy_kept){.port = port, .socket = sockets[i]};
    return true;
  }
  return false;
}

/* Nothing is sent, so that the parent's connection goes on. The child may have closed the descriptor and opened it as
 * something else: then its port is another one. */
void privy_kept_close_copies(privy_kept *kept) {
  for (size_t i = 0; i < PRIVY_KEPT; i++) {
    if (kept[i].port > 0 && port_of(kept[i].socket) == kept[i].port) close(kept[i].socket);
    kept[i] = (privy_kept){0};
  }
}

void privy_kept_hear(privy_kept *kept, int port) {
  privy_kept *place = find(kept, port);
  if (place) place->heard = privy_monotonic();
}

void privy_kept_set_http1(privy_kept *kept, int port, bool http1) {
  privy_kept *place = find(kept, port);
  if (place) place->http1 = http1;
}

bool privy_kept_any_closed(const privy_kept *kept) {
  struct pollfd sockets[PRIVY_KEPT];
  nfds_t count = 0;
  for (size_t i = 0; i < PRIVY_KEPT; i++)
    if (kept[i].port > 0) sockets[count++] = (struct pollfd){.fd = kept[i].socket, .events = POLLRDHUP};
  bool closed = count > 0 && poll(sockets, count, 0) > 0;
  for (nfds_t i = 0; closed && i < count; i++)
    if (sockets[i].revents & CLOSED) return true;
  return false;
}

void privy_kept_forget(privy_kept *kept, int socket) {
  for (size_t i = 0; i < PRIVY_KEPT; i++)
    if (kept[i].port > 0 && kept[i].socket == socket) kept[i] = (privy_kept){0};
}

bool privy_kept_is_stale(privy_kept *kept, int port) {
  const privy_kept *place = find(kept, port);
  char byte;
  if (!place || !place->http1) return false;
  return recv(place->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

void privy_kept_hang_up(privy_kept *kept, int port, double sent_at) {
  const privy_kept *place = find(kept, port);
  /* Only for reading: to write to a socket that is shut down for writing may raise SIGPIPE. */
  if (place && place->heard <= sent_at) shutdown(place->socket, SHUT_RD);
}
