#define _POSIX_C_SOURCE 200809L

#include "jobs/journal_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fork.h"
#include "base/memory.h"
#include "message/error.h"

/* "PrvJ" and the version of the tables. */
#define APPLICATION_ID 0x5072764A
#define FORMAT 1
static const char tables[] = "CREATE TABLE journal (operation TEXT NOT NULL, server TEXT NOT NULL, account TEXT NOT "
                             "NULL, started REAL NOT NULL);"
                             "CREATE TABLE rows ("
                             " id INTEGER PRIMARY KEY,"
                             " key TEXT NOT NULL,"    /* what identifies the row */
                             " nth INTEGER NOT NULL," /* how many rows with this key come before it in the source */
                             " other_key TEXT,"
                             " source_row INTEGER NOT NULL," /* its position in the source when it was last sent */
                             " hash BLOB NOT NULL,"          /* of its content */
                             " state TEXT NOT NULL,"
                             " request TEXT," /* the body; NULL after success */
                             " idempotency_key TEXT,"
                             " first_sent REAL," /* by the server's clock */
                             " http_status INTEGER,"
                             " record_id TEXT,"
                             " message TEXT,"
                             " details TEXT," /* JSON: [{\"field\": …, \"message\": …, \"code\": …}] */
                             " detail_count INTEGER,"
                             " decision TEXT," /* of the user about a row in doubt: 'send' or 'skip' */
                             " UNIQUE (key, nth));"
                             "CREATE INDEX rows_other_key ON rows (other_key) WHERE other_key IS NOT NULL;"
                             "CREATE TABLE runs ("
                             " id INTEGER PRIMARY KEY,"
                             " began REAL NOT NULL,"
                             " ended REAL," /* NULL: it was killed, or is in progress */
                             " requests INTEGER NOT NULL DEFAULT 0,"
                             " seconds REAL NOT NULL DEFAULT 0,"
                             " waited REAL NOT NULL DEFAULT 0,"
                             " stopped TEXT);" /* why it ended before the source did */
                             "PRAGMA application_id = 1349678666; PRAGMA user_version = 1;";
_Static_assert(APPLICATION_ID == 1349678666 && FORMAT == 1, "`tables` writes these numbers");

static const privy_database_fault_text faults[] = {{"", ""},
#define X(name, code, message) {code, message},
                                                   PRIVY_JOURNAL_FAULTS(X)
#undef X
};

static const privy_database_kind kind = {
    .noun = "journal", .status = PRIVY_JOURNAL, .application_id = APPLICATION_ID, .format = FORMAT, .faults = faults};

/* Runs a statement with two texts and, if it has a third parameter, the time. Sets `*number` to the number it returns.
 */
static privy_status run_with(privy_journal_file *file, const char *sql, const privy_journal_config *config,
                             long *number, privy_error *error) {
  const privy_sqlite *sqlite = file->sqlite;
  struct sqlite3_stmt *statement = NULL;
  int result = sqlite->prepare_v2(file->database, sql, -1, &statement, NULL);
  if (result == PRIVY_SQLITE_OK) result = sqlite->bind_text(statement, 1, config->operation, -1, NULL);
  if (result == PRIVY_SQLITE_OK) result = sqlite->bind_text(statement, 2, config->server, -1, NULL);
  if (result == PRIVY_SQLITE_OK) result = sqlite->bind_text(statement, 3, config->account, -1, NULL);
  if (result == PRIVY_SQLITE_OK && !number) result = sqlite->bind_double(statement, 4, privy_wall_clock());
  if (result == PRIVY_SQLITE_OK) result = sqlite->step(statement);
  if (result == PRIVY_SQLITE_ROW && number) *number = sqlite->column_int(statement, 0);
  sqlite->finalize(statement);
  if (result == PRIVY_SQLITE_ROW || result == PRIVY_SQLITE_DONE) return PRIVY_OK;
  return privy_database_fail(file, result, error);
}

/* In one transaction, so that a process that dies leaves a complete journal or an empty file. */
static privy_status create_tables(privy_journal_file *file, const privy_journal_config *config, privy_error *error) {
  if (privy_database_begin(file, error) != PRIVY_OK || privy_database_run(file, tables, error) != PRIVY_OK ||
      run_with(file, "INSERT INTO journal VALUES (?1, ?2, ?3, ?4)", config, NULL, error) != PRIVY_OK)
    return error->code;
  return privy_database_commit(file, error);
}

/* What differs. A journal that knows no account gets it from the first run that does. */
static const char owner[] = "SELECT CASE WHEN operation <> ?1 THEN 1 WHEN server <> ?2 THEN 2"
                            " WHEN account = ?3 OR ?3 = '' THEN 0 WHEN account <> '' THEN 3 ELSE 4 END FROM journal";

