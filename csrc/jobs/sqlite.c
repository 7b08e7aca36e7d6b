#include "jobs/sqlite.h"

#include <pthread.h>
#include <stdio.h>

#include "base/fork.h"
#include "base/library.h"
#include "message/error.h"
#include "privy.h"

#if defined(__APPLE__)
static const char *const names[] = {"libsqlite3.dylib"};
#else
static const char *const names[] = {"libsqlite3.so.0"};
#endif

/* 3.24.0 */
#define OLDEST_VERSION 3024000

static privy_sqlite sqlite;
static char load_error[256]; /* why SQLite cannot be used; "": it can */

static const char missing[] = "SQLite, which keeps the journal, cannot be loaded: %.100s; install it (Debian, Ubuntu: "
                              "libsqlite3-0; Fedora, Alpine: sqlite-libs)";

static void find(void *library, const char *name, void *out) {
  if (!privy_library_find(library, name, out))
    snprintf(load_error, sizeof load_error, "SQLite cannot be used: it has no %s", name);
}

static void check(void) {
  if (sqlite.libversion_number() < OLDEST_VERSION)
    snprintf(load_error, sizeof load_error, "SQLite %s cannot be used: privy needs 3.24 or newer", sqlite.libversion());
  else if (!sqlite.threadsafe())
    snprintf(load_error, sizeof load_error, "SQLite cannot be used: it was compiled without support for threads");
}

static void load(void) {
  char reason[128];
  privy_fork_forbid();
  void *library = privy_library_open(names, sizeof names / sizeof *names, reason, sizeof reason);
  if (!library) snprintf(load_error, sizeof load_error, missing, reason);
#define X(result, name, parameters)                                                                                    \
  if (!*load_error) find(library, "sqlite3_" #name, &sqlite.name);
  PRIVY_SQLITE(X)
#undef X
  if (!*load_error) check();
  privy_fork_allow();
}

const privy_sqlite *privy_sqlite_load(privy_error *error) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, load);
  if (!*load_error) return &sqlite;
  privy_error_set(error, PRIVY_CONFIG_ERROR, "%s", load_error);
  return NULL;
}

privy_status privy_journal_library_load(const char **version, privy_error *error) {
  const privy_sqlite *library = privy_sqlite_load(error);
  if (!library) return error->code;
  *version = library->libversion();
  return PRIVY_OK;
}
