#include "jobs/journal_state.h"

#include <string.h>

static const char *const names[] = {
#define X(name, text) text,
    PRIVY_JOURNAL_STATES(X)
#undef X
};

const char *privy_journal_state_name(privy_journal_state state) {
  return names[state];
}

bool privy_journal_state_find(const char *name, privy_journal_state *out) {
  for (size_t state = 0; name && state < PRIVY_JOURNAL_STATE_COUNT; state++) {
    if (strcmp(name, names[state]) != 0) continue;
    *out = (privy_journal_state)state;
    return true;
  }
  return false;
}

bool privy_journal_state_is_skipped(privy_journal_state state) {
  return state == PRIVY_JOURNAL_DONE || state == PRIVY_JOURNAL_CREATED || state == PRIVY_JOURNAL_UPDATED ||
         state == PRIVY_JOURNAL_REFUSED;
}
