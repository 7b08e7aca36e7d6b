/* What the user decides about rows in doubt. */
#include "jobs/journal_view.h"

#include "base/fork.h"
#include "base/memory.h"
#include "message/error.h"

/* ?1: a key, ?2: an index; NULL: any. */
#define WHERE " WHERE state = 'sent' AND (?1 IS NULL OR key = ?1) AND (?2 IS NULL OR source_row = ?2)"

static const char count[] = "SELECT count(*) FROM rows" WHERE;
/* A row that counts as done keeps no request, like others that are done. */
static const char *const writes[] = {[PRIVY_DECISION_SEND] = "UPDATE rows SET decision = 'send'" WHERE,
                                     [PRIVY_DECISION_SKIP] =
                                         "UPDATE rows SET state = 'done', decision = 'skip', request = NULL" WHERE};

typedef struct decision {
  const char *key; /* NULL: any */
  int64_t row;     /* -1: any */
  privy_decision what;
  int64_t decided;
} decision;

/* Runs a statement about the rows. `*out` (may be NULL): the number that it returns. */
static privy_status run(privy_journal_file *file, const char *sql, const decision *about, int64_t *out,
                        privy_error *error) {
  struct sqlite3_stmt *statement = NULL;
  privy_query query = privy_query_begin(file, &statement, sql);
  privy_query_string(&query, 1, about->key);
  if (about->row >= 0) privy_query_integer(&query, 2, about->row);
  if (privy_query_step(&query) && out) *out = privy_query_read_integer(&query, 0);
  const privy_status status = privy_query_end(&query, error);
  (void)file->sqlite->finalize(statement);
  return status;
}

static privy_status write_decision(privy_journal_file *file, decision *about, privy_error *error) {
  if (privy_database_begin(file, error) != PRIVY_OK || run(file, count, about, &about->decided, error) != PRIVY_OK)
    return error->code;
  if (about->decided == 0) return privy_database_report(file, PRIVY_JOURNAL_NOT_IN_DOUBT, error);
  if (about->decided > 1 && !about->key) return privy_database_report(file, PRIVY_JOURNAL_AMBIGUOUS, error);
  if (run(file, writes[about->what], about, NULL, error) != PRIVY_OK) return error->code;
  return privy_database_commit(file, error);
}

/* Writes to the journal with a connection of its own, and with the lock of a run. */
static privy_status decide(privy_journal_view *view, decision *about, privy_error *error) {
  privy_journal_file file;
  char *path;
  privy_status status = privy_view_path(view, &path, error);
  if (status != PRIVY_OK) return status;
  privy_fork_forbid();
  status = privy_journal_file_open_to_write(&file, view->file.sqlite, path, error);
  if (status == PRIVY_OK) status = write_decision(&file, about, error);
  privy_database_close(&file);
  privy_fork_allow();
  privy_free(path);
  return status;
}

privy_status privy_journal_view_decide(privy_journal_view *view, const char *key, int64_t row, privy_decision what,
                                       uint64_t *decided, privy_error *error) {
  decision about = {.key = key, .row = row, .what = what};
  if (!key && row < 0) return privy_error_set(error, PRIVY_CONFIG_ERROR, "a decision needs a key or an index");
  const privy_status status = decide(view, &about, error);
  if (decided) *decided = status == PRIVY_OK ? (uint64_t)about.decided : 0;
  return status;
}
