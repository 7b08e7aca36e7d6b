/* Whose data a file of the library holds: names for the server and the account, without any secret. */
#ifndef PRIVY_JOBS_OWNER_H
#define PRIVY_JOBS_OWNER_H

#include "base/digest.h"
#include "client/client.h"

#define PRIVY_ACCOUNT_SIZE (2 * PRIVY_DIGEST_SIZE + 1)

/* The base URL, or "sandbox" for a sandbox in memory. Owned by the client. */
const char *privy_owner_server(const privy_client *client);
/* A name for the account that contains no part of the credentials; "" if only a token is known. */
void privy_owner_account(const privy_client *client, char out[PRIVY_ACCOUNT_SIZE]);

#endif
