/* The variables of the environment that settings come from. Define _POSIX_C_SOURCE 200809L before the first include. */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const variables[] = {"PRIVY_API_TOKEN", "PRIVY_CLIENT_ID", "PRIVY_CLIENT_SECRET", "PRIVY_SCOPES",
                                        "PRIVY_BASE_URL",  "PRIVY_TOKEN_URL", "SSL_CERT_FILE"};

static inline void empty_environment(void) {
  for (size_t i = 0; i < COUNT(variables); i++) unsetenv(variables[i]);
  unsetenv("PRIVY_ALLOW_PLAIN_HTTP");
}

#endif
