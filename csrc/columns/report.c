/* What a report of a bulk run lists, as a stream of the Arrow C stream interface. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "columns/column.h"
#include "columns/failure.h"
#include "message/error.h"

/* Bytes of text after which a batch ends, and of the longest text: offsets of 32 bits reach the end of both. */
#define BATCH_BYTES ((size_t)64 << 20)
#define LONGEST_TEXT ((size_t)1 << 30)

typedef struct report_column {
  const char *name;
  privy_column_type type;
} report_column;

struct privy_report {
  const char *name;
  report_column columns[PRIVY_REPORT_MOST_COLUMNS]; /* the first ones; the rest have no name */
};

static const privy_report reports[] = {
    {"refused",
     {{"index", PRIVY_COLUMN_INTEGER},
      {"key", PRIVY_COLUMN_TEXT},
      {"field", PRIVY_COLUMN_TEXT},
      {"message", PRIVY_COLUMN_TEXT},
      {"value", PRIVY_COLUMN_TEXT},
      {"code", PRIVY_COLUMN_TEXT}}},
    {"changes",
     {{"index", PRIVY_COLUMN_INTEGER},
      {"key", PRIVY_COLUMN_TEXT},
      {"contact_id", PRIVY_COLUMN_TEXT},
      {"field", PRIVY_COLUMN_TEXT},
      {"old", PRIVY_COLUMN_TEXT},
      {"new", PRIVY_COLUMN_TEXT}}},
    {"blocked",
     {{"index", PRIVY_COLUMN_INTEGER},
      {"key", PRIVY_COLUMN_TEXT},
      {"contact_id", PRIVY_COLUMN_TEXT},
      {"field", PRIVY_COLUMN_TEXT},
      {"message", PRIVY_COLUMN_TEXT},
      {"code", PRIVY_COLUMN_TEXT}}},
    {"unsent", {{"index", PRIVY_COLUMN_INTEGER}, {"key", PRIVY_COLUMN_TEXT}, {"row", PRIVY_COLUMN_TEXT}}},
    {"in_doubt",
     {{"index", PRIVY_COLUMN_INTEGER},
      {"key", PRIVY_COLUMN_TEXT},
      {"row", PRIVY_COLUMN_TEXT},
      {"idempotency_key", PRIVY_COLUMN_TEXT}}},
    {"journal_refused",
     {{"row", PRIVY_COLUMN_INTEGER},
      {"key", PRIVY_COLUMN_TEXT},
      {"field", PRIVY_COLUMN_TEXT},
      {"message", PRIVY_COLUMN_TEXT},
      {"value", PRIVY_COLUMN_TEXT},
      {"code", PRIVY_COLUMN_TEXT},
      {"count", PRIVY_COLUMN_INTEGER},
      {"status", PRIVY_COLUMN_INTEGER},
      {"request", PRIVY_COLUMN_TEXT}}},
    {"journal_in_doubt",
     {{"row", PRIVY_COLUMN_INTEGER},
      {"key", PRIVY_COLUMN_TEXT},
      {"idempotency_key", PRIVY_COLUMN_TEXT},
      {"first_sent", PRIVY_COLUMN_TIME},
      {"too_old", PRIVY_COLUMN_BOOLEAN},
      {"decided", PRIVY_COLUMN_BOOLEAN},
      {"request", PRIVY_COLUMN_TEXT}}},
};

typedef struct report_stream {
  privy_row_source source;
  privy_column columns[PRIVY_REPORT_MOST_COLUMNS];
  size_t count, rows;
  bool ended; /* the source has no more rows */
  privy_error error;
} report_stream;

const privy_report *privy_report_find(const char *name) {
  for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
    if (strcmp(reports[i].name, name) == 0) return &reports[i];
  return NULL;
}

size_t privy_report_columns(const privy_report *report) {
  size_t count = 0;
  while (count < PRIVY_REPORT_MOST_COLUMNS && report->columns[count].name) count++;
  return count;
}

/* ---- batches ---- */

static bool fail(report_stream *stream, privy_status status) {
  return privy_stream_fail(&stream->error, status);
}

static privy_value value_of(const privy_column *column, privy_cell cell) {
  if (column->type == PRIVY_COLUMN_BOOLEAN && !cell.missing)
    return (privy_value){.type = cell.integer ? PRIVY_TRUE : PRIVY_FALSE};
  return (privy_value){
      .text = cell.text, .length = (uint32_t)cell.length, .type = cell.text ? PRIVY_STRING : PRIVY_NULL};
}

