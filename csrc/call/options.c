#include "call/options.h"

#include <float.h>
#include <math.h>

#include "base/text.h"
#include "message/error.h"

#define MAX_SECONDS 1e6

const privy_options privy_default_options = {.timeout = 30, .connect_timeout = 5, .max_wait = 90, .max_retries = 3};

/* The values that a setting can have, by privy_setting. */
static const struct {
  const char *name;
  double min, max;
  bool integral;  /* no fraction */
  bool above_min; /* `min` itself is not allowed */
  const char *description;
} settings[] = {
    {"timeout", 0, MAX_SECONDS, false, true, "a number of seconds: more than 0, at most 1,000,000"},
    {"connect_timeout", 0, MAX_SECONDS, false, true, "a number of seconds: more than 0, at most 1,000,000"},
    {"max_wait", 0, MAX_SECONDS, false, false, "a number of seconds from 0 to 1,000,000"},
    {"max_retries", 0, 100, true, false, "a whole number from 0 to 100"},
    {"max_response", 1, DBL_MAX, true, false, "a whole number of bytes, 1 or more"},
    {"reserve", 0, DBL_MAX, true, false, "a whole number of requests a minute, 0 or more"},
    {"concurrency", 1, DBL_MAX, true, false, "a whole number, 1 or more"},
};

const char *privy_setting_name(privy_setting setting) {
  return settings[setting].name;
}

privy_status privy_setting_check(privy_setting setting, double value, privy_error *error) {
  const bool in_range = isfinite(value) && value >= settings[setting].min && value <= settings[setting].max;
  const bool is_min = in_range && value <= settings[setting].min;
  if (in_range && !(is_min && settings[setting].above_min) && !(settings[setting].integral && value > floor(value)))
    return PRIVY_OK;
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s must be %s", settings[setting].name,
                         settings[setting].description);
}

double privy_setting_number(const char *text, size_t length) {
  const privy_slice number = privy_trim(text, length);
  const bool negative = number.length && number.text[0] == '-';
  double value = 0, unit = 1;
  bool fraction = false;
  size_t digits = 0;
  for (size_t i = negative; i < number.length; i++) {
    const char byte = number.text[i];
    const bool point = byte == '.' && digits && !fraction;
    if (!point && !privy_is_digit(byte)) return NAN;
    fraction = fraction || point;
    if (point) continue;
    value = value * 10 + (byte - '0');
    if (fraction) unit *= 10;
    digits++;
  }
  if (!digits || number.text[number.length - 1] == '.') return NAN;
  return (negative ? -value : value) / unit;
}

privy_status privy_setting_check_text(const char *name, const char *text, size_t length, privy_error *error) {
  if (!text) return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s must be text", name);
  if (!memchr(text, '\0', length)) return PRIVY_OK;
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s must not hold a NUL character", name);
}

privy_status privy_setting_refuse_flag(const char *name, privy_error *error) {
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "%s must be true or false", name);
}

/* The option in the struct; NULL for max_retries and reserve, which are integers. */
static double *seconds_of(privy_options *options, privy_setting option) {
  switch (option) {
  case PRIVY_SETTING_TIMEOUT: return &options->timeout;
  case PRIVY_SETTING_CONNECT_TIMEOUT: return &options->connect_timeout;
  case PRIVY_SETTING_MAX_WAIT: return &options->max_wait;
  default: return NULL;
  }
}

privy_status privy_options_set(privy_options *options, privy_setting option, double value, privy_error *error) {
  if (privy_setting_check(option, value, error) != PRIVY_OK) return error->code;
  double *seconds = seconds_of(options, option);
  if (seconds)
    *seconds = value;
  else if (option == PRIVY_SETTING_RESERVE)
    options->reserve = value < (double)INT64_MAX ? (int64_t)value : INT64_MAX;
  else
    options->max_retries = (int)value;
  options->given |= 1u << option;
  return PRIVY_OK;
}

privy_status privy_config_set(privy_config *config, privy_setting setting, double value, privy_error *error) {
  if (setting < PRIVY_OPTION_COUNT || setting == PRIVY_SETTING_RESERVE)
    return privy_options_set(&config->options, setting, value, error);
  if (privy_setting_check(setting, value, error) != PRIVY_OK) return error->code;
  if (setting == PRIVY_SETTING_MAX_RESPONSE) config->max_response = value < (double)SIZE_MAX ? (size_t)value : SIZE_MAX;
  return PRIVY_OK;
}

void privy_options_defer(privy_options *options) {
  options->deferred = true;
  options->max_wait = 0;
  options->given |= PRIVY_GIVEN(MAX_WAIT);
}

static double value_of(const privy_options *options, privy_setting option) {
  privy_options copy = *options;
  const double *seconds = seconds_of(&copy, option);
  return seconds ? *seconds : (double)options->max_retries;
}

privy_status privy_options_check(const privy_options *options, privy_error *error) {
  for (int option = 0; option < PRIVY_OPTION_COUNT; option++)
    if (privy_setting_check((privy_setting)option, value_of(options, (privy_setting)option), error) != PRIVY_OK)
      return error->code;
  return privy_setting_check(PRIVY_SETTING_RESERVE, (double)options->reserve, error);
}

privy_options privy_options_merge(privy_options base, const privy_options *over) {
  const unsigned given = over ? over->given : 0;
  if (given & 1u << PRIVY_SETTING_TIMEOUT) base.timeout = over->timeout;
  if (given & 1u << PRIVY_SETTING_CONNECT_TIMEOUT) base.connect_timeout = over->connect_timeout;
  if (given & 1u << PRIVY_SETTING_MAX_WAIT) base.max_wait = over->max_wait;
  if (given & 1u << PRIVY_SETTING_MAX_RETRIES) base.max_retries = over->max_retries;
  if (given & 1u << PRIVY_SETTING_RESERVE) base.reserve = over->reserve;
  base.deferred = base.deferred || (over && over->deferred);
  base.waits_for_day = base.waits_for_day || (over && over->waits_for_day);
  if (over && over->until > 0) base.until = over->until;
  base.given |= given;
  return base;
}
