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
#include "privy_sandbox.h"

#define DEFAULT_BASE_URL "https://api.privy.com/v1"
/* The base URL of clients of an in-process sandbox. The domain .invalid never resolves. */
#define SANDBOX_BASE_URL "https://sandbox.invalid/v1"
#define DEFAULT_MAX_RESPONSE ((size_t)64 << 20)
/* Bytes. The token is as long as privy_token_text_is_safe allows; all texts together fit into the headers of a
 * request. */
#define MAX_TEXT 4096
#define MAX_USER_AGENT 512

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

/* Where the text of a setting comes from. An empty text is no text. */
typedef struct text_source {
  char **setting;
  const char *given;
  const char *variable; /* of the environment… */
  bool allowed;         /* …which is read if no text is given */
} text_source;

/* False when memory runs out. */
static bool copy_text(const text_source *source) {
  const char *text = source->given ? source->given : source->allowed ? getenv(source->variable) : NULL;
  if (!text || !*text) return true;
  *source->setting = privy_copy(text, strlen(text));
  return *source->setting != NULL;
}

/* The environment's credentials are for the network: clients of a sandbox ignore them. Given credentials of one kind
 * exclude those of the other kind. */
static bool copy_texts(privy_settings *settings, const privy_config *config) {
  const bool network = !config->sandbox;
  const char *token = config->token ? config->token : network || config->client_id ? NULL : PRIVY_SANDBOX_TOKEN;
  const char *base_url = network ? config->base_url : SANDBOX_BASE_URL;
  const bool no_credentials = network && !token && !config->client_id;
  const text_source sources[] = {
      {&settings->token, token, "PRIVY_API_TOKEN", no_credentials},
      {&settings->client_id, config->client_id, "PRIVY_CLIENT_ID", no_credentials},
      {&settings->client_secret, config->client_secret, "PRIVY_CLIENT_SECRET", network && !token},
      {&settings->scopes, config->scopes, "PRIVY_SCOPES", network},
      {&settings->base_url, base_url, "PRIVY_BASE_URL", network},
      {&settings->token_url, config->token_url, "PRIVY_TOKEN_URL", network},
      {&settings->ca_bundle, config->ca_bundle, "SSL_CERT_FILE", true},
      {&settings->proxy, config->proxy, NULL, false},
      {&settings->user_agent, config->user_agent, NULL, false}};
  for (size_t i = 0; i < sizeof sources / sizeof *sources; i++)
    if (!copy_text(&sources[i])) return false;
  const text_source default_url = {&settings->base_url, DEFAULT_BASE_URL, NULL, false};
  return settings->base_url || copy_text(&default_url);
}

static bool allows_plain_http(const privy_config *config) {
  if (config->allow_plain_http >= 0) return config->allow_plain_http > 0;
  const char *variable = getenv("PRIVY_ALLOW_PLAIN_HTTP");
  return variable && strcmp(variable, "1") == 0;
}

/* ---- URLs ---- */

/* Finds the host (without port) of a URL, and the length of its origin: scheme, host and port. False if the URL has no
 * host, or has a user. */
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

bool privy_settings_are_sandbox(const privy_settings *settings) {
  if (settings->token) return strcmp(settings->token, PRIVY_SANDBOX_TOKEN) == 0;
  return strcmp(settings->client_id, PRIVY_SANDBOX_CLIENT_ID) == 0 &&
         strcmp(settings->client_secret, PRIVY_SANDBOX_CLIENT_SECRET) == 0;
}

static const char *plain_http_error_message(const privy_settings *settings) {
  if (!settings->allow_plain_http) return "must be https: plain http is for loopback addresses only";
  if (privy_settings_are_sandbox(settings)) return NULL;
  return "must be https: allow_plain_http is for the sandbox's own token or OAuth client only";
}

static bool is_visible(const char *text) {
  for (; *text; text++)
    if (*text <= ' ' || *text > '~') return false;
  return true;
}

/* NULL, or why the URL may not be called. */
static const char *url_error_message(const privy_settings *settings, const char *url) {
  privy_slice host;
  size_t origin;
  if (!is_visible(url) || strchr(url, '\\')) return "must hold visible ASCII only";
  bool https = privy_text_starts(url, strlen(url), "https://");
  if (!https && !privy_text_starts(url, strlen(url), "http://")) return "must begin with https://";
  if (!split_url(url, &host, &origin)) return "must name a host, without user or password";
  if (strpbrk(url + origin, "?#")) return "must not carry a query or fragment";
  return https || privy_host_is_loopback(host) ? NULL : plain_http_error_message(settings);
}

