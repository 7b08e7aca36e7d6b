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
/* Milliseconds to wait for a program that writes to the database, such as an editor of SQLite files. */
#define BUSY_TIMEOUT 5000

/* FULL and fullfsync: a committed transaction survives a loss of power. */
static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = 1;"
                               "PRAGMA checkpoint_fullfsync = 1; PRAGMA trusted_schema = 0;";

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

/* ---- faults ---- */

static const struct {
  const char *code, *message;
} faults[] = {{"", ""},
#define X(name, code, message) {code, message},
              PRIVY_JOURNAL_FAULTS(X)
#undef X
};

static bool is_space_error(int number) {
  return number == ENOSPC || number == EFBIG
#ifdef EDQUOT
         || number == EDQUOT
#endif
      ;
}

static bool is_permission_error(int number) {
  return number == EACCES || number == EROFS || number == EPERM;
}

/* The primary result code is the lowest byte. SQLite does not keep the system's error of a commit in WAL mode; errno
 * has it, as each function sets it to 0 before it uses SQLite. */
static privy_journal_fault fault_of(const privy_journal_file *file, struct sqlite3 *database, int result) {
  int number = database ? file->sqlite->system_errno(database) : 0;
  if (number == 0) number = errno;
  switch (result & 0xFF) {
  case PRIVY_SQLITE_BUSY:
  case PRIVY_SQLITE_LOCKED: return PRIVY_JOURNAL_LOCKED;
  case PRIVY_SQLITE_READONLY: return PRIVY_JOURNAL_READ_ONLY;
  case PRIVY_SQLITE_FULL: return PRIVY_JOURNAL_FULL;
  case PRIVY_SQLITE_ERROR: /* a table or column is missing: the statements themselves are right */
  case PRIVY_SQLITE_CORRUPT: return PRIVY_JOURNAL_DAMAGED;
  case PRIVY_SQLITE_NOTADB: return PRIVY_JOURNAL_FOREIGN;
  case PRIVY_SQLITE_IOERR: return is_space_error(number) ? PRIVY_JOURNAL_FULL : PRIVY_JOURNAL_UNUSABLE;
  case PRIVY_SQLITE_CANTOPEN: return is_permission_error(number) ? PRIVY_JOURNAL_READ_ONLY : PRIVY_JOURNAL_UNUSABLE;
  default: return PRIVY_JOURNAL_UNUSABLE;
  }
}

static privy_status report(const privy_journal_file *file, privy_journal_fault fault, privy_error *error) {
  const char *detail = file->result && fault == PRIVY_JOURNAL_UNUSABLE ? file->sqlite->errstr(file->result) : NULL;
  privy_error_set(error, PRIVY_JOURNAL, "journal %s: %s%s%s%s", file->path, faults[fault].message, detail ? " (" : "",
                  detail ? detail : "", detail ? ")" : "");
  if (!privy_error_text(&error->api_code, faults[fault].code, strlen(faults[fault].code)))
    return privy_error_no_memory(error);
  error->retryable = fault == PRIVY_JOURNAL_LOCKED; /* a job of a queue then runs again */
  return error->code;
}

static privy_status fault(privy_journal_file *file, privy_journal_fault found, privy_error *error) {
  if (file->fault == PRIVY_JOURNAL_SOUND) file->fault = found;
  return report(file, found, error);
}

privy_status privy_journal_file_refuse(const privy_journal_file *file, privy_journal_fault fault, privy_error *error) {
  return report(file, fault, error);
}

privy_status privy_journal_file_damaged(privy_journal_file *file, privy_error *error) {
  return fault(file, PRIVY_JOURNAL_DAMAGED, error);
}

static privy_status fail_with(privy_journal_file *file, struct sqlite3 *database, int result, privy_error *error) {
  file->result = result;
  const privy_journal_fault found = fault_of(file, database, result);
  if (file->fault == PRIVY_JOURNAL_SOUND) file->fault = found;
  if ((result & 0xFF) == PRIVY_SQLITE_NOMEM || result == PRIVY_SQLITE_IOERR_NOMEM) return privy_error_no_memory(error);
  return report(file, found, error);
}

