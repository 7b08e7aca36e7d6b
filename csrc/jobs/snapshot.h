/* The contents of the privy_snapshot of privy_jobs.h. */
#ifndef PRIVY_JOBS_SNAPSHOT_H
#define PRIVY_JOBS_SNAPSHOT_H

#include "jobs/query.h"
#include "jobs/sweep.h"

/* The statements of a snapshot: X(name, SQL) */
#define PRIVY_SNAPSHOT_STATEMENTS(X)                                                                                   \
  X(LOAD, "SELECT sweep, completed, written, began_at, completed_at, this_began_at, read_at, pass, next, "             \
          "first_total, total,"                                                                                        \
          " overlap, back, longest, missed, windows, first_at, second_at, second_from, doubtful, server <> ?1, "       \
          "account <> ?2 AND account <> '' AND ?2 <> '',"                                                              \
          " filter <> ?3 FROM snapshot")                                                                               \
  X(CREATE, "INSERT INTO snapshot (server, account, filter) VALUES (?1, ?2, ?3)")                                      \
  X(CLAIM, "UPDATE snapshot SET account = ?1 WHERE account = ''")                                                      \
  X(SAVE, "UPDATE snapshot SET sweep = ?1, completed = ?2, written = ?3, began_at = ?4, completed_at = ?5,"            \
          " this_began_at = ?6, read_at = ?7, pass = ?8, next = ?9, first_total = ?10, total = ?11, overlap = ?12,"    \
          " back = ?13, longest = ?14, missed = ?15, windows = ?16, first_at = ?17, second_at = ?18, second_from = "   \
          "?19, doubtful = ?20")                                                                                       \
  X(PUT, "INSERT INTO contacts (key, email, phone_number, updated_at, body, read_at, sweep, pass)"                     \
         " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (key) DO UPDATE SET email = ?2, phone_number = ?3,"     \
         " updated_at = ?4, body = ?5, read_at = ?6, sweep = ?7, pass = ?8, vanished_at = NULL")                       \
  X(SEEN, "SELECT key, updated_at, pass FROM contacts WHERE sweep = ?1")                                               \
  X(VANISH, "UPDATE contacts SET vanished_at = ?1 WHERE sweep <> ?2 AND vanished_at IS NULL")                          \
  X(READ, "SELECT id, body FROM contacts WHERE id > ?1 AND vanished_at IS NULL ORDER BY id LIMIT ?2")                  \
  X(BY_ID, "SELECT body FROM contacts WHERE key = ?1 AND vanished_at IS NULL")                                         \
  X(BY_EMAIL, "SELECT body FROM contacts WHERE email = ?1 COLLATE NOCASE AND vanished_at IS NULL")                     \
  X(BY_PHONE, "SELECT body FROM contacts WHERE phone_number = ?1 AND vanished_at IS NULL")

typedef enum privy_snapshot_statement {
#define X(name, sql) PRIVY_SNAPSHOT_##name,
  PRIVY_SNAPSHOT_STATEMENTS(X)
#undef X
      PRIVY_SNAPSHOT_STATEMENT_COUNT
} privy_snapshot_statement;

/* What the table `snapshot` has in its one row, besides the owner. */
typedef struct privy_snapshot_state {
  int64_t sweep, completed; /* numbers of the last sweep that was begun and of the last that was completed */
  int64_t written;          /* …whose contacts an export has written to its file */
  double began_at, completed_at;
  double this_began_at, read_at; /* of the sweep in progress */
  privy_coverage coverage;       /* its numbers; the set of contacts is in the table `contacts` */
} privy_snapshot_state;

struct privy_snapshot {
  privy_database database;
  struct sqlite3_stmt *statements[PRIVY_SNAPSHOT_STATEMENT_COUNT]; /* NULL until first used */
  privy_snapshot_state state;
  bool resumed;
  privy_buffer texts[4]; /* of the contact that is written, without escapes */
};

/* Begins the use of a statement. */
privy_query privy_snapshot_begin(privy_snapshot *snapshot, privy_snapshot_statement id);
/* Blocks fork() and checks the file, until privy_snapshot_leave. */
PRIVY_NODISCARD privy_status privy_snapshot_enter(privy_snapshot *snapshot, privy_error *error);
/* Writes the state. */
PRIVY_NODISCARD privy_status privy_snapshot_save(privy_snapshot *snapshot, privy_error *error);
/* Allows fork(), and returns the status. */
privy_status privy_snapshot_leave(privy_status status);

#endif
