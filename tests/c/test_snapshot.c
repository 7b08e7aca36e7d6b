/* Snapshots: sweeps that continue, what they hold, and which files are refused. */
#define _POSIX_C_SOURCE 200809L

#include <sys/stat.h>

#include "jobs/snapshot.h"
#include "snapshot_scene.h"

#define ALL "{}"
#define REFUSED(call, code)                                                                                            \
  do {                                                                                                                 \
    CHECK_STATUS(call, PRIVY_SNAPSHOT);                                                                                \
    assert_string_equal(s.error.api_code, code);                                                                       \
    assert_non_null(strstr(s.error.message, p.path));                                                                  \
    privy_error_clear(&s.error);                                                                                       \
  } while (0)

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static void a_sweep_fills_a_snapshot(void **state) {
  (void)state;
  scene s;
  const place p = place_make("contacts.db");
  privy_snapshot *snapshot = NULL;
  privy_snapshot_info info;
  count_context c = {0};
  struct stat status;
  CHECK_OK(scene_open(&s, 230));
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot));
  CHECK_OK(sweep_into(&s, snapshot, ALL, 0));
  CHECK_OK(privy_snapshot_each(snapshot, count_contact, &c, &s.error));
  assert_int_equal(c.count, 230);
  privy_snapshot_get_info(snapshot, &info);
  assert_true(info.completed_at >= info.began_at && info.began_at > START);
  assert_false(info.in_progress);
  assert_false(info.resumed);
  assert_int_equal(stat(p.path, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
done:
  privy_snapshot_close(snapshot);
  scene_close(&s);
  place_remove(&p);
}

static void a_sweep_continues_after_its_last_page(void **state) {
  (void)state;
  scene s;
  const place p = place_make("contacts.db");
  privy_snapshot *snapshot = NULL;
  privy_snapshot_info info;
  count_context c = {0};
  CHECK_OK(scene_open(&s, 430));
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot));
  CHECK_OK(sweep_into(&s, snapshot, ALL, 2));
  privy_snapshot_close(snapshot);
  snapshot = NULL;
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_ONLY, ALL, &snapshot));
  privy_snapshot_get_info(snapshot, &info);
  assert_true(info.resumed && info.in_progress);
  assert_true(info.completed_at <= 0);
  CHECK_OK(sweep_into(&s, snapshot, ALL, 0));
  CHECK_OK(privy_snapshot_each(snapshot, count_contact, &c, &s.error));
  assert_int_equal(c.count, 430);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 5);
done:
  privy_snapshot_close(snapshot);
  scene_close(&s);
  place_remove(&p);
}

/* While the sweep was interrupted, contacts that it had read were deleted: the list has moved. */
static void a_sweep_that_continues_misses_none(void **state) {
  (void)state;
  scene s;
  const place p = place_make("contacts.db");
  privy_snapshot *snapshot = NULL;
  count_context c = {0};
  char target[128];
  CHECK_OK(scene_open(&s, 430));
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot));
  CHECK_OK(sweep_into(&s, snapshot, ALL, 3));
  for (size_t i = 0; i < 7; i++) {
    const privy_value id = id_of(privy_sweep_page(s.sweep), i);
    snprintf(target, sizeof target, "/contacts/%.*s", (int)id.length, id.text);
    CHECK_OK(send(&s, "DELETE", target));
  }
  privy_snapshot_close(snapshot);
  snapshot = NULL;
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot));
  CHECK_OK(sweep_into(&s, snapshot, ALL, 0));
  CHECK_OK(privy_snapshot_each(snapshot, count_contact, &c, &s.error));
  assert_int_equal(s.different, 430);
  assert_int_equal(c.count, 430);
  /* The next sweep does not find the seven. */
  CHECK_OK(sweep_into(&s, snapshot, ALL, 0));
  c = (count_context){0};
  CHECK_OK(privy_snapshot_each(snapshot, count_contact, &c, &s.error));
  assert_int_equal(c.count, 423);
done:
  privy_snapshot_close(snapshot);
  scene_close(&s);
  place_remove(&p);
}

/* Opens the snapshot again for each page. A contact of the page `touched` changed just before. */
static privy_status sweep_in_pieces(scene *s, const char *path, size_t touched, size_t pages,
                                    privy_snapshot **snapshot) {
  privy_status status = open_snapshot(s, path, PRIVY_RESUME_AUTO, ALL, snapshot);
  if (status == PRIVY_OK) status = sweep_into(s, *snapshot, ALL, touched);
  if (status == PRIVY_OK) status = touch(s, 0);
  s->pages = 0;
  for (size_t page = 1; status == PRIVY_OK && page <= pages; page++) {
    privy_snapshot_close(*snapshot);
    *snapshot = NULL;
    status = open_snapshot(s, path, page == 1 ? PRIVY_RESUME_RESTART : PRIVY_RESUME_ONLY, ALL, snapshot);
    if (status == PRIVY_OK) status = sweep_into(s, *snapshot, ALL, page < pages ? page : 0);
  }
  return status;
}

