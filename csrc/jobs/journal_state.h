/* The states of the rows of a journal. */
#ifndef PRIVY_JOBS_JOURNAL_STATE_H
#define PRIVY_JOBS_JOURNAL_STATE_H

#include "privy_jobs.h"

/* Finds the state of that name; false if there is none. */
bool privy_journal_state_find(const char *name, privy_journal_state *out);
/* Whether a row with an unchanged content is not sent again. */
bool privy_journal_state_is_skipped(privy_journal_state state);

#endif