privy_status privy_journal_file_fail(privy_journal_file *file, int result, privy_error *error) {
  const privy_status status = fail_with(file, file->database, result, error);
  if (file->in_transaction) (void)file->sqlite->exec(file->database, "ROLLBACK", NULL, NULL, NULL);
  file->in_transaction = false;
  return status;
}

/* ---- statements ---- */

static privy_status run(privy_journal_file *file, const char *sql, privy_error *error) {
  errno = 0;
  const int result = file->sqlite->exec(file->database, sql, NULL, NULL, NULL);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : privy_journal_file_fail(file, result, error);
}

/* Keeps the first column of a row. */
static int keep_number(void *out, int columns, char **values, char **names) {
  (void)names;
  if (columns > 0 && values[0]) (void)sscanf(values[0], "%ld", (long *)out);
  return 0;
}

static privy_status read_number(privy_journal_file *file, const char *sql, long *out, privy_error *error) {
  *out = 0;
  errno = 0;
  const int result = file->sqlite->exec(file->database, sql, keep_number, out, NULL);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : privy_journal_file_fail(file, result, error);
}

privy_status privy_journal_file_check(privy_journal_file *file, privy_error *error) {
  errno = 0;
  if (file->generation != privy_fork_generation()) return report(file, PRIVY_JOURNAL_FORKED, error);
  return file->fault == PRIVY_JOURNAL_SOUND ? PRIVY_OK : report(file, file->fault, error);
}

privy_status privy_journal_file_begin(privy_journal_file *file, privy_error *error) {
  if (file->in_transaction) return PRIVY_OK;
  const privy_status status = run(file, "BEGIN IMMEDIATE", error);
  file->in_transaction = status == PRIVY_OK;
  return status;
}

privy_status privy_journal_file_commit(privy_journal_file *file, privy_error *error) {
  if (!file->in_transaction) return PRIVY_OK;
  const privy_status status = run(file, "COMMIT", error);
  if (status == PRIVY_OK) file->in_transaction = false;
  return status;
}

/* ---- opening ---- */

/* SQLite would create the file with the mode 0644. A file that is there keeps its mode. */
static int create_private(const char *path) {
  const int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return errno == EEXIST ? 0 : errno;
  close(descriptor);
  return 0;
}

static privy_status create(privy_journal_file *file, const char *path, privy_error *error) {
  const int number = create_private(path);
  if (number == 0) return PRIVY_OK;
  if (is_space_error(number)) return fault(file, PRIVY_JOURNAL_FULL, error);
  const bool refused = is_permission_error(number);
  const privy_status status = fault(file, refused ? PRIVY_JOURNAL_READ_ONLY : PRIVY_JOURNAL_UNUSABLE, error);
  if (!refused && status != PRIVY_NO_MEMORY) privy_error_append(error, ": its folder is missing, or is not a folder");
  return error->code;
}

/* Opens a database. SQLite has names with a meaning of their own, such as ":memory:", but no path begins so. */
static privy_status open_database(privy_journal_file *file, const char *path, int flags, struct sqlite3 **out,
                                  privy_error *error) {
  const size_t size = strlen(path) + 3;
  char *plain = privy_alloc(size);
  if (!plain) return privy_error_no_memory(error);
  snprintf(plain, size, "%s%s", *path == '/' ? "" : "./", path);
  int result = file->sqlite->open_v2(plain, out, flags, NULL);
  privy_free(plain);
  if (result == PRIVY_SQLITE_OK) result = file->sqlite->extended_result_codes(*out, 1);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : fail_with(file, *out, result, error);
}

/* Locks the run out of the journals of all others, until it closes the journal or its process ends. Other programs can
 * still read the database. */
