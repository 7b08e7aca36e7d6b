/*
 * A SQLite database in WAL mode as a file of the library: with an application_id and a format number of its own, the
 * mode 0600, a lock that keeps other writers out, and faults with codes.
 *
 * After a fault nothing is written any more, and what was not committed is undone. Nothing here blocks fork(): the
 * callers do. One thread uses a database at a time.
 */
#ifndef PRIVY_JOBS_DATABASE_H
#define PRIVY_JOBS_DATABASE_H

#include "jobs/sqlite.h"
#include "privy.h"

/* Why a database cannot be used: X(name) */
#define PRIVY_DATABASE_FAULTS(X)                                                                                       \
  X(LOCKED)                                                                                                            \
  X(MISSING)                                                                                                           \
  X(FOREIGN)                                                                                                           \
  X(NEWER)                                                                                                             \
  X(OTHER_SUBJECT)                                                                                                     \
  X(OTHER_SERVER)                                                                                                      \
  X(OTHER_ACCOUNT)                                                                                                     \
  X(READ_ONLY)                                                                                                         \
  X(FULL)                                                                                                              \
  X(DAMAGED)                                                                                                           \
  X(FORKED)                                                                                                            \
  X(UNUSABLE)

typedef enum privy_database_fault {
  PRIVY_DATABASE_SOUND,
#define X(name) PRIVY_DATABASE_##name,
  PRIVY_DATABASE_FAULTS(X)
#undef X
      PRIVY_DATABASE_FAULT_COUNT
} privy_database_fault;

typedef struct privy_database_fault_text {
  const char *code, *message;
} privy_database_fault_text;

/* A kind of file. */
typedef struct privy_database_kind {
  const char *noun;    /* "snapshot": messages begin with it */
  privy_status status; /* of its errors */
  int64_t application_id, format;
  const privy_database_fault_text *faults; /* by privy_database_fault; a kind may have more of its own */
} privy_database_kind;

typedef struct privy_database {
  const privy_database_kind *kind;
  const privy_sqlite *sqlite;
  struct sqlite3 *database;
  struct sqlite3 *lock; /* of an empty file next to it: a transaction that lasts as long as it is open */
  char *path;
  int64_t format; /* of the file, 0 if it is empty: the kind's, or an older one */
  int generation; /* privy_fork_generation */
  bool in_transaction;
  int fault;  /* the first privy_database_fault, or one of the kind's own; after it nothing is written */
  int result; /* of SQLite, for PRIVY_DATABASE_UNUSABLE */
} privy_database;

/*
 * Opening takes several steps: begin, create unless the file must exist, open, recognize or lock, configure, and the
 * tables of the kind. Each returns PRIVY_OK, the status of the kind with the code of a fault in `api_code`, or
 * PRIVY_NO_MEMORY. Close the database in each case.
 */
PRIVY_NODISCARD privy_status privy_database_start(privy_database *database, const privy_database_kind *kind,
                                                  const privy_sqlite *sqlite, const char *path, privy_error *error);
/* Creates the file with the mode 0600 unless it exists. */
PRIVY_NODISCARD privy_status privy_database_create(privy_database *database, privy_error *error);
PRIVY_NODISCARD privy_status privy_database_open(privy_database *database, int flags, privy_error *error);
/* Finds out whether the file is of this kind or `*empty`. */
PRIVY_NODISCARD privy_status privy_database_recognize(privy_database *database, bool *empty, privy_error *error);
/* The same, and keeps all other writers out until the database is closed or its process ends. Other programs can still
 * read it. Nothing is created next to a file of another kind. */
PRIVY_NODISCARD privy_status privy_database_lock(privy_database *database, bool *empty, privy_error *error);
/* What is committed survives a loss of power. */
PRIVY_NODISCARD privy_status privy_database_configure(privy_database *database, privy_error *error);
/* Rolls back what is not committed. In the child of a fork it leaves the file to the parent. */
void privy_database_close(privy_database *database);
/* PRIVY_OK if it may be used: it has no fault and belongs to this process. */
PRIVY_NODISCARD privy_status privy_database_check(privy_database *database, privy_error *error);
PRIVY_NODISCARD privy_status privy_database_run(privy_database *database, const char *sql, privy_error *error);
/* Begins a transaction unless there is one. */
PRIVY_NODISCARD privy_status privy_database_begin(privy_database *database, privy_error *error);
/* Ends the transaction. When it returns PRIVY_OK what was written survives a loss of power. */
PRIVY_NODISCARD privy_status privy_database_commit(privy_database *database, privy_error *error);
/* Fills the error with the fault, and returns its code. */
privy_status privy_database_report(const privy_database *database, int fault, privy_error *error);
/* Records the fault and fills the error. Returns its code. */
privy_status privy_database_refuse(privy_database *database, int fault, privy_error *error);
/* Records that SQLite returned `result`, rolls the transaction back and fills the error. Returns its code. */
privy_status privy_database_fail(privy_database *database, int result, privy_error *error);
/* Whether an error of the system says that access is denied. */
bool privy_database_is_denied(int number);

#endif
