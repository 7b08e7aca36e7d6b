/* Plans with a snapshot: what it saves, how it stays right, and what is left after a crash. */
#define _POSIX_C_SOURCE 200809L
#include <unistd.h>

#include "plan_scene.h"

typedef struct kept {
  plan_scene s;
  char folder[32], path[64], journal[64];
} kept;

static privy_status kept_open(kept *k) {
  strcpy(k->folder, "/tmp/privy-test-XXXXXX");
  assert_non_null(mkdtemp(k->folder));
  snprintf(k->path, sizeof k->path, "%s/c.db", k->folder);
  snprintf(k->journal, sizeof k->journal, "%s/j.db", k->folder);
  const privy_status status = plan_open(&k->s);
  k->s.config.snapshot = k->path;
  k->s.config.max_age = 3600;
  return status;
}

static void remove_files(const char *path) {
  static const char *const endings[] = {"", "-wal", "-shm", "-lock"};
  char name[96];
  for (size_t i = 0; i < COUNT(endings); i++) {
    snprintf(name, sizeof name, "%s%s", path, endings[i]);
    unlink(name);
  }
}

static void kept_close(kept *k) {
  plan_close(&k->s);
  remove_files(k->path);
  remove_files(k->journal);
  assert_int_equal(rmdir(k->folder), 0);
}

static privy_status fill(kept *k, size_t count) {
  char json[64];
  privy_status status = PRIVY_OK;
  for (size_t i = 0; status == PRIVY_OK && i < count; i++) {
    snprintf(json, sizeof json, "{\"email\":\"p%zu@x.io\"}", i);
    status = store(&k->s, json);
  }
  privy_sandbox_advance(k->s.sandbox, 60);
  return status;
}

static const char *const rows[] = {"{\"email\":\"p0@x.io\",\"first_name\":\"A\"}", "{\"email\":\"p1@x.io\"}",
                                   "{\"email\":\"p2@x.io\"}", "{\"email\":\"n1@x.io\"}", "{\"email\":\"n2@x.io\"}"};

/* Each commit waits for the disk: the sweep of allocations repeats only one test. */
#define SWEEP_SKIPS                                                                                                    \
  if (harness_sweeping()) return

/* Makes a plan and checks how many requests it read. */
static privy_status plan_reads(kept *k, uint64_t requests, uint64_t to_apply) {
  privy_plan_counts counts;
  plan_drop(&k->s);
  const uint64_t before = requests_of(&k->s);
  const privy_status status = make_plan(&k->s, ROWS(rows));
  if (status != PRIVY_OK) return status;
  privy_plan_count(k->s.plan, &counts);
  assert_int_equal(requests_of(&k->s) - before, requests);
  assert_int_equal(counts.requests_read, requests);
  assert_int_equal(counts.from_snapshot, requests == 0);
  assert_int_equal(counts.requests, to_apply);
  return PRIVY_OK;
}

static void a_fresh_snapshot_replaces_the_reading(void **state) {
  (void)state;
  SWEEP_SKIPS;
  kept k;
  const uint64_t pages = harness_rounds(2, 1);
  CHECK_OK(kept_open(&k));
  CHECK_OK(fill(&k, harness_rounds(150, 3)));
  CHECK_OK(plan_reads(&k, pages, 3));
  CHECK_OK(plan_reads(&k, 0, 3));
  privy_sandbox_advance(k.s.sandbox, 3700);
  CHECK_OK(plan_reads(&k, pages, 3));
  k.s.config.max_age = 0;
  CHECK_OK(plan_reads(&k, pages, 3));
done:
  kept_close(&k);
}

static void what_is_applied_is_in_the_snapshot(void **state) {
  (void)state;
  kept k;
  CHECK_OK(kept_open(&k));
  CHECK_OK(fill(&k, harness_rounds(150, 3)));
  CHECK_OK(plan_reads(&k, harness_rounds(2, 1), 3));
  CHECK_OK(apply(&k.s));
  assert_int_equal(k.s.failed, 0);
  CHECK_OK(plan_reads(&k, 0, 0));
done:
  kept_close(&k);
}

/* The process dies after its requests, before anything is written to the snapshot. */
static void a_journal_knows_what_the_snapshot_misses(void **state) {
  (void)state;
  SWEEP_SKIPS;
  kept k;
  privy_bulk_progress progress;
  CHECK_OK(kept_open(&k));
  k.s.run.journal = k.journal;
  CHECK_OK(fill(&k, harness_rounds(150, 3)));
  CHECK_OK(plan_reads(&k, harness_rounds(2, 1), 3));
  k.s.forgets = true;
  CHECK_OK(apply(&k.s));
  CHECK_OK(plan_reads(&k, 0, 3));
  CHECK_OK(apply(&k.s));
  privy_bulk_get_progress(k.s.bulk, &progress);
  assert_int_equal(progress.skipped, 3);
  assert_int_equal(requests_of(&k.s), k.s.before_run);
done:
  kept_close(&k);
}

