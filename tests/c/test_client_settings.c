/* Settings: given ones, those of the environment, defaults, and invalid ones. */
#define _POSIX_C_SOURCE 200809L

#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/settings.h"
#include "environment.h"
#include "privy_sandbox.h"
#include "temporary.h"

/* Each variable has another valid value. */
static void full_environment(const temporary *bundle) {
  const char *const values[] = {
      "env-token", "env-id", "env-secret", "env scopes", "https://env.example/v9/", "https://env.example/token",
      bundle->path};
  for (size_t i = 0; i < COUNT(variables); i++) setenv(variables[i], values[i], 1);
}

static void assert_setting(const char *setting, const char *expected) {
  assert_string_equal(setting ? setting : "none", expected ? expected : "none");
}

static void settings_have_defaults(void **state) {
  (void)state;
  privy_config config;
  privy_settings settings = {0};
  privy_error error;
  privy_error_init(&error);
  empty_environment();
  privy_config_init(&config);
  config.token = "t";
  CHECK_OK(privy_settings_read(&settings, &config, &error));
  assert_setting(settings.token, "t");
  assert_setting(settings.client_id, NULL);
  assert_setting(settings.scopes, NULL);
  assert_setting(settings.base_url, "https://api.privy.com/v1");
  assert_setting(settings.token_url, "https://api.privy.com/oauth/token");
  assert_setting(settings.ca_bundle, NULL);
  assert_setting(settings.user_agent, NULL);
  assert_true(settings.options.timeout == 30 && settings.options.connect_timeout == 5);
  assert_true(settings.options.max_wait == 90 && settings.options.max_retries == 3);
  assert_int_equal(settings.max_response, (size_t)64 << 20);
  assert_false(privy_settings_are_sandbox(&settings));
done:
  privy_settings_clear(&settings);
  privy_error_clear(&error);
}

static void missing_settings_come_from_the_environment(void **state) {
  (void)state;
  privy_config config;
  privy_settings settings = {0};
  privy_error error;
  const temporary bundle = temporary_make(PEM("CERTIFICATE"));
  privy_error_init(&error);
  full_environment(&bundle);
  privy_config_init(&config);
  CHECK_OK(privy_settings_read(&settings, &config, &error));
  assert_setting(settings.token, "env-token");
  assert_setting(settings.base_url, "https://env.example/v9");
  assert_setting(settings.token_url, "https://env.example/token");
  assert_setting(settings.ca_bundle, bundle.path);
  privy_settings_clear(&settings);
  unsetenv("PRIVY_API_TOKEN");
  unsetenv("PRIVY_TOKEN_URL");
  CHECK_OK(privy_settings_read(&settings, &config, &error));
  assert_setting(settings.token, NULL);
  assert_setting(settings.client_id, "env-id");
  assert_setting(settings.client_secret, "env-secret");
  assert_setting(settings.scopes, "env scopes");
  assert_setting(settings.token_url, "https://env.example/oauth/token");
done:
  privy_settings_clear(&settings);
  privy_error_clear(&error);
  empty_environment();
  temporary_remove(&bundle);
}

static void given_settings_override_the_environment(void **state) {
  (void)state;
  privy_config config;
  privy_settings settings = {0};
  privy_error error;
  const temporary bundle = temporary_make(PEM("CERTIFICATE")), other = temporary_make(PEM("CERTIFICATE"));
  privy_error_init(&error);
  full_environment(&bundle);
  privy_config_init(&config);
  config.client_id = "id";
  config.scopes = "given";
  config.base_url = "http://127.0.0.1:8089/v1//";
  config.token_url = "http://localhost:1/t";
  config.ca_bundle = other.path;
  config.user_agent = "python/3.12.1";
  CHECK_OK(privy_settings_read(&settings, &config, &error));
  /* A client with a given client_id ignores the environment's token. */
  assert_setting(settings.token, NULL);
  assert_setting(settings.client_id, "id");
  assert_setting(settings.client_secret, "env-secret");
  assert_setting(settings.scopes, "given");
  assert_setting(settings.base_url, "http://127.0.0.1:8089/v1");
  assert_setting(settings.base_path, "/v1");
  assert_setting(settings.token_url, "http://localhost:1/t");
  assert_setting(settings.ca_bundle, other.path);
  assert_setting(settings.user_agent, "python/3.12.1");
  privy_settings_clear(&settings);
  privy_config_init(&config);
  config.token = "t";
  CHECK_OK(privy_settings_read(&settings, &config, &error));
  assert_setting(settings.token, "t");
  assert_setting(settings.client_id, NULL);
  assert_setting(settings.client_secret, NULL);
done:
  privy_settings_clear(&settings);
  privy_error_clear(&error);
  empty_environment();
  temporary_remove(&bundle);
  temporary_remove(&other);
}

