/* The definition of the privy_journal_view of privy_jobs.h, and how its parts read rows. */
#ifndef PRIVY_JOBS_JOURNAL_VIEW_H
#define PRIVY_JOBS_JOURNAL_VIEW_H

#include <pthread.h>

#include "base/text.h"
#include "jobs/journal_file.h"
#include "jobs/query.h"

/* X(name, SQL). Rows are read one by one, each in a transaction of its own: a long one would keep a run that writes
 * meanwhile from ever shortening its write-ahead log. */
#define PRIVY_VIEW_STATEMENTS(X)                                                                                       \
  X(OWNER, "SELECT operation, server FROM journal")                                                                    \
  X(JOURNAL, "SELECT account <> '', started FROM journal")                                                             \
  X(COUNT, "SELECT state, count(*), sum(detail_count) FROM rows GROUP BY state")                                       \
  X(RUNS, "SELECT count(*), count(*) - count(ended), sum(requests), sum(seconds), sum(waited) FROM runs")              \
  X(LAST_RUN, "SELECT ended IS NOT NULL, stopped FROM runs ORDER BY id DESC LIMIT 1")                                  \
  X(REFUSED, PRIVY_VIEW_ROW "state IN ('refused', 'invalid')" PRIVY_VIEW_NEXT)                                         \
  X(IN_DOUBT, PRIVY_VIEW_ROW "state = 'sent'" PRIVY_VIEW_NEXT)
#define PRIVY_VIEW_ROW                                                                                                 \
  "SELECT id, source_row, CASE state WHEN 'invalid' THEN other_key ELSE key END, request, http_status, message,"       \
  " details, idempotency_key, first_sent, decision IS NOT NULL FROM rows WHERE id > ?1 AND "
#define PRIVY_VIEW_NEXT " ORDER BY id LIMIT 1"

typedef enum privy_view_statement {
#define X(name, sql) PRIVY_VIEW_##name,
  PRIVY_VIEW_STATEMENTS(X)
#undef X
      PRIVY_VIEW_STATEMENT_COUNT
} privy_view_statement;

struct privy_journal_view {
  pthread_mutex_t mutex;
  privy_journal_file file;
  struct sqlite3_stmt *statements[PRIVY_VIEW_STATEMENT_COUNT]; /* NULL until first used */
  char *operation, *server;
};

/* A row of the journal. Texts are NULL if the row lacks them. */
typedef struct privy_view_row {
  int64_t id; /* 0: before the first row */
  uint64_t source_row;
  int http_status;
  double first_sent;
  bool decided;
  privy_value request; /* an object, or PRIVY_ABSENT */
  privy_value details; /* an array, or PRIVY_ABSENT */
  const char *key, *message, *idempotency_key;
  privy_buffer text; /* what the others point into */
} privy_view_row;

/* Locks the view for one use, and checks that it may be used; unlock it in any case. fork() waits meanwhile. */
PRIVY_NODISCARD privy_status privy_view_lock(privy_journal_view *view, privy_error *error);
/* Unlocks it and returns `status`. */
PRIVY_NODISCARD privy_status privy_view_unlock(privy_journal_view *view, privy_status status);
/* The absolute path of its file, which the caller frees. */
PRIVY_NODISCARD privy_status privy_view_path(privy_journal_view *view, char **out, privy_error *error);
/* Opens another view of the same file. */
PRIVY_NODISCARD privy_status privy_view_reopen(privy_journal_view *view, privy_journal_view **out, privy_error *error);
privy_query privy_view_query(privy_journal_view *view, privy_view_statement id);

/* Reads the row after `row` of that kind into `row`, which starts as {0}. `*found` is false at the end. */
PRIVY_NODISCARD privy_status privy_view_next_row(privy_journal_view *view, privy_entries_kind kind, privy_view_row *row,
                                                 bool *found, privy_error *error);
void privy_view_row_clear(privy_view_row *row);

/* An error detail of a row, each text one of JSON. */
typedef struct privy_view_detail {
  privy_value field, message, code;
  int64_t count;
} privy_view_detail;
/* Takes the next detail of a row. A row that has none has one about all of its fields: call it once with `index` 0.
 * PRIVY_OK and `*found`, or the error of a damaged journal. */
PRIVY_NODISCARD privy_status privy_view_next_detail(privy_journal_view *view, const privy_view_row *row,
                                                    privy_cursor *cursor, size_t index, privy_view_detail *out,
                                                    bool *found, privy_error *error);

#endif
