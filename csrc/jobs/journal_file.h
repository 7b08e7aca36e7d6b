/* The file of a journal: a SQLite database in WAL mode, which one run writes at a time. */
#ifndef PRIVY_JOBS_JOURNAL_FILE_H
#define PRIVY_JOBS_JOURNAL_FILE_H

#include "jobs/database.h"
#include "privy_jobs.h"

/* Why a journal cannot be used: X(name, code of the error, message). First the faults of databases, in their order. */
#define PRIVY_JOURNAL_FAULTS(X)                                                                                        \
  X(LOCKED, "journal_locked", "another run or program writes to it; close that run, or wait until it ends")            \
  X(MISSING, "journal_missing", "there is no such file, or no run has written to it")                                  \
  X(FOREIGN, "not_a_journal", "the file is not a journal, and is left unchanged; choose another name")                 \
  X(NEWER, "journal_newer", "a newer version of privy wrote it; use that version")                                     \
  X(OTHER_OPERATION, "journal_operation", "it belongs to another operation; use a journal for each operation")         \
  X(OTHER_SERVER, "journal_server", "it belongs to another server; use a journal for each server")                     \
  X(OTHER_ACCOUNT, "journal_account", "it belongs to another account; use a journal for each account")                 \
  X(READ_ONLY, "journal_read_only",                                                                                    \
    "the file or its folder cannot be written; change its permissions, or choose another path")                        \
  X(FULL, "journal_full", "there is no space left to write to it; free some and run again")                            \
  X(DAMAGED, "journal_damaged",                                                                                        \
    "the file is damaged; restore it from a backup, or choose another path and send all rows")                         \
  X(FORKED, "journal_forked", "it belongs to the process that opened it; open it again after a fork")                  \
  X(UNUSABLE, "journal_unusable", "it cannot be opened, read or written; choose another path")                         \
  X(NOT_IN_DOUBT, "journal_not_in_doubt", "it has no row in doubt with this key or index")                             \
  X(AMBIGUOUS, "journal_ambiguous", "more than one row in doubt has had this index; use the key of the row")

typedef enum privy_journal_fault {
  PRIVY_JOURNAL_SOUND,
#define X(name, code, message) PRIVY_JOURNAL_##name,
  PRIVY_JOURNAL_FAULTS(X)
#undef X
} privy_journal_fault;
_Static_assert((int)PRIVY_JOURNAL_OTHER_OPERATION == PRIVY_DATABASE_OTHER_SUBJECT &&
                   (int)PRIVY_JOURNAL_UNUSABLE == PRIVY_DATABASE_UNUSABLE,
               "the faults of databases come first");

typedef struct privy_journal_config {
  const char *path;      /* its folder exists */
  const char *operation; /* "orders.upsert", … */
  const char *server;    /* the base URL, or a name for a sandbox */
  const char *account;   /* what is known of the account, no secret; "": nothing, which fits any */
  privy_resume resume;
} privy_journal_config;

typedef privy_database privy_journal_file;

/*
 * Opens the file, or creates it with the mode 0600, for one run: PRIVY_OK, PRIVY_JOURNAL with the code of a fault
 * in `api_code`, or PRIVY_NO_MEMORY. Close the file in each case. A file that is not a journal is not changed. Nothing
 * here blocks fork(): the callers do.
 */
PRIVY_NODISCARD privy_status privy_journal_file_open(privy_journal_file *file, const privy_sqlite *sqlite,
                                                     const privy_journal_config *config, privy_error *error);
/* Opens the file to read it, as privy_journal_file_open does otherwise. It is not created and not changed. */
PRIVY_NODISCARD privy_status privy_journal_file_open_to_read(privy_journal_file *file, const privy_sqlite *sqlite,
                                                             const char *path, privy_error *error);
/* Opens a journal that exists to write to it, with the lock of a run. It forgets nothing. */
PRIVY_NODISCARD privy_status privy_journal_file_open_to_write(privy_journal_file *file, const privy_sqlite *sqlite,
                                                              const char *path, privy_error *error);

#endif