static privy_status check_owner(privy_journal_file *file, const privy_journal_config *config, privy_error *error) {
  static const char update[] = "UPDATE journal SET account = ?3 WHERE operation = ?1 AND server = ?2";
  long verdict = 0, none;
  if (run_with(file, owner, config, &verdict, error) != PRIVY_OK) return error->code;
  switch (verdict) {
  case 1: return privy_database_refuse(file, PRIVY_JOURNAL_OTHER_OPERATION, error);
  case 2: return privy_database_refuse(file, PRIVY_JOURNAL_OTHER_SERVER, error);
  case 3: return privy_database_refuse(file, PRIVY_JOURNAL_OTHER_ACCOUNT, error);
  case 4: return run_with(file, update, config, &none, error);
  default: return PRIVY_OK;
  }
}

/* What a new run forgets: rows that were invalid before sending are checked again. */
static const char forget_invalid[] = "DELETE FROM rows WHERE state = 'invalid'";
static const char forget_all[] = "DELETE FROM rows; DELETE FROM runs;"
                                 "UPDATE journal SET started = (julianday('now') - 2440587.5) * 86400.0";

static privy_status prepare_rows(privy_journal_file *file, const privy_journal_config *config, privy_error *error) {
  const bool restart = config->resume == PRIVY_RESUME_RESTART;
  if (privy_database_begin(file, error) != PRIVY_OK ||
      privy_database_run(file, restart ? forget_all : forget_invalid, error) != PRIVY_OK)
    return error->code;
  return privy_database_commit(file, error);
}

static privy_status open_journal(privy_journal_file *file, const privy_journal_config *config, privy_error *error) {
  bool empty = false;
  if (privy_database_lock(file, &empty, error) != PRIVY_OK) return error->code;
  if (empty && config->resume == PRIVY_RESUME_ONLY) return privy_database_refuse(file, PRIVY_JOURNAL_MISSING, error);
  if (privy_database_configure(file, error) != PRIVY_OK) return error->code;
  if (empty) return create_tables(file, config, error);
  const privy_status status = check_owner(file, config, error);
  return status == PRIVY_OK ? prepare_rows(file, config, error) : status;
}

privy_status privy_journal_file_open(privy_journal_file *file, const privy_sqlite *sqlite,
                                     const privy_journal_config *config, privy_error *error) {
  if (privy_database_start(file, &kind, sqlite, config->path, error) != PRIVY_OK) return error->code;
  if (config->resume == PRIVY_RESUME_ONLY && access(config->path, F_OK) != 0)
    return privy_database_refuse(file, PRIVY_JOURNAL_MISSING, error);
  if (privy_database_create(file, error) != PRIVY_OK ||
      privy_database_open(file, PRIVY_SQLITE_OPEN_READWRITE, error) != PRIVY_OK)
    return error->code;
  return open_journal(file, config, error);
}

/* Opens a file that exists. */
static privy_status open_existing(privy_journal_file *file, const privy_sqlite *sqlite, const char *path, int flags,
                                  privy_error *error) {
  if (privy_database_start(file, &kind, sqlite, path, error) != PRIVY_OK) return error->code;
  if (access(path, R_OK) == 0) return privy_database_open(file, flags, error);
  if (!privy_database_is_denied(errno)) return privy_database_refuse(file, PRIVY_JOURNAL_MISSING, error);
  if (privy_database_refuse(file, PRIVY_JOURNAL_UNUSABLE, error) != PRIVY_NO_MEMORY)
    privy_error_append(error, ": permission denied");
  return error->code;
}

privy_status privy_journal_file_open_to_read(privy_journal_file *file, const privy_sqlite *sqlite, const char *path,
                                             privy_error *error) {
  bool empty = false;
  if (open_existing(file, sqlite, path, PRIVY_SQLITE_OPEN_READONLY, error) != PRIVY_OK ||
      privy_database_run(file, "PRAGMA trusted_schema = 0", error) != PRIVY_OK ||
      privy_database_recognize(file, &empty, error) != PRIVY_OK)
    return error->code;
  return empty ? privy_database_refuse(file, PRIVY_JOURNAL_MISSING, error) : PRIVY_OK;
}

privy_status privy_journal_file_open_to_write(privy_journal_file *file, const privy_sqlite *sqlite, const char *path,
                                              privy_error *error) {
  bool empty = false;
  if (open_existing(file, sqlite, path, PRIVY_SQLITE_OPEN_READWRITE, error) != PRIVY_OK ||
      privy_database_lock(file, &empty, error) != PRIVY_OK)
    return error->code;
  return empty ? privy_database_refuse(file, PRIVY_JOURNAL_MISSING, error) : privy_database_configure(file, error);
}