static void clients_of_a_sandbox_ignore_the_environment(void **state) {
  (void)state;
  privy_config config;
  privy_settings settings = {0};
  privy_sandbox *sandbox = NULL;
  privy_error error;
  const temporary missing = {"/tmp/privy-test-missing"};
  privy_error_init(&error);
  full_environment(&missing);
  privy_config_init(&config);
  CHECK_OK(privy_sandbox_new(&sandbox));
  config.sandbox = sandbox;
  CHECK_OK(privy_settings_read(&settings, &config, &error));
  assert_setting(settings.token, PRIVY_SANDBOX_TOKEN);
  assert_setting(settings.client_id, NULL);
  assert_setting(settings.scopes, NULL);
  assert_setting(settings.base_url, "https://sandbox.invalid/v1");
  assert_setting(settings.token_url, "https://sandbox.invalid/oauth/token");
  privy_settings_clear(&settings);
  config.client_id = PRIVY_SANDBOX_CLIENT_ID;
  CHECK_STATUS(privy_settings_read(&settings, &config, &error), PRIVY_CONFIG_ERROR);
  privy_settings_clear(&settings);
  config.client_secret = PRIVY_SANDBOX_CLIENT_SECRET;
  CHECK_OK(privy_settings_read(&settings, &config, &error));
  assert_setting(settings.token, NULL);
done:
  privy_settings_clear(&settings);
  privy_sandbox_release(sandbox);
  privy_error_clear(&error);
  empty_environment();
}

/* ---- invalid settings -------------------------------------------------------------------------------------------- */

static const char no_credentials[] =
    "no credentials: give token, or client_id and client_secret, or set PRIVY_API_TOKEN";
static const char bad_token[] = "token must be visible ASCII without spaces";

static const struct {
  const char *token, *client_id, *client_secret, *message;
} credentials[] = {
    {NULL, NULL, NULL, no_credentials},
    {"", NULL, NULL, no_credentials},
    {NULL, "", "", no_credentials},
    {NULL, NULL, "secret", no_credentials},
    {NULL, "id", NULL, "client_id needs a client_secret (or PRIVY_CLIENT_SECRET)"},
    {NULL, "id", "", "client_id needs a client_secret (or PRIVY_CLIENT_SECRET)"},
    {"a b", NULL, NULL, bad_token},
    {"a\r\nX: y", NULL, NULL, bad_token},
    {"a\n", NULL, NULL, bad_token},
    {"\xC3\xA9", NULL, NULL, bad_token},
};

static void invalid_credentials_are_refused(void **state) {
  (void)state;
  privy_config config;
  privy_client *client = NULL;
  privy_error error;
  privy_error_init(&error);
  empty_environment();
  for (size_t i = 0; i < COUNT(credentials); i++) {
    privy_config_init(&config);
    config.token = credentials[i].token;
    config.client_id = credentials[i].client_id;
    config.client_secret = credentials[i].client_secret;
    CHECK_STATUS(privy_client_new(&config, &client, &error), PRIVY_CONFIG_ERROR);
    assert_null(client);
    assert_string_equal(error.message, credentials[i].message);
  }
done:
  privy_client_free(client);
  privy_error_clear(&error);
}

static const char *const right_urls[] = {
    "https://api.example",  "https://api.example:8443/v1/x/", "http://localhost",
    "http://LOCALHOST:80/", "http://127.0.0.1:8089/v1",       "http://127.1.2.3",
    "http://[::1]:99/v1",   "https://[2001:db8::1]/v1",       "https://x",
};

