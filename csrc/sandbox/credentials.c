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

void privy_credentials_clear(privy_credentials *registry) {
  for (size_t i = 0; i < registry->token_count; i++) privy_free(registry->tokens[i].text);
  for (size_t i = 0; i < registry->client_count; i++) {
    privy_free(registry->clients[i].id);
    privy_free(registry->clients[i].secret);
  }
  for (size_t i = 0; i < registry->integration_count; i++) privy_free(registry->integrations[i].token);
  privy_free(registry->tokens);
  privy_free(registry->clients);
  privy_free(registry->integrations);
  *registry = (privy_credentials){0};
}

/* ---- tokens ------------------------------------------------------------------------------------------------------ */

static privy_sandbox_token *find_token(const privy_credentials *registry, const char *text, size_t length) {
  for (size_t i = 0; i < registry->token_count; i++) {
    if (privy_text_is(text, length, registry->tokens[i].text)) return &registry->tokens[i];
  }
  return NULL;
}

bool privy_credentials_add_token(privy_credentials *registry, const char *token, privy_scopes scopes, double expires) {
  privy_sandbox_token *known = find_token(registry, token, strlen(token));
  if (known) {
    known->scopes = scopes;
    known->expires = expires;
    return true;
  }
  privy_sandbox_token *tokens =
      privy_grow(registry->tokens, registry->token_count, &registry->token_capacity, sizeof *registry->tokens);
  if (!tokens) return false;
  registry->tokens = tokens;
  char *text = privy_copy(token, strlen(token));
  if (!text) return false;
  tokens[registry->token_count++] = (privy_sandbox_token){text, scopes, expires};
  return true;
}

static void drop_token(privy_credentials *registry, size_t index) {
  privy_free(registry->tokens[index].text);
  registry->tokens[index] = registry->tokens[--registry->token_count];
}

bool privy_credentials_drop_token(privy_credentials *registry, const char *token) {
  const privy_sandbox_token *known = find_token(registry, token, strlen(token));
  if (!known) return false;
  drop_token(registry, (size_t)(known - registry->tokens));
  return true;
}

static bool has_expired(const privy_sandbox_token *token, double now) {
  return token->expires >= 0.0 && now >= token->expires;
}

void privy_credentials_drop_expired(privy_credentials *registry, double now) {
  for (size_t i = registry->token_count; i-- > 0;) {
    if (has_expired(&registry->tokens[i], now)) drop_token(registry, i);
  }
}

const privy_sandbox_token *privy_credentials_token(const privy_credentials *registry, privy_slice text, double now) {
  const privy_sandbox_token *known = find_token(registry, text.text, text.length);
  return known && !has_expired(known, now) ? known : NULL;
}

/* ---- OAuth clients ----------------------------------------------------------------------------------------------- */

static privy_oauth_client *find_client(const privy_credentials *registry, const char *id, size_t length) {
  for (size_t i = 0; i < registry->client_count; i++) {
    if (privy_text_is(id, length, registry->clients[i].id)) return &registry->clients[i];
  }
  return NULL;
}

/* Room for one more client, behind the last one. */
static privy_oauth_client *next_client(privy_credentials *registry) {
  privy_oauth_client *clients =
      privy_grow(registry->clients, registry->client_count, &registry->client_capacity, sizeof *registry->clients);
  if (!clients) return NULL;
  registry->clients = clients;
  return &clients[registry->client_count];
}

bool privy_credentials_add_client(privy_credentials *registry, const char *id, const char *secret,
                                  privy_scopes scopes) {
  char *own_secret = privy_copy(secret, strlen(secret));
  if (!own_secret) return false;
  privy_oauth_client *client = find_client(registry, id, strlen(id));
  if (client) {
    privy_free(client->secret);
    client->secret = own_secret;
    client->scopes = scopes;
    return true;
  }
  client = next_client(registry);
  char *own_id = client ? privy_copy(id, strlen(id)) : NULL;
  if (!own_id) {
    privy_free(own_secret);
    return false;
  }
  *client = (privy_oauth_client){own_id, own_secret, scopes};
  registry->client_count++;
  return true;
}

const privy_oauth_client *privy_credentials_client(const privy_credentials *registry, privy_slice id,
                                                   privy_slice secret) {
  const privy_oauth_client *client = find_client(registry, id.text, id.length);
  return client && privy_text_is(secret.text, secret.length, client->secret) ? client : NULL;
}

/* ---- integrations ------------------------------------------------------------------------------------------------ */

static privy_integration *find_integration(const privy_credentials *registry, const char *token, size_t length) {
  for (size_t i = 0; i < registry->integration_count; i++) {
    if (privy_text_is(token, length, registry->integrations[i].token)) return &registry->integrations[i];
  }
  return NULL;
}

bool privy_credentials_add_integration(privy_credentials *registry, const char *token, bool active) {
  privy_integration *known = find_integration(registry, token, strlen(token));
  if (known) {
    known->active = active;
    return true;
  }
  privy_integration *integrations = privy_grow(registry->integrations, registry->integration_count,
                                               &registry->integration_capacity, sizeof *registry->integrations);
  if (!integrations) return false;
  registry->integrations = integrations;
  char *text = privy_copy(token, strlen(token));
  if (!text) return false;
  integrations[registry->integration_count++] = (privy_integration){text, active};
  return true;
}

size_t privy_credentials_integration(const privy_credentials *registry, privy_slice token) {
  const privy_integration *known = find_integration(registry, token.text, token.length);
  return known && known->active ? (size_t)(known - registry->integrations) : PRIVY_INTEGRATION_NONE;
}

size_t privy_credentials_only_integration(const privy_credentials *registry) {
  size_t only = PRIVY_INTEGRATION_NONE;
  for (size_t i = 0; i < registry->integration_count; i++) {
    if (!registry->integrations[i].active) continue;
    if (only != PRIVY_INTEGRATION_NONE) return PRIVY_INTEGRATION_NONE;
    only = i;
  }
  return only;
}
