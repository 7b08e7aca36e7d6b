/* What all calls of a client share: rate limits, retry quota, token. The client's mutex protects it. */
#ifndef PRIVY_CALL_ACCOUNT_H
#define PRIVY_CALL_ACCOUNT_H

#include "policy/pacer.h"
#include "policy/retry.h"
#include "policy/slots.h"
#include "policy/token.h"

typedef struct privy_account {
  double
      wall_offset; /* seconds that the wall clock is ahead of the calls' clock, when the driver last read the clocks */
  privy_pacer pacer;
  privy_slots slots;
  privy_retry_quota quota;
  privy_token token;
  uint64_t fetch;       /* number of the token request that calls wait for; 0: none */
  uint64_t fetch_count; /* token requests so far */
  uint64_t drives;      /* how often a call was driven while it made a token request */
  uint64_t call_count;  /* calls with a number so far */
  bool sandbox;         /* the client uses a sandbox */
} privy_account;

/* What a call that waits for another call's token request knows of it. Start with {0}. */
typedef struct privy_fetch_watch {
  uint64_t drives;
  double undriven; /* seconds without a drive */
} privy_fetch_watch;

void privy_account_init(privy_account *account);
void privy_account_clear(privy_account *account);

/*
 * One call makes the token request, and all others wait for it. The driver of that call may stop driving it, for
 * example a loop body that reads a page. So each drive is counted, and a call that sees no drive for 0.25 s takes the
 * request over. A slow server is no reason to take over.
 */

/* Begins a token request, also in place of another call's. Returns its number, from 1. */
uint64_t privy_account_begin_fetch(privy_account *account);
/* Counts a drive of the call that makes the token request `fetch`. */
void privy_account_drive_fetch(privy_account *account, uint64_t fetch);
/* Ends the token request. False if another call has taken it over. */
bool privy_account_end_fetch(privy_account *account, uint64_t fetch);
/* Whether a call takes the token request over instead of waiting `seconds` more. */
bool privy_account_fetch_stalls(const privy_account *account, privy_fetch_watch *watch, double seconds);

#endif
