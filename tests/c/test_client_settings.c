/* Settings: given ones, those of the environment, defaults, and invalid ones. */
#define _POSIX_C_SOURCE 200809L

#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/settings.h"
#include "temporary.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const variables[] = {"PRIVY_API_TOKEN", "PRIVY_CLIENT_ID", "PRIVY_CLIENT_SECRET", "PRIVY_SCOPES",
                                        "PRIVY_BASE_URL",  "PRIVY_TOKEN_URL", "SSL_CERT_FILE"};

static void empty_environment(void) {
  for (size_t i = 0; i < COUNT(variables); i++) unsetenv(variables[i]);
  unsetenv("PRIVY_ALLOW_PLAIN_HTTP");
}

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

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void options_are_merged(void **state) {
  (void)state;
  const privy_options base = {30, 5, 60, 3, 0, 0};
  const privy_options none = {.timeout = 1, .connect_timeout = 1, .max_wait = 1, .max_retries = 1, .reserve = 1};
  const privy_options some = {10, 7, 0, 0, 4, PRIVY_GIVEN(TIMEOUT) | PRIVY_GIVEN(MAX_WAIT) | PRIVY_GIVEN(MAX_RETRIES)};
  privy_options merged = privy_options_merge(base, NULL);
  assert_memory_equal(&merged.timeout, &base.timeout, sizeof merged.timeout);
  merged = privy_options_merge(base, &none);
  assert_true(merged.timeout == 30 && merged.connect_timeout == 5 && merged.max_wait == 60 && merged.max_retries == 3);
  merged = privy_options_merge(base, &some);
  assert_true(merged.timeout == 10 && merged.connect_timeout == 5 && merged.max_wait == 0 && merged.max_retries == 0);
  assert_int_equal(merged.given, some.given);
  assert_int_equal(merged.reserve, 0);
}

static void options_are_checked(void **state) {
  (void)state;
  static const struct {
    privy_options options;
    const char *setting;
  } cases[] = {
      {{30, 5, 60, 3, 0, 0}, NULL},
      {{0.001, 0.001, 0, 0, 0, 0}, NULL},
      {{1e6, 1e6, 1e6, 100, 0, 0}, NULL},
      {{0, 5, 60, 3, 0, 0}, "timeout"},
      {{1e6 + 1, 5, 60, 3, 0, 0}, "timeout"},
      {{NAN, 5, 60, 3, 0, 0}, "timeout"},
      {{INFINITY, 5, 60, 3, 0, 0}, "timeout"},
      {{30, 0, 60, 3, 0, 0}, "connect_timeout"},
      {{30, NAN, 60, 3, 0, 0}, "connect_timeout"},
      {{30, 5, NAN, 3, 0, 0}, "max_wait"},
      {{30, 5, 2e6, 3, 0, 0}, "max_wait"},
      {{30, 5, 60, 101, 0, 0}, "max_retries"},
      {{-1, 5, 60, 3, 0, 0}, "timeout"},
      {{30, 5, -1, 3, 0, 0}, "max_wait"},
      {{30, 5, 60, -1, 0, 0}, "max_retries"},
  };
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *setting = cases[i].setting;
    CHECK_STATUS(privy_options_check(&cases[i].options, &error), setting ? PRIVY_CONFIG_ERROR : PRIVY_OK);
    if (setting) assert_int_equal(strncmp(error.message, setting, strlen(setting)), 0);
  }
done:
  privy_error_clear(&error);
}