static const struct {
  const char *url, *message;
} wrong_urls[] = {
    {"api.example", "must begin with https://"},
    {"ftp://api.example", "must begin with https://"},
    {"file:///etc/passwd", "must begin with https://"},
    {"HTTPS://api.example", "must begin with https://"},
    {"https://", "must name a host, without user or password"},
    {"https:///v1", "must name a host, without user or password"},
    {"https://:443", "must name a host, without user or password"},
    {"https://user:pass@api.example", "must name a host, without user or password"},
    {"http://127.0.0.1@evil.example", "must name a host, without user or password"},
    {"http://[::1", "must name a host, without user or password"},
    {"https://api.example/v1?x=1", "must not carry a query or fragment"},
    {"https://api.example#x", "must not carry a query or fragment"},
    {"https://api.example/a b", "must hold visible ASCII only"},
    {"https://api.example/\r\n", "must hold visible ASCII only"},
    {"https://api.ex\xC3\xA4mple", "must hold visible ASCII only"},
    {"http://127.0.0.1\\@evil.example", "must hold visible ASCII only"},
    {"http://api.example", "must be https: plain http is for loopback addresses only"},
    {"http://127.evil.example", "must be https: plain http is for loopback addresses only"},
    {"http://localhost.evil.example", "must be https: plain http is for loopback addresses only"},
    {"http://127.0.0.1.5", "must be https: plain http is for loopback addresses only"},
    {"http://127.", "must be https: plain http is for loopback addresses only"},
    {"http://127.1", "must be https: plain http is for loopback addresses only"},
    {"http://10.0.0.1", "must be https: plain http is for loopback addresses only"},
    {"http://0.0.0.0", "must be https: plain http is for loopback addresses only"},
    {"http://[::2]", "must be https: plain http is for loopback addresses only"},
};

