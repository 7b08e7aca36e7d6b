/*
 * SQLite, loaded when the first journal is opened: no other part needs it. The functions and constants that journals
 * use are declared here, so that no header of SQLite is needed to compile; its interface is stable, and a test compares
 * the declarations with SQLite's header.
 */
#ifndef PRIVY_JOBS_SQLITE_H
#define PRIVY_JOBS_SQLITE_H

#include "privy.h"

struct sqlite3;
struct sqlite3_stmt;
typedef int privy_sqlite_row(void *context, int columns, char **values, char **names);

/* X(result, name without "sqlite3_", parameters) */
#define PRIVY_SQLITE(X)                                                                                                \
  X(int, libversion_number, (void))                                                                                    \
  X(const char *, libversion, (void))                                                                                  \
  X(int, threadsafe, (void))                                                                                           \
  X(int, open_v2, (const char *path, struct sqlite3 **database, int flags, const char *vfs))                           \
  X(int, close, (struct sqlite3 * database))                                                                           \
  X(int, busy_timeout, (struct sqlite3 * database, int milliseconds))                                                  \
  X(int, extended_result_codes, (struct sqlite3 * database, int on))                                                   \
  X(int, system_errno, (struct sqlite3 * database))                                                                    \
  X(const char *, errstr, (int result))                                                                                \
  X(const char *, db_filename, (struct sqlite3 * database, const char *name))                                          \
  X(int, db_readonly, (struct sqlite3 * database, const char *name))                                                   \
  X(int, exec, (struct sqlite3 * database, const char *sql, privy_sqlite_row *row, void *context, char **message))     \
  X(int, prepare_v2,                                                                                                   \
    (struct sqlite3 * database, const char *sql, int length, struct sqlite3_stmt **statement, const char **rest))      \
  X(int, bind_text, (struct sqlite3_stmt * statement, int at, const char *text, int length, void (*destroy)(void *)))  \
  X(int, bind_blob, (struct sqlite3_stmt * statement, int at, const void *bytes, int length, void (*destroy)(void *))) \
  X(int, bind_double, (struct sqlite3_stmt * statement, int at, double value))                                         \
  X(int, bind_null, (struct sqlite3_stmt * statement, int at))                                                         \
  X(int, step, (struct sqlite3_stmt * statement))                                                                      \
  X(int, reset, (struct sqlite3_stmt * statement))                                                                     \
  X(int, clear_bindings, (struct sqlite3_stmt * statement))                                                            \
  X(int, finalize, (struct sqlite3_stmt * statement))                                                                  \
  X(const unsigned char *, column_text, (struct sqlite3_stmt * statement, int at))                                     \
  X(const void *, column_blob, (struct sqlite3_stmt * statement, int at))                                              \
  X(int, column_bytes, (struct sqlite3_stmt * statement, int at))                                                      \
  X(int, column_int, (struct sqlite3_stmt * statement, int at))                                                        \
  X(double, column_double, (struct sqlite3_stmt * statement, int at))                                                  \
  X(int, bind_int64, (struct sqlite3_stmt * statement, int at, long long value))                                       \
  X(long long, column_int64, (struct sqlite3_stmt * statement, int at))                                                \
  X(long long, last_insert_rowid, (struct sqlite3 * database))                                                         \
  X(int, changes, (struct sqlite3 * database))

/* SQLite's functions, without the prefix sqlite3_. */
typedef struct privy_sqlite {
#define X(result, name, parameters) result(*name) parameters;
  PRIVY_SQLITE(X)
#undef X
} privy_sqlite;

/* Result codes and flags: X(name without "SQLITE_", value) */
#define PRIVY_SQLITE_CONSTANTS(X)                                                                                      \
  X(OK, 0)                                                                                                             \
  X(ERROR, 1)                                                                                                          \
  X(BUSY, 5)                                                                                                           \
  X(LOCKED, 6)                                                                                                         \
  X(NOMEM, 7)                                                                                                          \
  X(READONLY, 8)                                                                                                       \
  X(IOERR, 10)                                                                                                         \
  X(IOERR_NOMEM, 3082)                                                                                                 \
  X(CORRUPT, 11)                                                                                                       \
  X(CANTOPEN, 14)                                                                                                      \
  X(FULL, 13)                                                                                                          \
  X(NOTADB, 26)                                                                                                        \
  X(ROW, 100)                                                                                                          \
  X(DONE, 101)                                                                                                         \
  X(OPEN_READONLY, 1)                                                                                                  \
  X(OPEN_READWRITE, 2)                                                                                                 \
  X(OPEN_CREATE, 4)

enum {
#define X(name, value) PRIVY_SQLITE_##name = value,
  PRIVY_SQLITE_CONSTANTS(X)
#undef X
};

/* The library, which stays loaded. NULL with PRIVY_CONFIG_ERROR in `error` if it cannot be used. */
const privy_sqlite *privy_sqlite_load(privy_error *error);

#endif
