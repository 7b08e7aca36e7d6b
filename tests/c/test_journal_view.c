/* Reading a journal: what it says of its runs, its refused rows and its rows in doubt, while a run writes it too. */
#define _POSIX_C_SOURCE 200809L

#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fork.h"
#include "bulk_journal_scene.h"

static const char *const orders[] = {ORDER ",\"order_id\":1}", ORDER ",\"order_id\":2}",
                                     ORDER ",\"order_id\":-1,\"line_items\":[{\"sku\":5,\"quantity\":1}]}",
                                     ORDER ",\"order_id\":3}"};

/* A journal, its view and what is read. Close the scene after the view. */
typedef struct reading {
  scene s;
  journal_place place;
  privy_journal_view *view;
  privy_journal_entries *entries;
  privy_journal_entry entry;
  privy_journal_summary summary;
  bool found;
  privy_error error;
} reading;

static void reading_begin(reading *r) {
  *r = (reading){0};
  privy_error_init(&r->error);
  place_make(&r->place);
}

static void reading_end(reading *r) {
  privy_journal_entries_free(r->entries);
  privy_journal_view_free(r->view);
  privy_error_clear(&r->error);
  scene_close(&r->s);
  place_remove(&r->place);
}

static privy_status view(reading *r) {
  privy_journal_entries_free(r->entries);
  r->entries = NULL;
  privy_journal_view_free(r->view);
  r->view = NULL;
  return privy_journal_view_open(r->place.path, &r->view, &r->error);
}

static privy_status summarize(reading *r) {
  return privy_journal_view_summary(r->view, &r->summary, &r->error);
}

static privy_status list(reading *r, privy_entries_kind kind) {
  privy_journal_entries_free(r->entries);
  r->entries = NULL;
  return privy_journal_entries_new(r->view, kind, &r->entries);
}

static privy_status next(reading *r) {
  return privy_journal_entries_next(r->entries, &r->entry, &r->found, &r->error);
}

/* Runs the orders: the server refuses the second, and the third is invalid. */
static privy_status run_orders(reading *r) {
  privy_status status = open_with_journal(&r->s, &r->place, "orders.upsert", ROWS(orders));
  r->s.config.concurrency = 1;
  if (status == PRIVY_OK) status = begin(&r->s);
  if (status == PRIVY_OK) status = fail_once(&r->s, 422, 0, 1, 1);
  if (status == PRIVY_OK) status = drive(&r->s, "orders.upsert");
  return status;
}

#define IS(value, expected) assert_text((value).text, (value).length, expected)

#define REFUSED(call, expected)                                                                                        \
  do {                                                                                                                 \
    CHECK_STATUS(call, PRIVY_JOURNAL);                                                                                 \
    assert_string_equal(r.error.api_code, expected);                                                                   \
    assert_non_null(strstr(r.error.message, r.place.path));                                                            \
    privy_error_clear(&r.error);                                                                                       \
  } while (0)

#define REFUSED_FILE(call)                                                                                             \
  do {                                                                                                                 \
    CHECK_STATUS(call, PRIVY_CONFIG_ERROR);                                                                            \
    privy_error_clear(&r.error);                                                                                       \
  } while (0)

static void it_summarizes_all_runs(void **state) {
  (void)state;
  reading r;
  reading_begin(&r);
  CHECK_OK(run_orders(&r));
  CHECK_OK(view(&r));
  CHECK_OK(summarize(&r));
  assert_string_equal(r.summary.operation, "orders.upsert");
  assert_string_equal(r.summary.server, "sandbox");
  assert_false(r.summary.account_known);
  assert_true(r.summary.began > 1700000000);
  assert_int_equal(r.summary.counts[PRIVY_JOURNAL_CREATED], 2);
  assert_int_equal(r.summary.counts[PRIVY_JOURNAL_REFUSED], 1);
  assert_int_equal(r.summary.counts[PRIVY_JOURNAL_INVALID], 1);
  assert_int_equal(r.summary.total, 4);
  assert_int_equal(r.summary.succeeded, 2);
  assert_int_equal(r.summary.failed, 2);
  assert_int_equal(r.summary.unsent, 0);
  assert_int_equal(r.summary.in_doubt, 0);
  assert_int_equal(r.summary.details, 3);
  assert_int_equal(r.summary.runs, 1);
  assert_int_equal(r.summary.killed, 0);
  assert_int_equal(r.summary.requests, 3);
  assert_string_equal(r.summary.stopped, "");
  assert_true(r.summary.finished);
  CHECK_OK(run_again(&r.s, "orders.upsert"));
  CHECK_OK(summarize(&r));
  assert_int_equal(r.summary.runs, 2);
  assert_int_equal(r.summary.requests, 3);
  assert_int_equal(r.summary.total, 4);
  r.s.config.resume = PRIVY_RESUME_RESTART;
  CHECK_OK(run_again(&r.s, "orders.upsert"));
  CHECK_OK(summarize(&r));
  assert_int_equal(r.summary.runs, 1);
  assert_int_equal(r.summary.counts[PRIVY_JOURNAL_CREATED] + r.summary.counts[PRIVY_JOURNAL_UPDATED], 3);
done:
  reading_end(&r);
}

