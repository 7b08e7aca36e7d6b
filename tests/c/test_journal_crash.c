/*
 * A journal after a crash at each point: before and after each of its writes and syncs, and before and after each
 * request that the server receives, with and without a loss of power. A run that is repeated until it ends sends each
 * event with one key, repeats at most one batch of requests a crash, and leaves the journal that a run without crashes
 * leaves.
 */
#define _GNU_SOURCE

#include "crash.h"
#include "journal_scene.h"

#define ROWS 12
#define BATCH 4

/* What the server has, in memory that outlives the processes. */
typedef struct world_server {
  size_t requests;
  size_t received[ROWS];
  char keys[ROWS][40];
  bool doubled;
} world_server;

typedef struct world {
  scene *scene;
  world_server *server;
  uint64_t run;
} world;

static void receive(world *w, size_t row, const char *key) {
  world_server *server = w->server;
  crash_point();
  server->requests++;
  if (server->received[row]++ == 0)
    strcpy(server->keys[row], key);
  else
    server->doubled |= strcmp(server->keys[row], key) != 0;
  crash_point();
}

typedef struct row_batch {
  size_t rows[BATCH];
  int64_t ids[BATCH];
  char keys[BATCH][40];
  size_t count;
} row_batch;

static bool take_row(world *w, row_batch *batch, size_t row) {
  scene *s = w->scene;
  char json[256];
  snprintf(json, sizeof json, "{\"event_type\":\"seen\",\"email\":\"jane@example.com\",\"event_data\":{\"n\":%zu}}",
           row);
  if (take(s, json) != PRIVY_OK) return false;
  if (s->row.state == PRIVY_JOURNAL_DONE) return true;
  char *key = batch->keys[batch->count];
  snprintf(key, 40, "key-%zu-%d", row, (int)w->run);
  if (s->row.state == PRIVY_JOURNAL_SENT) strcpy(key, s->row.key);
  batch->rows[batch->count] = row;
  batch->ids[batch->count++] = s->row.id;
  return privy_journal_send(s->journal, s->row.id, key, 100, &s->error) == PRIVY_OK;
}

static bool send_batch(world *w, row_batch *batch) {
  scene *s = w->scene;
  if (privy_journal_commit(s->journal, &s->error) != PRIVY_OK) return false;
  for (size_t i = 0; i < batch->count; i++) receive(w, batch->rows[i], batch->keys[i]);
  for (size_t i = 0; i < batch->count; i++) {
    char id[16];
    snprintf(id, sizeof id, "evt_%zu", batch->rows[i]);
    const privy_journal_outcome outcome = {.state = PRIVY_JOURNAL_DONE, .http_status = 202, .record_id = id};
    if (privy_journal_end(s->journal, batch->ids[i], &outcome, &s->error) != PRIVY_OK) return false;
  }
  batch->count = 0;
  return privy_journal_commit(s->journal, &s->error) == PRIVY_OK;
}

/* Reads all rows and sends those that are not done. */
static bool run(void *context) {
  world *w = context;
  row_batch batch = {.count = 0};
  bool right = begin(w->scene) == PRIVY_OK;
  for (size_t row = 0; right && row < ROWS; row++) {
    right = take_row(w, &batch, row);
    if (right && batch.count == BATCH) right = send_batch(w, &batch);
  }
  right = right && send_batch(w, &batch);
  if (!right) print_error("%s\n", w->scene->error.message);
  privy_journal_close(w->scene->journal);
  w->scene->journal = NULL;
  return right;
}

/* Appends a row of the journal to the text. */
static int append_row(void *out, int columns, char **values, char **names) {
  (void)names;
  char *text = out;
  for (int i = 0; i < columns; i++) strcat(strcat(text, values[i] ? values[i] : "-"), i + 1 < columns ? " " : "\n");
  return 0;
}

/* What the journal holds, but keys. */
static void read_journal(const scene *s, char out[8192]) {
  privy_error error;
  privy_error_init(&error);
  const privy_sqlite *sqlite = privy_sqlite_load(&error);
  struct sqlite3 *database = NULL;
  assert_int_equal(sqlite->open_v2(s->path, &database, PRIVY_SQLITE_OPEN_READWRITE, NULL), PRIVY_SQLITE_OK);
  *out = '\0';
  assert_int_equal(sqlite->exec(database,
                                "SELECT key, nth, source_row, hex(hash), state, http_status, record_id, request,"
                                " first_sent FROM rows ORDER BY id; PRAGMA integrity_check",
                                append_row, out, NULL),
                   PRIVY_SQLITE_OK);
  sqlite->close(database);
}

/* Runs until a run ends: the first dies at `die_at`, the next ones at points that `random` chooses, `crashes` in all.
 * Returns how many died. */
static size_t run_with_crashes(size_t die_at, size_t crashes, bool loses_power, uint64_t random, const char *expected) {
  char found[8192];
  scene s;
  size_t died = 0, points = 0;
  scene_open(&s, "events.ingest");
  world w = {&s, mmap(NULL, sizeof(world_server), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 0};
  for (; !crash_run(run, &w, died < crashes ? die_at : 0, loses_power, random, &points); w.run++) {
    died++;
    die_at = 1 + privy_random(&random) % 60;
  }
  read_journal(&s, found);
  assert_string_equal(found, expected);
  assert_false(w.server->doubled);
  for (size_t i = 0; i < ROWS; i++) assert_true(w.server->received[i] > 0);
  assert_true(w.server->requests <= ROWS + died * BATCH);
  munmap(w.server, sizeof *w.server);
  scene_close(&s);
  return died;
}

/* The journal that a run without crashes leaves. */
static void read_expected(char out[8192]) {
  scene s;
  size_t points;
  scene_open(&s, "events.ingest");
  world w = {&s, mmap(NULL, sizeof(world_server), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), 0};
  assert_non_null(privy_sqlite_load(&s.error));
  assert_true(crash_run(run, &w, 0, false, 0, &points));
  assert_true(points > 50); /* otherwise SQLite writes with other functions than crash.h replaces */
  assert_int_equal(w.server->requests, ROWS);
  read_journal(&s, out);
  munmap(w.server, sizeof *w.server);
  scene_close(&s);
}

/* Seeds differ in where the later crashes are, and in what a loss of power leaves. Without PRIVY_DEEP each seed tries
 * every fourth point, from another one on. */
static void try_each_point(bool loses_power, size_t quick_seeds, size_t deep_seeds) {
  const bool deep = getenv("PRIVY_DEEP") != NULL;
  const size_t seeds = deep ? deep_seeds : quick_seeds, stride = deep ? 1 : 4;
  char expected[8192];
  size_t crashes = 0;
  read_expected(expected);
  for (uint64_t seed = 0; seed < seeds; seed++)
    for (size_t point = 1 + seed % stride, died = 1; died; point += stride, crashes += died)
      died = run_with_crashes(point, 1 + seed % 4, loses_power, seed, expected);
  print_message("%zu crashes\n", crashes);
  assert_true(crashes >= seeds * 50 / stride);
}

static void no_event_is_lost_or_doubled_by_a_killed_process(void **state) {
  (void)state;
  try_each_point(false, 1, 20);
}

static void no_event_is_lost_or_doubled_by_a_loss_of_power(void **state) {
  (void)state;
  try_each_point(true, 2, 40);
}

int main(void) {
  static harness_test tests[] = {TEST_UNSWEPT(no_event_is_lost_or_doubled_by_a_killed_process),
                                 TEST_UNSWEPT(no_event_is_lost_or_doubled_by_a_loss_of_power)};
  return HARNESS_RUN(tests);
}
