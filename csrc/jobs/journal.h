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

/* What the journal knows of a row of the source. */
typedef struct privy_journal_row {
  int64_t id;
  /* PENDING: send it. SENT: send it again with the same key. DONE, CREATED, UPDATED, REFUSED: skip it. No other. */
  privy_journal_state state;
  double first_sent; /* SENT: by the server's clock */
  bool decided;      /* SENT: the user has decided that it is sent again, however long ago that was */
  char key[40];      /* SENT: the Idempotency-Key that the core made for it; "": none, or the request has its own */
} privy_journal_row;

/* Seconds. How long the server remembers idempotency keys is not published; it is expected to be a day or more. */
#define PRIVY_JOURNAL_KEY_LIFETIME 86400.0

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
/* Writes a row of the source that was found invalid before sending. `request`: the invalid request, or NULL. */
PRIVY_NODISCARD privy_status privy_journal_refuse(privy_journal *journal, uint64_t index, const privy_request *request,
                                                  const privy_error *cause, privy_error *error);

/* What the run has done so far. */
typedef struct privy_journal_run {
  uint64_t requests;
  double seconds, waited;
  bool ended;
  const char *stopped; /* why it ended before the source did; NULL: it did not, or has not ended */
} privy_journal_run;
/* Writes it together with what the next commit writes; if there is nothing else to commit, only if the run ended. */
PRIVY_NODISCARD privy_status privy_journal_note(privy_journal *journal, const privy_journal_run *run,
                                                privy_error *error);
/* Whether something was written that is not committed. */
bool privy_journal_is_changed(const privy_journal *journal);
/* What was written before survives a crash and a loss of power. */
PRIVY_NODISCARD privy_status privy_journal_commit(privy_journal *journal, privy_error *error);
/* Counts the rows of each state, those included that are not committed. */
PRIVY_NODISCARD privy_status privy_journal_count(privy_journal *journal, uint64_t out[PRIVY_JOURNAL_STATE_COUNT],
                                                 privy_error *error);

#endif
