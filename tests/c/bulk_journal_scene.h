/* Bulk runs with a journal: the scene of bulk runs, with a folder for the journal. Define _POSIX_C_SOURCE 200809L
 * before the first include. */
#ifndef BULK_JOURNAL_SCENE_H
#define BULK_JOURNAL_SCENE_H

#include <unistd.h>

#include "bulk_scene.h"
#include "jobs/journal.h"

typedef struct journal_place {
  char folder[32], path[64];
} journal_place;

static inline void place_make(journal_place *place) {
  strcpy(place->folder, "/tmp/privy-test-XXXXXX");
  assert_non_null(mkdtemp(place->folder));
  snprintf(place->path, sizeof place->path, "%s/j.db", place->folder);
}

static inline void place_remove(const journal_place *place) {
  static const char *const endings[] = {"", "-wal", "-shm", "-lock"};
  char name[96];
  for (size_t i = 0; i < COUNT(endings); i++) {
    snprintf(name, sizeof name, "%s%s", place->path, endings[i]);
    unlink(name);
  }
  assert_int_equal(rmdir(place->folder), 0);
}

static inline privy_status open_with_journal(scene *s, const journal_place *place, const char *operation,
                                             const char *const *rows, size_t count) {
  privy_status status = scene_open(s, operation, rows, count);
  s->config.journal = place->path;
  s->config.operation = privy_operation_find(operation);
  return status;
}

/* The next run of the same client with the same rows. */
static inline privy_status run_again(scene *s, const char *operation) {
  privy_bulk_free(s->bulk);
  privy_group_free(s->group);
  s->bulk = NULL;
  s->group = NULL;
  s->given = s->results = 0;
  privy_status status = privy_group_new(s->client, &s->group, &s->error);
  if (status == PRIVY_OK) status = begin(s);
  return status == PRIVY_OK ? drive(s, operation) : status;
}

/* The server processes the event, and its response is lost. */
static inline privy_status lose_an_event(scene *s, const journal_place *place) {
  static const char *const events[] = {EVENT ",\"event_data\":{\"n\":1}}", EVENT ",\"event_data\":{\"n\":2}}"};
  const privy_sandbox_fault lost = {.cut = PRIVY_CUT_DROP, .retry_after = -1, .skip = 1};
  privy_status status = open_with_journal(s, place, "events.ingest", ROWS(events));
  s->config.concurrency = 1;
  s->config.options.max_retries = 0;
  s->config.options.given |= PRIVY_GIVEN(MAX_RETRIES);
  if (status == PRIVY_OK) status = begin(s);
  if (status == PRIVY_OK) status = privy_sandbox_add_fault(s->sandbox, &lost);
  if (status == PRIVY_OK) status = drive(s, "events.ingest");
  if (s->sandbox) privy_sandbox_clear_faults(s->sandbox);
  return status;
}

/* The error with which the run ended, PRIVY_OK if it did not; reads the progress. */
static inline privy_status ended_with(scene *s, privy_bulk_progress *progress) {
  const privy_error *error = privy_bulk_error(s->bulk);
  privy_bulk_get_progress(s->bulk, progress);
  return error ? error->code : PRIVY_OK;
}

/* Reads rows of the journal, each column separated by a space and each row ended by "\n". */
static inline int append_row(void *out, int columns, char **values, char **names) {
  (void)names;
  char *text = out;
  for (int i = 0; i < columns; i++) strcat(strcat(text, values[i] ? values[i] : "-"), i + 1 < columns ? " " : "\n");
  return 0;
}

static inline void read_journal(const char *path, const char *sql, char out[8192]) {
  const privy_sqlite *sqlite = privy_sqlite_load(NULL);
  struct sqlite3 *database = NULL;
  assert_int_equal(sqlite->open_v2(path, &database, PRIVY_SQLITE_OPEN_READWRITE, NULL), PRIVY_SQLITE_OK);
  *out = '\0';
  assert_int_equal(sqlite->exec(database, sql, append_row, out, NULL), PRIVY_SQLITE_OK);
  sqlite->close(database);
}

#endif
