/* Options: those of a client and of a call, numbers as text, and invalid ones. */
#define _POSIX_C_SOURCE 200809L

#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "call/settings.h"
#include "environment.h"

/* ---- options ----------------------------------------------------------------------------------------------------- */

static void options_are_merged(void **state) {
  (void)state;
  const privy_options base = {30, 5, 60, 3, 0, false, false, 0, 0};
  const privy_options none = {.timeout = 1, .connect_timeout = 1, .max_wait = 1, .max_retries = 1, .reserve = 1};
  const privy_options some = {
      10, 7, 0, 0, 4, false, false, 0, PRIVY_GIVEN(TIMEOUT) | PRIVY_GIVEN(MAX_WAIT) | PRIVY_GIVEN(MAX_RETRIES)};
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
      {{30, 5, 60, 3, 0, false, false, 0, 0}, NULL},
      {{0.001, 0.001, 0, 0, 0, false, false, 0, 0}, NULL},
      {{1e6, 1e6, 1e6, 100, 0, false, false, 0, 0}, NULL},
      {{0, 5, 60, 3, 0, false, false, 0, 0}, "timeout"},
      {{1e6 + 1, 5, 60, 3, 0, false, false, 0, 0}, "timeout"},
      {{NAN, 5, 60, 3, 0, false, false, 0, 0}, "timeout"},
      {{INFINITY, 5, 60, 3, 0, false, false, 0, 0}, "timeout"},
      {{30, 0, 60, 3, 0, false, false, 0, 0}, "connect_timeout"},
      {{30, NAN, 60, 3, 0, false, false, 0, 0}, "connect_timeout"},
      {{30, 5, NAN, 3, 0, false, false, 0, 0}, "max_wait"},
      {{30, 5, 2e6, 3, 0, false, false, 0, 0}, "max_wait"},
      {{30, 5, 60, 101, 0, false, false, 0, 0}, "max_retries"},
      {{-1, 5, 60, 3, 0, false, false, 0, 0}, "timeout"},
      {{30, 5, -1, 3, 0, false, false, 0, 0}, "max_wait"},
      {{30, 5, 60, -1, 0, false, false, 0, 0}, "max_retries"},
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
      TEST(options_are_merged),  TEST(options_are_checked),      TEST(a_setting_error_names_the_valid_values),
      TEST(numbers_may_be_text), TEST(settings_are_set_by_name), TEST(options_of_a_client_are_checked),
  };
  return HARNESS_RUN(tests);
}