/* The length of a proxy's scheme, "://" included; 0 for a scheme that is not supported. */
static size_t proxy_scheme(const char *url) {
  static const char *const schemes[] = {"http://", "https://", "socks5://", "socks5h://"};
  for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++)
    if (privy_text_starts(url, strlen(url), schemes[i])) return strlen(schemes[i]);
  return 0;
}

/* NULL, or why the URL cannot be that of a proxy. The text does not quote it: it may contain a password. */
static const char *proxy_error_message(const privy_settings *settings, const char *url) {
  (void)settings;
  if (!is_visible(url) || strchr(url, '\\')) return "must hold visible ASCII only";
  size_t scheme = proxy_scheme(url);
  if (!scheme) return "must begin with http://, https://, socks5:// or socks5h:// and name a host";
  const char *authority = url + scheme, *end = authority + strcspn(authority, "/?#");
  const char *sign = memchr(authority, '@', (size_t)(end - authority)), *host = sign ? sign + 1 : authority;
  if (strcmp(end, "") != 0 && strcmp(end, "/") != 0)
    return "must end with its host and port; in a password / is written %2F, ? %3F and # %23";
  if (memchr(host, '@', (size_t)(end - host))) return "must write @ in a user or password as %40";
  return host == end || *host == ':' ? "must name a host" : NULL;
}

/* Removes slashes from the end of base_url; sets base_path and, unless it is given, token_url. False when memory runs
 * out. */
static bool complete_urls(privy_settings *settings) {
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

/* Longer texts fit into no header or URL. */
static privy_status check_lengths(const privy_settings *settings, privy_error *error) {
  const struct {
    const char *name, *text;
    size_t limit;
  } texts[] = {{"token", settings->token, MAX_TEXT},
               {"client_id", settings->client_id, MAX_TEXT},
               {"client_secret", settings->client_secret, MAX_TEXT},
               {"scopes", settings->scopes, MAX_TEXT},
               {"base_url", settings->base_url, MAX_TEXT},
               {"token_url", settings->token_url, MAX_TEXT},
               {"ca_bundle", settings->ca_bundle, MAX_TEXT},
               {"proxy", settings->proxy, MAX_TEXT},
               {"user_agent", settings->user_agent, MAX_USER_AGENT}};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
    if (texts[i].text && strlen(texts[i].text) > texts[i].limit)
      return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s must be at most %zu bytes", texts[i].name, texts[i].limit);
  return PRIVY_OK;
}

static bool is_https(const char *url) {
  return url && privy_text_starts(url, strlen(url), "https://");
}

/* SSL_CERT_FILE is for all programs: it is only checked if a URL uses it. */
static privy_status check_ca_bundle(const privy_settings *settings, const privy_config *config, privy_error *error) {
  bool given = config->ca_bundle && *config->ca_bundle;
  bool used = given || is_https(settings->base_url) || is_https(settings->token_url);
  if (!settings->ca_bundle || !used || config->sandbox) return PRIVY_OK;
  const char *detail = privy_ca_bundle_error_message(settings->ca_bundle);
  if (!detail) return PRIVY_OK;
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "ca_bundle%s %s", given ? "" : " (from SSL_CERT_FILE)", detail);
}

static const char *user_agent_error_message(const privy_settings *settings, const char *text) {
  (void)settings;
  for (; *text; text++)
    if (*text < ' ' || *text > '~') return "must be visible ASCII";
  return NULL;
}

static privy_status check_texts(const privy_settings *settings, privy_error *error) {
  const struct {
    const char *name, *text;
    const char *(*error_message)(const privy_settings *settings, const char *text);
  } checks[] = {{"base_url", settings->base_url, url_error_message},
                {"token_url", settings->token_url, url_error_message},
                {"proxy", settings->proxy, proxy_error_message},
                {"user_agent", settings->user_agent, user_agent_error_message}};
  for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
    const char *message = checks[i].text ? checks[i].error_message(settings, checks[i].text) : NULL;
    if (message) return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s %s", checks[i].name, message);
  }
  return PRIVY_OK;
}

privy_status privy_settings_read(privy_settings *settings, const privy_config *config, privy_error *error) {
  *settings = (privy_settings){.options = config->options, .max_response = config->max_response};
  settings->allow_plain_http = allows_plain_http(config);
  if (!copy_texts(settings, config)) return privy_error_no_memory(error);
  if (check_lengths(settings, error) != PRIVY_OK || check_credentials(settings, error) != PRIVY_OK ||
      check_texts(settings, error) != PRIVY_OK || check_ca_bundle(settings, config, error) != PRIVY_OK ||
      privy_options_check(&settings->options, error) != PRIVY_OK)
    return error->code;
  return complete_urls(settings) ? PRIVY_OK : privy_error_no_memory(error);
}
