/* The settings of a client: a privy_config completed from the environment and the defaults, checked, with copied texts.
 */
#ifndef PRIVY_CALL_SETTINGS_H
#define PRIVY_CALL_SETTINGS_H

#include "call/options.h"

typedef struct privy_settings {
  char *token;
  char *client_id;
  char *client_secret;
  char *scopes;
  char *base_url;        /* without a slash at its end */
  const char *base_path; /* the part of base_url after the host and port; "" if there is none */
  char *token_url;
  char *ca_bundle;
  char *proxy; /* NULL: libcurl reads the environment */
  char *user_agent;
  privy_options options;
  size_t max_response;
  bool allow_plain_http;
} privy_settings;

/* Fills the settings. Returns PRIVY_OK, PRIVY_CONFIG_ERROR with a message that names the setting, or PRIVY_NO_MEMORY.
 * Clear the settings in each case. */
PRIVY_NODISCARD privy_status privy_settings_read(privy_settings *settings, const privy_config *config,
                                                 privy_error *error);
void privy_settings_clear(privy_settings *settings);
/* Whether the credentials are the default ones of a sandbox, which protect nothing. */
bool privy_settings_are_sandbox(const privy_settings *settings);

#endif