static privy_status lock(privy_journal_file *file, privy_error *error) {
  const char *name = file->sqlite->db_filename(file->database, "main");
  const size_t size = strlen(name) + sizeof "-lock";
  char *path = privy_alloc(size);
  if (!path) return privy_error_no_memory(error);
  snprintf(path, size, "%s-lock", name);
  privy_status status = create(file, path, error);
  if (status == PRIVY_OK) status = open_database(file, path, PRIVY_SQLITE_OPEN_READWRITE, &file->lock, error);
  privy_free(path);
  if (status != PRIVY_OK) return status;
  const int result = file->sqlite->exec(file->lock, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : fail_with(file, file->lock, result, error);
}

/* Finds out whether the file is a journal or empty. */
static privy_status recognize(privy_journal_file *file, bool *empty, privy_error *error) {
  long application, format, objects;
  if (read_number(file, "PRAGMA application_id", &application, error) != PRIVY_OK ||
      read_number(file, "PRAGMA user_version", &format, error) != PRIVY_OK ||
      read_number(file, "SELECT count(*) FROM sqlite_master", &objects, error) != PRIVY_OK)
    return error->code;
  *empty = application == 0 && format == 0 && objects == 0;
  if (!*empty && application != APPLICATION_ID) return fault(file, PRIVY_JOURNAL_FOREIGN, error);
  return format > FORMAT ? fault(file, PRIVY_JOURNAL_NEWER, error) : PRIVY_OK;
}

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
  return privy_journal_file_fail(file, result, error);
}

/* In one transaction, so that a process that dies leaves a complete journal or an empty file. */
static privy_status create_tables(privy_journal_file *file, const privy_journal_config *config, privy_error *error) {
  if (privy_journal_file_begin(file, error) != PRIVY_OK || run(file, tables, error) != PRIVY_OK ||
      run_with(file, "INSERT INTO journal VALUES (?1, ?2, ?3, ?4)", config, NULL, error) != PRIVY_OK)
    return error->code;
  return privy_journal_file_commit(file, error);
}

/* What differs. A journal that knows no account gets it from the first run that does. */
static const char owner[] = "SELECT CASE WHEN operation <> ?1 THEN 1 WHEN server <> ?2 THEN 2"
                            " WHEN account = ?3 OR ?3 = '' THEN 0 WHEN account <> '' THEN 3 ELSE 4 END FROM journal";

