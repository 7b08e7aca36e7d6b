/* Tokens, OAuth clients and Custom Integrations. */
#ifndef PRIVY_SANDBOX_CREDENTIALS_H
#define PRIVY_SANDBOX_CREDENTIALS_H

#include "schema/schema.h"

/* A set of scopes: bit per privy_scope. */
typedef uint32_t privy_scopes;
#define PRIVY_SCOPES_ALL ((1u << PRIVY_SCOPE_COUNT) - 1u)

/* Reads a space-separated list into `*out`; NULL means all. Skips unknown words and returns false if there are any. */
bool privy_scopes_read(const char *list, size_t length, privy_scopes *out);

typedef struct privy_sandbox_token {
  char *text;
  privy_scopes scopes;
  double expires; /* negative: never */
  bool revoked;   /* it stays known, so that no client makes it valid again */
} privy_sandbox_token;

typedef struct privy_oauth_client {
  char *id;
  char *secret;
  privy_scopes scopes;
} privy_oauth_client;

typedef struct privy_integration {
  char *token;
  bool active;
} privy_integration;

typedef struct privy_credentials {
  privy_sandbox_token *tokens;
  size_t token_count, token_capacity;
  privy_oauth_client *clients;
  size_t client_count, client_capacity;
  privy_integration *integrations;
  size_t integration_count, integration_capacity;
} privy_credentials;

#define PRIVY_INTEGRATION_NONE SIZE_MAX

void privy_credentials_clear(privy_credentials *credentials);

/* Adding an existing one replaces it. False, changing nothing, when memory runs out. */
PRIVY_NODISCARD bool privy_credentials_add_token(privy_credentials *credentials, const char *token, privy_scopes scopes,
                                                 double expires);
PRIVY_NODISCARD bool privy_credentials_add_client(privy_credentials *credentials, const char *id, const char *secret,
                                                  privy_scopes scopes);
PRIVY_NODISCARD bool privy_credentials_add_integration(privy_credentials *credentials, const char *token, bool active);

/* Adds the token or the OAuth client, with all scopes, unless one of that text or id is known, revoked ones included.
 */
PRIVY_NODISCARD bool privy_credentials_accept_token(privy_credentials *credentials, const char *token);
PRIVY_NODISCARD bool privy_credentials_accept_client(privy_credentials *credentials, const char *id,
                                                     const char *secret);

/* False when it is not there. */
bool privy_credentials_revoke_token(privy_credentials *credentials, const char *token);
/* Forgets the tokens that have expired. */
void privy_credentials_drop_expired(privy_credentials *credentials, double now);

/* The token if it is valid now, else NULL. */
const privy_sandbox_token *privy_credentials_token(const privy_credentials *credentials, privy_slice text, double now);
/* The client, if the secret is its own, else NULL. */
const privy_oauth_client *privy_credentials_client(const privy_credentials *credentials, privy_slice id,
                                                   privy_slice secret);
/* Position of the active integration of that token; PRIVY_INTEGRATION_NONE when there is none. */
size_t privy_credentials_integration(const privy_credentials *credentials, privy_slice token);
/* Position of the only active integration; PRIVY_INTEGRATION_NONE when there are none or several. */
size_t privy_credentials_only_integration(const privy_credentials *credentials);

#endif
