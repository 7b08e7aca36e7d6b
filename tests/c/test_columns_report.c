/* What a report of a bulk run lists as Arrow arrays. */
#include "columns_scene.h"

typedef struct listed {
  scene scene;
  const privy_cell (*rows)[PRIVY_REPORT_MOST_COLUMNS];
  size_t count, repeats, at;
  size_t fails_at; /* the row in whose place reading fails; 0: none */
} listed;

static privy_status next_row(void *context, privy_cell *cells, bool *found, privy_error *error) {
  listed *at = context;
  at->scene.source.calls++;
  if (at->fails_at && at->at + 1 == at->fails_at) return privy_error_set(error, PRIVY_SERVER, "the row is torn");
  if (at->at == at->count * at->repeats) return PRIVY_OK;
  memcpy(cells, at->rows[at->at++ % at->count], sizeof *at->rows);
  *found = true;
  return PRIVY_OK;
}

static void release_rows(void *context) {
  ((listed *)context)->scene.source.releases++;
}

static privy_status open_report(listed *at, const char *name) {
  const privy_report *report = privy_report_find(name);
  assert_non_null(report);
  if (!at->repeats) at->repeats = 1;
  return privy_report_stream(report, (privy_row_source){next_row, release_rows, at}, &at->scene.stream);
}

#define TEXT_CELL(words)                                                                                               \
  { .text = (words), .length = sizeof(words) - 1 }
#define INTEGER_CELL(number)                                                                                           \
  { .integer = (number) }

static const privy_cell refused[][PRIVY_REPORT_MOST_COLUMNS] = {
    {INTEGER_CELL(0), TEXT_CELL("a@x.io"), TEXT_CELL("email"), TEXT_CELL("must be \xc3\xbc"), TEXT_CELL("a\0b\"\\")},
    {INTEGER_CELL(INT64_MAX), {0}, TEXT_CELL("base"), TEXT_CELL(""), {0}},
};
static const privy_cell in_doubt[][PRIVY_REPORT_MOST_COLUMNS] = {
    {INTEGER_CELL(-1), {0}, TEXT_CELL("{\"email\":\"a@x.io\"}"), TEXT_CELL("k1")},
};

static void each_report_has_its_columns(void **state) {
  (void)state;
  static const struct {
    const char *name, *columns[PRIVY_REPORT_MOST_COLUMNS + 1], *formats; /* a letter for each column; t: a time */
  } reports[] = {{"refused", {"index", "key", "field", "message", "value", "code"}, "luuuuu"},
                 {"unsent", {"index", "key", "row"}, "luu"},
                 {"in_doubt", {"index", "key", "row", "idempotency_key"}, "luuu"},
                 {"journal_refused",
                  {"row", "key", "field", "message", "value", "code", "count", "status", "request"},
                  "luuuuullu"},
                 {"journal_in_doubt",
                  {"row", "key", "idempotency_key", "first_sent", "too_old", "decided", "request"},
                  "luutbbu"}};
  for (size_t i = 0; i < sizeof reports / sizeof *reports; i++) {
    listed at = {.rows = refused};
    CHECK_OK(open_report(&at, reports[i].name));
    CHECK_OK(read_schema(&at.scene));
    size_t count = 0;
    for (; reports[i].columns[count]; count++) {
      assert_string_equal(at.scene.schema.children[count]->name, reports[i].columns[count]);
      const char format[] = {reports[i].formats[count], '\0'};
      assert_format(&at.scene, reports[i].columns[count], *format == 't' ? "tsu:UTC" : format);
    }
    assert_int_equal(at.scene.schema.n_children, count);
    assert_int_equal(privy_report_columns(privy_report_find(reports[i].name)), count);
    assert_int_equal(at.scene.source.calls, 0);
    CHECK_OK(next_batch(&at.scene));
    assert_null(at.scene.batch.release);
  done:
    end_scene(&at.scene);
  }
  assert_null(privy_report_find("results"));
}

static void numbers_and_booleans_may_be_missing(void **state) {
  (void)state;
  static const privy_cell rows[][PRIVY_REPORT_MOST_COLUMNS] = {
      {INTEGER_CELL(1), TEXT_CELL("k"), {0}, TEXT_CELL("2026-05-12T10:00:00Z"), INTEGER_CELL(1), INTEGER_CELL(0), {0}},
      {{.missing = true}, {0}, {0}, {0}, {.missing = true}, INTEGER_CELL(1), TEXT_CELL("{}")}};
  listed at = {.rows = rows, .count = 2};
  CHECK_OK(open_report(&at, "journal_in_doubt"));
  CHECK_OK(read_schema(&at.scene));
  CHECK_OK(next_batch(&at.scene));
  assert_cell(&at.scene, "row", 0, "1");
  assert_cell(&at.scene, "row", 1, "null");
  assert_cell(&at.scene, "first_sent", 1, "null");
  assert_int_equal(at.scene.batch.children[3]->null_count, 1);
  assert_cell(&at.scene, "too_old", 0, "true");
  assert_cell(&at.scene, "too_old", 1, "null");
  assert_cell(&at.scene, "decided", 0, "false");
  assert_cell(&at.scene, "decided", 1, "true");
  assert_cell(&at.scene, "request", 1, "{}");
done:
  end_scene(&at.scene);
}