static void a_setting_error_names_the_valid_values(void **state) {
  (void)state;
  static const struct {
    privy_setting setting;
    double value;
    const char *message;
  } cases[] = {
      {PRIVY_SETTING_TIMEOUT, -1, "timeout must be a number of seconds: more than 0, at most 1,000,000"},
      {PRIVY_SETTING_CONNECT_TIMEOUT, 0, "connect_timeout must be a number of seconds: more than 0, at most 1,000,000"},
      {PRIVY_SETTING_MAX_WAIT, -0.5, "max_wait must be a number of seconds from 0 to 1,000,000"},
      {PRIVY_SETTING_MAX_WAIT, NAN, "max_wait must be a number of seconds from 0 to 1,000,000"},
      {PRIVY_SETTING_MAX_RETRIES, 1.5, "max_retries must be a whole number from 0 to 100"},
      {PRIVY_SETTING_MAX_RETRIES, INFINITY, "max_retries must be a whole number from 0 to 100"},
      {PRIVY_SETTING_MAX_RESPONSE, 0, "max_response must be a whole number of bytes, 1 or more"},
      {PRIVY_SETTING_RESERVE, -1, "reserve must be a whole number of requests a minute, 0 or more"},
      {PRIVY_SETTING_CONCURRENCY, 0, "concurrency must be a whole number, 1 or more"},
      {PRIVY_SETTING_MAX_WAIT, 0, NULL},
      {PRIVY_SETTING_MAX_RETRIES, 3, NULL},
      {PRIVY_SETTING_MAX_RESPONSE, 1, NULL},
      {PRIVY_SETTING_RESERVE, 0, NULL},
      {PRIVY_SETTING_CONCURRENCY, 8, NULL},
  };
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *message = cases[i].message, *name = privy_setting_name(cases[i].setting);
    CHECK_STATUS(privy_setting_check(cases[i].setting, cases[i].value, &error),
                 message ? PRIVY_CONFIG_ERROR : PRIVY_OK);
    if (message) assert_string_equal(error.message, message);
    if (message) assert_int_equal(strncmp(error.message, name, strlen(name)), 0);
  }
  CHECK_OK(privy_setting_check_text("token", "abc", 3, &error));
  CHECK_STATUS(privy_setting_check_text("token", NULL, 0, &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "token must be text");
  CHECK_STATUS(privy_setting_check_text("token", "a\0b", 3, &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "token must not hold a NUL character");
  CHECK_STATUS(privy_setting_refuse_flag("allow_plain_http", &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "allow_plain_http must be true or false");
done:
  privy_error_clear(&error);
}

static void numbers_may_be_text(void **state) {
  (void)state;
  static const struct {
    const char *text;
    double value;
  } cases[] = {{"5", 5}, {" 0.25\t", 0.25}, {"-1", -1}, {"0", 0}, {"007", 7}, {"1000000", 1e6}, {"2.50", 2.5}};
  static const char *const wrong[] = {"",     " ",   "-",     ".",   ".5", "5.",  "5 s", "5s",   "1e3",
                                      "0x10", "1,5", "1.2.3", "--1", "+5", "nan", "inf", "true", "\xD9\xA5"};
  for (size_t i = 0; i < COUNT(cases); i++)
    assert_true(fabs(privy_setting_number(cases[i].text, strlen(cases[i].text)) - cases[i].value) < 1e-12);
  for (size_t i = 0; i < COUNT(wrong); i++) assert_true(isnan(privy_setting_number(wrong[i], strlen(wrong[i]))));
  assert_true(isnan(privy_setting_number("5\0", 2)));
}

static void settings_are_set_by_name(void **state) {
  (void)state;
  privy_options options = {0};
  privy_config config;
  privy_error error;
  privy_error_init(&error);
  privy_config_init(&config);
  CHECK_OK(privy_options_set(&options, PRIVY_SETTING_TIMEOUT, 1.5, &error));
  assert_true(options.timeout == 1.5 && options.given == PRIVY_GIVEN(TIMEOUT));
  CHECK_OK(privy_options_set(&options, PRIVY_SETTING_CONNECT_TIMEOUT, 2.5, &error));
  CHECK_OK(privy_options_set(&options, PRIVY_SETTING_MAX_WAIT, 0, &error));
  CHECK_OK(privy_options_set(&options, PRIVY_SETTING_MAX_RETRIES, 7, &error));
  assert_true(options.connect_timeout == 2.5 && options.max_wait == 0 && options.max_retries == 7);
  assert_int_equal(options.given, (1u << PRIVY_OPTION_COUNT) - 1);
  CHECK_OK(privy_options_set(&options, PRIVY_SETTING_RESERVE, 3, &error));
  assert_int_equal(privy_options_merge(privy_default_options, &options).reserve, 3);
  CHECK_STATUS(privy_options_set(&options, PRIVY_SETTING_TIMEOUT, 0, &error), PRIVY_CONFIG_ERROR);
  assert_true(options.timeout == 1.5);
  CHECK_OK(privy_config_set(&config, PRIVY_SETTING_MAX_WAIT, 12, &error));
  CHECK_OK(privy_config_set(&config, PRIVY_SETTING_MAX_RESPONSE, 4096, &error));
  CHECK_OK(privy_config_set(&config, PRIVY_SETTING_RESERVE, 9, &error));
  assert_true(config.options.max_wait == 12 && config.max_response == 4096 && config.options.reserve == 9);
  CHECK_STATUS(privy_config_set(&config, PRIVY_SETTING_RESERVE, NAN, &error), PRIVY_CONFIG_ERROR);
  assert_true(config.options.reserve == 9);
done:
  privy_error_clear(&error);
}

static void options_of_a_client_are_checked(void **state) {
  (void)state;
  privy_config config;
  privy_client *client = NULL;
  privy_request *request = NULL;
  privy_response *response = NULL;
  privy_options options = {0};
  privy_error error;
  privy_error_init(&error);
  empty_environment();
  privy_config_init(&config);
  config.token = "t";
  config.options.timeout = 0;
  CHECK_STATUS(privy_client_new(&config, &client, &error), PRIVY_CONFIG_ERROR);
  config.options.timeout = 30;
  CHECK_OK(privy_client_new(&config, &client, &error));
  assert_string_equal(privy_client_base_url(client), "https://api.privy.com/v1");
  CHECK_OK(privy_request_new_raw(TEXT("GET"), TEXT("/x"), &request));
  CHECK_OK(privy_request_finish(request, &error));
  options.connect_timeout = NAN;
  options.given = PRIVY_GIVEN(CONNECT_TIMEOUT);
  CHECK_STATUS(privy_client_call(client, request, &options, NULL, &response, &error), PRIVY_CONFIG_ERROR);
  assert_null(response);
  assert_int_equal(error.attempts, 0);
done:
  privy_request_free(request);
  privy_client_free(client);
  privy_client_free(NULL);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(settings_have_defaults),
      TEST(missing_settings_come_from_the_environment),
      TEST(given_settings_override_the_environment),
      TEST(clients_of_a_sandbox_ignore_the_environment),
      TEST(invalid_credentials_are_refused),
      TEST(plain_http_is_for_sandboxes),
      TEST(urls_are_checked),
      TEST(proxies_and_the_reserve_are_checked),
      TEST(the_token_url_has_the_origin_of_the_base_url),
      TEST(user_agents_are_checked),
      TEST(options_are_merged),
      TEST(options_are_checked),
      TEST(a_setting_error_names_the_valid_values),
      TEST(numbers_may_be_text),
      TEST(settings_are_set_by_name),
      TEST(options_of_a_client_are_checked),
  };
  return HARNESS_RUN(tests);
}
