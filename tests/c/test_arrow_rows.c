/* Rows of Arrow arrays that another library exports: cells of every type, slices, and arrays that are invalid. */
#include "harness.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "message_text.h"

/* ---- a table under construction ---- */

#define MOST 12

typedef struct column {
  struct ArrowSchema schema, *schema_children[MOST];
  struct ArrowArray array, *array_children[MOST];
  const void *buffers[5];
} column;

typedef struct table {
  column columns[MOST]; /* the first one is the table */
  size_t count;
  int releases;
} table;

static void release_schema(struct ArrowSchema *schema) {
  (*(int *)schema->private_data)++;
  schema->release = NULL;
}

static void release_array(struct ArrowArray *array) {
  (*(int *)array->private_data)++;
  array->release = NULL;
}

/* Adds a column below `parent`; NULL: the table itself. */
static column *add(table *to, column *parent, const char *name, const char *format, int64_t length, int buffers) {
  column *made = &to->columns[to->count++];
  made->schema = (struct ArrowSchema){.format = format, .name = name, .children = made->schema_children};
  made->array = (struct ArrowArray){.length = length,
                                    .null_count = -1,
                                    .n_buffers = buffers,
                                    .buffers = made->buffers,
                                    .children = made->array_children};
  if (!parent) {
    made->schema.release = release_schema;
    made->array.release = release_array;
    made->schema.private_data = made->array.private_data = &to->releases;
    return made;
  }
  parent->schema_children[parent->schema.n_children++] = &made->schema;
  parent->array_children[parent->array.n_children++] = &made->array;
  return made;
}

static column *begin(table *to, int64_t rows) {
  *to = (table){0};
  return add(to, NULL, "", "+s", rows, 1);
}

/* A column with values and, if there are any, offsets before or after them. */
static column *add_values(table *to, column *parent, const char *name, const char *format, int64_t length,
                          const void *values, const void *bytes) {
  column *made = add(to, parent, name, format, length, bytes ? 3 : 2);
  made->buffers[1] = values;
  made->buffers[2] = bytes;
  return made;
}

static privy_status open_rows(table *from, privy_rows **rows, privy_error *error) {
  return privy_rows_open_array(&from->columns[0].schema, &from->columns[0].array, rows, error);
}

/* ---- cells as text ---- */

typedef struct shown {
  char text[4096];
  size_t length;
} shown;

static void put(shown *out, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  out->length += (size_t)vsnprintf(out->text + out->length, sizeof out->text - out->length, format, arguments);
  va_end(arguments);
  assert_true(out->length < sizeof out->text);
}

static void show(const privy_arrow_cell *cell, shown *out);

static void show_items(const privy_arrow_cell *cell, const char *brackets, shown *out) {
  put(out, "%c", brackets[0]);
  for (int64_t i = 0; i < cell->count; i++) {
    privy_arrow_cell item;
    const char *name = privy_arrow_cell_name(cell, i);
    privy_arrow_cell_item(cell, i, &item);
    put(out, "%s%s%s", i ? "," : "", name ? name : "", name ? "=" : "");
    show(&item, out);
  }
  put(out, "%c", brackets[1]);
}

static void show(const privy_arrow_cell *cell, shown *out) {
  static const char *const marks[] = {"invalid", "null",   "",      "",      "",    "#",
                                      "",        "bytes ", "date ", "time ", "at ", "local "};
  switch (cell->type) {
  case PRIVY_ARROW_CELL_BOOLEAN: put(out, cell->integer ? "true" : "false"); break;
  case PRIVY_ARROW_CELL_INTEGER: put(out, "%" PRId64, cell->integer); break;
  case PRIVY_ARROW_CELL_REAL: put(out, "%.17g", cell->real); break;
  case PRIVY_ARROW_CELL_DURATION: put(out, "%g s", cell->real); break;
  case PRIVY_ARROW_CELL_LIST: show_items(cell, "[]", out); break;
  case PRIVY_ARROW_CELL_MAP: show_items(cell, "<>", out); break;
  case PRIVY_ARROW_CELL_STRUCT: show_items(cell, "{}", out); break;
  default:
    put(out, "%s", marks[cell->type]);
    if (cell->type >= PRIVY_ARROW_CELL_NUMBER) put(out, "%.*s", (int)cell->length, cell->text);
  }
}

