/*
 * Exports against a sandbox, after a crash at each point: before and after each write and sync of SQLite's files and of
 * the output, each request and each response, with and without a loss of power. Contacts are deleted between the
 * processes. An export that is repeated until it ends has each contact that was there throughout, sends at most one
 * request again for each crash, and has its name only when it is complete.
 */
#define _GNU_SOURCE

#include "crash.h"

#include "jobs/sqlite.h"
#include "snapshot_scene.h"

#define CONTACTS 260

static place where;
static scene s; /* of the child */
static privy_export *export;

/* What the processes share. */
typedef struct world {
  uint64_t requests;
  size_t processes, deleted; /* so far: contacts that were deleted, from the first one on */
} world;

static world *shared;

static void keep_requests(void) {
  if (s.sandbox) shared->requests += privy_sandbox_count(s.sandbox).requests;
}

/* Deletes the contacts that were deleted before, and one more in each process. */
static bool delete_some(void) {
  privy_sandbox_counts before = privy_sandbox_count(s.sandbox);
  char target[128];
  privy_request *list = NULL;
  privy_response *page = NULL;
  if (ask_for("contacts.list", "{\"per_page\":100}", &list, &s.error) != PRIVY_OK) return false;
  if (privy_client_call(s.client, list, NULL, NULL, &page, &s.error) != PRIVY_OK) return false;
  for (size_t i = 0; i < shared->deleted && i < 50; i++) {
    const privy_value id = id_of(page, i);
    snprintf(target, sizeof target, "/contacts/%.*s", (int)id.length, id.text);
    if (send(&s, "DELETE", target) != PRIVY_OK) return false;
  }
  privy_response_release(page);
  privy_request_free(list);
  shared->requests -= privy_sandbox_count(s.sandbox).requests - before.requests;
  return true;
}

static bool open_export(void) {
  privy_request *list = NULL;
  privy_export_config config;
  if (scene_open(&s, CONTACTS) != PRIVY_OK || !delete_some()) return false;
  privy_sandbox_advance(s.sandbox, 60.0 * (double)++shared->processes);
  shared->deleted++;
  privy_export_config_init(&config);
  config.path = where.path;
  config.format = PRIVY_EXPORT_JSONL;
  return ask_for("contacts.list", "{}", &list, &s.error) == PRIVY_OK &&
         privy_export_new(s.group, list, &config, &export, &s.error) == PRIVY_OK;
}

static bool drive_to_end(void) {
  for (int turns = 0; turns < 10000; turns++) {
    switch (privy_export_next(export)) {
    case PRIVY_EXPORT_WAIT:
      crash_point();
      turn(&s);
      crash_point();
      break;
    case PRIVY_EXPORT_AGAIN: break;
    case PRIVY_EXPORT_COLUMNS: return false;
    case PRIVY_EXPORT_END: return !privy_export_error(export);
    }
  }
  return false;
}

static bool run(void *context) {
  (void)context;
  const bool right = open_export() && drive_to_end();
  const privy_error *error = export ? privy_export_error(export) : NULL;
  if (!right) print_error("%s\n", error ? error->message : s.error.message ? s.error.message : "?");
  keep_requests();
  privy_export_free(export);
  scene_close(&s);
  return right;
}

/* Reads the file: it is complete if it is there. Returns how many contacts it has. */
static size_t count_lines(void) {
  FILE *file = fopen(where.path, "r");
  size_t lines = 0;
  int last = '\n';
  if (!file) return 0;
  for (int c = getc(file); c != EOF; c = getc(file)) {
    lines += c == '\n';
    last = c;
  }
  assert_int_equal(last, '\n');
  assert_int_equal(fclose(file), 0);
  return lines;
}

/* Runs until an export ends. Returns how many died. */
static size_t run_with_crashes(size_t die_at, size_t crashes, bool loses_power, uint64_t random) {
  size_t died = 0, points = 0;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  assert_true(shared != MAP_FAILED);
  where = place_make("c.jsonl");
  crash.dying = keep_requests;
  while (!crash_run(run, NULL, died < crashes ? die_at : 0, loses_power, random, &points)) {
    const size_t lines = count_lines();
    if (lines) assert_in_range(lines, CONTACTS - shared->deleted, CONTACTS);
    died++;
    die_at = 1 + privy_random(&random) % 80;
  }
  /* Those that each process deleted may be missing; all others are there. */
  assert_in_range(count_lines(), CONTACTS - shared->deleted, CONTACTS);
  assert_int_equal(place_files(&where, NULL), 1);
  /* A list that has moved costs a page more, and is read in a chain from its beginning. */
  assert_in_range(shared->requests, 3, 3 + 6 * (died + 1));
  munmap(shared, sizeof *shared);
  place_remove(&where);
  return died;
}

static void try_each_point(bool loses_power) {
  const bool deep = getenv("PRIVY_DEEP") != NULL;
  const size_t seeds = deep ? 8 : 1, stride = deep ? 1 : 10;
  size_t crashes = 0;
  assert_non_null(privy_sqlite_load(NULL));
  for (uint64_t seed = 0; seed < seeds; seed++)
    for (size_t point = 1 + seed % stride, died = 1; died; point += stride, crashes += died)
      died = run_with_crashes(point, 1 + (seed + point) % 4, loses_power, seed + point);
  print_message("%zu crashes\n", crashes);
  assert_true(crashes >= seeds * 50 / stride);
}

static void a_killed_export_continues(void **state) {
  (void)state;
  try_each_point(false);
}

static void an_export_that_lost_its_power_continues(void **state) {
  (void)state;
  try_each_point(true);
}

int main(void) {
  static harness_test tests[] = {TEST_UNSWEPT(a_killed_export_continues),
                                 TEST_UNSWEPT(an_export_that_lost_its_power_continues)};
  scene warm;
  const privy_status status = scene_open(&warm, CONTACTS); /* the children share its contacts */
  scene_close(&warm);
  const int failures = status == PRIVY_OK ? HARNESS_RUN(tests) : 1;
  forget_seeds();
  return failures;
}