static void cells_are_kept(void **state) {
  (void)state;
  listed at = {.rows = refused, .count = 2};
  CHECK_OK(open_report(&at, "refused"));
  CHECK_OK(read_schema(&at.scene));
  CHECK_OK(next_batch(&at.scene));
  assert_int_equal(at.scene.batch.length, 2);
  assert_cell(&at.scene, "index", 0, "0");
  assert_cell(&at.scene, "index", 1, "9223372036854775807");
  assert_cell(&at.scene, "key", 0, "a@x.io");
  assert_cell(&at.scene, "key", 1, "null");
  assert_cell(&at.scene, "message", 0, "must be \xc3\xbc");
  assert_cell(&at.scene, "message", 1, "");
  const struct ArrowArray *values = at.scene.batch.children[4];
  assert_int_equal(((const int32_t *)values->buffers[1])[1], 5);
  assert_memory_equal(values->buffers[2], "a\0b\"\\", 5);
  assert_cell(&at.scene, "value", 1, "null");
  CHECK_OK(next_batch(&at.scene));
  assert_null(at.scene.batch.release);
  CHECK_OK(next_batch(&at.scene));
  assert_int_equal(at.scene.source.calls, 3); /* none after the end */
done:
  end_scene(&at.scene);
}

static void rows_are_gathered_into_batches(void **state) {
  (void)state;
  listed at = {.rows = in_doubt, .count = 1, .repeats = PRIVY_COLUMNS_BATCH_ROWS + 1};
  CHECK_OK(open_report(&at, "in_doubt"));
  CHECK_OK(read_schema(&at.scene));
  CHECK_OK(next_batch(&at.scene));
  assert_int_equal(at.scene.batch.length, PRIVY_COLUMNS_BATCH_ROWS);
  CHECK_OK(next_batch(&at.scene));
  assert_int_equal(at.scene.batch.length, 1);
  assert_cell(&at.scene, "index", 0, "-1");
  assert_cell(&at.scene, "row", 0, "{\"email\":\"a@x.io\"}");
  assert_cell(&at.scene, "idempotency_key", 0, "k1");
  CHECK_OK(next_batch(&at.scene));
  assert_null(at.scene.batch.release);
done:
  end_scene(&at.scene);
}

static void long_texts_end_a_batch(void **state) {
  (void)state;
  enum { LENGTH = 48 << 20 };
  char *words = privy_alloc(LENGTH);
  listed at = {.count = 1, .repeats = 3};
  CHECK_MEMORY(words);
  memset(words, 'x', LENGTH);
  const privy_cell rows[][PRIVY_REPORT_MOST_COLUMNS] = {{INTEGER_CELL(1), {0}, {.text = words, .length = LENGTH}}};
  at.rows = rows;
  CHECK_OK(open_report(&at, "unsent"));
  CHECK_OK(next_batch(&at.scene));
  assert_int_equal(at.scene.batch.length, 2);
  assert_int_equal(((const int32_t *)at.scene.batch.children[2]->buffers[1])[2], 2 * LENGTH);
  CHECK_OK(next_batch(&at.scene));
  assert_int_equal(at.scene.batch.length, 1);
done:
  end_scene(&at.scene);
  privy_free(words);
}

static void a_text_beyond_the_offsets_is_an_error(void **state) {
  (void)state;
  const privy_cell rows[][PRIVY_REPORT_MOST_COLUMNS] = {
      {INTEGER_CELL(1), {0}, {.text = "x", .length = ((size_t)1 << 30) + 1}}};
  listed at = {.rows = rows, .count = 1};
  CHECK_OK(open_report(&at, "unsent"));
  CHECK_STATUS(next_batch(&at.scene), PRIVY_SERVER);
  assert_string_equal(at.scene.stream.get_last_error(&at.scene.stream),
                      "a text of 1073741825 bytes is too long for the column row");
done:
  end_scene(&at.scene);
}

static void an_error_of_the_source_is_reported(void **state) {
  (void)state;
  listed at = {.rows = refused, .count = 2, .fails_at = 2};
  CHECK_OK(open_report(&at, "refused"));
  assert_null(at.scene.stream.get_last_error(&at.scene.stream));
  for (int i = 0; i < 2; i++) {
    CHECK_STATUS(next_batch(&at.scene), PRIVY_SERVER);
    assert_string_equal(at.scene.stream.get_last_error(&at.scene.stream), "the row is torn");
  }
  CHECK_STATUS(read_schema(&at.scene), PRIVY_SERVER);
  assert_int_equal(at.scene.source.calls, 2);
done:
  end_scene(&at.scene);
}

int main(void) {
  static harness_test tests[] = {
      TEST(each_report_has_its_columns),
      TEST(numbers_and_booleans_may_be_missing),
      TEST(cells_are_kept),
      TEST(rows_are_gathered_into_batches),
      TEST(long_texts_end_a_batch),
      TEST(a_text_beyond_the_offsets_is_an_error),
      TEST(an_error_of_the_source_is_reported),
  };
  return HARNESS_RUN(tests);
}
