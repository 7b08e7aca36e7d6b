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
#include "privy_jobs.h"

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

/* A kind of file. */
typedef struct privy_database_kind {
  const char *noun;    /* "snapshot": messages begin with it */
  privy_status status; /* of its errors */
  int64_t application_id, format;
  const char *tables; /* SQL that creates them, and sets both numbers */
  struct {
    const char *code, *message;
  } faults[PRIVY_DATABASE_FAULT_COUNT];
} privy_database_kind;

typedef struct privy_database {
  const privy_database_kind *kind;
  const privy_sqlite *sqlite;
  struct sqlite3 *file;
  struct sqlite3 *lock; /* of an empty file next to it: a transaction that lasts as long as it is open */
  char *path;
  int generation; /* privy_fork_generation */
  bool in_transaction;
  privy_database_fault fault; /* the first one; after it nothing is written */
  int result;                 /* of SQLite, for PRIVY_DATABASE_UNUSABLE */
} privy_database;

/*
 * Opens the file, or creates it and its tables. `*created`: it is new. PRIVY_OK, the status of the kind with the code
 * of a fault in `api_code`, PRIVY_CONFIG_ERROR without SQLite, or PRIVY_NO_MEMORY. Close it in each case. A file of
 * another kind is not changed.
 */
PRIVY_NODISCARD privy_status privy_database_open(privy_database *database, const privy_database_kind *kind,
                                                 const char *path, bool *created, privy_error *error);
/* Rolls back what is not committed. In the child of a fork it leaves the file to the parent. */
void privy_database_close(privy_database *database);
/* PRIVY_OK if it may be used: it has no fault and belongs to this process. */
PRIVY_NODISCARD privy_status privy_database_check(privy_database *database, privy_error *error);
PRIVY_NODISCARD privy_status privy_database_run(privy_database *database, const char *sql, privy_error *error);
/* Begins a transaction unless there is one. */
PRIVY_NODISCARD privy_status privy_database_begin(privy_database *database, privy_error *error);
/* Ends the transaction. When it returns PRIVY_OK what was written survives a loss of power. */
PRIVY_NODISCARD privy_status privy_database_commit(privy_database *database, privy_error *error);
/* Records the fault and fills the error. Returns its code. */
privy_status privy_database_refuse(privy_database *database, privy_database_fault fault, privy_error *error);
/* Records that SQLite returned `result`, rolls the transaction back and fills the error. Returns its code. */
privy_status privy_database_fail(privy_database *database, int result, privy_error *error);

/* One use of a prepared statement. The first failure stays in `result`, and all later steps do nothing. */
typedef struct privy_statement {
  privy_database *database;
  const privy_sqlite *sqlite;
  struct sqlite3_stmt *prepared;
  int result;
} privy_statement;

/* Prepares `*prepared` if it is NULL; its owner finalizes it. */
privy_statement privy_statement_begin(privy_database *database, struct sqlite3_stmt **prepared, const char *sql);
/* Parameters that are not set are NULL; so is a NULL text. */
void privy_statement_text(privy_statement *statement, int at, const char *text, size_t length);
void privy_statement_integer(privy_statement *statement, int at, int64_t value);
void privy_statement_real(privy_statement *statement, int at, double value);
/* Whether there is a row to read. */
bool privy_statement_step(privy_statement *statement);
/* A text of the row, valid until the next step; `*length` is 0 and the text "" for NULL. */
const char *privy_statement_column(const privy_statement *statement, int column, size_t *length);
/* Makes the statement usable again. */
PRIVY_NODISCARD privy_status privy_statement_end(privy_statement *statement, privy_error *error);
/* Steps through all rows, and ends. */
PRIVY_NODISCARD privy_status privy_statement_run(privy_statement *statement, privy_error *error);

#endif