/* All rows, one a line, the cells of a row separated by "|". */
static privy_status show_rows(privy_rows *rows, bool whole, shown *out, privy_error *error) {
  bool more;
  privy_status status;
  while ((status = privy_rows_load(rows, &more, error)) == PRIVY_OK && more) {
    while (privy_rows_next(rows)) {
      for (size_t i = 0; i < privy_rows_columns(rows); i++) {
        privy_arrow_cell cell;
        privy_rows_cell(rows, i, &cell);
        if (whole) privy_arrow_cell_make_whole(&cell);
        if (i) put(out, "|");
        show(&cell, out);
      }
      put(out, "\n");
    }
  }
  return status;
}

/* Opens the table and compares its rows. */
static void check_rows(table *from, bool whole, const char *expected) {
  privy_rows *rows = NULL;
  privy_error error;
  shown seen = {.length = 0};
  privy_error_init(&error);
  CHECK_OK(open_rows(from, &rows, &error));
  CHECK_OK(show_rows(rows, whole, &seen, &error));
  assert_string_equal(seen.text, expected);
done:
  privy_rows_free(rows);
  privy_error_clear(&error);
  if (from->columns[0].schema.release) from->columns[0].schema.release(&from->columns[0].schema);
  if (from->columns[0].array.release) from->columns[0].array.release(&from->columns[0].array);
  assert_int_equal(from->releases, 2);
}

/* ---- types ---- */

static void numbers(void **state) {
  (void)state;
  static const int8_t tiny[] = {-128, 127};
  static const uint16_t small[] = {0, 65535};
  static const int64_t large[] = {INT64_MIN, INT64_MAX};
  static const uint64_t huge[] = {5, UINT64_MAX};
  static const float single[] = {95.1F, 16777216.0F};
  static const double twice[] = {0.1, 1e300};
  static const uint8_t bits[] = {2};
  table t;
  column *top = begin(&t, 2);
  add_values(&t, top, "c", "c", 2, tiny, NULL);
  add_values(&t, top, "S", "S", 2, small, NULL);
  add_values(&t, top, "l", "l", 2, large, NULL);
  add_values(&t, top, "L", "L", 2, huge, NULL);
  add_values(&t, top, "f", "f", 2, single, NULL);
  add_values(&t, top, "g", "g", 2, twice, NULL);
  add_values(&t, top, "b", "b", 2, bits, NULL);
  add(&t, top, "n", "n", 2, 0);
  check_rows(&t, false,
             "-128|0|-9223372036854775808|5|95.099999999999994|0.10000000000000001|false|null\n"
             "127|65535|9223372036854775807|#18446744073709551615|16777216|1.0000000000000001e+300|true|null\n");
}

static void decimals(void **state) {
  (void)state;
  static const int64_t cents[] = {9510, 0, 5, 0, -12345, -1, 700, 0}; /* low and high halves */
  static const int64_t wide[] = {-1, -1, -1, INT64_MIN, -1, -1, -1, INT64_MAX, 1, 0, 0, 0, 0, 0, 0, 0};
  static const int32_t narrow[] = {-100, 5, 0, 9};
  table t;
  column *top = begin(&t, 4);
  add_values(&t, top, "d", "d:10,2", 4, cents, NULL);
  add_values(&t, top, "wide", "d:76,0,256", 4, wide, NULL);
  add_values(&t, top, "thousands", "d:5,-3,32", 4, narrow, NULL);
  add_values(&t, top, "small", "d:5,5,32", 4, narrow, NULL);
  check_rows(
      &t, false,
      "#95.10|#-57896044618658097705508390768957273162799202909612615603626436559492530307073|#-100000|#-0.00100\n"
      "#0.05|#57896044618658097711785492504343953926634992332820282019728792003956564819967|#5000|#0.00005\n"
      "#-123.45|#1|#0|#0.00000\n"
      "#7.00|#0|#9000|#0.00009\n");
}

