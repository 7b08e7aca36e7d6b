/* What a bulk run writes to its journal, and what the journal decides of a row. */
#ifndef PRIVY_JOBS_BULK_JOURNAL_H
#define PRIVY_JOBS_BULK_JOURNAL_H

#include "jobs/bulk.h"

typedef enum bulk_verdict {
  BULK_SEND,
  BULK_SKIP,    /* an earlier run has its outcome */
  BULK_DECIDE,  /* the error is its result: only the user can decide what to do with it */
  BULK_NO_WRITE /* the journal failed with the error */
} bulk_verdict;

/* Opens the journal of the configuration. Returns as privy_journal_open does. */
PRIVY_NODISCARD privy_status privy_bulk_journal_open(privy_bulk *bulk, const privy_bulk_config *config,
                                                     privy_error *error);
/* Makes what was written durable, with what the run has done so far. Returns as privy_journal_commit does. */
PRIVY_NODISCARD privy_status privy_bulk_journal_commit(privy_bulk *bulk, privy_error *error);
/* Writes how the run ended, and closes the journal, if there is one, so that another run can use it. */
void privy_bulk_journal_close(privy_bulk *bulk);
/* Decides about a row that has its request. */
PRIVY_NODISCARD bulk_verdict privy_bulk_journal_take(privy_bulk *bulk, bulk_row *row, privy_error *error);
/* Writes that the call of the row was started. A row in doubt gets the key of its first request. */
PRIVY_NODISCARD privy_status privy_bulk_journal_send(privy_bulk *bulk, const bulk_row *row, privy_call *call,
                                                     privy_error *error);
/* When the lost request of a row in doubt was sent, by the server's clock: never later, if the response to a look-up
 * shows how far this machine's clock is ahead. `response` may be NULL. */
double privy_bulk_journal_first_sent(privy_bulk *bulk, const bulk_row *row, const privy_response *response);
/* Writes the outcome of a row. The outcome of a row that was in doubt is corrected first: what its first request
 * created was not updated by the second. */
PRIVY_NODISCARD privy_status privy_bulk_journal_end(privy_bulk *bulk, const bulk_row *row, privy_completion *completion,
                                                    privy_error *error);
/* Writes that no request was sent for the row after all. Ignores faults: the next run then sends the row again. */
void privy_bulk_journal_take_back(privy_bulk *bulk, const bulk_row *row);

#endif
