/*
 * libcurl, loaded when the first client of the network is created: importing the package and using the sandbox do not
 * need it. This is the only header that includes libcurl's, for libcurl.c, transfer.c and engine.c.
 */
#ifndef PRIVY_TRANSPORT_LIBCURL_H
#define PRIVY_TRANSPORT_LIBCURL_H

#include <curl/curl.h>

#include "privy.h"

#if LIBCURL_VERSION_NUM < 0x075000
#error "privy needs libcurl 7.80 or newer: CURLOPT_PREREQFUNCTION keeps a request from being sent twice"
#endif

#define PRIVY_LIBCURL(X)                                                                                               \
  X(global_init)                                                                                                       \
  X(version_info)                                                                                                      \
  X(easy_init)                                                                                                         \
  X(easy_cleanup)                                                                                                      \
  X(easy_setopt)                                                                                                       \
  X(easy_getinfo)                                                                                                      \
  X(easy_strerror)                                                                                                     \
  X(url)                                                                                                               \
  X(url_set)                                                                                                           \
  X(url_strerror)                                                                                                      \
  X(url_cleanup)                                                                                                       \
  X(multi_init)                                                                                                        \
  X(multi_cleanup)                                                                                                     \
  X(multi_setopt)                                                                                                      \
  X(multi_add_handle)                                                                                                  \
  X(multi_remove_handle)                                                                                               \
  X(multi_info_read)                                                                                                   \
  X(multi_perform)                                                                                                     \
  X(multi_poll)                                                                                                        \
  X(multi_wakeup)                                                                                                      \
  X(multi_socket_action)

/* libcurl's functions, without the prefix curl_. */
typedef struct privy_libcurl {
#define X(name) __typeof__(curl_##name) *name;
  PRIVY_LIBCURL(X)
#undef X
  char agent[64];     /* " libcurl/8.5.0" */
  char encodings[32]; /* that libcurl can decode, such as "gzip, br"; "": none */
} privy_libcurl;

/* The library, which stays loaded. NULL with PRIVY_CONFIG_ERROR in `error` if it cannot be used. */
const privy_libcurl *privy_libcurl_load(privy_error *error);

#endif
