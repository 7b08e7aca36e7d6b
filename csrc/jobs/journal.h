/*
 * The journal of a bulk run: a row for each row of the source, written before its request is sent, with its outcome
 * afterwards. The same run with the same journal continues where the last one stopped, however it ended.
 *
 *   privy_journal_open(&config, &journal, &error);
 *   privy_journal_take(journal, index, request, &row, &error);   what to do with a row of the source
 *   privy_journal_send(journal, row.id, key, first_sent, &error);
 *   privy_journal_commit(journal, &error);                       before the request is sent
 *   privy_journal_end(journal, row.id, &outcome, &error);
 *   privy_journal_commit(journal, &error);                       before the outcome is reported
 *   privy_journal_close(journal);
 *
 * Each function that can fail returns PRIVY_OK, PRIVY_NO_MEMORY, or PRIVY_JOURNAL with the code of a fault
 * (journal_file.h) in `api_code`. After a fault nothing is written any more, and what was not committed is undone: the
 * caller then sends nothing more. One thread uses a journal at a time.
 */
#ifndef PRIVY_JOBS_JOURNAL_H
#define PRIVY_JOBS_JOURNAL_H

#include "jobs/identity.h"
#include "jobs/journal_file.h"

typedef struct privy_journal privy_journal;

/* The state of a row: X(name, as the file spells it) */
#define PRIVY_JOURNAL_STATES(X)                                                                                        \
  X(PENDING, "pending")       /* not sent, or the server did not process it: the next run sends it */                  \
  X(SENT, "sent")             /* sent, and no outcome is known: it is in doubt if no run is in progress */             \
  X(DONE, "done")             /* the server accepted it */                                                             \
  X(CREATED, "created")       /* …and created the contact or order */                                                \
  X(UPDATED, "updated")       /* …and updated it */                                                                  \
  X(REFUSED, "refused")       /* the server refused it for what it contains */                                         \
  X(INVALID, "invalid")       /* found invalid before sending; the next run checks it again */                         \
  X(SUPERSEDED, "superseded") /* it has an outcome, but then an earlier row of its key was sent again: so is this one  \
                               */

typedef enum privy_journal_state {
#define X(name, text) PRIVY_JOURNAL_##name,
  PRIVY_JOURNAL_STATES(X)
#undef X
      PRIVY_JOURNAL_STATE_COUNT
} privy_journal_state;

/* What the journal knows of a row of the source. */
typedef struct privy_journal_row {
  int64_t id;
  /* PENDING: send it. SENT: send it again with the same key. DONE, CREATED, UPDATED, REFUSED: skip it. No other. */
  privy_journal_state state;
  double first_sent; /* SENT: by the server's clock */
  char key[40];      /* SENT: the Idempotency-Key that the core made for it; "": none, or the request has its own */
} privy_journal_row;

typedef struct privy_journal_outcome {
  privy_journal_state
      state;             /* DONE, CREATED, UPDATED or REFUSED; PENDING: it had no effect; SENT: it may have had one */
  int http_status;       /* 0: no response */
  const char *record_id; /* of the contact, order or event; NULL: none */
  const char *message;   /* of the error; NULL: none */
  const privy_details *details; /* of the error; NULL: none */
} privy_journal_outcome;

PRIVY_NODISCARD privy_status privy_journal_open(const privy_journal_config *config, privy_journal **out,
                                                privy_error *error);
/* Drops what is not committed. In the child of a fork it leaves the file to the parent. */
void privy_journal_close(privy_journal *journal);
/*
 * Finds the next row of the source by its keys, or by its content if it has none, and writes that it is there. If two
 * rows of the source have one key, the second is the second in the journal too. A row is sent again if its content has
 * changed. A contact or order is also sent again if a row of one of its keys is sent that comes before it in the
 * source: otherwise the earlier state would be the last one. An event without a key is known by its content, so that an
 * event is sent as often as the source has it.
 */
PRIVY_NODISCARD privy_status privy_journal_take(privy_journal *journal, uint64_t index, const privy_request *request,
                                                privy_journal_row *out, privy_error *error);
/* Writes that the row is about to be sent. `key`: its Idempotency-Key; NULL: none. A row that is sent again keeps the
 * time of its first request. */
PRIVY_NODISCARD privy_status privy_journal_send(privy_journal *journal, int64_t id, const char *key, double first_sent,
                                                privy_error *error);
PRIVY_NODISCARD privy_status privy_journal_end(privy_journal *journal, int64_t id, const privy_journal_outcome *outcome,
                                               privy_error *error);
/* Sets `*found` to whether another row of one of its keys created the contact or order. */
PRIVY_NODISCARD privy_status privy_journal_find_creator(privy_journal *journal, int64_t id, bool *found,
                                                        privy_error *error);
/* Writes a row of the source that was found invalid before sending. */
PRIVY_NODISCARD privy_status privy_journal_refuse(privy_journal *journal, uint64_t index, const privy_error *cause,
                                                  privy_error *error);
/* What was written before survives a crash and a loss of power. */
PRIVY_NODISCARD privy_status privy_journal_commit(privy_journal *journal, privy_error *error);
/* Counts the rows of each state, those included that are not committed. */
PRIVY_NODISCARD privy_status privy_journal_count(privy_journal *journal, uint64_t out[PRIVY_JOURNAL_STATE_COUNT],
                                                 privy_error *error);

#endif
