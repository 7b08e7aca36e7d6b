/* Journals with damaged bytes: whatever a disk or another program did to the file, reading it ends, with what it holds
 * or with a typed error. PRIVY_DEEP=1 tries more. */
#define _POSIX_C_SOURCE 200809L

#include "base/random.h"
#include "bulk_journal_scene.h"

#define MOST (1 << 18)
/* More entries than the journal has, however damaged it is. */
#define MOST_ENTRIES 100000

static char sound[MOST], damaged[MOST];

static size_t read_bytes(const char *path, char *out) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  const size_t length = fread(out, 1, MOST, file);
  fclose(file);
  assert_in_range(length, 1, MOST - 1);
  return length;
}

static void write_bytes(const char *path, const char *bytes, size_t length) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, length, file), length);
  fclose(file);
}

/* A journal with rows of all kinds. */
static size_t make_journal(const journal_place *place) {
  scene s = {0};
  char rows[8192];
  assert_int_equal(lose_an_event(&s, place), PRIVY_OK);
  scene_close(&s);
  read_journal(place->path,
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)"
               " INSERT INTO rows (key, nth, source_row, hash, state, details, detail_count, request, message)"
               " SELECT 'x=' || i, 0, i, x'', CASE i % 3 WHEN 0 THEN 'refused' WHEN 1 THEN 'invalid' ELSE 'sent' END,"
               " CASE i % 2 WHEN 0 THEN '[{\"field\":\"a[0].b\",\"message\":\"m\\u00fc\",\"code\":\"c\"},"
               "{\"field\":\"a\",\"message\":\"n\",\"code\":\"c\",\"count\":7}]' END, 1 + (i % 2 = 0),"
               " '{\"a\":[{\"b\":' || i || '}],\"' || i || '\":null}', 'm' FROM n; PRAGMA wal_checkpoint(TRUNCATE)",
               rows);
  return read_bytes(place->path, sound);
}

/* Changes some bytes, a block, or the length. */
static size_t damage(size_t length, uint64_t *random) {
  memcpy(damaged, sound, length);
  switch (privy_random(random) % 4) {
  case 0: return privy_random(random) % length;
  case 1: {
    const size_t at = privy_random(random) % length, size = privy_random(random) % 600;
    memset(damaged + at, (int)(privy_random(random) % 256), size < length - at ? size : length - at);
    return length;
  }
  default:
    for (uint64_t flips = 1 + privy_random(random) % 20; flips; flips--)
      damaged[privy_random(random) % length] ^= (char)(1 << privy_random(random) % 8);
    return length;
  }
}

/* An error that the interface promises. Clears it. */
static bool is_typed(privy_status status, privy_error *error) {
  const bool typed = status == PRIVY_OK || (status == PRIVY_JOURNAL && error->api_code && error->message);
  if (!typed) print_error("%d %s\n", (int)status, error->message ? error->message : "?");
  privy_error_clear(error);
  return typed;
}

static bool read_entries(privy_journal_view *view, privy_entries_kind kind) {
  privy_journal_entries *entries = NULL;
  privy_journal_entry entry;
  privy_error error;
  bool found = true;
  size_t count = 0, length = 0;
  privy_status status = privy_journal_entries_new(view, kind, &entries);
  privy_error_init(&error);
  while (status == PRIVY_OK && found && count++ < MOST_ENTRIES) {
    status = privy_journal_entries_next(entries, &entry, &found, &error);
    if (status == PRIVY_OK && found && kind == PRIVY_ENTRIES_REFUSED)
      length += strlen(entry.field) + strlen(entry.message) + strlen(entry.code) + entry.value.length;
  }
  privy_journal_entries_free(entries);
  assert_true(length < SIZE_MAX);
  return count < MOST_ENTRIES && is_typed(status, &error);
}

static bool read_all(const journal_place *place, bool writes) {
  privy_journal_view *view = NULL;
  privy_journal_summary summary;
  privy_error error;
  char csv[96];
  int number;
  privy_error_init(&error);
  if (privy_journal_view_open(place->path, &view, &error) != PRIVY_OK) return is_typed(error.code, &error);
  bool right = is_typed(privy_journal_view_summary(view, &summary, &error), &error) &&
               read_entries(view, PRIVY_ENTRIES_REFUSED) && read_entries(view, PRIVY_ENTRIES_IN_DOUBT);
  snprintf(csv, sizeof csv, "%s/r", place->folder);
  if (writes)
    right = right &&
            is_typed(privy_journal_view_write_rejects(view, csv, PRIVY_REJECTS_CSV, NULL, &number, &error), &error);
  unlink(csv);
  privy_journal_view_free(view);
  return right;
}

static void forget_log(const journal_place *place) {
  char name[96];
  snprintf(name, sizeof name, "%s-wal", place->path);
  unlink(name);
  snprintf(name, sizeof name, "%s-shm", place->path);
  unlink(name);
}

static void reading_a_damaged_journal_ends(void **state) {
  (void)state;
  const uint64_t count = getenv("PRIVY_DEEP") ? 50000 : 1500;
  journal_place place;
  place_make(&place);
  const size_t length = make_journal(&place);
  assert_true(read_all(&place, true));
  for (uint64_t seed = 1; seed <= count; seed++) {
    uint64_t random = seed;
    write_bytes(place.path, damaged, damage(length, &random));
    forget_log(&place);
    if (!read_all(&place, seed % 50 == 0)) fail_msg("seed %llu", (unsigned long long)seed);
  }
  place_remove(&place);
}

/* The log of a killed run is damaged: what is lost is lost, and nothing is made up. */
static void a_damaged_log_is_read_up_to_the_damage(void **state) {
  (void)state;
  static const char *const rows[] = {ORDER ",\"order_id\":1}", ORDER ",\"order_id\":2}", ORDER ",\"order_id\":-1}"};
  scene s = {0};
  journal_place place;
  char name[96], log_name[96], copy[96];
  place_make(&place);
  assert_int_equal(open_with_journal(&s, &place, "orders.upsert", ROWS(rows)), PRIVY_OK);
  assert_int_equal(begin(&s), PRIVY_OK);
  s.leave_after = 2;
  assert_int_equal(drive(&s, "orders.upsert"), PRIVY_OK);
  snprintf(name, sizeof name, "%s/k.db", place.folder);
  snprintf(log_name, sizeof log_name, "%s/k.db-wal", place.folder);
  snprintf(copy, sizeof copy, "%s-wal", place.path);
  const size_t length = read_bytes(copy, sound);
  static char base[MOST];
  const size_t base_length = read_bytes(place.path, base);
  journal_place other = {0};
  strcpy(other.folder, place.folder);
  strcpy(other.path, name);
  for (uint64_t seed = 1; seed <= 300; seed++) {
    uint64_t random = seed;
    forget_log(&other);
    write_bytes(name, base, base_length);
    write_bytes(log_name, damaged, damage(length, &random));
    if (!read_all(&other, false)) fail_msg("seed %llu", (unsigned long long)seed);
  }
  forget_log(&other);
  unlink(name);
  scene_close(&s);
  place_remove(&place);
}

int main(void) {
  static harness_test tests[] = {TEST_UNSWEPT(reading_a_damaged_journal_ends),
                                 TEST_UNSWEPT(a_damaged_log_is_read_up_to_the_damage)};
  return HARNESS_RUN(tests);
}
