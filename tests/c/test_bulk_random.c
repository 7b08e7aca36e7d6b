/* Bulk runs of random rows and faults: each row has one result or stays open, and the last success is stored. */
#include "base/random.h"
#include "bulk_scene.h"

/* ---- random runs ---- */

typedef struct draw {
  int status;
  privy_cut cut;
} draw;

static privy_status add_random_faults(scene *s) {
  static const draw draws[] = {{503, PRIVY_CUT_NONE}, {500, PRIVY_CUT_NONE},   {429, PRIVY_CUT_NONE},
                               {0, PRIVY_CUT_DROP},   {0, PRIVY_CUT_TRUNCATE}, {422, PRIVY_CUT_NONE}};
  for (int i = 0; i < 12; i++) {
    const draw *drawn = &draws[privy_random(&s->random) % COUNT(draws)];
    const privy_sandbox_fault fault = {.http_status = drawn->status,
                                       .retry_after = drawn->status == 429 ? 1 : -1,
                                       .cut = drawn->cut,
                                       .skip = (uint32_t)(privy_random(&s->random) % 4),
                                       .count = 1 + (uint32_t)(privy_random(&s->random) % 5)};
    privy_status status = privy_sandbox_add_fault(s->sandbox, &fault);
    if (status != PRIVY_OK) return status;
  }
  return PRIVY_OK;
}

/* Rows of few keys; row i gives its contact the name i. */
static void random_rows(scene *s, char texts[][96], const char *rows[]) {
  for (size_t i = 0; i < s->count; i++) {
    int key = (int)(privy_random(&s->random) % 5);
    snprintf(texts[i], 96, "{\"email\":\"%c@example.com\",\"first_name\":\"%zu\"}", 'x' + key % 3, i);
    rows[i] = texts[i];
  }
}

/* Each row has one result, or is open once. */
static void assert_accounted(const scene *s) {
  bool seen[64] = {false};
  privy_bulk_row open[64];
  const size_t count = privy_bulk_open_rows(s->bulk, open, 64);
  for (size_t i = 0; i < s->results; i++) {
    assert_false(seen[s->order[i]]);
    seen[s->order[i]] = true;
  }
  for (size_t i = 0; i < count; i++) {
    assert_false(seen[open[i].index]);
    seen[open[i].index] = true;
  }
  assert_int_equal(s->results + count, s->given);
}

static void random_runs_account_for_every_row(void **state) {
  (void)state;
  scene s;
  char texts[40][96], name[32];
  const char *rows[40];
  for (uint64_t seed = 1; seed <= harness_rounds(300, 1); seed++) {
    CHECK_OK(scene_open(&s, "contacts.upsert", rows, harness_rounds(40, 4)));
    s.random = seed;
    random_rows(&s, texts, rows);
    s.config.concurrency = 1 + (int64_t)(privy_random(&s.random) % 9);
    s.leave_after = privy_random(&s.random) % 2 ? NONE : privy_random(&s.random) % 40;
    CHECK_OK(begin(&s));
    CHECK_OK(add_random_faults(&s));
    CHECK_OK(drive(&s, "contacts.upsert"));
    if (s.leave_after != NONE) privy_bulk_close(s.bulk);
    assert_accounted(&s);
    size_t last = NONE, lost = 0;
    for (size_t i = 0; i < s.results; i++) {
      size_t index = s.order[i];
      if (rows[index][10] != 'x') continue;
      if (s.status[index] == PRIVY_OK) last = index;
      lost += s.uncertain[index];
      for (size_t j = 0; j < i; j++) assert_true(rows[s.order[j]][10] != 'x' || s.order[j] < index);
    }
    privy_sandbox_clear_faults(s.sandbox);
    if (last != NONE && lost == 0 && s.leave_after == NONE) {
      CHECK_OK(stored_name(&s, name));
      assert_int_equal(strtol(name, NULL, 10), last);
    }
    scene_close(&s);
  }
  CHECK_OK(scene_open(&s, "contacts.upsert", rows, 0));
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(random_runs_account_for_every_row),
  };
  return HARNESS_RUN(tests);
}
