/* A transfer is not sent if libcurl has no memory for its options: it would have another method or trust other
 * authorities. */
#include "harness.h"

#include <string.h>

#include "base/buffer.h"
#include "transport/transfer.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The option that fails, as if memory had run out. */
static CURLoption failing;
static CURLcode (*real)(CURL *easy, CURLoption option, ...);

static CURLcode set_option(CURL *easy, CURLoption option, ...) {
  va_list arguments;
  CURLcode result;
  if (option == failing) return CURLE_OUT_OF_MEMORY;
  va_start(arguments, option);
  if (option < CURLOPTTYPE_OBJECTPOINT)
    result = real(easy, option, va_arg(arguments, long));
  else if (option >= CURLOPTTYPE_OFF_T && option < CURLOPTTYPE_BLOB)
    result = real(easy, option, va_arg(arguments, curl_off_t));
  else
    result = real(easy, option, va_arg(arguments, void *));
  va_end(arguments);
  return result;
}

typedef struct scene {
  privy_libcurl curl;
  privy_connection kept[PRIVY_CONNECTIONS_MAX];
  privy_settings settings;
  privy_wire_request wire_request;
  privy_wire_response wire_response;
} scene;

static void scene_open(scene *s) {
  static char base[] = "https://api.example/v1", bundle[] = "bundle.pem", proxy[] = "http://proxy.example:1";
  const privy_libcurl *curl = privy_libcurl_load(NULL);
  assert_non_null(curl);
  *s = (scene){.curl = *curl};
  real = curl->easy_setopt;
  s->curl.easy_setopt = set_option;
  s->settings = (privy_settings){.base_url = base, .ca_bundle = bundle, .proxy = proxy, .max_response = 1000};
  s->wire_request = (privy_wire_request){.method = "PATCH",
                                         .url = base,
                                         .path = "/v1/contacts",
                                         .body = "{}",
                                         .body_length = 2,
                                         .timeout = 1,
                                         .connect_timeout = 1};
}

/* Whether a transfer of the request could be sent while `option` fails. */
static bool can_be_sent(scene *s, CURLoption option) {
  failing = option;
  privy_transfer *transfer = privy_transfer_new(&s->curl, &s->settings, s->kept);
  const bool ready =
      transfer && privy_transfer_prepare(transfer, &s->settings, &s->wire_request, &s->wire_response, NULL);
  if (transfer) privy_transfer_free(transfer);
  return ready;
}

static const CURLoption needed[] = {CURLOPT_ACCEPT_ENCODING, CURLOPT_CAINFO,         CURLOPT_PROXY_CAINFO,
                                    CURLOPT_CUSTOMREQUEST,   CURLOPT_REQUEST_TARGET, CURLOPT_CURLU,
                                    CURLOPT_PROXY,           CURLOPT_NOPROXY,
#if LIBCURL_VERSION_NUM >= 0x075500
                                    CURLOPT_PROTOCOLS_STR
#endif
};

static void options_that_libcurl_copies_are_required(void **state) {
  (void)state;
  scene s;
  scene_open(&s);
  assert_true(can_be_sent(&s, CURLOPT_LASTENTRY));
  for (size_t i = 0; i < COUNT(needed); i++) assert_false(can_be_sent(&s, needed[i]));
}

/* A libcurl without TLS for proxies does not know these options. */
static void options_that_libcurl_may_lack_are_optional(void **state) {
  (void)state;
  scene s;
  scene_open(&s);
  assert_true(can_be_sent(&s, CURLOPT_PROXY_CAPATH));
  assert_true(can_be_sent(&s, CURLOPT_HTTP_VERSION));
}

int main(void) {
  /* Unswept: only libcurl's memory runs out. */
  static harness_test tests[] = {TEST_UNSWEPT(options_that_libcurl_copies_are_required),
                                 TEST_UNSWEPT(options_that_libcurl_may_lack_are_optional)};
  return HARNESS_RUN(tests);
}