static void a_reading_that_was_interrupted_continues(void **state) {
  (void)state;
  SWEEP_SKIPS;
  kept k;
  const size_t count = harness_rounds(350, 101);
  CHECK_OK(kept_open(&k));
  CHECK_OK(fill(&k, count));
  const privy_sandbox_fault failing = {.http_status = 403, .retry_after = -1, .skip = 1, .count = 1};
  CHECK_OK(privy_sandbox_add_fault(k.s.sandbox, &failing));
  CHECK_STATUS(make_plan(&k.s, ROWS(rows)), PRIVY_PERMISSION_DENIED);
  privy_plan_counts counts;
  plan_drop(&k.s);
  CHECK_OK(make_plan(&k.s, ROWS(rows)));
  privy_plan_count(k.s.plan, &counts);
  assert_in_range(counts.requests_read, 1, (count + 99) / 100);
  assert_int_equal(counts.rows[PRIVY_PLAN_UNCHANGED], 2); /* on the page that the first process read */
  assert_int_equal(counts.rows[PRIVY_PLAN_UPDATE], 1);
done:
  kept_close(&k);
}

static void a_snapshot_in_use_is_an_error(void **state) {
  (void)state;
  SWEEP_SKIPS;
  kept k;
  privy_group *group = NULL;
  privy_plan *other = NULL;
  CHECK_OK(kept_open(&k));
  CHECK_OK(fill(&k, 3));
  CHECK_OK(plan_begin(&k.s));
  for (size_t i = 0; i < COUNT(rows); i++) CHECK_OK(add_plan_row(&k.s, rows[i]));
  privy_plan_end_rows(k.s.plan);
  if (privy_plan_next(k.s.plan) == PRIVY_PLAN_END) CHECK_OK(privy_plan_error(k.s.plan)->code);
  other = k.s.plan;
  group = k.s.group;
  k.s.plan = NULL;
  k.s.group = NULL;
  CHECK_STATUS(make_plan(&k.s, ROWS(rows)), PRIVY_SNAPSHOT);
  assert_string_equal(privy_plan_error(k.s.plan)->api_code, "snapshot_locked");
done:
  privy_plan_free(other);
  privy_group_free(group);
  kept_close(&k);
}

/* A program may keep a plan that it has applied. */
static void the_run_s_end_releases_the_snapshot(void **state) {
  (void)state;
  kept k;
  privy_group *group = NULL, *apply_group = NULL;
  privy_plan *other = NULL;
  privy_bulk *bulk = NULL;
  CHECK_OK(kept_open(&k));
  CHECK_OK(fill(&k, 3));
  CHECK_OK(make_plan(&k.s, ROWS(rows)));
  CHECK_OK(apply(&k.s));
  other = k.s.plan;
  group = k.s.group;
  apply_group = k.s.apply_group;
  bulk = k.s.bulk;
  k.s.plan = NULL;
  k.s.group = k.s.apply_group = NULL;
  k.s.bulk = NULL;
  CHECK_OK(make_plan(&k.s, ROWS(rows)));
done:
  privy_plan_free(other); /* before its run */
  privy_bulk_free(bulk);
  privy_group_free(group);
  privy_group_free(apply_group);
  kept_close(&k);
}

static void look_ups_are_kept_too(void **state) {
  (void)state;
  SWEEP_SKIPS;
  kept k;
  CHECK_OK(kept_open(&k));
  CHECK_OK(fill(&k, harness_rounds(150, 3)));
  CHECK_OK(plan_reads(&k, harness_rounds(2, 1), 3));
  CHECK_OK(make(&k.s, "contacts.upsert", rows[0]));
  k.s.config.max_age = 0;
  plan_drop(&k.s);
  CHECK_OK(make_plan(&k.s, rows, 1)); /* one look-up */
  k.s.config.max_age = 3600;
  CHECK_OK(plan_reads(&k, 0, 2));
done:
  kept_close(&k);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_fresh_snapshot_replaces_the_reading),
      TEST(what_is_applied_is_in_the_snapshot),
      TEST(a_journal_knows_what_the_snapshot_misses),
      TEST(a_reading_that_was_interrupted_continues),
      TEST(a_snapshot_in_use_is_an_error),
      TEST(the_run_s_end_releases_the_snapshot),
      TEST(look_ups_are_kept_too),
  };
  return HARNESS_RUN(tests);
}
