#include "sandbox/credentials.h"

#include <string.h>

#include "base/memory.h"

static int scope_of(privy_slice word) {
  for (int i = 0; i < PRIVY_SCOPE_COUNT; i++) {
    if (privy_text_is(word.text, word.length, privy_scope_name((privy_scope)i))) return i;
  }
  return -1;
}

bool privy_scopes_read(const char *list, size_t length, privy_scopes *out) {
  *out = list ? 0 : PRIVY_SCOPES_ALL;
  if (!list) return true;
  bool known = true;
  privy_slice rest = {list, length}, word;
  while (privy_next_word(&rest, ' ', &word)) {
    const int scope = scope_of(word);
    if (scope >= 0) *out |= 1u << scope;
    known = known && scope >= 0;
  }
  return known;
}

void privy_credentials_clear(privy_credentials *credentials) {
  for (size_t i = 0; i < credentials->token_count; i++) privy_free(credentials->tokens[i].text);
  for (size_t i = 0; i < credentials->client_count; i++) {
    privy_free(credentials->clients[i].id);
    privy_free(credentials->clients[i].secret);
  }
  for (size_t i = 0; i < credentials->integration_count; i++) privy_free(credentials->integrations[i].token);
  privy_free(credentials->tokens);
  privy_free(credentials->clients);
  privy_free(credentials->integrations);
  *credentials = (privy_credentials){0};
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static privy_sandbox_token *find_token(const privy_credentials *credentials, const char *text, size_t length) {
  for (size_t i = 0; i < credentials->token_count; i++) {
    if (privy_text_is(text, length, credentials->tokens[i].text)) return &credentials->tokens[i];
  }
  return NULL;
}

bool privy_credentials_add_token(privy_credentials *credentials, const char *token, privy_scopes scopes,
                                 double expires) {
  privy_sandbox_token *known = find_token(credentials, token, strlen(token));
  if (known) {
    known->scopes = scopes;
    known->expires = expires;
    known->revoked = false;
    return true;
  }
  privy_sandbox_token *tokens = privy_grow(credentials->tokens, credentials->token_count, &credentials->token_capacity,
                                           sizeof *credentials->tokens);
  if (!tokens) return false;
  credentials->tokens = tokens;
  char *text = privy_copy(token, strlen(token));
  if (!text) return false;
  tokens[credentials->token_count++] = (privy_sandbox_token){text, scopes, expires, false};
  return true;
}

static void drop_token(privy_credentials *credentials, size_t index) {
  privy_free(credentials->tokens[index].text);
  credentials->tokens[index] = credentials->tokens[--credentials->token_count];
}

bool privy_credentials_accept_token(privy_credentials *credentials, const char *token) {
  return find_token(credentials, token, strlen(token)) ||
         privy_credentials_add_token(credentials, token, PRIVY_SCOPES_ALL, -1.0);
}

bool privy_credentials_revoke_token(privy_credentials *credentials, const char *token) {
  privy_sandbox_token *known = find_token(credentials, token, strlen(token));
  if (!known || known->revoked) return false;
  return known->revoked = true;
}

static bool has_expired(const privy_sandbox_token *token, double now) {
  return token->expires >= 0.0 && now >= token->expires;
}

void privy_credentials_drop_expired(privy_credentials *credentials, double now) {
  for (size_t i = credentials->token_count; i-- > 0;) {
    if (has_expired(&credentials->tokens[i], now)) drop_token(credentials, i);
  }
}

const privy_sandbox_token *privy_credentials_token(const privy_credentials *credentials, privy_slice text, double now) {
  const privy_sandbox_token *known = find_token(credentials, text.text, text.length);
  return known && !known->revoked && !has_expired(known, now) ? known : NULL;
}

/* ---- OAuth clients ----------------------------------------------------------------------------------------------- */

static privy_oauth_client *find_client(const privy_credentials *credentials, const char *id, size_t length) {
  for (size_t i = 0; i < credentials->client_count; i++) {
    if (privy_text_is(id, length, credentials->clients[i].id)) return &credentials->clients[i];
  }
  return NULL;
}

/* Space for one more client, after the last one. */
static privy_oauth_client *next_client(privy_credentials *credentials) {
  privy_oauth_client *clients = privy_grow(credentials->clients, credentials->client_count,
                                           &credentials->client_capacity, sizeof *credentials->clients);
  if (!clients) return NULL;
  credentials->clients = clients;
  return &clients[credentials->client_count];
}

bool privy_credentials_add_client(privy_credentials *credentials, const char *id, const char *secret,
                                  privy_scopes scopes) {
  char *own_secret = privy_copy(secret, strlen(secret));
  if (!own_secret) return false;
  privy_oauth_client *client = find_client(credentials, id, strlen(id));
  if (client) {
    privy_free(client->secret);
    client->secret = own_secret;
    client->scopes = scopes;
    return true;
  }
  client = next_client(credentials);
  char *own_id = client ? privy_copy(id, strlen(id)) : NULL;
  if (!own_id) {
    privy_free(own_secret);
    return false;
  }
  *client = (privy_oauth_client){own_id, own_secret, scopes};
  credentials->client_count++;
  return true;
}

bool privy_credentials_accept_client(privy_credentials *credentials, const char *id, const char *secret) {
  return find_client(credentials, id, strlen(id)) ||
         privy_credentials_add_client(credentials, id, secret, PRIVY_SCOPES_ALL);
}

const privy_oauth_client *privy_credentials_client(const privy_credentials *credentials, privy_slice id,
                                                   privy_slice secret) {
  const privy_oauth_client *client = find_client(credentials, id.text, id.length);
  return client && privy_text_is(secret.text, secret.length, client->secret) ? client : NULL;
}

/* ---- integrations ------------------------------------------------------------------------------------------------ */

static privy_integration *find_integration(const privy_credentials *credentials, const char *token, size_t length) {
  for (size_t i = 0; i < credentials->integration_count; i++) {
    if (privy_text_is(token, length, credentials->integrations[i].token)) return &credentials->integrations[i];
  }
  return NULL;
}

bool privy_credentials_add_integration(privy_credentials *credentials, const char *token, bool active) {
  privy_integration *known = find_integration(credentials, token, strlen(token));
  if (known) {
    known->active = active;
    return true;
  }
  privy_integration *integrations = privy_grow(credentials->integrations, credentials->integration_count,
                                               &credentials->integration_capacity, sizeof *credentials->integrations);
  if (!integrations) return false;
  credentials->integrations = integrations;
  char *text = privy_copy(token, strlen(token));
  if (!text) return false;
  integrations[credentials->integration_count++] = (privy_integration){text, active};
  return true;
}

size_t privy_credentials_integration(const privy_credentials *credentials, privy_slice token) {
  const privy_integration *known = find_integration(credentials, token.text, token.length);
  return known && known->active ? (size_t)(known - credentials->integrations) : PRIVY_INTEGRATION_NONE;
}

size_t privy_credentials_only_integration(const privy_credentials *credentials) {
  size_t only = PRIVY_INTEGRATION_NONE;
  for (size_t i = 0; i < credentials->integration_count; i++) {
    if (!credentials->integrations[i].active) continue;
    if (only != PRIVY_INTEGRATION_NONE) return PRIVY_INTEGRATION_NONE;
    only = i;
  }
  return only;
}
