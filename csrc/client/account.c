#include "client/account.h"

void privy_account_init(privy_account *account, int64_t reserve) {
  *account = (privy_account){.pacer = {.reserve = reserve}};
  privy_retry_quota_init(&account->quota);
}

void privy_account_clear(privy_account *account) {
  privy_token_clear(&account->token);
}
