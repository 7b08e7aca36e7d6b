#define _POSIX_C_SOURCE 200809L

#include "jobs/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fork.h"
#include "base/memory.h"
#include "message/error.h"

/* Milliseconds to wait for a program that writes to the database, such as an editor of SQLite files. */
#define BUSY_TIMEOUT 5000

/* FULL and fullfsync: a committed transaction survives a loss of power. */
static const char settings[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA fullfsync = 1;"
                               "PRAGMA checkpoint_fullfsync = 1; PRAGMA trusted_schema = 0;";

/* ---- faults ---- */

static bool is_space_error(int number) {
  return number == ENOSPC || number == EFBIG
#ifdef EDQUOT
         || number == EDQUOT
#endif
      ;
}

bool privy_database_is_denied(int number) {
  return number == EACCES || number == EROFS || number == EPERM;
}

/* The primary result code is the lowest byte. SQLite does not keep the system's error of a commit in WAL mode; errno
 * has it, as each function sets it to 0 before it uses SQLite. */
static privy_database_fault fault_of(const privy_database *database, struct sqlite3 *file, int result) {
  int number = file ? database->sqlite->system_errno(file) : 0;
  if (number == 0) number = errno;
  switch (result & 0xFF) {
  case PRIVY_SQLITE_BUSY:
  case PRIVY_SQLITE_LOCKED: return PRIVY_DATABASE_LOCKED;
  case PRIVY_SQLITE_READONLY: return PRIVY_DATABASE_READ_ONLY;
  case PRIVY_SQLITE_FULL: return PRIVY_DATABASE_FULL;
  case PRIVY_SQLITE_ERROR: /* a table or column is missing: the statements themselves are right */
  case PRIVY_SQLITE_CORRUPT: return PRIVY_DATABASE_DAMAGED;
  case PRIVY_SQLITE_NOTADB: return PRIVY_DATABASE_FOREIGN;
  case PRIVY_SQLITE_IOERR: return is_space_error(number) ? PRIVY_DATABASE_FULL : PRIVY_DATABASE_UNUSABLE;
  case PRIVY_SQLITE_CANTOPEN:
    return privy_database_is_denied(number) ? PRIVY_DATABASE_READ_ONLY : PRIVY_DATABASE_UNUSABLE;
  default: return PRIVY_DATABASE_UNUSABLE;
  }
}

privy_status privy_database_report(const privy_database *database, int fault, privy_error *error) {
  const privy_database_kind *kind = database->kind;
  const char *code = kind->faults[fault].code;
  const char *detail =
      database->result && fault == PRIVY_DATABASE_UNUSABLE ? database->sqlite->errstr(database->result) : NULL;
  privy_error_set(error, kind->status, "%s %s: %s%s%s%s", kind->noun, database->path, kind->faults[fault].message,
                  detail ? " (" : "", detail ? detail : "", detail ? ")" : "");
  if (!privy_error_text(&error->api_code, code, strlen(code))) return privy_error_no_memory(error);
  error->retryable = fault == PRIVY_DATABASE_LOCKED; /* a job of a queue then runs again */
  return error->code;
}

privy_status privy_database_refuse(privy_database *database, int fault, privy_error *error) {
  if (database->fault == PRIVY_DATABASE_SOUND) database->fault = fault;
  return privy_database_report(database, fault, error);
}

static privy_status fail_with(privy_database *database, struct sqlite3 *file, int result, privy_error *error) {
  const privy_database_fault found = fault_of(database, file, result);
  database->result = result;
  if (database->fault == PRIVY_DATABASE_SOUND) database->fault = found;
  if ((result & 0xFF) == PRIVY_SQLITE_NOMEM || result == PRIVY_SQLITE_IOERR_NOMEM) return privy_error_no_memory(error);
  return privy_database_report(database, found, error);
}

privy_status privy_database_fail(privy_database *database, int result, privy_error *error) {
  const privy_status status = fail_with(database, database->database, result, error);
  if (database->in_transaction) (void)database->sqlite->exec(database->database, "ROLLBACK", NULL, NULL, NULL);
  database->in_transaction = false;
  return status;
}

privy_status privy_database_check(privy_database *database, privy_error *error) {
  errno = 0;
  if (database->generation != privy_fork_generation())
    return privy_database_report(database, PRIVY_DATABASE_FORKED, error);
  return database->fault == PRIVY_DATABASE_SOUND ? PRIVY_OK : privy_database_report(database, database->fault, error);
}

/* ---- statements ---- */

privy_status privy_database_run(privy_database *database, const char *sql, privy_error *error) {
  errno = 0;
  const int result = database->sqlite->exec(database->database, sql, NULL, NULL, NULL);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : privy_database_fail(database, result, error);
}

privy_status privy_database_begin(privy_database *database, privy_error *error) {
  if (database->in_transaction) return PRIVY_OK;
  const privy_status status = privy_database_run(database, "BEGIN IMMEDIATE", error);
  database->in_transaction = status == PRIVY_OK;
  return status;
}

privy_status privy_database_commit(privy_database *database, privy_error *error) {
  if (!database->in_transaction) return PRIVY_OK;
  const privy_status status = privy_database_run(database, "COMMIT", error);
  if (status == PRIVY_OK) database->in_transaction = false;
  return status;
}

/* Keeps the first column of a row. */
static int keep_number(void *out, int columns, char **values, char **names) {
  long long number = 0;
  (void)names;
  if (columns > 0 && values[0]) (void)sscanf(values[0], "%lld", &number);
  *(int64_t *)out = number;
  return 0;
}

static privy_status read_number(privy_database *database, const char *sql, int64_t *out, privy_error *error) {
  *out = 0;
  errno = 0;
  const int result = database->sqlite->exec(database->database, sql, keep_number, out, NULL);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : privy_database_fail(database, result, error);
}

/* ---- opening ---- */

/* SQLite would create the file with the mode 0644. A file that is there keeps its mode. */
static int create_private(const char *path) {
  const int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (descriptor < 0) return errno == EEXIST ? 0 : errno;
  close(descriptor);
  return 0;
}

static privy_status create(privy_database *database, const char *path, privy_error *error) {
  const int number = create_private(path);
  if (number == 0) return PRIVY_OK;
  if (is_space_error(number)) return privy_database_refuse(database, PRIVY_DATABASE_FULL, error);
  const bool refused = privy_database_is_denied(number);
  const privy_status status =
      privy_database_refuse(database, refused ? PRIVY_DATABASE_READ_ONLY : PRIVY_DATABASE_UNUSABLE, error);
  if (!refused && status != PRIVY_NO_MEMORY) privy_error_append(error, ": its folder is missing, or is not a folder");
  return error->code;
}

/* SQLite has names with a meaning of their own, such as ":memory:", but no path begins so. */
static privy_status open_file(privy_database *database, const char *path, int flags, struct sqlite3 **out,
                              privy_error *error) {
  const size_t size = strlen(path) + 3;
  char *plain = privy_alloc(size);
  if (!plain) return privy_error_no_memory(error);
  snprintf(plain, size, "%s%s", *path == '/' ? "" : "./", path);
  int result = database->sqlite->open_v2(plain, out, flags, NULL);
  privy_free(plain);
  if (result == PRIVY_SQLITE_OK) result = database->sqlite->extended_result_codes(*out, 1);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : fail_with(database, *out, result, error);
}

/* Keeps all other writers out until the database is closed or its process ends. Other programs can still read it. */
static privy_status lock(privy_database *database, privy_error *error) {
  const char *name = database->sqlite->db_filename(database->database, "main");
  const size_t size = strlen(name) + sizeof "-lock";
  char *path = privy_alloc(size);
  if (!path) return privy_error_no_memory(error);
  snprintf(path, size, "%s-lock", name);
  privy_status status = create(database, path, error);
  if (status == PRIVY_OK) status = open_file(database, path, PRIVY_SQLITE_OPEN_READWRITE, &database->lock, error);
  privy_free(path);
  if (status != PRIVY_OK) return status;
  const int result = database->sqlite->exec(database->lock, "BEGIN IMMEDIATE", NULL, NULL, NULL);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : fail_with(database, database->lock, result, error);
}

privy_status privy_database_recognize(privy_database *database, bool *empty, privy_error *error) {
  int64_t application, objects, *const format = &database->format;
  if (read_number(database, "PRAGMA application_id", &application, error) != PRIVY_OK ||
      read_number(database, "PRAGMA user_version", format, error) != PRIVY_OK ||
      read_number(database, "SELECT count(*) FROM sqlite_master", &objects, error) != PRIVY_OK)
    return error->code;
  *empty = application == 0 && *format == 0 && objects == 0;
  if (!*empty && application != database->kind->application_id)
    return privy_database_refuse(database, PRIVY_DATABASE_FOREIGN, error);
  return *format > database->kind->format ? privy_database_refuse(database, PRIVY_DATABASE_NEWER, error) : PRIVY_OK;
}

/* Recognizes the file before the lock, so that nothing is created next to a file of another kind, and after it,
 * because another process may have created the tables meanwhile. */
privy_status privy_database_lock(privy_database *database, bool *empty, privy_error *error) {
  if (database->sqlite->db_readonly(database->database, "main") == 1)
    return privy_database_refuse(database, PRIVY_DATABASE_READ_ONLY, error);
  if (privy_database_recognize(database, empty, error) != PRIVY_OK || lock(database, error) != PRIVY_OK)
    return error->code;
  return privy_database_recognize(database, empty, error);
}

privy_status privy_database_configure(privy_database *database, privy_error *error) {
  return privy_database_run(database, settings, error);
}

privy_status privy_database_start(privy_database *database, const privy_database_kind *kind, const privy_sqlite *sqlite,
                                  const char *path, privy_error *error) {
  *database = (privy_database){.kind = kind, .sqlite = sqlite, .generation = privy_fork_generation()};
  database->path = privy_copy(path, strlen(path));
  return database->path ? PRIVY_OK : privy_error_no_memory(error);
}

privy_status privy_database_create(privy_database *database, privy_error *error) {
  return create(database, database->path, error);
}

privy_status privy_database_open(privy_database *database, int flags, privy_error *error) {
  if (open_file(database, database->path, flags, &database->database, error) != PRIVY_OK) return error->code;
  const int result = database->sqlite->busy_timeout(database->database, BUSY_TIMEOUT);
  return result == PRIVY_SQLITE_OK ? PRIVY_OK : privy_database_fail(database, result, error);
}

void privy_database_close(privy_database *database) {
  if (database->sqlite && database->generation == privy_fork_generation()) {
    if (database->database) (void)database->sqlite->close(database->database);
    if (database->lock) (void)database->sqlite->close(database->lock);
  }
  privy_free(database->path);
  *database = (privy_database){0};
}
