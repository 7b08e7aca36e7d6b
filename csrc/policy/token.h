/* OAuth access tokens: how one is asked for, read and judged. Pure functions of what they are given. */
#ifndef PRIVY_POLICY_TOKEN_H
#define PRIVY_POLICY_TOKEN_H

#include "privy.h"

/* Where tokens come from, below an origin, unless a client is told otherwise. */
#define PRIVY_TOKEN_PATH "/oauth/token"

/* Start with {0}: no token. */
typedef struct privy_token {
  char *text;
  double expires_at; /* seconds since 1970 */
} privy_token;

void privy_token_clear(privy_token *token);
/* True when the token will still be valid for the length of a call. */
bool privy_token_is_fresh(const privy_token *token, double now);
/* True when the text can stand in an Authorization header: 1 to 4,096 visible ASCII characters. */
bool privy_token_text_is_safe(const char *text, size_t length);
/* Appends the form that asks for a token (client credentials; `scopes` may be NULL). False when memory runs out. */
PRIVY_NODISCARD bool privy_token_form(privy_buffer *out, const char *client_id, const char *client_secret,
                                      const char *scopes);
/* Reads the token endpoint's successful answer. PRIVY_OK, PRIVY_API_STATUS when it holds no token, or PRIVY_NO_MEMORY.
 */
PRIVY_NODISCARD privy_status privy_token_read(const privy_response *response, double now, privy_token *out,
                                              privy_error *error);

#endif
