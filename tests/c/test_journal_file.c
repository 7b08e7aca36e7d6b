/* The file of a journal: who may open it, what it refuses, and that a refused file stays as it is. */
#define _POSIX_C_SOURCE 200809L

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/fork.h"
#include "journal_scene.h"

#define REFUSED(call, code)                                                                                            \
  do {                                                                                                                 \
    CHECK_STATUS(call, PRIVY_JOURNAL);                                                                                 \
    assert_string_equal(s.error.api_code, code);                                                                       \
    assert_int_equal(s.error.retryable, strcmp(code, "journal_locked") == 0);                                          \
    assert_non_null(strstr(s.error.message, s.path));                                                                  \
    privy_error_clear(&s.error);                                                                                       \
  } while (0)

static void write_file(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_true(fputs(text, file) >= 0);
  assert_int_equal(fclose(file), 0);
}

static int mode_of(const scene *s, const char *ending) {
  char name[96];
  struct stat status;
  snprintf(name, sizeof name, "%s%s", s->path, ending);
  assert_int_equal(stat(name, &status), 0);
  return (int)(status.st_mode & 0777);
}

/* Runs SQL on the file as another program would. */
static void run_sql(const char *path, const char *sql) {
  privy_error error;
  privy_error_init(&error);
  const privy_sqlite *sqlite = privy_sqlite_load(&error);
  struct sqlite3 *database = NULL;
  assert_non_null(sqlite);
  assert_int_equal(sqlite->open_v2(path, &database, PRIVY_SQLITE_OPEN_READWRITE | PRIVY_SQLITE_OPEN_CREATE, NULL),
                   PRIVY_SQLITE_OK);
  assert_int_equal(sqlite->exec(database, sql, NULL, NULL, NULL), PRIVY_SQLITE_OK);
  sqlite->close(database);
}

/* Makes the process one without special rights. */
static bool drop_rights(scene *s) {
  return geteuid() != 0 || (chown(s->folder, 65534, 65534) == 0 && setgid(65534) == 0 && setuid(65534) == 0);
}

/* Runs `use` in the child of a fork; whether it returned true. A child that dies returned nothing. */
static bool in_a_child(bool (*use)(scene *s), scene *s) {
  int ends[2];
  char right = 0;
  assert_int_equal(pipe(ends), 0);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    privy_memory_fail_at(0);
    right = use(s);
    if (write(ends[1], &right, 1) == 1) harness_end_child();
  }
  close(ends[1]);
  if (read(ends[0], &right, 1) != 1) right = 0;
  close(ends[0]);
  assert_int_equal(waitpid(child, NULL, 0), child);
  return right;
}

static void only_its_owner_can_read_it(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  const mode_t before = umask(0);
  privy_status status = begin(&s);
  if (status == PRIVY_OK) status = complete(&s, ORDER(1, 5), PRIVY_JOURNAL_CREATED);
  umask(before);
  CHECK_OK(status);
  assert_int_equal(mode_of(&s, ""), 0600);
  assert_int_equal(mode_of(&s, "-wal"), 0600);
  assert_int_equal(mode_of(&s, "-shm"), 0600);
  assert_int_equal(mode_of(&s, "-lock"), 0600);
done:
  scene_close(&s);
}

static void one_run_at_a_time_uses_it(void **state) {
  (void)state;
  scene s;
  privy_journal *second = NULL;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  REFUSED(privy_journal_open(&s.config, &second, &s.error), "journal_locked");
  assert_null(second);
  CHECK_OK(complete(&s, ORDER(1, 5), PRIVY_JOURNAL_CREATED));
  CHECK_OK(begin_again(&s));
done:
  scene_close(&s);
}

static bool is_locked_out(scene *s) {
  privy_journal *second = NULL;
  return privy_journal_open(&s->config, &second, &s->error) == PRIVY_JOURNAL &&
         strcmp(s->error.api_code, "journal_locked") == 0;
}

/* The child does not use the parent's journal, and closing it does not unlock the file. */
static bool leaves_it_to_the_parent(scene *s) {
  privy_journal *inherited = s->journal;
  s->journal = NULL;
  if (privy_journal_commit(inherited, &s->error) != PRIVY_JOURNAL) return false;
  if (strcmp(s->error.api_code, "journal_forked") != 0) return false;
  privy_error_clear(&s->error);
  privy_journal_close(inherited);
  return is_locked_out(s);
}

static void the_child_of_a_fork_leaves_it_to_the_parent(void **state) {
  (void)state;
  scene s;
  uint64_t rows;
  (void)privy_fork_generation();
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(take(&s, ORDER(1, 5)));
  assert_true(in_a_child(leaves_it_to_the_parent, &s));
  CHECK_OK(send_row(&s, NULL, 1));
  CHECK_OK(begin_again(&s));
  CHECK_OK(count(&s, PRIVY_JOURNAL_SENT, &rows));
  assert_int_equal(rows, 1);
done:
  scene_close(&s);
}

