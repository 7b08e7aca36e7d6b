/* What all calls of a client share: budget, retry quota, token. The client's mutex guards it. */
#ifndef PRIVY_CLIENT_ACCOUNT_H
#define PRIVY_CLIENT_ACCOUNT_H

#include "policy/pacer.h"
#include "policy/retry.h"
#include "policy/token.h"

typedef struct privy_account {
  double wall_offset; /* of the wall clock from the calls' clock, as the driver has seen it last */
  privy_pacer pacer;
  privy_retry_quota quota;
  privy_token token;
  bool fetching;  /* a call is on its way to the token endpoint */
  uint64_t calls; /* numbers given to calls so far */
} privy_account;

void privy_account_init(privy_account *account, int64_t reserve);
void privy_account_clear(privy_account *account);

#endif
