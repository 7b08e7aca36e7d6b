#include "call/account.h"

/* Seconds without a drive after which another call takes the token request over. */
#define MAX_UNDRIVEN 0.25

void privy_account_init(privy_account *account) {
  *account = (privy_account){0};
  privy_retry_quota_init(&account->quota);
}

void privy_account_clear(privy_account *account) {
  privy_token_clear(&account->token);
}

uint64_t privy_account_begin_fetch(privy_account *account) {
  account->drives++;
  return account->fetch = ++account->fetch_count;
}

void privy_account_drive_fetch(privy_account *account, uint64_t fetch) {
  if (account->fetch == fetch) account->drives++;
}

bool privy_account_end_fetch(privy_account *account, uint64_t fetch) {
  bool current = account->fetch == fetch;
  if (current) account->fetch = 0;
  return current;
}

bool privy_account_fetch_stalls(const privy_account *account, privy_fetch_watch *watch, double seconds) {
  if (watch->drives != account->drives) *watch = (privy_fetch_watch){account->drives, 0};
  if (watch->undriven >= MAX_UNDRIVEN) return true;
  watch->undriven += seconds;
  return false;
}