/* The state has the second reference and which contacts were read since then. */
static void a_sweep_continues_after_each_page(void **state) {
  (void)state;
  static const struct { size_t touched, requests; } cases[] = {{1, 23}, {12, 30}, {22, 30}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    scene s;
    const place p = place_make("contacts.db");
    privy_snapshot *snapshot = NULL;
    count_context c = {0};
    CHECK_OK(scene_open(&s, 2130));
    CHECK_OK(sweep_in_pieces(&s, p.path, cases[i].touched, cases[i].requests, &snapshot));
    CHECK_OK(privy_snapshot_each(snapshot, count_contact, &c, &s.error));
    assert_int_equal(c.count, 2130);
    assert_int_equal(s.pages, cases[i].requests);
    assert_int_equal(snapshot->state.coverage.pass, PRIVY_COVERAGE_COUNTS_TWICE);
    assert_true(snapshot->state.coverage.doubtful);
    assert_int_equal(snapshot->state.coverage.second_from, cases[i].touched == 1 ? 100 : 800);
  done:
    privy_snapshot_close(snapshot);
    scene_close(&s);
    place_remove(&p);
  }
}

static void run_sql(const char *path, const char *sql) {
  privy_error error;
  struct sqlite3 *database = NULL;
  const privy_sqlite *sqlite = privy_sqlite_load(&error);
  assert_non_null(sqlite);
  assert_int_equal(sqlite->open_v2(path, &database, PRIVY_SQLITE_OPEN_READWRITE, NULL), PRIVY_SQLITE_OK);
  assert_int_equal(sqlite->exec(database, sql, NULL, NULL, NULL), PRIVY_SQLITE_OK);
  sqlite->close(database);
}

/* A file of format 1, in which a sweep in a chain was interrupted. */
static void a_sweep_of_an_older_format_continues(void **state) {
  (void)state;
  scene s;
  const place p = place_make("contacts.db");
  privy_snapshot *snapshot = NULL;
  count_context c = {0};
  CHECK_OK(scene_open(&s, 230));
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot));
  CHECK_OK(sweep_into(&s, snapshot, ALL, 1));
  CHECK_OK(touch(&s, 7));
  CHECK_OK(sweep_into(&s, snapshot, ALL, 3));
  privy_snapshot_close(snapshot);
  snapshot = NULL;
  run_sql(p.path, "UPDATE snapshot SET pass = 1; UPDATE contacts SET pass = 1; PRAGMA user_version = 1;"
                  "ALTER TABLE snapshot DROP COLUMN first_at; ALTER TABLE snapshot DROP COLUMN second_at;"
                  "ALTER TABLE snapshot DROP COLUMN second_from; ALTER TABLE snapshot DROP COLUMN doubtful");
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_ONLY, ALL, &snapshot));
  assert_int_equal(snapshot->state.coverage.pass, PRIVY_COVERAGE_FIRST_CHAIN);
  assert_int_equal(snapshot->state.coverage.first_at, (int64_t)snapshot->state.this_began_at);
  CHECK_OK(sweep_into(&s, snapshot, ALL, 0));
  CHECK_OK(privy_snapshot_each(snapshot, count_contact, &c, &s.error));
  assert_int_equal(c.count, 230);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 5);
done:
  privy_snapshot_close(snapshot);
  scene_close(&s);
  place_remove(&p);
}

static void an_incomplete_sweep_marks_nothing_as_vanished(void **state) {
  (void)state;
  scene s;
  const place p = place_make("contacts.db");
  privy_snapshot *snapshot = NULL;
  privy_snapshot_info info;
  count_context c = {0};
  CHECK_OK(scene_open(&s, 330));
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot));
  CHECK_OK(sweep_into(&s, snapshot, ALL, 0));
  CHECK_OK(sweep_into(&s, snapshot, ALL, s.pages + 1));
  CHECK_OK(privy_snapshot_each(snapshot, count_contact, &c, &s.error));
  assert_int_equal(c.count, 330);
  privy_snapshot_get_info(snapshot, &info);
  assert_true(info.in_progress && info.completed_at > START);
done:
  privy_snapshot_close(snapshot);
  scene_close(&s);
  place_remove(&p);
}

static void contacts_are_found_by_their_values(void **state) {
  (void)state;
  scene s;
  const place p = place_make("contacts.db");
  privy_snapshot *snapshot = NULL;
  privy_response *made = NULL, *found = NULL;
  static const char body[] =
      "{\"id\":\"cus_1\",\"email\":\"J\\u0061ne@Example.com\",\"phone_number\":\"+14155550171\"}";
  static const struct {
    const char *name, *value;
    bool found;
  } cases[] = {{"email", "jane@EXAMPLE.com", true},
               {"email", "joe@example.com", false},
               {"phone_number", "+14155550171", true},
               {"phone_number", "+1", false},
               {"id", "cus_1", true},
               {"id", "CUS_1", false}};
  CHECK_OK(scene_open(&s, 0));
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot));
  CHECK_OK(privy_response_load(&privy_object_contact, body, strlen(body), &made, &s.error));
  CHECK_OK(privy_snapshot_put(snapshot, privy_response_record(made, 0), START, &s.error));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    CHECK_OK(privy_snapshot_find(snapshot, cases[i].name, TEXT(cases[i].value), &found, &s.error));
    assert_int_equal(found != NULL, cases[i].found);
    if (found) {
      const privy_value json = privy_record_json(privy_response_record(found, 0));
      assert_text(json.text, json.length, body);
    }
    privy_response_release(found);
    found = NULL;
  }