/* Sends a row and dies with the journal open. */
static bool dies(scene *s) {
  if (begin(s) != PRIVY_OK || take(s, ORDER(1, 5)) != PRIVY_OK || send_row(s, NULL, 1) != PRIVY_OK) return false;
  raise(SIGKILL);
  return false;
}

static void a_killed_process_leaves_no_lock(void **state) {
  (void)state;
  scene s;
  uint64_t rows;
  scene_open(&s, "orders.upsert");
  assert_false(in_a_child(dies, &s));
  CHECK_OK(begin(&s));
  CHECK_OK(count(&s, PRIVY_JOURNAL_SENT, &rows));
  assert_int_equal(rows, 1);
done:
  scene_close(&s);
}

static void other_programs_can_read_it_meanwhile(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, ORDER(1, 5), PRIVY_JOURNAL_CREATED));
  run_sql(s.path, "CREATE TEMP TABLE one (n CHECK (n = 1)); INSERT INTO one SELECT count(*) FROM rows");
  CHECK_OK(complete(&s, ORDER(2, 5), PRIVY_JOURNAL_CREATED));
done:
  scene_close(&s);
}

static void a_file_that_is_not_a_journal_is_left_alone(void **state) {
  (void)state;
  static const char text[] = "order_id,email\n1,jane@example.com\n2,joe@example.com\n3,jill@example.com\n";
  char content[sizeof text] = "";
  scene s;
  scene_open(&s, "orders.upsert");
  write_file(s.path, text);
  s.config.resume = PRIVY_RESUME_RESTART;
  REFUSED(begin(&s), "not_a_journal");
  FILE *file = fopen(s.path, "r");
  assert_int_equal(fread(content, 1, sizeof text - 1, file), sizeof text - 1);
  fclose(file);
  assert_string_equal(content, text);
done:
  scene_close(&s);
}

static void another_database_is_left_alone(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  run_sql(s.path, "CREATE TABLE rows (mine)");
  REFUSED(begin(&s), "not_a_journal");
  run_sql(s.path, "INSERT INTO rows (mine) VALUES (1)");
done:
  scene_close(&s);
}

static void a_newer_journal_is_refused(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  privy_journal_close(s.journal);
  s.journal = NULL;
  run_sql(s.path, "PRAGMA user_version = 2");
  REFUSED(begin(&s), "journal_newer");
done:
  scene_close(&s);
}

static void a_journal_belongs_to_one_operation_server_and_account(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  s.config.account = "one";
  CHECK_OK(begin_again(&s)); /* the first account that is known owns it */
  s.config.account = "";
  CHECK_OK(begin_again(&s));
  privy_journal_close(s.journal);
  s.journal = NULL;
  s.config.account = "other";
  REFUSED(begin(&s), "journal_account");
  s.config.account = "one";
  s.config.server = "https://other.example.com";
  REFUSED(begin(&s), "journal_server");
  s.config.operation = "events.ingest";
  REFUSED(begin(&s), "journal_operation");
done:
  scene_close(&s);
}

static void only_resuming_needs_a_journal(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  s.config.resume = PRIVY_RESUME_ONLY;
  REFUSED(begin(&s), "journal_missing");
  assert_int_not_equal(access(s.path, F_OK), 0);
  write_file(s.path, "");
  REFUSED(begin(&s), "journal_missing");
  s.config.resume = PRIVY_RESUME_AUTO;
  CHECK_OK(begin(&s));
  s.config.resume = PRIVY_RESUME_ONLY;
  CHECK_OK(begin_again(&s));
done:
  scene_close(&s);
}

static void a_folder_that_is_missing_is_reported(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  char *const end = s.path + strlen(s.path);
  strcpy(end, "/k.db");
  REFUSED(begin(&s), "journal_unusable");
  strcpy(end - strlen("j.db"), "");
  REFUSED(begin(&s), "journal_unusable");
  s.path[0] = '\0';
  REFUSED(begin(&s), "journal_unusable");
done:
  snprintf(s.path, sizeof s.path, "%s/j.db", s.folder);
  scene_close(&s);
}

/* SQLite has a meaning of its own for such names. */
static void names_are_names_of_files(void **state) {
  (void)state;
  scene s;
  char before[512];
  scene_open(&s, "orders.upsert");
  assert_non_null(getcwd(before, sizeof before));
  assert_int_equal(chdir(s.folder), 0);
  s.config.path = ":memory:";
  CHECK_OK(begin(&s));
  assert_int_equal(access(":memory:", F_OK), 0);
done:
  privy_journal_close(s.journal);
  s.journal = NULL;
  unlink(":memory:");
  unlink(":memory:-lock");
  assert_int_equal(chdir(before), 0);
  scene_close(&s);
}

