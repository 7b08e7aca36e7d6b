#include "call/settings.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/host.h"
#include "base/memory.h"
#include "base/text.h"
#include "call/ca_bundle.h"
#include "message/error.h"
#include "policy/token.h"

#define DEFAULT_BASE_URL "https://api.privy.com/v1"
/* Of clients whose calls a sandbox answers in process: it looks like no real server, and .invalid never resolves. */
#define SANDBOX_BASE_URL "https://sandbox.invalid/v1"
#define DEFAULT_MAX_RESPONSE ((size_t)64 << 20)
/* A token may be as long as privy_token_text_is_safe allows; together they fit into the headers of a request. */
#define LONGEST_TEXT 4096
#define LONGEST_USER_AGENT 512

void privy_config_init(privy_config *config) {
  *config =
      (privy_config){.options = privy_default_options, .max_response = DEFAULT_MAX_RESPONSE, .allow_plain_http = -1};
}

void privy_settings_clear(privy_settings *settings) {
  char *const owned[] = {settings->token,     settings->client_id, settings->client_secret,
                         settings->scopes,    settings->base_url,  settings->token_url,
                         settings->ca_bundle, settings->proxy,     settings->user_agent};
  for (size_t i = 0; i < sizeof owned / sizeof owned[0]; i++) privy_free(owned[i]);
  *settings = (privy_settings){0};
}

/* Keeps a copy of the setting, or of the environment's; an empty text is none. */
static bool keep(char **field, const char *given, const char *variable) {
  const char *text = given ? given : variable ? getenv(variable) : NULL;
  if (!text || !*text) return true;
  *field = privy_copy(text, strlen(text));
  return *field != NULL;
}

static bool keep_all(privy_settings *settings, const privy_config *config) {
  bool sandbox = config->sandbox != NULL;
  const char *token = config->token;
  if (sandbox && !token && !config->client_id) token = PRIVY_SANDBOX_TOKEN;
  /* A client of the sandbox is its own world: the environment's credentials are not for it. */
  bool from_environment = !sandbox && !token && !config->client_id;
  return keep(&settings->token, token, from_environment ? "PRIVY_API_TOKEN" : NULL) &&
         keep(&settings->client_id, config->client_id, from_environment ? "PRIVY_CLIENT_ID" : NULL) &&
         keep(&settings->client_secret, config->client_secret, sandbox || token ? NULL : "PRIVY_CLIENT_SECRET") &&
         keep(&settings->scopes, config->scopes, sandbox ? NULL : "PRIVY_SCOPES") &&
         keep(&settings->base_url, sandbox ? SANDBOX_BASE_URL : config->base_url, "PRIVY_BASE_URL") &&
         (settings->base_url || keep(&settings->base_url, DEFAULT_BASE_URL, NULL)) &&
         keep(&settings->token_url, config->token_url, sandbox ? NULL : "PRIVY_TOKEN_URL") &&
         keep(&settings->ca_bundle, config->ca_bundle, "SSL_CERT_FILE") &&
         keep(&settings->proxy, config->proxy, NULL) && keep(&settings->user_agent, config->user_agent, NULL);
}

static bool allows_plain_http(const privy_config *config) {
  if (config->allow_plain_http >= 0) return config->allow_plain_http > 0;
  const char *variable = getenv("PRIVY_ALLOW_PLAIN_HTTP");
  return variable && strcmp(variable, "1") == 0;
}

/* ---- URLs ---- */

/* Host and port of a URL, and what lies before and behind. */
static bool split_url(const char *url, privy_slice *host, size_t *origin) {
  const char *authority = strstr(url, "://");
  if (!authority) return false;
  authority += 3;
  size_t length = strcspn(authority, "/?#");
  *origin = (size_t)(authority - url) + length;
  size_t name = length;
  if (*authority == '[') {
    const char *close = memchr(authority, ']', length);
    if (!close) return false;
    name = (size_t)(close - authority) + 1;
  } else {
    const char *colon = memchr(authority, ':', length);
    if (colon) name = (size_t)(colon - authority);
  }
  *host = (privy_slice){authority, name};
  return name > 0 && !memchr(authority, '@', length);
}

/* Whether the credentials are those of every sandbox, which protect nothing. */
static bool has_sandbox_credentials(const privy_settings *settings) {
  if (settings->token) return strcmp(settings->token, PRIVY_SANDBOX_TOKEN) == 0;
  return strcmp(settings->client_id, PRIVY_SANDBOX_CLIENT_ID) == 0 &&
         strcmp(settings->client_secret, PRIVY_SANDBOX_CLIENT_SECRET) == 0;
}

static const char *plain_http_fault(const privy_settings *settings) {
  if (!settings->allow_plain_http) return "must be https: plain http is for loopback addresses only";
  if (has_sandbox_credentials(settings)) return NULL;
  return "must be https: allow_plain_http is for the sandbox's own token or OAuth client only";
}

/* NULL when the URL may be called. */
static const char *url_fault(const privy_settings *settings, const char *url) {
  privy_slice host;
  size_t origin;
  for (const char *at = url; *at; at++)
    if (*at <= ' ' || *at > '~' || *at == '\\') return "must hold visible ASCII only";
  bool https = privy_text_starts(url, strlen(url), "https://");
  if (!https && !privy_text_starts(url, strlen(url), "http://")) return "must begin with https://";
  if (!split_url(url, &host, &origin)) return "must name a host, without user or password";
  if (strpbrk(url + origin, "?#")) return "must not carry a query or fragment";
  return https || privy_host_is_loopback(host) ? NULL : plain_http_fault(settings);
}