done:
  privy_response_release(found);
  privy_response_release(made);
  privy_snapshot_close(snapshot);
  scene_close(&s);
  place_remove(&p);
}

static void other_files_are_refused(void **state) {
  (void)state;
  scene s;
  const place p = place_make("contacts.db");
  privy_snapshot *snapshot = NULL, *second = NULL;
  CHECK_OK(scene_open(&s, 3));
  REFUSED(open_snapshot(&s, p.path, PRIVY_RESUME_ONLY, ALL, &snapshot), "snapshot_missing");
  assert_int_equal(place_files(&p, NULL), 0);
  write_file(p.path, "contacts, but no database: long enough to have a header that SQLite reads and refuses.\n");
  REFUSED(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot), "not_a_snapshot");
  assert_int_equal(place_files(&p, NULL), 1);
  unlink(p.path);
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot));
  REFUSED(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &second), "snapshot_locked");
  privy_snapshot_close(snapshot);
  snapshot = NULL;
  REFUSED(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, "{\"email_consent\":\"subscribed\"}", &snapshot),
          "snapshot_filter");
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_RESTART, "{\"email_consent\":\"subscribed\"}", &snapshot));
done:
  privy_snapshot_close(second);
  privy_snapshot_close(snapshot);
  scene_close(&s);
  place_remove(&p);
}

static void one_account_has_a_snapshot(void **state) {
  (void)state;
  scene s;
  const place p = place_make("contacts.db");
  privy_snapshot *snapshot = NULL;
  privy_client *clients[3] = {NULL};
  privy_config config;
  static const char *const ids[] = {"one", "two", NULL};
  CHECK_OK(scene_open(&s, 3));
  privy_client *own = s.client;
  for (int i = 0; i < 3; i++) {
    privy_config_init(&config);
    config.sandbox = s.sandbox;
    config.client_id = ids[i];
    config.client_secret = ids[i] ? "secret" : NULL;
    CHECK_OK(privy_client_new(&config, &clients[i], &s.error));
  }
  for (int i = 0; i < 3; i++) {
    s.client = clients[i];
    const privy_status status = open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot);
    s.client = own;
    if (i == 1)
      REFUSED(status, "snapshot_account");
    else
      CHECK_OK(status);
    privy_snapshot_close(snapshot);
    snapshot = NULL;
  }
done:
  for (int i = 0; i < 3; i++) privy_client_free(clients[i]);
  scene_close(&s);
  place_remove(&p);
}

static void an_old_sweep_is_begun_again(void **state) {
  (void)state;
  scene s;
  const place p = place_make("contacts.db");
  privy_snapshot *snapshot = NULL;
  privy_request *list = NULL;
  privy_snapshot_info info;
  CHECK_OK(scene_open(&s, 330));
  CHECK_OK(open_snapshot(&s, p.path, PRIVY_RESUME_AUTO, ALL, &snapshot));
  CHECK_OK(sweep_into(&s, snapshot, ALL, 1));
  privy_snapshot_close(snapshot);
  snapshot = NULL;
  privy_sandbox_advance(s.sandbox, 7200);
  CHECK_OK(ask_for("contacts.list", ALL, &list, &s.error));
  const privy_snapshot_config config = {.path = p.path, .list = list, .longest = 3600};
  CHECK_OK(privy_snapshot_open(s.client, &config, &snapshot, &s.error));
  privy_snapshot_get_info(snapshot, &info);
  assert_false(info.resumed || info.in_progress);
  CHECK_OK(sweep_into(&s, snapshot, ALL, 0));
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 5);
done:
  privy_request_free(list);
  privy_snapshot_close(snapshot);
  scene_close(&s);
  place_remove(&p);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_sweep_fills_a_snapshot),
      TEST(a_sweep_continues_after_its_last_page),
      TEST_UNSWEPT(a_sweep_continues_after_each_page),
      TEST(a_sweep_of_an_older_format_continues),
      TEST_UNSWEPT(a_sweep_that_continues_misses_none),
      TEST_UNSWEPT(an_incomplete_sweep_marks_nothing_as_vanished),
      TEST(contacts_are_found_by_their_values),
      TEST_UNSWEPT(other_files_are_refused),
      TEST_UNSWEPT(one_account_has_a_snapshot),
      TEST_UNSWEPT(an_old_sweep_is_begun_again),
  };
  const int failures = HARNESS_RUN(tests);
  forget_seeds();
  return failures;
}
