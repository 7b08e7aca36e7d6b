/* Invalid settings are refused when the client is created, and no message quotes a secret. */
#define _POSIX_C_SOURCE 200809L

#include "temporary.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "privy_sandbox.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

typedef struct scene {
  privy_config config;
  privy_client *client;
  privy_error error;
} scene;

static void a_file_of_certificates_can_be_checked_by_itself(void **state) {
  (void)state;
  assert_string_equal(privy_ca_file_problem("no/such/file.pem"), "does not exist");
  assert_string_equal(privy_ca_file_problem("."), "is not a file");
}

static void libcurl_names_itself_and_its_certificates(void **state) {
  (void)state;
  privy_network_library library;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_network_library_load(&library, &error));
  assert_true(atoi(library.version) >= 7);
  assert_true(library.tls && *library.tls);
  assert_true(library.ca_file || library.ca_folder);
  assert_non_null(library.encodings);
done:
  privy_error_clear(&error);
}

static void scene_open(scene *s) {
  *s = (scene){.client = NULL};
  privy_error_init(&s->error);
  privy_config_init(&s->config);
  s->config.token = "t";
  unsetenv("SSL_CERT_FILE");
}

static privy_status make(scene *s) {
  privy_client_free(s->client);
  s->client = NULL;
  return privy_client_new(&s->config, &s->client, &s->error);
}

static void scene_close(scene *s) {
  privy_client_free(s->client);
  privy_error_clear(&s->error);
  unsetenv("SSL_CERT_FILE");
}

/* ---- the file of certificates ------------------------------------------------------------------------------------ */

static const struct {
  const char *text, *message; /* NULL: it is valid */
} bundles[] = {
    {PEM("CERTIFICATE"), NULL},
    {PEM("TRUSTED CERTIFICATE"), NULL},
    {PEM("X509 CERTIFICATE"), NULL},
    {"Our authority\n=============\n" PEM("CERTIFICATE"), NULL},
    {"\xFF\xFE no text at all\n" PEM("PRIVATE KEY") PEM("CERTIFICATE"), NULL},
    {"", "ca_bundle holds no certificate in PEM form"},
    {"-----BEGIN CERT", "ca_bundle holds no certificate in PEM form"},
    {"0\x82\x03", "ca_bundle holds no certificate in PEM form"},
    {PEM("PRIVATE KEY"), "ca_bundle holds no certificate in PEM form"},
    {PEM("CERTIFICATE REQUEST"), "ca_bundle holds no certificate in PEM form"},
    {"see -----BEGIN CERTIFICATE-----\n", "ca_bundle holds no certificate in PEM form"},
};

static void a_bundle_is_read(void **state) {
  (void)state;
  temporary file = {""};
  scene s;
  scene_open(&s);
  for (size_t i = 0; i < COUNT(bundles); i++) {
    file = temporary_make(bundles[i].text);
    s.config.ca_bundle = file.path;
    CHECK_STATUS(make(&s), bundles[i].message ? PRIVY_CONFIG_ERROR : PRIVY_OK);
    if (bundles[i].message) assert_string_equal(s.error.message, bundles[i].message);
    temporary_remove(&file);
  }
done:
  temporary_remove(&file);
  scene_close(&s);
}

static void a_bundle_that_is_not_a_file_is_refused(void **state) {
  (void)state;
  const temporary file = temporary_make(PEM("CERTIFICATE"));
  char inside[64], pipe[64];
  scene s;
  scene_open(&s);
  snprintf(inside, sizeof inside, "%s/x", file.path);
  snprintf(pipe, sizeof pipe, "%s-pipe", file.path);
  assert_int_equal(mkfifo(pipe, 0600), 0);
  const struct {
    const char *path, *message;
  } cases[] = {{"/no/such/bundle.pem", "ca_bundle does not exist"},
               {inside, "ca_bundle does not exist"},
               {"/", "ca_bundle is not a file"},
               {"/dev/zero", "ca_bundle is not a file"},
               {pipe, "ca_bundle is not a file"}};
  for (size_t i = 0; i < COUNT(cases); i++) {
    s.config.ca_bundle = cases[i].path;
    CHECK_STATUS(make(&s), PRIVY_CONFIG_ERROR);
    assert_string_equal(s.error.message, cases[i].message);
  }
  if (geteuid() != 0) { /* root can read all files */
    assert_int_equal(chmod(file.path, 0), 0);
    s.config.ca_bundle = file.path;
    CHECK_STATUS(make(&s), PRIVY_CONFIG_ERROR);
    assert_string_equal(s.error.message, "ca_bundle may not be read");
  }
done:
  unlink(pipe);
  temporary_remove(&file);
  scene_close(&s);
}

static void the_environment_s_bundle_is_read_where_it_is_used(void **state) {
  (void)state;
  privy_sandbox *sandbox = NULL;
  scene s;
  scene_open(&s);
  setenv("SSL_CERT_FILE", "/no/such/bundle.pem", 1);
  CHECK_STATUS(make(&s), PRIVY_CONFIG_ERROR);
  assert_string_equal(s.error.message, "ca_bundle (from SSL_CERT_FILE) does not exist");
  s.config.base_url = "http://127.0.0.1:1/v1";
  CHECK_OK(make(&s));
  s.config.token_url = "https://tokens.example/";
  CHECK_STATUS(make(&s), PRIVY_CONFIG_ERROR);
  CHECK_OK(privy_sandbox_new(&sandbox));
  s.config.token_url = NULL;
  s.config.sandbox = sandbox;
  CHECK_OK(make(&s));
  /* A given file is checked even if no URL needs it. */
  s.config.sandbox = NULL;
  s.config.ca_bundle = "/no/other/bundle.pem";
  CHECK_STATUS(make(&s), PRIVY_CONFIG_ERROR);
  assert_string_equal(s.error.message, "ca_bundle does not exist");
done:
  scene_close(&s);
  privy_sandbox_release(sandbox);
}