static bool cannot_write(scene *s) {
  return begin(s) == PRIVY_JOURNAL && strcmp(s->error.api_code, "journal_read_only") == 0;
}

static bool cannot_write_the_file(scene *s) {
  return drop_rights(s) && chmod(s->folder, 0700) == 0 && cannot_write(s);
}

static bool cannot_write_the_folder(scene *s) {
  return drop_rights(s) && chmod(s->folder, 0500) == 0 && cannot_write(s) && chmod(s->folder, 0700) == 0;
}

static void what_cannot_be_written_is_reported(void **state) {
  (void)state;
  scene s;
  scene_open(&s, "orders.upsert");
  assert_true(in_a_child(cannot_write_the_folder, &s)); /* there is no file */
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, ORDER(1, 5), PRIVY_JOURNAL_CREATED));
  privy_journal_close(s.journal);
  s.journal = NULL;
  assert_int_equal(chmod(s.path, 0444), 0);
  assert_true(in_a_child(cannot_write_the_file, &s));
  assert_int_equal(chmod(s.path, 0666), 0);
  assert_true(in_a_child(cannot_write_the_folder, &s));
  CHECK_OK(begin(&s));
done:
  scene_close(&s);
}

/* Files can have no more than so many bytes: as if the disk were full. The journal then stops, and what was committed
 * is there. */
static bool runs_out_of_space(scene *s) {
  const struct rlimit limit = {200000, 200000};
  signal(SIGXFSZ, SIG_IGN);
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0 || begin(s) != PRIVY_OK) return false;
  for (int i = 1; i < 10000; i++) {
    char json[256];
    snprintf(json, sizeof json, "{\"event_type\":\"seen\",\"email\":\"jane@example.com\",\"event_data\":{\"n\":%d}}",
             i);
    if (complete(s, json, PRIVY_JOURNAL_DONE) != PRIVY_OK) break;
  }
  if (strcmp(s->error.api_code ? s->error.api_code : "", "journal_full") != 0) return false;
  privy_error_clear(&s->error);
  const bool stops = take(s, EVENT(0)) == PRIVY_JOURNAL && strcmp(s->error.api_code, "journal_full") == 0;
  privy_journal_close(s->journal);
  return stops;
}

static void a_full_disk_loses_nothing(void **state) {
  (void)state;
  scene s;
  uint64_t done, sent, pending;
  scene_open(&s, "events.ingest");
  assert_true(in_a_child(runs_out_of_space, &s));
  CHECK_OK(begin(&s));
  CHECK_OK(count(&s, PRIVY_JOURNAL_DONE, &done));
  CHECK_OK(count(&s, PRIVY_JOURNAL_SENT, &sent));
  CHECK_OK(count(&s, PRIVY_JOURNAL_PENDING, &pending));
  assert_true(done >= 10);
  assert_true(sent <= 1 && pending == 0);
  for (uint64_t i = 1; i <= done; i++) {
    char json[256];
    snprintf(json, sizeof json, "{\"event_type\":\"seen\",\"email\":\"jane@example.com\",\"event_data\":{\"n\":%d}}",
             (int)i);
    CHECK_OK(take(&s, json));
    assert_int_equal(s.row.state, PRIVY_JOURNAL_DONE);
  }
done:
  scene_close(&s);
}

static void a_damaged_file_is_reported(void **state) {
  (void)state;
  scene s;
  char noise[4096];
  scene_open(&s, "orders.upsert");
  CHECK_OK(begin(&s));
  CHECK_OK(complete(&s, ORDER(1, 5), PRIVY_JOURNAL_CREATED));
  privy_journal_close(s.journal);
  s.journal = NULL;
  memset(noise, 0x55, sizeof noise);
  const int descriptor = open(s.path, O_WRONLY);
  for (int page = 1; page < 5; page++)
    assert_int_equal(pwrite(descriptor, noise, sizeof noise, page * 4096), sizeof noise);
  close(descriptor);
  REFUSED(begin(&s), "journal_damaged");
done:
  scene_close(&s);
}

int main(void) {
  static harness_test tests[] = {
      TEST(only_its_owner_can_read_it),
      TEST(one_run_at_a_time_uses_it),
      TEST(the_child_of_a_fork_leaves_it_to_the_parent),
      TEST(a_killed_process_leaves_no_lock),
      TEST(other_programs_can_read_it_meanwhile),
      TEST(a_file_that_is_not_a_journal_is_left_alone),
      TEST(another_database_is_left_alone),
      TEST(a_newer_journal_is_refused),
      TEST(a_journal_belongs_to_one_operation_server_and_account),
      TEST(only_resuming_needs_a_journal),
      TEST(a_folder_that_is_missing_is_reported),
      TEST(names_are_names_of_files),
      TEST(what_cannot_be_written_is_reported),
      TEST_UNSWEPT(a_full_disk_loses_nothing),
      TEST(a_damaged_file_is_reported),
  };
  return HARNESS_RUN(tests);
}