static void each_error_detail_of_a_refused_row_is_an_entry(void **state) {
  (void)state;
  reading r;
  reading_begin(&r);
  CHECK_OK(run_orders(&r));
  CHECK_OK(view(&r));
  CHECK_OK(list(&r, PRIVY_ENTRIES_REFUSED));
  CHECK_OK(next(&r));
  assert_true(r.found);
  assert_int_equal(r.entry.row, 1);
  assert_string_equal(r.entry.key, "order_id=2");
  assert_int_equal(r.entry.http_status, 422);
  assert_string_equal(r.entry.field, "base");
  assert_int_equal(r.entry.value.type, PRIVY_ABSENT);
  IS(r.entry.request, ORDER ",\"order_id\":2}");
  CHECK_OK(next(&r));
  assert_true(r.found);
  assert_int_equal(r.entry.row, 2);
  assert_string_equal(r.entry.key, "order_id=-1");
  assert_int_equal(r.entry.http_status, 0);
  assert_string_equal(r.entry.field, "order_id");
  assert_string_equal(r.entry.code, "invalid_order_id");
  IS(r.entry.value, "-1");
  CHECK_OK(next(&r));
  assert_true(r.found);
  assert_int_equal(r.entry.row, 2);
  assert_string_equal(r.entry.field, "line_items[0].sku");
  IS(r.entry.value, "5");
  IS(r.entry.request, ORDER ",\"order_id\":-1,\"line_items\":[{\"sku\":5,\"quantity\":1}]}");
  CHECK_OK(next(&r));
  assert_false(r.found);
  CHECK_OK(next(&r));
  assert_false(r.found);
done:
  reading_end(&r);
}

static void a_row_in_doubt_is_an_entry(void **state) {
  (void)state;
  reading r;
  reading_begin(&r);
  CHECK_OK(lose_an_event(&r.s, &r.place));
  CHECK_OK(view(&r));
  CHECK_OK(summarize(&r));
  assert_int_equal(r.summary.in_doubt, 1);
  assert_false(r.summary.finished);
  CHECK_OK(list(&r, PRIVY_ENTRIES_IN_DOUBT));
  CHECK_OK(next(&r));
  assert_true(r.found);
  assert_int_equal(r.entry.row, 1);
  assert_memory_equal(r.entry.key, "content=", 8);
  assert_int_equal(strlen(r.entry.idempotency_key), 32);
  assert_true(r.entry.first_sent >= START && r.entry.first_sent < START + 100);
  assert_int_equal(r.entry.too_old, privy_wall_clock() > START + 87000); /* the clock of the sandbox has stopped */
  assert_false(r.entry.decided);
  IS(r.entry.request, EVENT ",\"event_data\":{\"n\":2}}");
  CHECK_OK(next(&r));
  assert_false(r.found);
done:
  reading_end(&r);
}

