/* Names and addresses of hosts, as URLs and Host headers write them. Nothing is resolved. */
#ifndef PRIVY_BASE_HOST_H
#define PRIVY_BASE_HOST_H

#include "base/text.h"

/* Whether the host is "localhost", an address of 127.0.0.0/8 in four decimal parts, or ::1, in brackets or without. */
bool privy_host_is_loopback(privy_slice host);
/* Whether the host is an IPv4 address in four decimal parts, or an IPv6 address in brackets or without. */
bool privy_host_is_address(privy_slice host);

#endif