static void proxies_and_the_reserve_are_checked(void **state) {
  (void)state;
  static const char *const right[] = {"http://p:3128", "https://u:p@p", "socks5://127.0.0.1:1080", "socks5h://[::1]"};
  static const char *const wrong[] = {"p:3128", "ftp://p", "http://", "http://a b", "http://a\n"};
  privy_config config;
  privy_settings settings = {0};
  privy_error error;
  privy_error_init(&error);
  empty_environment();
  privy_config_init(&config);
  config.token = "t";
  for (size_t i = 0; i < COUNT(right); i++) {
    config.proxy = right[i];
    CHECK_OK(privy_settings_read(&settings, &config, &error));
    assert_setting(settings.proxy, right[i]);
    privy_settings_clear(&settings);
  }
  for (size_t i = 0; i < COUNT(wrong); i++) {
    config.proxy = wrong[i];
    CHECK_STATUS(privy_settings_read(&settings, &config, &error), PRIVY_CONFIG_ERROR);
    assert_int_equal(strncmp(error.message, "proxy must ", 11), 0);
    privy_settings_clear(&settings);
  }
  config.proxy = NULL;
  config.options.reserve = -1;
  CHECK_STATUS(privy_settings_read(&settings, &config, &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "reserve must be a whole number of requests a minute, 0 or more");
done:
  privy_settings_clear(&settings);
  privy_error_clear(&error);
}

static const char for_loopback[] = "base_url must be https: plain http is for loopback addresses only";
static const char for_sandboxes[] =
    "base_url must be https: allow_plain_http is for the sandbox's own token or OAuth client only";

static const struct {
  const char *token, *client_id, *client_secret, *variable;
  int allowed;
  const char *message; /* NULL: it is valid */
} plain_cases[] = {
    {PRIVY_SANDBOX_TOKEN, NULL, NULL, NULL, -1, for_loopback},
    {PRIVY_SANDBOX_TOKEN, NULL, NULL, NULL, 0, for_loopback},
    {PRIVY_SANDBOX_TOKEN, NULL, NULL, NULL, 1, NULL},
    {PRIVY_SANDBOX_TOKEN, NULL, NULL, "1", -1, NULL},
    {PRIVY_SANDBOX_TOKEN, NULL, NULL, "1", 0, for_loopback},
    {PRIVY_SANDBOX_TOKEN, NULL, NULL, "0", -1, for_loopback},
    {PRIVY_SANDBOX_TOKEN, NULL, NULL, "", -1, for_loopback},
    {PRIVY_SANDBOX_TOKEN "0", NULL, NULL, NULL, 1, for_sandboxes},
    {"privy_0000000000000000000000000000000000000000", NULL, NULL, NULL, 1, for_sandboxes},
    {"t", NULL, NULL, "1", -1, for_sandboxes},
    {NULL, PRIVY_SANDBOX_CLIENT_ID, PRIVY_SANDBOX_CLIENT_SECRET, NULL, 1, NULL},
    {NULL, PRIVY_SANDBOX_CLIENT_ID, "secret", NULL, 1, for_sandboxes},
    {NULL, "id", PRIVY_SANDBOX_CLIENT_SECRET, NULL, 1, for_sandboxes},
};

static void plain_http_is_for_sandboxes(void **state) {
  (void)state;
  privy_config config;
  privy_settings settings = {0};
  privy_error error;
  privy_error_init(&error);
  empty_environment();
  for (size_t i = 0; i < COUNT(plain_cases); i++) {
    privy_config_init(&config);
    config.token = plain_cases[i].token;
    config.client_id = plain_cases[i].client_id;
    config.client_secret = plain_cases[i].client_secret;
    config.base_url = "http://privy:8089/v1";
    config.allow_plain_http = plain_cases[i].allowed;
    if (plain_cases[i].variable) setenv("PRIVY_ALLOW_PLAIN_HTTP", plain_cases[i].variable, 1);
    const char *message = plain_cases[i].message;
    CHECK_STATUS(privy_settings_read(&settings, &config, &error), message ? PRIVY_CONFIG_ERROR : PRIVY_OK);
    if (message) assert_string_equal(error.message, message);
    if (!message) assert_setting(settings.token_url, "http://privy:8089/oauth/token");
    if (!message) assert_true(privy_settings_are_sandbox(&settings));
    privy_settings_clear(&settings);
    unsetenv("PRIVY_ALLOW_PLAIN_HTTP");
  }
done:
  privy_settings_clear(&settings);
  privy_error_clear(&error);
  empty_environment();
}

static void urls_are_checked(void **state) {
  (void)state;
  privy_config config;
  privy_settings settings = {0};
  privy_error error;
  char expected[160];
  privy_error_init(&error);
  empty_environment();
  for (size_t i = 0; i < COUNT(right_urls); i++) {
    privy_config_init(&config);
    config.token = "t";
    config.base_url = config.token_url = right_urls[i];
    CHECK_OK(privy_settings_read(&settings, &config, &error));
    assert_setting(settings.token_url, right_urls[i]);
    privy_settings_clear(&settings);
  }
  for (size_t i = 0; i < COUNT(wrong_urls); i++) {
    config.token_url = NULL;
    config.base_url = wrong_urls[i].url;
    CHECK_STATUS(privy_settings_read(&settings, &config, &error), PRIVY_CONFIG_ERROR);
    snprintf(expected, sizeof expected, "base_url %s", wrong_urls[i].message);
    assert_string_equal(error.message, expected);
    privy_settings_clear(&settings);
    config.base_url = NULL;
    config.token_url = wrong_urls[i].url;
    CHECK_STATUS(privy_settings_read(&settings, &config, &error), PRIVY_CONFIG_ERROR);
    snprintf(expected, sizeof expected, "token_url %s", wrong_urls[i].message);
    assert_string_equal(error.message, expected);
    privy_settings_clear(&settings);
  }
done:
  privy_settings_clear(&settings);
  privy_error_clear(&error);
}

static void the_token_url_has_the_origin_of_the_base_url(void **state) {
  (void)state;
  static const struct {
    const char *base, *token, *path;
  } urls[] = {
      {"https://a.example", "https://a.example/oauth/token", ""},
      {"https://a.example/", "https://a.example/oauth/token", ""},
      {"https://a.example:99/x/y", "https://a.example:99/oauth/token", "/x/y"},
      {"http://[::1]:99/v1/", "http://[::1]:99/oauth/token", "/v1"},
  };
  privy_config config;
  privy_settings settings = {0};
  privy_error error;
  privy_error_init(&error);
  empty_environment();
  privy_config_init(&config);
  config.token = "t";
  for (size_t i = 0; i < COUNT(urls); i++) {
    config.base_url = urls[i].base;
    CHECK_OK(privy_settings_read(&settings, &config, &error));
    assert_setting(settings.token_url, urls[i].token);
    assert_setting(settings.base_path, urls[i].path);
    privy_settings_clear(&settings);
  }
done:
  privy_settings_clear(&settings);
  privy_error_clear(&error);
}

static void user_agents_are_checked(void **state) {
  (void)state;
  privy_config config;
  privy_settings settings = {0};
  privy_error error;
  privy_error_init(&error);
  empty_environment();
  privy_config_init(&config);
  config.token = "t";
  config.user_agent = "ruby/3.3 (x86_64; \"linux\")";
  CHECK_OK(privy_settings_read(&settings, &config, &error));
  privy_settings_clear(&settings);
  config.user_agent = "x\r\nX-Evil: 1";
  CHECK_STATUS(privy_settings_read(&settings, &config, &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "user_agent must be visible ASCII");
done:
  privy_settings_clear(&settings);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(settings_have_defaults),
      TEST(missing_settings_come_from_the_environment),
      TEST(given_settings_override_the_environment),
      TEST(clients_of_a_sandbox_ignore_the_environment),
      TEST(invalid_credentials_are_refused),
      TEST(proxies_and_the_reserve_are_checked),
      TEST(plain_http_is_for_sandboxes),
      TEST(urls_are_checked),
      TEST(the_token_url_has_the_origin_of_the_base_url),
      TEST(user_agents_are_checked),
  };
  return HARNESS_RUN(tests);
}
