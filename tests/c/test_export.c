/* Exports: what the files hold, which names they have, and exports that continue. */
#define _POSIX_C_SOURCE 200809L

#include <sys/stat.h>

#include "jobs/export_csv.h"
#include "jobs/sqlite.h"
#include "snapshot_scene.h"

typedef struct output {
  privy_export *export;
  privy_export_config config;
} output;

static privy_status begin_export(scene *s, output *o, const char *path) {
  privy_request *list = NULL;
  privy_export_config_init(&o->config);
  o->config.path = path;
  privy_status status = privy_export_format_read(NULL, path, &o->config.format, &s->error);
  if (status == PRIVY_OK) status = ask_for("contacts.list", "{}", &list, &s->error);
  if (status == PRIVY_OK) return privy_export_new(s->group, list, &o->config, &o->export, &s->error);
  privy_request_free(list);
  return status;
}

/* Runs to the end, or until so many pages were read; 0: to the end. */
static privy_status drive_export(scene *s, output *o, uint64_t pages) {
  privy_export_progress progress;
  for (int turns = 0; turns < 100000; turns++) {
    const privy_export_step step = privy_export_next(o->export);
    if (step == PRIVY_EXPORT_END) break;
    if (step == PRIVY_EXPORT_COLUMNS) return PRIVY_OK;
    if (step == PRIVY_EXPORT_WAIT) turn(s);
    privy_export_get_progress(o->export, &progress);
    if (pages && progress.sweep.pages == pages) return PRIVY_OK;
  }
  const privy_error *error = privy_export_error(o->export);
  return error ? error->code : PRIVY_OK;
}

static privy_status export_again(scene *s, output *o, const char *path, uint64_t pages) {
  privy_export_free(o->export);
  o->export = NULL;
  const privy_status status = begin_export(s, o, path);
  return status == PRIVY_OK ? drive_export(s, o, pages) : status;
}

/* The text of a file, ended by NUL. */
static size_t read_text(const char *path, char *out, size_t size) {
  FILE *file = fopen(path, "r");
  assert_non_null(file);
  const size_t length = fread(out, 1, size - 1, file);
  assert_int_equal(fclose(file), 0);
  out[length] = '\0';
  return length;
}

static size_t count_lines(const char *path, const char *first) {
  static char text[1 << 20];
  const size_t length = read_text(path, text, sizeof text);
  size_t lines = 0;
  assert_int_equal(strncmp(text, first, strlen(first)), 0);
  for (size_t i = 0; i < length; i++) lines += text[i] == '\n';
  return lines;
}

static int keep_count(void *out, int columns, char **values, char **names) {
  (void)names;
  if (columns == 1) *(long *)out = strtol(values[0], NULL, 10);
  return 0;
}

static long count_rows(const char *path, const char *sql) {
  const privy_sqlite *sqlite = privy_sqlite_load(NULL);
  struct sqlite3 *database = NULL;
  long count = -1;
  assert_int_equal(sqlite->open_v2(path, &database, PRIVY_SQLITE_OPEN_READWRITE, NULL), PRIVY_SQLITE_OK);
  assert_int_equal(sqlite->exec(database, sql, keep_count, &count, NULL), PRIVY_SQLITE_OK);
  sqlite->close(database);
  return count;
}

#define HEADER                                                                                                         \
  "id,email,phone_number,first_name,last_name,email_consent,sms_consent,tags,custom_fields,created_at,updated_at\r\n"

