/*
 * Rows of a journal that are read before the source has them. A source mostly has its rows in the order of the journal:
 * then one statement finds many rows of it that are skipped, in place of a statement for each row. All that is read
 * here is what a look-up by key would find. Memory is bounded, and no transaction stays open.
 */
#ifndef PRIVY_JOBS_JOURNAL_AHEAD_H
#define PRIVY_JOBS_JOURNAL_AHEAD_H

#include "jobs/identity.h"
#include "jobs/journal_file.h"

/* Rows that are read at once, at most. */
#define PRIVY_JOURNAL_AHEAD_ROWS 256

typedef struct privy_journal_ahead_row {
  int64_t id;
  size_t nth;
  size_t key, key_length; /* where its key begins in `keys` */
  bool skipped;           /* its state says so; `state` and `hash` are set */
  privy_journal_state state;
  unsigned char hash[PRIVY_HASH_SIZE];
} privy_journal_ahead_row;

/* Start with {.follows = true}. */
typedef struct privy_journal_ahead {
  struct sqlite3_stmt *statement; /* the owner finalizes it */
  privy_journal_ahead_row rows[PRIVY_JOURNAL_AHEAD_ROWS];
  privy_buffer keys;
  size_t at, count; /* the next row of `rows`, and how many there are */
  size_t size;      /* rows to read the next time */
  int64_t last;     /* the id after which to read */
  bool follows;     /* the source has followed the order of the journal so far */
} privy_journal_ahead;

void privy_journal_ahead_clear(privy_journal_ahead *ahead);
/* Sets `*row` to the next row if it is at `nth` of this key, has this content and is skipped; otherwise to NULL: then
 * only a look-up by key can find the row of the source. Returns PRIVY_OK or how the file failed. */
PRIVY_NODISCARD privy_status privy_journal_ahead_find(privy_journal_ahead *ahead, privy_journal_file *file,
                                                      const privy_identity *identity, size_t nth,
                                                      const privy_journal_ahead_row **row, privy_error *error);
/* The source has the row of this id next, and it is skipped. */
void privy_journal_ahead_pass(privy_journal_ahead *ahead, int64_t id);
/* Rows of the journal are about to change: forgets what was read. */
void privy_journal_ahead_drop(privy_journal_ahead *ahead);

#endif
