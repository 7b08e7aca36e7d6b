#include "base/host.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define IPV6_LENGTH 16

/* Reads the address of `family`; false when the host is not one. inet_pton takes no short forms, octal or names. */
static bool read_address(privy_slice host, int family, unsigned char address[IPV6_LENGTH]) {
  char text[INET6_ADDRSTRLEN];
  if (host.length >= sizeof text || memchr(host.text, '\0', host.length)) return false;
  memcpy(text, host.text, host.length);
  text[host.length] = '\0';
  return inet_pton(family, text, address) == 1;
}

static privy_slice without_brackets(privy_slice host) {
  if (host.length < 2 || host.text[0] != '[' || host.text[host.length - 1] != ']') return host;
  return (privy_slice){host.text + 1, host.length - 2};
}

static bool is_ipv6_loopback(const unsigned char address[IPV6_LENGTH]) {
  static const unsigned char loopback[IPV6_LENGTH] = {[IPV6_LENGTH - 1] = 1};
  return memcmp(address, loopback, IPV6_LENGTH) == 0;
}

bool privy_host_is_loopback(privy_slice host) {
  unsigned char address[IPV6_LENGTH];
  if (privy_text_is_nocase(host.text, host.length, "localhost")) return true;
  if (read_address(host, AF_INET, address)) return address[0] == 127;
  return read_address(without_brackets(host), AF_INET6, address) && is_ipv6_loopback(address);
}

bool privy_host_is_address(privy_slice host) {
  unsigned char address[IPV6_LENGTH];
  return read_address(host, AF_INET, address) || read_address(without_brackets(host), AF_INET6, address);
}
