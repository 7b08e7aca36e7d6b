#include "jobs/journal_view.h"

#include <stdio.h>

#include "base/fork.h"
#include "base/memory.h"
#include "jobs/journal_state.h"
#include "message/error.h"

static const char *const sql_texts[] = {
#define X(name, sql) sql,
    PRIVY_VIEW_STATEMENTS(X)
#undef X
};

/* ---- life ---- */

static privy_status copy_text(privy_query *query, int column, char **out, privy_error *error) {
  const char *text = privy_query_read_text(query, column);
  *out = text ? privy_copy(text, strlen(text)) : NULL;
  if (*out) return PRIVY_OK;
  return text ? privy_error_no_memory(error) : privy_database_refuse(query->file, PRIVY_DATABASE_DAMAGED, error);
}

static privy_status read_owner(privy_journal_view *view, privy_error *error) {
  privy_query query = privy_view_query(view, PRIVY_VIEW_OWNER);
  const bool found = privy_query_step(&query);
  privy_status status = PRIVY_OK;
  if (found) status = copy_text(&query, 0, &view->operation, error);
  if (found && status == PRIVY_OK) status = copy_text(&query, 1, &view->server, error);
  if (status != PRIVY_OK) {
    privy_error ignored;
    privy_error_init(&ignored);
    (void)!privy_query_end(&query, &ignored);
    privy_error_clear(&ignored);
    return status;
  }
  if (privy_query_end(&query, error) != PRIVY_OK) return error->code;
  return found ? PRIVY_OK : privy_database_refuse(&view->file, PRIVY_DATABASE_DAMAGED, error);
}

static privy_status open_view(privy_journal_view *view, const privy_sqlite *sqlite, const char *path,
                              privy_error *error) {
  privy_fork_forbid();
  privy_status status = privy_journal_file_open_to_read(&view->file, sqlite, path, error);
  if (status == PRIVY_OK) status = read_owner(view, error);
  privy_fork_allow();
  return status;
}

privy_status privy_journal_view_open(const char *path, privy_journal_view **out, privy_error *error) {
  const privy_sqlite *sqlite = privy_sqlite_load(error);
  if (!sqlite) return error->code;
  privy_journal_view *view = privy_calloc(1, sizeof *view);
  if (!view) return privy_error_no_memory(error);
  pthread_mutex_init(&view->mutex, NULL);
  const privy_status status = open_view(view, sqlite, path, error);
  if (status == PRIVY_OK)
    *out = view;
  else
    privy_journal_view_free(view);
  return status;
}

void privy_journal_view_free(privy_journal_view *view) {
  if (!view) return;
  privy_fork_forbid();
  if (view->file.generation == privy_fork_generation())
    for (size_t i = 0; i < PRIVY_VIEW_STATEMENT_COUNT; i++)
      if (view->statements[i]) (void)view->file.sqlite->finalize(view->statements[i]);
  privy_database_close(&view->file);
  privy_fork_allow();
  pthread_mutex_destroy(&view->mutex);
  privy_free(view->operation);
  privy_free(view->server);
  privy_free(view);
}

/* ---- use ---- */

/* A fault that reading met does not last: a program that writes to the file may have locked it, for example. */
privy_status privy_view_lock(privy_journal_view *view, privy_error *error) {
  privy_mutex_lock(&view->mutex);
  view->file.fault = PRIVY_JOURNAL_SOUND;
  return privy_database_check(&view->file, error);
}

privy_status privy_view_unlock(privy_journal_view *view, privy_status status) {
  privy_mutex_unlock(&view->mutex);
  return status;
}

privy_status privy_view_path(privy_journal_view *view, char **out, privy_error *error) {
  privy_status status = privy_view_lock(view, error);
  if (status == PRIVY_OK) {
    const char *path = view->file.sqlite->db_filename(view->file.database, "main");
    *out = privy_copy(path, strlen(path));
    if (!*out) status = privy_error_no_memory(error);
  }
  return privy_view_unlock(view, status);
}

privy_status privy_view_reopen(privy_journal_view *view, privy_journal_view **out, privy_error *error) {
  char *path;
  privy_status status = privy_view_path(view, &path, error);
  if (status != PRIVY_OK) return status;
  status = privy_journal_view_open(path, out, error);
  privy_free(path);
  return status;
}