static void numbers_without_a_fraction_become_integers(void **state) {
  (void)state;
  static const double twice[] = {1001.0, 1001.5, 9007199254740992.0, 9007199254740994.0, -0.0};
  static const int64_t cents[] = {100100, 0, 100150, 0, -200, -1, 0, 0, 100, 0};
  table t;
  column *top = begin(&t, 5);
  add_values(&t, top, "g", "g", 5, twice, NULL);
  add_values(&t, top, "d", "d:10,2", 5, cents, NULL);
  check_rows(&t, true,
             "1001|#1001\n"
             "1001.5|#1001.50\n"
             "9007199254740992|#-2\n"
             "9007199254740994|#0\n"
             "0|#1\n");
}

static void times(void **state) {
  (void)state;
  static const int32_t days[] = {20585, -1};
  static const int64_t millis[] = {INT64_C(1778580000123), -86400000};
  static const int64_t nanos[] = {INT64_C(1778580000123456789), -1};
  static const int64_t seconds[] = {1778580000, INT64_MAX};
  static const int64_t micros[] = {37800000000, 1500000};
  table t;
  column *top = begin(&t, 2);
  add_values(&t, top, "date", "tdD", 2, days, NULL);
  add_values(&t, top, "milli", "tdm", 2, millis, NULL);
  add_values(&t, top, "nano", "tsn:Europe/Berlin", 2, nanos, NULL);
  add_values(&t, top, "local", "tsm:", 2, millis, NULL);
  add_values(&t, top, "far", "tss:UTC", 2, seconds, NULL);
  add_values(&t, top, "time", "ttu", 2, micros, NULL);
  add_values(&t, top, "duration", "tDu", 2, micros, NULL);
  check_rows(&t, false,
             "date 2026-05-12|date 2026-05-12|at 2026-05-12T10:00:00.123456789Z|local 2026-05-12T10:00:00.123|"
             "at 2026-05-12T10:00:00Z|time 10:30:00|37800 s\n"
             "date 1969-12-31|date 1969-12-31|at 1969-12-31T23:59:59.999999999Z|local 1969-12-31T00:00:00|"
             "9223372036854775807 seconds after 1970|time 00:00:01.5|1.5 s\n");
}

static void texts(void **state) {
  (void)state;
  static const int32_t offsets[] = {0, 3, 3};
  static const int64_t wide_offsets[] = {0, 1, 6};
  static const int8_t positions[] = {1, 0};
  static const uint8_t views[32] = {3,  0, 0, 0, 'o', 'n', 'e', 0,   0, 0, 0, 0, 0, 0, 0, 0,
                                    13, 0, 0, 0, 'v', 'e', 'r', 'y', 0, 0, 0, 0, 2, 0, 0, 0};
  static const int64_t sizes[] = {15};
  table t;
  column *top = begin(&t, 2);
  add_values(&t, top, "u", "u", 2, offsets, "abc");
  add_values(&t, top, "Z", "Z", 2, wide_offsets, "xabcde");
  add_values(&t, top, "w", "w:2", 2, "abcd", NULL);
  column *view = add_values(&t, top, "vu", "vu", 2, views, "..very long one");
  view->array.n_buffers = 4;
  view->buffers[3] = sizes;
  column *coded = add_values(&t, top, "dictionary", "c", 2, positions, NULL);
  column words = {.buffers = {NULL, offsets, "abc"}};
  words.schema = (struct ArrowSchema){.format = "u"};
  words.array = (struct ArrowArray){.length = 2, .null_count = -1, .n_buffers = 3, .buffers = words.buffers};
  coded->schema.dictionary = &words.schema;
  coded->array.dictionary = &words.array;
  check_rows(&t, false, "abc|bytes x|bytes ab|one|\n|bytes abcde|bytes cd|very long one|abc\n");
}

static void values_inside_values(void **state) {
  (void)state;
  static const int32_t offsets[] = {0, 2, 2, 3}, words[] = {0, 1, 2, 3}, pairs[] = {0, 0, 1, 2};
  static const int64_t amounts[] = {10, 20, 30};
  static const uint8_t some[] = {5}, points[] = {1, 2, 3, 4, 5, 6};
  table t;
  column *top = begin(&t, 3);
  column *list = add_values(&t, top, "items", "+l", 3, offsets, NULL);
  column *item = add(&t, list, "item", "+s", 3, 1);
  add_values(&t, item, "sku", "u", 3, words, "abc");
  add_values(&t, item, "amount", "l", 3, amounts, NULL)->buffers[0] = some;
  column *map = add_values(&t, top, "fields", "+m", 3, pairs, NULL);
  column *entry = add(&t, map, "entries", "+s", 2, 1);
  add_values(&t, entry, "key", "u", 2, words, "xy");
  add_values(&t, entry, "value", "C", 2, points, NULL);
  column *fixed = add(&t, top, "point", "+w:2", 3, 1);
  add_values(&t, fixed, "item", "C", 6, points, NULL);
  check_rows(&t, false,
             "[{sku=a,amount=10},{sku=b,amount=null}]|<>|[1,2]\n"
             "[]|<{key=x,value=1}>|[3,4]\n"
             "[{sku=c,amount=30}]|<{key=y,value=2}>|[5,6]\n");
}