static void it_is_read_while_a_run_writes_it(void **state) {
  (void)state;
  privy_bulk_result_view result;
  reading r;
  reading_begin(&r);
  CHECK_OK(open_with_journal(&r.s, &r.place, "orders.upsert", ROWS(orders)));
  CHECK_OK(begin(&r.s));
  CHECK_OK(view(&r));
  CHECK_OK(list(&r, PRIVY_ENTRIES_REFUSED));
  CHECK_OK(summarize(&r));
  assert_int_equal(r.summary.total, 0);
  assert_int_equal(r.summary.killed, 1);
  assert_false(r.summary.finished);
  r.s.leave_after = 3;
  CHECK_OK(drive(&r.s, "orders.upsert"));
  CHECK_MEMORY(privy_bulk_result(r.s.bulk, &result) && result.status != PRIVY_NO_MEMORY);
  CHECK_OK(next(&r));
  assert_true(r.found);
  CHECK_OK(summarize(&r));
  assert_int_equal(r.summary.total, 4);
  assert_int_equal(r.summary.requests, 3);
  assert_false(r.summary.finished);
  privy_bulk_close(r.s.bulk);
  CHECK_OK(summarize(&r));
  assert_string_equal(r.summary.stopped, "the run was closed");
  assert_int_equal(r.summary.killed, 0);
  assert_false(r.summary.finished);
done:
  reading_end(&r);
}

/* The run stops after two of four rows: the journal does not know the others, and says that it is not finished. */
static void a_run_that_stopped_early_is_not_finished(void **state) {
  (void)state;
  reading r;
  reading_begin(&r);
  CHECK_OK(open_with_journal(&r.s, &r.place, "orders.upsert", ROWS(orders)));
  CHECK_OK(begin(&r.s));
  CHECK_OK(fail_once(&r.s, 401, 0, 0, 1));
  r.s.config.concurrency = 1;
  CHECK_OK(drive(&r.s, "orders.upsert"));
  CHECK_OK(view(&r));
  CHECK_OK(summarize(&r));
  assert_non_null(strstr(r.summary.stopped, "401"));
  assert_false(r.summary.finished);
done:
  reading_end(&r);
}

static bool read_file(const char *path, char *out, size_t size, size_t *length) {
  FILE *file = fopen(path, "r");
  if (!file) return false;
  *length = fread(out, 1, size, file);
  fclose(file);
  return true;
}

static void reading_changes_nothing(void **state) {
  (void)state;
  static char before[1 << 17], after[1 << 17];
  size_t first, second;
  reading r;
  reading_begin(&r);
  CHECK_OK(run_orders(&r));
  assert_true(read_file(r.place.path, before, sizeof before, &first));
  CHECK_OK(view(&r));
  CHECK_OK(summarize(&r));
  CHECK_OK(list(&r, PRIVY_ENTRIES_REFUSED));
  CHECK_OK(next(&r));
  privy_journal_entries_free(r.entries);
  r.entries = NULL;
  privy_journal_view_free(r.view);
  r.view = NULL;
  assert_true(read_file(r.place.path, after, sizeof after, &second));
  assert_int_equal(first, second);
  assert_memory_equal(before, after, first);
done:
  reading_end(&r);
}

static void write_text(const char *path, const char *text, size_t length) {
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  assert_int_equal(fwrite(text, 1, length, file), length);
  assert_int_equal(fclose(file), 0);
}

static void what_is_not_a_journal_is_refused(void **state) {
  (void)state;
  static char bytes[1 << 17];
  char rows[8192];
  size_t length;
  reading r;
  reading_begin(&r);
  REFUSED(view(&r), "journal_missing");
  assert_int_not_equal(access(r.place.path, F_OK), 0);
  write_text(r.place.path, "", 0);
  REFUSED(view(&r), "journal_missing");
  write_text(r.place.path, TEXT("order_id,email\n1,jane@example.com\n2,joe@example.com\n"));
  REFUSED(view(&r), "not_a_journal");
  unlink(r.place.path);
  CHECK_OK(run_orders(&r));
  assert_true(read_file(r.place.path, bytes, sizeof bytes, &length));
  write_text(r.place.path, bytes, 4096);
  REFUSED(view(&r), "journal_damaged");
  write_text(r.place.path, bytes, length);
  read_journal(r.place.path, "PRAGMA user_version = 2", rows);
  REFUSED(view(&r), "journal_newer");
  read_journal(r.place.path, "PRAGMA user_version = 1; DROP TABLE runs", rows);
  CHECK_OK(view(&r));
  REFUSED(summarize(&r), "journal_damaged");
  read_journal(r.place.path, "UPDATE rows SET details = 'x' WHERE state = 'invalid'", rows);
  CHECK_OK(list(&r, PRIVY_ENTRIES_REFUSED));
  CHECK_OK(next(&r));
  REFUSED(next(&r), "journal_damaged");
done:
  reading_end(&r);
}

