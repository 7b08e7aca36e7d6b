/*
 * Which requests a served sandbox takes, by the host that they name and the web page that they come from. A page of any
 * site can make a browser send requests to this machine (CSRF), and can have its own name resolve to this machine (DNS
 * rebinding): both are refused.
 */
#ifndef PRIVY_SANDBOX_HOST_FILTER_H
#define PRIVY_SANDBOX_HOST_FILTER_H

#include "sandbox/http_head.h"

typedef struct privy_host_filter {
  char *host;    /* the address that the server listens on */
  char *allowed; /* further host names, separated by spaces */
} privy_host_filter;

/* False when memory runs out. NULL is an empty text. */
PRIVY_NODISCARD bool privy_host_filter_init(privy_host_filter *filter, const char *host, const char *allowed);
void privy_host_filter_clear(privy_host_filter *filter);
privy_refusal privy_host_filter_check(const privy_host_filter *filter, const privy_http_head *head);

#endif