/* The length of the scheme of a proxy, "://" included; 0: another one. */
static size_t proxy_scheme(const char *url) {
  static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
    if (privy_text_starts(url, strlen(url), schemes[i])) return strlen(schemes[i]);
  return 0;
}

/* NULL when the URL can be a proxy's. It is never quoted, for it may hold a password. */
static const char *proxy_fault(const char *url) {
  for (const char *at = url; *at; at++)
    if (*at <= ' ' || *at > '~' || *at == '\\') return "must hold visible ASCII only";
  size_t scheme = proxy_scheme(url);
  if (!scheme) return "must begin with http://, https://, socks5:// or socks5h:// and name a host";
  const char *authority = url + scheme, *end = authority + strcspn(authority, "/?#");
  const char *sign = memchr(authority, '@', (size_t)(end - authority)), *host = sign ? sign + 1 : authority;
  if (strcmp(end, "") != 0 && strcmp(end, "/") != 0)
    return "must end with its host and port; in a password / is written %2F, ? %3F and # %23";
  if (memchr(host, '@', (size_t)(end - host))) return "must write @ in a user or password as %40";
  return host == end || *host == ':' ? "must name a host" : NULL;
}

static bool settle_urls(privy_settings *settings) {
  size_t length = strlen(settings->base_url);
  while (length > 0 && settings->base_url[length - 1] == '/') settings->base_url[--length] = '\0';
  privy_slice host;
  size_t origin = 0;
  if (!split_url(settings->base_url, &host, &origin)) return false;
  settings->base_path = settings->base_url + origin;
  if (settings->token_url) return true;
  privy_buffer url = PRIVY_BUFFER_EMPTY;
  if (!privy_buffer_append(&url, settings->base_url, origin) || !privy_buffer_text(&url, PRIVY_TOKEN_PATH) ||
      !privy_buffer_terminate(&url)) {
    privy_buffer_clear(&url);
    return false;
  }
  settings->token_url = url.data;
  return true;
}

/* ---- checks ---- */

static privy_status check_credentials(const privy_settings *settings, privy_error *error) {
  if (settings->token) {
    if (privy_token_text_is_safe(settings->token, strlen(settings->token))) return PRIVY_OK;
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "token must be visible ASCII without spaces");
  }
  if (settings->client_id && settings->client_secret) return PRIVY_OK;
  if (settings->client_id)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "client_id needs a client_secret (or PRIVY_CLIENT_SECRET)");
  return privy_error_set(error, PRIVY_CONFIG_ERROR,
                         "no credentials: give token, or client_id and client_secret, or set PRIVY_API_TOKEN");
}

/* A text that is longer than any header or URL would fail later, and say less. */
static privy_status check_lengths(const privy_settings *settings, privy_error *error) {
  const struct {
    const char *name, *text;
    size_t most;
  } texts[] = {{"token", settings->token, LONGEST_TEXT},
               {"client_id", settings->client_id, LONGEST_TEXT},
               {"client_secret", settings->client_secret, LONGEST_TEXT},
               {"scopes", settings->scopes, LONGEST_TEXT},
               {"base_url", settings->base_url, LONGEST_TEXT},
               {"token_url", settings->token_url, LONGEST_TEXT},
               {"ca_bundle", settings->ca_bundle, LONGEST_TEXT},
               {"proxy", settings->proxy, LONGEST_TEXT},
               {"user_agent", settings->user_agent, LONGEST_USER_AGENT}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (texts[i].text && strlen(texts[i].text) > texts[i].most)
      return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s must be at most %zu bytes", texts[i].name, texts[i].most);
  return PRIVY_OK;
}

static bool is_https(const char *url) {
  return url && privy_text_starts(url, strlen(url), "https://");
}

/* The environment's file is for all programs: it matters only when it is used. */
static privy_status check_ca_bundle(const privy_settings *settings, const privy_config *config, privy_error *error) {
  bool given = config->ca_bundle && *config->ca_bundle;
  bool used = given || is_https(settings->base_url) || is_https(settings->token_url);
  if (!settings->ca_bundle || !used || config->sandbox) return PRIVY_OK;
  const char *detail = privy_ca_bundle_error_message(settings->ca_bundle);
  if (!detail) return PRIVY_OK;
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "ca_bundle%s %s", given ? "" : " (from SSL_CERT_FILE)", detail);
}

privy_status privy_settings_read(privy_settings *settings, const privy_config *config, privy_error *error) {
  *settings = (privy_settings){.options = config->options, .max_response = config->max_response};
  settings->allow_plain_http = allows_plain_http(config);
  if (!keep_all(settings, config)) return privy_error_no_memory(error);
  if (check_lengths(settings, error) != PRIVY_OK || check_credentials(settings, error) != PRIVY_OK) return error->code;
  const char *detail = url_fault(settings, settings->base_url);
  if (detail) return privy_error_set(error, PRIVY_CONFIG_ERROR, "base_url %s", detail);
  detail = settings->token_url ? url_fault(settings, settings->token_url) : NULL;
  if (detail) return privy_error_set(error, PRIVY_CONFIG_ERROR, "token_url %s", detail);
  detail = settings->proxy ? proxy_fault(settings->proxy) : NULL;
  if (detail) return privy_error_set(error, PRIVY_CONFIG_ERROR, "proxy %s", detail);
  if (check_ca_bundle(settings, config, error) != PRIVY_OK) return error->code;
  if (privy_options_check(&settings->options, error) != PRIVY_OK) return error->code;
  for (const char *at = settings->user_agent ? settings->user_agent : ""; *at; at++)
    if (*at < ' ' || *at > '~') return privy_error_set(error, PRIVY_CONFIG_ERROR, "user_agent must be visible ASCII");
  return settle_urls(settings) ? PRIVY_OK : privy_error_no_memory(error);
}