/* ---- decisions ---- */

static void a_decision_to_send_is_obeyed(void **state) {
  (void)state;
  uint64_t decided;
  reading r;
  reading_begin(&r);
  CHECK_OK(lose_an_event(&r.s, &r.place));
  privy_sandbox_advance(r.s.sandbox, 86500);
  CHECK_OK(run_again(&r.s, "events.ingest"));
  assert_int_equal(r.s.status[1], PRIVY_JOURNAL);
  CHECK_OK(view(&r));
  REFUSED(privy_journal_view_decide(r.view, NULL, 0, PRIVY_DECISION_SEND, &decided, &r.error), "journal_not_in_doubt");
  assert_int_equal(decided, 0);
  CHECK_OK(privy_journal_view_decide(r.view, NULL, 1, PRIVY_DECISION_SEND, &decided, &r.error));
  assert_int_equal(decided, 1);
  CHECK_OK(list(&r, PRIVY_ENTRIES_IN_DOUBT));
  CHECK_OK(next(&r));
  assert_true(r.entry.decided);
  CHECK_OK(run_again(&r.s, "events.ingest"));
  CHECK_OK(r.s.status[1]);
  CHECK_OK(summarize(&r));
  assert_int_equal(r.summary.in_doubt, 0);
  assert_int_equal(r.summary.counts[PRIVY_JOURNAL_DONE], 2);
  assert_true(r.summary.finished);
  assert_int_equal(privy_sandbox_count(r.s.sandbox).requests, 3);
done:
  reading_end(&r);
}

static void a_decision_to_skip_is_obeyed(void **state) {
  (void)state;
  char key[64], rows[8192];
  uint64_t decided;
  reading r;
  reading_begin(&r);
  CHECK_OK(lose_an_event(&r.s, &r.place));
  privy_sandbox_advance(r.s.sandbox, 86500);
  CHECK_OK(view(&r));
  CHECK_OK(list(&r, PRIVY_ENTRIES_IN_DOUBT));
  CHECK_OK(next(&r));
  snprintf(key, sizeof key, "%s", r.entry.key);
  REFUSED(privy_journal_view_decide(r.view, key, 0, PRIVY_DECISION_SKIP, &decided, &r.error), "journal_not_in_doubt");
  CHECK_OK(privy_journal_view_decide(r.view, key, -1, PRIVY_DECISION_SKIP, &decided, &r.error));
  assert_int_equal(decided, 1);
  REFUSED(privy_journal_view_decide(r.view, key, -1, PRIVY_DECISION_SKIP, NULL, &r.error), "journal_not_in_doubt");
  CHECK_OK(run_again(&r.s, "events.ingest"));
  assert_int_equal(r.s.results, 0);
  CHECK_OK(summarize(&r));
  assert_int_equal(r.summary.counts[PRIVY_JOURNAL_DONE], 2);
  assert_true(r.summary.finished);
  assert_int_equal(privy_sandbox_count(r.s.sandbox).requests, 2);
  read_journal(r.place.path, "SELECT decision, request FROM rows ORDER BY id", rows);
  assert_string_equal(rows, "- -\nskip -\n");
done:
  reading_end(&r);
}

/* The event is in doubt again after it was sent again: the time counts from the second request. */
static void a_decision_counts_once(void **state) {
  (void)state;
  const privy_sandbox_fault lost = {.cut = PRIVY_CUT_DROP, .retry_after = -1};
  reading r;
  reading_begin(&r);
  CHECK_OK(lose_an_event(&r.s, &r.place));
  privy_sandbox_advance(r.s.sandbox, 86500);
  CHECK_OK(view(&r));
  CHECK_OK(privy_journal_view_decide(r.view, NULL, 1, PRIVY_DECISION_SEND, NULL, &r.error));
  CHECK_OK(privy_sandbox_add_fault(r.s.sandbox, &lost));
  CHECK_OK(run_again(&r.s, "events.ingest"));
  CHECK_STATUS(r.s.status[1], PRIVY_CONNECTION);
  privy_sandbox_clear_faults(r.s.sandbox);
  CHECK_OK(list(&r, PRIVY_ENTRIES_IN_DOUBT));
  CHECK_OK(next(&r));
  assert_true(r.found);
  assert_false(r.entry.decided);
  assert_true(r.entry.first_sent > START + 86000);
  privy_sandbox_advance(r.s.sandbox, 86500);
  CHECK_OK(run_again(&r.s, "events.ingest"));
  assert_int_equal(r.s.status[1], PRIVY_JOURNAL);
done:
  reading_end(&r);
}

