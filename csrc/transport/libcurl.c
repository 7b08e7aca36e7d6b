#include "transport/libcurl.h"

#include <pthread.h>
#include <stdio.h>

#include "base/fork.h"
#include "base/library.h"
#include "message/error.h"
#include "privy.h"

#if defined(__APPLE__)
static const char *const names[] = {"libcurl.4.dylib"};
#else
static const char *const names[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};
#endif

/* 7.80.0 */
#define OLDEST_VERSION 0x075000

static privy_libcurl libcurl;
static char load_error[256]; /* why libcurl cannot be used; "": it can */

static const char missing[] = "libcurl cannot be loaded: %.100s; install it (Debian, Ubuntu: libcurl4; Fedora, Alpine: "
                              "libcurl; macOS: brew install curl)";

static void *open_library(void) {
  char reason[128];
  void *library = privy_library_open(names, sizeof names / sizeof *names, reason, sizeof reason);
  if (!library) snprintf(load_error, sizeof load_error, missing, reason);
  return library;
}

static void find(void *library, const char *name, void *out) {
  if (!privy_library_find(library, name, out))
    snprintf(load_error, sizeof load_error, "libcurl cannot be used: it has no %s", name);
}

static void list_encodings(int features) {
  static const struct {
    int feature;
    const char *name;
  } known[] = {{CURL_VERSION_LIBZ, "deflate, gzip"}, {CURL_VERSION_BROTLI, "br"}, {CURL_VERSION_ZSTD, "zstd"}};
  size_t length = 0;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (features & known[i].feature)
      length += (size_t)snprintf(libcurl.encodings + length, sizeof libcurl.encodings - length, "%s%s",
                                 length ? ", " : "", known[i].name);
}

static void begin(void) {
  const curl_version_info_data *info = libcurl.version_info(CURLVERSION_NOW);
  snprintf(libcurl.agent, sizeof libcurl.agent, " libcurl/%s", info->version);
  list_encodings(info->features);
  if (info->version_num < OLDEST_VERSION) {
    snprintf(load_error, sizeof load_error, "libcurl %s cannot be used: privy needs 7.80 or newer", info->version);
    return;
  }
  CURLcode result = libcurl.global_init(CURL_GLOBAL_DEFAULT);
  if (result != CURLE_OK)
    snprintf(load_error, sizeof load_error, "libcurl cannot be used: %s", libcurl.easy_strerror(result));
}

static void load(void) {
  privy_fork_forbid();
  void *library = open_library();
#define X(name)                                                                                                        \
  if (!*load_error) find(library, "curl_" #name, &libcurl.name);
  PRIVY_LIBCURL(X)
#undef X
  if (!*load_error) begin();
  privy_fork_allow();
}

const privy_libcurl *privy_libcurl_load(privy_error *error) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  if (!*load_error) return &libcurl;
  privy_error_set(error, PRIVY_CONFIG_ERROR, "%s", load_error);
  return NULL;
}

privy_status privy_network_library_load(privy_network_library *out, privy_error *error) {
  const privy_libcurl *curl = privy_libcurl_load(error);
  if (!curl) return error->code;
  const curl_version_info_data *info = curl->version_info(CURLVERSION_NOW);
  *out = (privy_network_library){info->version, info->ssl_version, info->cainfo, info->capath, curl->encodings};
  return PRIVY_OK;
}