/* ---- URLs -------------------------------------------------------------------------------------------------------- */

static const char *const unreadable[] = {
    "https://api.example:99999", "https://api.example:port", "https://[::1]evil.example", "https://[::zz]",
    "https://[1.2.3.4]",         "http://127.0.0.1:80:81",
};

static void urls_that_libcurl_cannot_parse_are_refused(void **state) {
  (void)state;
  scene s;
  scene_open(&s);
  for (size_t i = 0; i < COUNT(unreadable); i++) {
    s.config.base_url = unreadable[i];
    CHECK_STATUS(make(&s), PRIVY_CONFIG_ERROR);
    assert_int_equal(strncmp(s.error.message, "base_url cannot be used: ", 25), 0);
    assert_null(strstr(s.error.message, unreadable[i]));
    s.config.base_url = NULL;
    s.config.token_url = unreadable[i];
    CHECK_STATUS(make(&s), PRIVY_CONFIG_ERROR);
    assert_int_equal(strncmp(s.error.message, "token_url cannot be used: ", 26), 0);
    s.config.token_url = NULL;
  }
done:
  scene_close(&s);
}

static const char *const proxies[] = {
    "http://user:s3cret", /* the host is missing, so that the password looks like a port */
    "http://user:s3cret@",
    "http://user:s3cret@:3128",
    "http://user:s3cret@/",
    "http://user:s3cret/@proxy.example:3128",
    "http://user:s3cret?@proxy.example:3128",
    "http://user:s3cret#@proxy.example:3128",
    "http://user:s3cret@x@proxy.example:3128",
    "http://user:s3cret\\@proxy.example:3128",
    "http://user:s3cret@proxy.example:99999",
    "http://user:s3cret@proxy.example:port",
    "http://user:s3cret@[::zz]:3128",
    "http://user:s3cret @proxy.example",
    "http://user:s3cret@proxy.example/path",
    "ftp://user:s3cret@proxy.example",
    "user:s3cret@proxy.example",
};

static void no_message_quotes_a_proxy(void **state) {
  (void)state;
  scene s;
  scene_open(&s);
  for (size_t i = 0; i < COUNT(proxies); i++) {
    s.config.proxy = proxies[i];
    CHECK_STATUS(make(&s), PRIVY_CONFIG_ERROR);
    assert_int_equal(strncmp(s.error.message, "proxy ", 6), 0);
    assert_null(strstr(s.error.message, "s3cret"));
    assert_null(strstr(s.error.message, "user:"));
  }
  s.config.proxy = "http://us%40er:s3cret%2F%3F%23@proxy.example:3128/";
  CHECK_OK(make(&s));
done:
  scene_close(&s);
}

/* ---- lengths ----------------------------------------------------------------------------------------------------- */

static void long_texts_are_refused(void **state) {
  (void)state;
  char *text = malloc(5001);
  scene s;
  scene_open(&s);
  const struct {
    const char **setting;
    const char *message;
  } cases[] = {
      {&s.config.token, "token must be at most 4096 bytes"},
      {&s.config.client_id, "client_id must be at most 4096 bytes"},
      {&s.config.client_secret, "client_secret must be at most 4096 bytes"},
      {&s.config.scopes, "scopes must be at most 4096 bytes"},
      {&s.config.base_url, "base_url must be at most 4096 bytes"},
      {&s.config.token_url, "token_url must be at most 4096 bytes"},
      {&s.config.ca_bundle, "ca_bundle must be at most 4096 bytes"},
      {&s.config.proxy, "proxy must be at most 4096 bytes"},
      {&s.config.user_agent, "user_agent must be at most 512 bytes"},
  };
  assert_non_null(text);
  memset(text, 'x', 5000);
  text[5000] = '\0';
  for (size_t i = 0; i < COUNT(cases); i++) {
    const char *before = *cases[i].setting;
    *cases[i].setting = text;
    CHECK_STATUS(make(&s), PRIVY_CONFIG_ERROR);
    assert_string_equal(s.error.message, cases[i].message);
    *cases[i].setting = before;
  }
  text[4096] = '\0';
  s.config.token = text;
  CHECK_OK(make(&s));
done:
  free(text);
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_bundle_is_read),
      TEST(a_bundle_that_is_not_a_file_is_refused),
      TEST(the_environment_s_bundle_is_read_where_it_is_used),
      TEST(urls_that_libcurl_cannot_parse_are_refused),
      TEST(no_message_quotes_a_proxy),
      TEST(long_texts_are_refused),
      TEST(a_file_of_certificates_can_be_checked_by_itself),
      TEST_UNSWEPT(libcurl_names_itself_and_its_certificates),
  };
  return HARNESS_RUN(tests);
}