static void no_decision_is_written_during_a_run(void **state) {
  (void)state;
  reading r;
  reading_begin(&r);
  CHECK_OK(open_with_journal(&r.s, &r.place, "orders.upsert", ROWS(orders)));
  CHECK_OK(begin(&r.s));
  CHECK_OK(view(&r));
  REFUSED(privy_journal_view_decide(r.view, NULL, 1, PRIVY_DECISION_SEND, NULL, &r.error), "journal_locked");
done:
  reading_end(&r);
}

/* ---- rejects ---- */

static void refused_rows_are_written_as_csv(void **state) {
  (void)state;
  static const char *const contacts[] = {"{\"email\":\"no address\",\"first_name\":\"Smith, "
                                         "J\",\"tags\":[\"a\",\"b,c\"],\"send_welcome_sms\":true}",
                                         "{\"email\":\"a@b.co\"}",
                                         "{\"last_name\":\"=1+1\",\"first_name\":\"\",\"custom_fields\":{\"n\":1.50}}"};
  static const char head[] =
      "privy_field,privy_reason,email,first_name,tags,send_welcome_sms,last_name,custom_fields\r\n"
      "email,\"email must be";
  char csv[96], text[4096] = "";
  struct stat status;
  uint64_t rows;
  int number;
  size_t length;
  reading r;
  reading_begin(&r);
  snprintf(csv, sizeof csv, "%s/rejects.csv", r.place.folder);
  CHECK_OK(open_with_journal(&r.s, &r.place, "contacts.upsert", ROWS(contacts)));
  CHECK_OK(begin(&r.s));
  CHECK_OK(drive(&r.s, "contacts.upsert"));
  CHECK_OK(view(&r));
  CHECK_OK(privy_journal_view_write_rejects(r.view, csv, PRIVY_REJECTS_CSV, &rows, &number, &r.error));
  assert_int_equal(rows, 2);
  assert_int_equal(number, 0);
  assert_true(read_file(csv, text, sizeof text - 1, &length));
  if (strncmp(text, head, strlen(head)) != 0) fail_msg("%s", text);
  assert_non_null(strstr(text, "\",no address,\"Smith, J\",\"[\"\"a\"\",\"\"b,c\"\"]\",true,,\r\nbase,"));
  assert_non_null(strstr(text, ",,\"\",,,=1+1,\"{\"\"n\"\":1.50}\"\r\n"));
  CHECK_OK(privy_journal_view_write_rejects(r.view, csv, PRIVY_REJECTS_LINES, &rows, &number, &r.error));
  assert_int_equal(rows, 2);
  memset(text, 0, sizeof text);
  assert_true(read_file(csv, text, sizeof text - 1, &length));
  assert_ptr_equal(strstr(text, "{\"privy_field\":\"email\",\"privy_reason\":\"email must be"), text);
  assert_non_null(strstr(text, "\",\"email\":\"no address\",\"first_name\":\"Smith, J\",\"tags\":[\"a\",\"b,c\"],"));
  assert_non_null(strstr(text, "}\n{\"privy_field\":\"base\","));
  assert_non_null(strstr(text, "\"last_name\":\"=1+1\",\"first_name\":\"\",\"custom_fields\":{\"n\":1.50}}\n"));
  assert_int_equal(stat(csv, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0600);
  REFUSED_FILE(
      privy_journal_view_write_rejects(r.view, "/proc/nothing/x.csv", PRIVY_REJECTS_CSV, &rows, &number, &r.error));
  assert_int_not_equal(number, 0);
  REFUSED_FILE(privy_journal_view_write_rejects(r.view, r.place.path, PRIVY_REJECTS_CSV, &rows, &number, &r.error));
  assert_int_equal(number, 0);
  CHECK_OK(view(&r));
done:
  unlink(csv);
  reading_end(&r);
}

/* ---- processes ---- */

static void the_child_of_a_fork_leaves_it_to_the_parent(void **state) {
  (void)state;
  int ends[2];
  reading r;
  (void)privy_fork_generation();
  reading_begin(&r);
  CHECK_OK(run_orders(&r));
  CHECK_OK(view(&r));
  assert_int_equal(pipe(ends), 0);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    privy_memory_fail_at(0);
    const char right = summarize(&r) == PRIVY_JOURNAL && strcmp(r.error.api_code, "journal_forked") == 0;
    privy_journal_view_free(r.view);
    if (write(ends[1], &right, 1) == 1) harness_end_child();
  }
  close(ends[1]);
  char right = 0;
  assert_int_equal(read(ends[0], &right, 1), 1);
  close(ends[0]);
  assert_int_equal(waitpid(child, NULL, 0), child);
  assert_true(right);
  CHECK_OK(summarize(&r));
done:
  reading_end(&r);
}