static void each_format_has_all_contacts(void **state) {
  (void)state;
  static const char *const file_names[] = {"c.csv", "c.jsonl", "c.db"};
  for (size_t i = 0; i < 3; i++) {
    scene s;
    output o = {NULL};
    struct stat status;
    const place p = place_make(file_names[i]);
    CHECK_OK(scene_open(&s, 120));
    CHECK_OK(export_again(&s, &o, p.path, 0));
    assert_null(privy_export_error(o.export));
    assert_int_equal(place_files(&p, NULL), 1);
    assert_int_equal(stat(p.path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    assert_int_equal(privy_sandbox_count(s.sandbox).requests, 2);
    if (i == 0) assert_true(count_lines(p.path, HEADER "cus_") >= 121);
    if (i == 1) assert_int_equal(count_lines(p.path, "{\"id\":\"cus_"), 120);
    if (i == 2) assert_int_equal(count_rows(p.path, "SELECT count(*) FROM contacts WHERE id LIKE 'cus_%'"), 120);
    if (i == 2) assert_int_equal(count_rows(p.path, "SELECT count(*) FROM contacts WHERE json_valid(tags)"), 120);
  done:
    privy_export_free(o.export);
    scene_close(&s);
    place_remove(&p);
  }
}

static void an_export_continues_after_its_last_page(void **state) {
  (void)state;
  scene s;
  output o = {NULL};
  privy_export_progress progress;
  const place p = place_make("c.jsonl");
  CHECK_OK(scene_open(&s, 430));
  CHECK_OK(export_again(&s, &o, p.path, 2));
  assert_int_equal(access(p.path, F_OK), -1);
  CHECK_OK(export_again(&s, &o, p.path, 0));
  privy_export_get_progress(o.export, &progress);
  assert_true(progress.resumed);
  assert_int_equal(progress.written, 430);
  assert_int_equal(progress.sweep.contacts, 430);
  assert_true(progress.began_at > START);
  assert_int_equal(count_lines(p.path, "{\"id\""), 430);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 5);
  assert_int_equal(place_files(&p, NULL), 1);
done:
  privy_export_free(o.export);
  scene_close(&s);
  place_remove(&p);
}

/* What is read is not read again, if only the file could not be written. */
static void a_file_that_cannot_be_written_costs_no_request(void **state) {
  (void)state;
  scene s;
  output o = {NULL};
  char blocker[96];
  const place p = place_make("c.csv");
  snprintf(blocker, sizeof blocker, "%s.partial.out", p.path);
  CHECK_OK(scene_open(&s, 120));
  assert_int_equal(mkdir(blocker, 0700), 0);
  CHECK_STATUS(export_again(&s, &o, p.path, 0), PRIVY_SNAPSHOT);
  assert_string_equal(privy_export_error(o.export)->api_code, "snapshot_unusable");
  assert_int_equal(rmdir(blocker), 0);
  CHECK_OK(export_again(&s, &o, p.path, 0));
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 2);
done:
  privy_export_free(o.export);
  scene_close(&s);
  rmdir(blocker);
  place_remove(&p);
}

static void a_replaced_file_keeps_its_mode(void **state) {
  (void)state;
  scene s;
  output o = {NULL};
  struct stat status;
  const place p = place_make("c.csv");
  FILE *file = fopen(p.path, "w");
  assert_non_null(file);
  assert_int_equal(fclose(file), 0);
  assert_int_equal(chmod(p.path, 0640), 0);
  CHECK_OK(scene_open(&s, 3));
  CHECK_OK(export_again(&s, &o, p.path, 0));
  assert_int_equal(stat(p.path, &status), 0);
  assert_int_equal(status.st_mode & 0777, 0640);
  assert_int_equal(count_lines(p.path, HEADER), 4);
done:
  privy_export_free(o.export);
  scene_close(&s);
  place_remove(&p);
}

