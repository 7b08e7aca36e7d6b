/* OAuth access tokens: the form that requests one, the response, and the checks. Pure functions of their arguments. */
#ifndef PRIVY_POLICY_TOKEN_H
#define PRIVY_POLICY_TOKEN_H

#include "privy.h"

/* The default path of the token endpoint, below the origin of the base URL. */
#define PRIVY_TOKEN_PATH "/oauth/token"

/* Start with {0}: no token. */
typedef struct privy_token {
  char *text;
  double expires_at; /* by the calls' clock */
} privy_token;

void privy_token_clear(privy_token *token);
/* Whether the token is valid for at least 30 seconds more. */
bool privy_token_is_fresh(const privy_token *token, double now);
/* Whether the text can be part of an Authorization header: 1 to 4,096 visible ASCII characters. */
bool privy_token_text_is_safe(const char *text, size_t length);
/* Appends the form that requests a token (client credentials; `scopes` may be NULL). False when memory runs out. */
PRIVY_NODISCARD bool privy_token_form(privy_buffer *out, const char *client_id, const char *client_secret,
                                      const char *scopes);
/* Reads the token endpoint's response. PRIVY_OK with the token in `*out`, which the caller clears; PRIVY_API_STATUS if
 * it has no token; or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_token_read(const privy_response *response, double now, privy_token *out,
                                              privy_error *error);

#endif