static privy_status check_owner(privy_journal_file *file, const privy_journal_config *config, privy_error *error) {
  static const char update[] = "UPDATE journal SET account = ?3 WHERE operation = ?1 AND server = ?2";
  long verdict = 0, none;
  if (run_with(file, owner, config, &verdict, error) != PRIVY_OK) return error->code;
  switch (verdict) {
  case 1: return fault(file, PRIVY_JOURNAL_OTHER_OPERATION, error);
  case 2: return fault(file, PRIVY_JOURNAL_OTHER_SERVER, error);
  case 3: return fault(file, PRIVY_JOURNAL_OTHER_ACCOUNT, error);
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
  if (privy_journal_file_begin(file, error) != PRIVY_OK ||
      run(file, restart ? forget_all : forget_invalid, error) != PRIVY_OK)
    return error->code;
  return privy_journal_file_commit(file, error);
}

/* Recognizes the file before the lock, so that nothing is created next to a file that is not a journal, and after it,
 * because another run may have created the journal meanwhile. */
static privy_status lock_journal(privy_journal_file *file, bool *empty, privy_error *error) {
  if (file->sqlite->db_readonly(file->database, "main") == 1) return fault(file, PRIVY_JOURNAL_READ_ONLY, error);
  if (recognize(file, empty, error) != PRIVY_OK || lock(file, error) != PRIVY_OK) return error->code;
  return recognize(file, empty, error);
}

static privy_status open_journal(privy_journal_file *file, const privy_journal_config *config, privy_error *error) {
  bool empty = false;
  if (lock_journal(file, &empty, error) != PRIVY_OK) return error->code;
  if (empty && config->resume == PRIVY_RESUME_ONLY) return fault(file, PRIVY_JOURNAL_MISSING, error);
  if (run(file, settings, error) != PRIVY_OK) return error->code;
  if (empty) return create_tables(file, config, error);
  const privy_status status = check_owner(file, config, error);
  return status == PRIVY_OK ? prepare_rows(file, config, error) : status;
}

/* Makes the file ready to be opened. */
static privy_status begin_file(privy_journal_file *file, const privy_sqlite *sqlite, const char *path,
                               privy_error *error) {
  *file = (privy_journal_file){.sqlite = sqlite, .generation = privy_fork_generation()};
  file->path = privy_copy(path, strlen(path));
  return file->path ? PRIVY_OK : privy_error_no_memory(error);
}

static privy_status open_file(privy_journal_file *file, int flags, privy_error *error) {
  if (open_database(file, file->path, flags, &file->database, error) != PRIVY_OK) return error->code;
  const int result = file->sqlite->busy_timeout(file->database, BUSY_TIMEOUT);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : privy_journal_file_fail(file, result, error);
}

privy_status privy_journal_file_open(privy_journal_file *file, const privy_sqlite *sqlite,
                                     const privy_journal_config *config, privy_error *error) {
  if (begin_file(file, sqlite, config->path, error) != PRIVY_OK) return error->code;
  if (config->resume == PRIVY_RESUME_ONLY && access(config->path, F_OK) != 0)
    return fault(file, PRIVY_JOURNAL_MISSING, error);
  if (create(file, config->path, error) != PRIVY_OK || open_file(file, PRIVY_SQLITE_OPEN_READWRITE, error) != PRIVY_OK)
    return error->code;
  return open_journal(file, config, error);
}

/* Opens a file that exists. */
static privy_status open_existing(privy_journal_file *file, const privy_sqlite *sqlite, const char *path, int flags,
                                  privy_error *error) {
  if (begin_file(file, sqlite, path, error) != PRIVY_OK) return error->code;
  if (access(path, R_OK) == 0) return open_file(file, flags, error);
  if (!is_permission_error(errno)) return fault(file, PRIVY_JOURNAL_MISSING, error);
  if (fault(file, PRIVY_JOURNAL_UNUSABLE, error) != PRIVY_NO_MEMORY) privy_error_append(error, ": permission denied");
  return error->code;
}

privy_status privy_journal_file_open_to_read(privy_journal_file *file, const privy_sqlite *sqlite, const char *path,
                                             privy_error *error) {
  bool empty = false;
  if (open_existing(file, sqlite, path, PRIVY_SQLITE_OPEN_READONLY, error) != PRIVY_OK ||
      run(file, "PRAGMA trusted_schema = 0", error) != PRIVY_OK || recognize(file, &empty, error) != PRIVY_OK)
    return error->code;
  return empty ? fault(file, PRIVY_JOURNAL_MISSING, error) : PRIVY_OK;
}

privy_status privy_journal_file_open_to_write(privy_journal_file *file, const privy_sqlite *sqlite, const char *path,
                                              privy_error *error) {
  bool empty = false;
  if (open_existing(file, sqlite, path, PRIVY_SQLITE_OPEN_READWRITE, error) != PRIVY_OK ||
      lock_journal(file, &empty, error) != PRIVY_OK)
    return error->code;
  return empty ? fault(file, PRIVY_JOURNAL_MISSING, error) : run(file, settings, error);
}

void privy_journal_file_close(privy_journal_file *file) {
  if (file->sqlite && file->generation == privy_fork_generation()) {
    if (file->database) (void)file->sqlite->close(file->database);
    if (file->lock) (void)file->sqlite->close(file->lock);
  }
  privy_free(file->path);
  *file = (privy_journal_file){0};
}
