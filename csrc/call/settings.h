/* A client's settings: privy_config with the environment and the defaults filled in, checked and owned. */
#ifndef PRIVY_CALL_SETTINGS_H
#define PRIVY_CALL_SETTINGS_H

#include "call/options.h"

typedef struct privy_settings {
  char *token;
  char *client_id;
  char *client_secret;
  char *scopes;
  char *base_url;        /* without a slash at its end */
  const char *base_path; /* within it: what lies behind the host, "" when nothing does */
  char *token_url;
  char *ca_bundle;
  char *proxy; /* NULL: the environment's, by libcurl's rules */
  char *user_agent;
  privy_options options;
  size_t max_response;
  bool allow_plain_http;
} privy_settings;

/* PRIVY_OK, PRIVY_CONFIG_ERROR with a message that names the setting, or PRIVY_NO_MEMORY. Clear the settings in any
 * case. */
PRIVY_NODISCARD privy_status privy_settings_read(privy_settings *settings, const privy_config *config,
                                                 privy_error *error);
void privy_settings_clear(privy_settings *settings);

#endif
