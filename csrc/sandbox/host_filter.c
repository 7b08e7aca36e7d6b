#include "sandbox/host_filter.h"

#include "base/host.h"
#include "base/memory.h"

bool privy_host_filter_init(privy_host_filter *filter, const char *host, const char *allowed) {
  if (!host) host = "";
  if (!allowed) allowed = "";
  filter->host = privy_copy(host, strlen(host));
  filter->allowed = privy_copy(allowed, strlen(allowed));
  return filter->host && filter->allowed;
}

void privy_host_filter_clear(privy_host_filter *filter) {
  privy_free(filter->host);
  privy_free(filter->allowed);
}

static bool are_digits(privy_slice text) {
  for (size_t i = 0; i < text.length; i++)
    if (!privy_is_digit(text.text[i])) return false;
  return true;
}

/* The host of "host", "host:port" or "[host]:port"; empty for any other text. */
static privy_slice host_of(privy_slice authority) {
  size_t length = 0;
  if (authority.length && *authority.text == '[') {
    const char *close = memchr(authority.text, ']', authority.length);
    if (close) length = (size_t)(close - authority.text) + 1;
  } else {
    while (length < authority.length && authority.text[length] != ':') length++;
  }
  const privy_slice port = {authority.text + length, authority.length - length};
  const bool well_formed =
      !port.length || (*port.text == ':' && are_digits((privy_slice){port.text + 1, port.length - 1}));
  return (privy_slice){authority.text, well_formed ? length : 0};
}

static bool is_allowed(const privy_host_filter *filter, privy_slice host) {
  privy_slice list = {filter->allowed, strlen(filter->allowed)}, word;
  while (privy_next_word(&list, ' ', &word))
    if (privy_text_equal_nocase(word.text, word.length, host.text, host.length)) return true;
  return false;
}

/* An address cannot be rebound: it is taken from other machines where they can reach the server. */
static bool admits_host(const privy_host_filter *filter, privy_slice host) {
  const privy_slice own = {filter->host, strlen(filter->host)};
  if (!host.length) return false;
  if (privy_host_is_loopback(host) || is_allowed(filter, host)) return true;
  if (privy_host_is_loopback(own)) return false;
  return privy_text_equal_nocase(own.text, own.length, host.text, host.length) || privy_host_is_address(host);
}

static bool admits_origin(const privy_host_filter *filter, const privy_http_head *head) {
  static const char *const schemes[] = {"http://", "https://"};
  const privy_slice origin = head->origin;
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
    const size_t length = strlen(schemes[i]);
    if (!privy_text_starts(origin.text, origin.length, schemes[i])) continue;
    const privy_slice authority = {origin.text + length, origin.length - length}, host = host_of(authority);
    return privy_host_is_loopback(host) || is_allowed(filter, host) ||
           privy_text_equal_nocase(authority.text, authority.length, head->host.text, head->host.length);
  }
  return false;
}

privy_refusal privy_host_filter_check(const privy_host_filter *filter, const privy_http_head *head) {
  static const privy_refusal no_host = {400, "bad_request", "The request has no Host header."};
  static const privy_refusal other_host = {
      421, "misdirected_request", "The sandbox does not accept this host name. Start it with --allow-host NAME."};
  static const privy_refusal other_page = {403, "foreign_origin",
                                           "The sandbox does not accept requests from web pages of other hosts."};
  if (!head->host.length) return no_host;
  if (!admits_host(filter, host_of(head->host))) return other_host;
  const bool foreign = head->origin.text ? !admits_origin(filter, head)
                                         : privy_text_is(head->site.text, head->site.length, "cross-site");
  return foreign ? other_page : (privy_refusal){0};
}