static void the_caller_writes_columns(void **state) {
  (void)state;
  scene s;
  output o = {NULL};
  privy_response *page = NULL;
  const bool *skip;
  size_t count = 0;
  const place p = place_make("c.parquet");
  CHECK_OK(scene_open(&s, 120));
  CHECK_OK(export_again(&s, &o, p.path, 0));
  assert_int_equal(privy_export_next(o.export), PRIVY_EXPORT_COLUMNS);
  const privy_page_source pages = privy_export_pages(o.export);
  do {
    privy_response_release(page);
    page = NULL;
    CHECK_OK(pages.next(pages.context, &page, &skip, &s.error));
    count += page ? privy_response_count(page) : 0;
  } while (page);
  assert_int_equal(count, 120);
  FILE *file = fopen(privy_export_output(o.export), "w");
  assert_non_null(file);
  assert_true(fputs("columns\n", file) >= 0);
  assert_int_equal(fclose(file), 0);
  privy_export_written(o.export);
  if (privy_export_error(o.export)) goto done;
  assert_int_equal(privy_export_next(o.export), PRIVY_EXPORT_END);
  assert_int_equal(count_lines(p.path, "columns\n"), 1);
  assert_int_equal(place_files(&p, NULL), 1);
done:
  privy_response_release(page);
  privy_export_free(o.export);
  scene_close(&s);
  place_remove(&p);
}

static void formats_come_from_names(void **state) {
  (void)state;
  static const struct {
    const char *name, *path;
    int format; /* -1: refused */
  } cases[] = {{NULL, "a.csv", PRIVY_EXPORT_CSV},
               {NULL, "a.b/c.JSONL", PRIVY_EXPORT_JSONL},
               {NULL, "a.ndjson", PRIVY_EXPORT_JSONL},
               {NULL, "a.sqlite3", PRIVY_EXPORT_DATABASE},
               {NULL, "a.parquet", PRIVY_EXPORT_PARQUET},
               {"csv", "a.txt", PRIVY_EXPORT_CSV},
               {"db", "a.csv", PRIVY_EXPORT_DATABASE},
               {NULL, "a.txt", -1},
               {NULL, "a", -1},
               {NULL, "a.csv/b", -1},
               {NULL, ".csv", -1},
               {"xlsx", "a.csv", -1},
               {"", "a.csv", -1}};
  privy_error error;
  privy_error_init(&error);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    privy_export_format format;
    const privy_status status = privy_export_format_read(cases[i].name, cases[i].path, &format, &error);
    CHECK_STATUS(status, cases[i].format < 0 ? PRIVY_CONFIG_ERROR : PRIVY_OK);
    if (cases[i].format >= 0) assert_int_equal(format, cases[i].format);
    privy_error_clear(&error);
  }
done:
  privy_error_clear(&error);
}

/* Values that a comma, a quote or a line end would break. */
static void csv_quotes_what_it_must(void **state) {
  (void)state;
  static const char body[] = "{\"id\":\"cus_1\",\"email\":\"jane@example.com\",\"phone_number\":null,"
                             "\"first_name\":\"J \\\"\\u00e9, x\\n\",\"last_name\":\"\",\"tags\":[\"a,b\",\"c\"],"
                             "\"custom_fields\":{\"n\":\"=1+1\"},\"plan\":\"new\"}";
  static const char expected[] = "cus_1,jane@example.com,,\"J \"\"\xc3\xa9, x\n\",\"\",,,\"[\"\"a,b\"\",\"\"c\"\"]\","
                                 "\"{\"\"n\"\":\"\"=1+1\"\"}\",,\r\n";
  privy_response *contact = NULL;
  privy_buffer line = PRIVY_BUFFER_EMPTY;
  privy_error error;
  privy_error_init(&error);
  CHECK_OK(privy_response_load(&privy_object_contact, body, strlen(body), &contact, &error));
  CHECK_MEMORY(privy_export_write_csv(privy_response_record(contact, 0), &line));
  assert_text(line.data, line.length, expected);
done:
  privy_response_release(contact);
  privy_buffer_clear(&line);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(each_format_has_all_contacts),
      TEST_UNSWEPT(an_export_continues_after_its_last_page),
      TEST_UNSWEPT(a_file_that_cannot_be_written_costs_no_request),
      TEST(a_replaced_file_keeps_its_mode),
      TEST(the_caller_writes_columns),
      TEST(formats_come_from_names),
      TEST(csv_quotes_what_it_must),
  };
  const int failures = HARNESS_RUN(tests);
  forget_seeds();
  return failures;
}