static bool add_cell(report_stream *stream, privy_column *column, privy_cell cell) {
  if (cell.length > LONGEST_TEXT) {
    privy_error_set(&stream->error, PRIVY_CONFIG_ERROR, "a text of %zu bytes is too long for the column %s",
                    cell.length, column->name);
    return false;
  }
  const privy_value value = value_of(column, cell);
  const bool added = column->type == PRIVY_COLUMN_INTEGER && !cell.missing
                         ? privy_column_add_integer(column, cell.integer)
                         : privy_column_add(column, &value, 1);
  return added || fail(stream, PRIVY_NO_MEMORY);
}

/* Adds the next row; at the end there is none. */
static bool add_row(report_stream *stream) {
  privy_cell cells[PRIVY_REPORT_MOST_COLUMNS] = {{0}};
  bool found = false;
  const privy_status status = stream->source.next(stream->source.context, cells, &found, &stream->error);
  if (status != PRIVY_OK) return fail(stream, status);
  stream->ended = !found;
  for (size_t i = 0; found && i < stream->count; i++) {
    if (!add_cell(stream, &stream->columns[i], cells[i])) return false;
  }
  stream->rows += found;
  return true;
}

static bool batch_is_full(const report_stream *stream) {
  size_t bytes = 0;
  for (size_t i = 0; i < stream->count; i++) bytes += stream->columns[i].text.length;
  return bytes > BATCH_BYTES || stream->rows >= PRIVY_COLUMNS_BATCH_ROWS;
}

static bool fill_batch(report_stream *stream) {
  if (stream->error.code != PRIVY_OK) return false;
  while (!stream->ended && !batch_is_full(stream)) {
    if (!add_row(stream)) return false;
  }
  return true;
}

static bool export_batch(report_stream *stream, struct ArrowArray *out) {
  if (!privy_columns_export(stream->columns, stream->count, stream->rows, out)) return false;
  stream->rows = 0;
  return true;
}

/* ---- the interface ---- */

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
  report_stream *stream = self->private_data;
  *out = (struct ArrowSchema){0};
  if (stream->error.code != PRIVY_OK) return privy_stream_code(&stream->error);
  if (privy_columns_schema(stream->columns, stream->count, out)) return 0;
  *out = (struct ArrowSchema){0};
  fail(stream, PRIVY_NO_MEMORY);
  return ENOMEM;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
  report_stream *stream = self->private_data;
  *out = (struct ArrowArray){0};
  if (!fill_batch(stream)) return privy_stream_code(&stream->error);
  if (stream->rows == 0 || export_batch(stream, out)) return 0;
  *out = (struct ArrowArray){0};
  fail(stream, PRIVY_NO_MEMORY);
  return ENOMEM;
}

static const char *get_last_error(struct ArrowArrayStream *self) {
  const report_stream *stream = self->private_data;
  return privy_stream_message(&stream->error);
}

static void free_stream(report_stream *stream) {
  for (size_t i = 0; i < stream->count; i++) privy_column_clear(&stream->columns[i]);
  privy_error_clear(&stream->error);
  privy_free(stream);
}

static void release_stream(struct ArrowArrayStream *self) {
  report_stream *stream = self->private_data;
  if (stream->source.release) stream->source.release(stream->source.context);
  free_stream(stream);
  self->release = NULL;
}

static report_stream *stream_new(const privy_report *report, privy_row_source source) {
  report_stream *stream = privy_calloc(1, sizeof *stream);
  if (!stream) return NULL;
  stream->source = source;
  privy_error_init(&stream->error);
  for (const size_t count = privy_report_columns(report); stream->count < count; stream->count++) {
    const report_column column = report->columns[stream->count];
    if (privy_column_init(&stream->columns[stream->count], column.type, column.name, NULL)) continue;
    free_stream(stream);
    return NULL;
  }
  return stream;
}

privy_status privy_report_stream(const privy_report *report, privy_row_source source, struct ArrowArrayStream *out) {
  report_stream *stream = stream_new(report, source);
  if (!stream) return PRIVY_NO_MEMORY;
  *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                   .get_next = get_next,
                                   .get_last_error = get_last_error,
                                   .release = release_stream,
                                   .private_data = stream};
  return PRIVY_OK;
}