static bool has_bytes(const char *path, const char *bytes) {
  static char content[1 << 20];
  size_t length = 0, size = strlen(bytes);
  if (!read_file(path, content, sizeof content, &length)) return false;
  for (size_t i = 0; i + size <= length; i++)
    if (memcmp(content + i, bytes, size) == 0) return true;
  return false;
}

static void no_secret_is_in_the_files(void **state) {
  (void)state;
  static const char *const endings[] = {"", "-wal", "-shm", "-lock"};
  char name[96];
  struct stat status;
  reading r;
  reading_begin(&r);
  CHECK_OK(open_with_journal(&r.s, &r.place, "orders.upsert", ROWS(orders)));
  CHECK_OK(begin(&r.s));
  CHECK_OK(fail_once(&r.s, 422, 0, 1, 1));
  r.s.leave_after = 3;
  CHECK_OK(drive(&r.s, "orders.upsert"));
  for (size_t i = 0; i < COUNT(endings); i++) {
    snprintf(name, sizeof name, "%s%s", r.place.path, endings[i]);
    assert_int_equal(stat(name, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_false(has_bytes(name, PRIVY_SANDBOX_TOKEN));
    assert_false(has_bytes(name, "Bearer"));
  }
  snprintf(name, sizeof name, "%s-wal", r.place.path);
  assert_true(has_bytes(name, "jane@example.com")); /* the search finds what is there */
done:
  reading_end(&r);
}

static void many_rows_are_read_one_by_one(void **state) {
  (void)state;
  char rows[8192];
  size_t count = 0;
  reading r;
  reading_begin(&r);
  CHECK_OK(run_orders(&r));
  read_journal(r.place.path,
               "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
               " INSERT INTO rows (key, nth, source_row, hash, state, details, detail_count, request)"
               " SELECT 'x=' || i, 0, i, x'', CASE WHEN i % 10 THEN 'created' ELSE 'refused' END,"
               " '[{\"field\":\"a\",\"message\":\"m\",\"code\":\"c\"}]', 1, '{\"a\":' || i || '}' FROM n",
               rows);
  CHECK_OK(view(&r));
  CHECK_OK(list(&r, PRIVY_ENTRIES_REFUSED));
  CHECK_OK(next(&r));
  for (; r.found; count++) CHECK_OK(next(&r));
  CHECK_OK(summarize(&r));
  assert_int_equal(count, 2003);
  assert_int_equal(r.summary.details, 2003);
  assert_int_equal(r.summary.total, 20004);
done:
  reading_end(&r);
}

int main(void) {
  static harness_test tests[] = {TEST(it_summarizes_all_runs),
                                 TEST(each_error_detail_of_a_refused_row_is_an_entry),
                                 TEST(a_row_in_doubt_is_an_entry),
                                 TEST_UNSWEPT(it_is_read_while_a_run_writes_it),
                                 TEST_UNSWEPT(a_run_that_stopped_early_is_not_finished),
                                 TEST_UNSWEPT(reading_changes_nothing),
                                 TEST(what_is_not_a_journal_is_refused),
                                 TEST_UNSWEPT(a_decision_to_send_is_obeyed),
                                 TEST(a_decision_to_skip_is_obeyed),
                                 TEST_UNSWEPT(a_decision_counts_once),
                                 TEST(no_decision_is_written_during_a_run),
                                 TEST(refused_rows_are_written_as_csv),
                                 TEST(the_child_of_a_fork_leaves_it_to_the_parent),
                                 TEST_UNSWEPT(no_secret_is_in_the_files),
                                 TEST_UNSWEPT(many_rows_are_read_one_by_one)};
  return HARNESS_RUN(tests);
}