privy_query privy_view_query(privy_journal_view *view, privy_view_statement id) {
  return privy_query_begin(&view->file, &view->statements[id], sql_texts[id]);
}

/* ---- the summary ---- */

static privy_status read_journal(privy_journal_view *view, privy_journal_summary *out, privy_error *error) {
  privy_query query = privy_view_query(view, PRIVY_VIEW_JOURNAL);
  if (privy_query_step(&query)) {
    out->account_known = privy_query_read_integer(&query, 0);
    out->began = privy_query_read_number(&query, 1);
  }
  return privy_query_end(&query, error);
}

static privy_status read_counts(privy_journal_view *view, privy_journal_summary *out, privy_error *error) {
  privy_query query = privy_view_query(view, PRIVY_VIEW_COUNT);
  bool known = true;
  while (known && privy_query_step(&query)) {
    privy_journal_state state = PRIVY_JOURNAL_PENDING;
    known = privy_journal_state_find(privy_query_read_text(&query, 0), &state);
    out->counts[state] += (uint64_t)privy_query_read_integer(&query, 1);
    if (state == PRIVY_JOURNAL_REFUSED || state == PRIVY_JOURNAL_INVALID)
      out->details += (uint64_t)privy_query_read_integer(&query, 2);
  }
  if (privy_query_end(&query, error) != PRIVY_OK) return error->code;
  return known ? PRIVY_OK : privy_database_refuse(&view->file, PRIVY_DATABASE_DAMAGED, error);
}

static privy_status read_runs(privy_journal_view *view, privy_journal_summary *out, privy_error *error) {
  privy_query query = privy_view_query(view, PRIVY_VIEW_RUNS);
  if (privy_query_step(&query)) {
    out->runs = (uint64_t)privy_query_read_integer(&query, 0);
    out->killed = (uint64_t)privy_query_read_integer(&query, 1);
    out->requests = (uint64_t)privy_query_read_integer(&query, 2);
    out->seconds = privy_query_read_number(&query, 3);
    out->waited = privy_query_read_number(&query, 4);
  }
  return privy_query_end(&query, error);
}

static privy_status read_last_run(privy_journal_view *view, privy_journal_summary *out, privy_error *error) {
  privy_query query = privy_view_query(view, PRIVY_VIEW_LAST_RUN);
  if (privy_query_step(&query)) {
    const char *stopped = privy_query_read_text(&query, 1);
    out->finished = privy_query_read_integer(&query, 0) && !stopped;
    const size_t length = stopped ? strlen(stopped) : 0, room = sizeof out->stopped - 1;
    snprintf(out->stopped, sizeof out->stopped, "%.*s",
             (int)privy_utf8_whole(stopped ? stopped : "", length < room ? length : room), stopped ? stopped : "");
  }
  return privy_query_end(&query, error);
}

static void add_up(privy_journal_summary *out) {
  const uint64_t *counts = out->counts;
  for (size_t i = 0; i < PRIVY_JOURNAL_STATE_COUNT; i++) out->total += counts[i];
  out->succeeded = counts[PRIVY_JOURNAL_DONE] + counts[PRIVY_JOURNAL_CREATED] + counts[PRIVY_JOURNAL_UPDATED];
  out->failed = counts[PRIVY_JOURNAL_REFUSED] + counts[PRIVY_JOURNAL_INVALID];
  out->unsent = counts[PRIVY_JOURNAL_PENDING] + counts[PRIVY_JOURNAL_SUPERSEDED];
  out->in_doubt = counts[PRIVY_JOURNAL_SENT];
  out->finished = out->finished && out->unsent == 0 && out->in_doubt == 0;
}

static privy_status read_summary(privy_journal_view *view, privy_journal_summary *out, privy_error *error) {
  privy_status status = read_journal(view, out, error);
  if (status == PRIVY_OK) status = read_counts(view, out, error);
  if (status == PRIVY_OK) status = read_runs(view, out, error);
  if (status == PRIVY_OK) status = read_last_run(view, out, error);
  if (status == PRIVY_OK) add_up(out);
  return status;
}

privy_status privy_journal_view_summary(privy_journal_view *view, privy_journal_summary *out, privy_error *error) {
  *out = (privy_journal_summary){.operation = view->operation, .server = view->server};
  privy_status status = privy_view_lock(view, error);
  if (status == PRIVY_OK) status = read_summary(view, out, error);
  return privy_view_unlock(view, status);
}
