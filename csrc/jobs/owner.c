#include "jobs/owner.h"

#include <stdio.h>
#include <string.h>

const char *privy_owner_server(const privy_client *client) {
  return client->sandbox ? "sandbox" : client->settings.base_url;
}

void privy_owner_account(const privy_client *client, char out[PRIVY_ACCOUNT_SIZE]) {
  const char *id = client->settings.client_id;
  unsigned char end[PRIVY_DIGEST_SIZE];
  privy_digest digest;
  *out = '\0';
  if (!id) return;
  privy_digest_init(&digest);
  privy_digest_add(&digest, id, strlen(id));
  privy_digest_end(&digest, end);
  for (size_t i = 0; i < PRIVY_DIGEST_SIZE; i++) snprintf(out + 2 * i, 3, "%02x", end[i]);
}