static void slices_and_nulls(void **state) {
  (void)state;
  static const int32_t values[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, offsets[] = {0, 1, 3, 6, 10};
  static const uint8_t validity[] = {0xF7, 0xFF}, rows[] = {0xFB};
  table t;
  column *top = begin(&t, 3);
  top->array.offset = 1;
  top->buffers[0] = rows;
  column *number = add_values(&t, top, "i", "i", 4, values, NULL);
  number->array.offset = 2;
  number->buffers[0] = validity;
  column *list = add_values(&t, top, "list", "+l", 4, offsets, NULL);
  add_values(&t, list, "item", "i", 10, values, NULL)->array.null_count = 0;
  check_rows(&t, false, "null|[1,2]\nnull|null\n5|[6,7,8,9]\n");
}

/* ---- what is not read ---- */

static void types_that_are_not_read(void **state) {
  (void)state;
  static const char *const formats[] = {
      "e",  "tiM",  "+ud:0,1",       "+r",      "+vl",     "",   "x",  "d:5", "ts",  "tsx:", "tt",  "ttx",
      "w:", "w:-1", "w:99999999999", "d:9,9,9", "d:9,999", "+l", "+m", "+",   "tdx", "t",    "+w:1"};
  for (size_t i = 0; i < COUNT(formats); i++) {
    privy_rows *rows = NULL;
    privy_error error;
    table t;
    char expected[128];
    privy_error_init(&error);
    column *top = begin(&t, 0);
    add(&t, top, "fine", "u", 0, 3);
    add(&t, top, "odd", formats[i], 0, 2);
    snprintf(expected, sizeof expected, "odd: has an Arrow type that cannot be read (%.20s): cast it to another",
             formats[i]);
    CHECK_STATUS(open_rows(&t, &rows, &error), PRIVY_VALIDATION);
    assert_details(&error.details, expected);
  done:
    assert_null(rows);
    privy_error_clear(&error);
    if (t.columns[0].schema.release) t.columns[0].schema.release(&t.columns[0].schema);
    if (t.columns[0].array.release) t.columns[0].array.release(&t.columns[0].array);
  }
}

static void a_type_that_is_nested_too_deep(void **state) {
  (void)state;
  struct ArrowSchema lists[40], *children[40];
  privy_rows *rows = NULL;
  privy_error error;
  table t;
  privy_error_init(&error);
  column *top = begin(&t, 0);
  column *list = add(&t, top, "deep", "+l", 0, 2);
  for (size_t i = 0; i < COUNT(lists); i++) {
    children[i] = &lists[i];
    lists[i] = (struct ArrowSchema){.format = "+l", .n_children = 1, .children = &children[i + 1 < 40 ? i + 1 : i]};
  }
  list->schema.n_children = 1;
  list->schema_children[0] = &lists[0];
  CHECK_STATUS(open_rows(&t, &rows, &error), PRIVY_VALIDATION);
  assert_details(&error.details, "deep: has an Arrow type that cannot be read (+l): cast it to another");
done:
  privy_error_clear(&error);
}

static void arrays_without_columns(void **state) {
  (void)state;
  privy_rows *rows = NULL;
  privy_error error;
  table t = {0};
  privy_error_init(&error);
  (void)add(&t, NULL, "", "u", 0, 3);
  CHECK_STATUS(open_rows(&t, &rows, &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "the Arrow stream has no columns: its rows must be structs");
  privy_error_clear(&error);
  privy_error_init(&error);
  CHECK_STATUS(open_rows(&t, &rows, &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "the Arrow array or stream was read before");
done:
  privy_error_clear(&error);
}

/* ---- arrays that contradict their schema ---- */

static void break_length(column *top, column *list, column *item) {
  (void)top, (void)list;
  item->array.length = -1;
}
static void break_offset(column *top, column *list, column *item) {
  (void)list, (void)item;
  top->array.offset = INT64_MAX;
}
static void break_buffers(column *top, column *list, column *item) {
  (void)top, (void)item;
  list->array.n_buffers = 1;
}
static void break_values(column *top, column *list, column *item) {
  (void)top, (void)list;
  item->buffers[1] = NULL;
}
static void break_children(column *top, column *list, column *item) {
  (void)top, (void)item;
  list->array.n_children = 0;
}
static void break_child(column *top, column *list, column *item) {
  (void)top, (void)item;
  list->array_children[0] = NULL;
}
static void break_rows(column *top, column *list, column *item) {
  (void)list, (void)item;
  top->array.length = 4;
}
static void break_dictionary(column *top, column *list, column *item) {
  (void)top, (void)list;
  static struct ArrowSchema words = {.format = "u"};
  item->schema.dictionary = &words;
}

static void arrays_that_do_not_fit_their_schema(void **state) {
  (void)state;
  static void (*const breaks[])(column *, column *, column *) = {
      break_length,   break_offset, break_buffers, break_values,
      break_children, break_child,  break_rows,    break_dictionary,
  };
  static const int32_t offsets[] = {0, 1, 2, 3}, values[] = {1, 2, 3};
  for (size_t i = 0; i < COUNT(breaks); i++) {
    privy_rows *rows = NULL;
    privy_error error;
    bool more = true;
    table t;
    privy_error_init(&error);
    column *top = begin(&t, 3);
    column *list = add_values(&t, top, "list", "+l", 3, offsets, NULL);
    column *item = add_values(&t, list, "item", "i", 3, values, NULL);
    breaks[i](top, list, item);
    CHECK_OK(open_rows(&t, &rows, &error));
    CHECK_STATUS(privy_rows_load(rows, &more, &error), PRIVY_CONFIG_ERROR);
    assert_string_equal(error.message, "the Arrow array is invalid: it does not fit its schema");
    assert_false(more);
    assert_false(privy_rows_next(rows));
    CHECK_OK(privy_rows_load(rows, &more, &error));
    assert_false(more);
  done:
    privy_rows_free(rows);
    privy_error_clear(&error);
  }
}

static void cells_that_contradict_themselves(void **state) {
  (void)state;
  static const int32_t backwards[] = {2, 1, -1, 5}, values[] = {1, 2, 3};
  static const int8_t positions[] = {-1, 1, 0};
  static const uint8_t views[48] = {0xFF, 0xFF, 0xFF, 0xFF, [16] = 13, [24] = 1, [32] = 13, [44] = 3};
  static const int64_t sizes[] = {15};
  table t;
  column *top = begin(&t, 3);
  add_values(&t, top, "u", "u", 3, backwards, "abc");
  column *list = add_values(&t, top, "list", "+l", 3, backwards, NULL);
  add_values(&t, list, "item", "i", 3, values, NULL);
  column *coded = add_values(&t, top, "dictionary", "c", 3, positions, NULL);
  column *view = add_values(&t, top, "view", "vu", 3, views, "..very long one");
  view->array.n_buffers = 4;
  view->buffers[3] = sizes;
  struct ArrowSchema word = {.format = "i"};
  const void *buffers[] = {NULL, values};
  struct ArrowArray one = {.length = 1, .n_buffers = 2, .buffers = buffers};
  coded->schema.dictionary = &word;
  coded->array.dictionary = &one;
  check_rows(&t, false,
             "invalid|invalid|invalid|invalid\n"
             "invalid|invalid|invalid|invalid\n"
             "invalid|invalid|1|invalid\n");
}

/* ---- streams ---- */

typedef struct producer {
  table *tables;
  size_t count, at;
  int releases;
  bool fails;
} producer;

static int give_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
  producer *from = self->private_data;
  if (from->fails) return 5;
  *out = from->tables[0].columns[0].schema;
  return 0;
}

static int give_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
  producer *from = self->private_data;
  if (from->at == from->count) {
    *out = (struct ArrowArray){0};
    return 0;
  }
  if (from->at == 2) return 5;
  *out = from->tables[from->at++].columns[0].array;
  return 0;
}

static const char *give_error(struct ArrowArrayStream *self) {
  (void)self;
  return "the disk is full";
}

static void release_stream(struct ArrowArrayStream *self) {
  ((producer *)self->private_data)->releases++;
  self->release = NULL;
}

static struct ArrowArrayStream stream_of(producer *from) {
  return (struct ArrowArrayStream){give_schema, give_next, give_error, release_stream, from};
}

static void batches_of_a_stream(void **state) {
  (void)state;
  static const int8_t values[] = {1, 2, 3};
  static const int64_t lengths[] = {2, 0, 3};
  privy_rows *rows = NULL;
  privy_error error;
  bool more;
  table tables[3];
  producer from = {tables, 2, 0, 0, false};
  struct ArrowArrayStream stream = stream_of(&from);
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(tables); i++)
    add_values(&tables[i], begin(&tables[i], lengths[i]), "c", "c", 3, values, NULL);
  CHECK_OK(privy_rows_open(&stream, &rows, &error));
  assert_null(stream.release);
  assert_int_equal(privy_rows_columns(rows), 1);
  assert_string_equal(privy_rows_name(rows, 0), "c");
  assert_null(privy_rows_name(rows, 1));
  CHECK_OK(privy_rows_load(rows, &more, &error));
  assert_true(more && privy_rows_next(rows) && privy_rows_next(rows) && !privy_rows_next(rows));
  CHECK_OK(privy_rows_load(rows, &more, &error));
  assert_true(more && !privy_rows_next(rows));
  assert_int_equal(tables[0].releases, 1);
  CHECK_OK(privy_rows_load(rows, &more, &error));
  assert_false(more);
  from.count = 3;
  CHECK_OK(privy_rows_load(rows, &more, &error));
  assert_false(more);
done:
  privy_rows_free(rows);
  if (stream.release) stream.release(&stream);
  assert_int_equal(from.releases, 1);
  privy_error_clear(&error);
}

