/* What the tests of journals share: a folder for each test, and short forms of the functions. Define _POSIX_C_SOURCE
 * 200809L before the first include. */
#ifndef JOURNAL_SCENE_H
#define JOURNAL_SCENE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "jobs/journal.h"
#include "message_text.h"

#define ORDER(id, total)                                                                                               \
  "{\"email\":\"jane@example.com\",\"total\":" #total ",\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\"," \
  "\"order_id\":" #id "}"
#define EVENT(n) "{\"event_type\":\"seen\",\"email\":\"jane@example.com\",\"event_data\":{\"n\":" #n "}}"

typedef struct scene {
  char folder[32], path[64];
  privy_journal_config config;
  privy_journal *journal;
  privy_journal_row row; /* of the last take */
  uint64_t taken;
  privy_error error;
} scene;

static inline void scene_open(scene *s, const char *operation) {
  *s = (scene){.folder = "/tmp/privy-test-XXXXXX",
               .config = {.operation = operation, .server = "https://api.example.com", .account = ""}};
  privy_error_init(&s->error);
  assert_non_null(mkdtemp(s->folder));
  snprintf(s->path, sizeof s->path, "%s/j.db", s->folder);
  s->config.path = s->path;
}

static inline void scene_close(scene *s) {
  static const char *const endings[] = {"", "-wal", "-shm", "-journal", "-lock", "-lock-journal"};
  char name[96];
  privy_journal_close(s->journal);
  privy_error_clear(&s->error);
  for (size_t i = 0; i < COUNT(endings); i++) {
    snprintf(name, sizeof name, "%s%s", s->path, endings[i]);
    unlink(name);
  }
  assert_int_equal(rmdir(s->folder), 0);
}

static inline privy_status begin(scene *s) {
  s->taken = 0;
  return privy_journal_open(&s->config, &s->journal, &s->error);
}

/* Closes the journal and opens it again, as the next run does. */
static inline privy_status begin_again(scene *s) {
  privy_journal_close(s->journal);
  s->journal = NULL;
  return begin(s);
}

static inline privy_status take(scene *s, const char *json) {
  privy_request *request = NULL;
  privy_status status = ask_for(s->config.operation, json, &request, &s->error);
  if (status == PRIVY_OK) status = privy_journal_take(s->journal, s->taken++, request, &s->row, &s->error);
  privy_request_free(request);
  return status;
}

static inline privy_status send_row(scene *s, const char *key, double first_sent) {
  privy_status status = privy_journal_send(s->journal, s->row.id, key, first_sent, &s->error);
  return status == PRIVY_OK ? privy_journal_commit(s->journal, &s->error) : status;
}

static inline privy_status end_row(scene *s, privy_journal_state state) {
  const privy_journal_outcome outcome = {.state = state, .http_status = 200, .record_id = "r1"};
  privy_status status = privy_journal_end(s->journal, s->row.id, &outcome, &s->error);
  return status == PRIVY_OK ? privy_journal_commit(s->journal, &s->error) : status;
}

/* A row from the source to its outcome. */
static inline privy_status complete(scene *s, const char *json, privy_journal_state state) {
  privy_status status = take(s, json);
  if (status == PRIVY_OK) status = send_row(s, NULL, 100);
  return status == PRIVY_OK ? end_row(s, state) : status;
}

static inline privy_status count(scene *s, privy_journal_state state, uint64_t *out) {
  uint64_t counts[PRIVY_JOURNAL_STATE_COUNT];
  privy_status status = privy_journal_count(s->journal, counts, &s->error);
  *out = counts[state];
  return status;
}

#endif
