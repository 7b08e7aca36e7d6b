/* What all calls of a client share: budget, retry quota, token. The client's mutex guards it. */
#ifndef PRIVY_CALL_ACCOUNT_H
#define PRIVY_CALL_ACCOUNT_H

#include "policy/pacer.h"
#include "policy/retry.h"
#include "policy/token.h"

typedef struct privy_account {
  double wall_offset; /* of the wall clock from the calls' clock, as the driver has seen it last */
  privy_pacer pacer;
  privy_retry_quota quota;
  privy_token token;
  uint64_t fetch;   /* number of the token request that calls wait for, 0: none is under way */
  uint64_t fetches; /* numbers given to token requests so far */
  uint64_t drives;  /* how often the calls that made them were driven */
  uint64_t calls;   /* numbers given to calls so far */
} privy_account;

/* What a call that waits for another one's token request has seen of it. Start with {0}. */
typedef struct privy_fetch_watch {
  uint64_t drives;
  double undriven; /* seconds in which it was not driven */
} privy_fetch_watch;

void privy_account_init(privy_account *account);
void privy_account_clear(privy_account *account);

/*
 * One call makes the token request that all wait for. Its driver may go away: a loop body that reads a page, a bulk run
 * between two results. So each drive is counted, and a call that sees none for a quarter of a second takes over; that
 * the server is slow is no reason. `fetch` is the number that _begin_fetch returned.
 */
uint64_t privy_account_begin_fetch(privy_account *account);
void privy_account_drive_fetch(privy_account *account, uint64_t fetch);
/* False when another call has taken over meanwhile. */
bool privy_account_end_fetch(privy_account *account, uint64_t fetch);
/* A call is about to wait for so many seconds more: true when it is to take over instead. */
bool privy_account_fetch_stalls(const privy_account *account, privy_fetch_watch *watch, double seconds);

#endif