static void streams_that_fail(void **state) {
  (void)state;
  static const int8_t values[] = {1};
  privy_rows *rows = NULL;
  privy_error error;
  bool more = true;
  table tables[2];
  producer from = {tables, 3, 0, 0, true};
  struct ArrowArrayStream stream = stream_of(&from);
  privy_error_init(&error);
  for (size_t i = 0; i < COUNT(tables); i++) add_values(&tables[i], begin(&tables[i], 1), "c", "c", 1, values, NULL);
  CHECK_STATUS(privy_rows_open(&stream, &rows, &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "the Arrow stream failed: the disk is full");
  assert_int_equal(from.releases, 1);
  from.fails = false;
  stream = stream_of(&from);
  privy_error_clear(&error);
  privy_error_init(&error);
  CHECK_OK(privy_rows_open(&stream, &rows, &error));
  from.at = 2;
  CHECK_STATUS(privy_rows_load(rows, &more, &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "the Arrow stream failed: the disk is full");
  assert_false(more);
  CHECK_OK(privy_rows_load(rows, &more, &error));
  assert_false(more);
  privy_error_clear(&error);
  privy_error_init(&error);
  privy_rows *again = NULL;
  CHECK_STATUS(privy_rows_open(&stream, &again, &error), PRIVY_CONFIG_ERROR);
  assert_string_equal(error.message, "the Arrow array or stream was read before");
done:
  privy_rows_free(rows);
  if (stream.release) stream.release(&stream);
  privy_error_clear(&error);
}

int main(void) {
  static harness_test tests[] = {
      TEST(numbers),
      TEST(decimals),
      TEST(numbers_without_a_fraction_become_integers),
      TEST(times),
      TEST(texts),
      TEST(values_inside_values),
      TEST(slices_and_nulls),
      TEST(types_that_are_not_read),
      TEST(a_type_that_is_nested_too_deep),
      TEST(arrays_without_columns),
      TEST(arrays_that_do_not_fit_their_schema),
      TEST(cells_that_contradict_themselves),
      TEST(batches_of_a_stream),
      TEST(streams_that_fail),
  };
  return HARNESS_RUN(tests);
}
