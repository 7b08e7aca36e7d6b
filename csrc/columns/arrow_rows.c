/* The rows of a stream of Arrow arrays that another library exports. */
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "columns/arrow_column.h"
#include "message/error.h"
#include "schema/details.h"

struct privy_rows {
  struct ArrowArrayStream stream;
  struct ArrowSchema schema;
  struct ArrowArray batch;
  privy_arrow_column table; /* the struct whose members are the columns */
  int64_t at, left;         /* the current row, and those after it in the batch */
  bool loaded;              /* the batch was given with its schema, and its rows are to be read */
  bool ended;
};

/* ---- errors ---- */

static privy_status refuse_type(privy_error *error, const struct ArrowSchema *schema, const char *format) {
  char message[128];
  const char *name = schema && schema->name ? schema->name : "";
  privy_details details = {0};
  snprintf(message, sizeof message, "has an Arrow type that cannot be read (%.20s): cast it to another", format);
  const char *code = privy_detail_code_text(PRIVY_CODE_WRONG_TYPE);
  if (!privy_details_add(&details, (privy_slice){name, strlen(name)}, (privy_slice){message, strlen(message)},
                         (privy_slice){code, strlen(code)}, PRIVY_NO_LIMIT)) {
    privy_details_clear(&details);
    return privy_error_no_memory(error);
  }
  return privy_error_from_details(error, &details, "invalid columns: ");
}

static privy_status refuse_stream(privy_rows *rows, privy_error *error) {
  const char *message = rows->stream.get_last_error ? rows->stream.get_last_error(&rows->stream) : NULL;
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "the Arrow stream failed: %.200s", message ? message : "no reason");
}

static privy_status refuse_array(privy_error *error) {
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "the Arrow array is invalid: it does not fit its schema");
}

/* ---- opening ---- */

/* Names the column whose type is not read: the table itself, or one of its columns. */
static privy_status init_table(privy_rows *rows, privy_error *error) {
  const char *format;
  privy_status status = privy_arrow_column_init(&rows->table, &rows->schema, 0, &format);
  if (status == PRIVY_NO_MEMORY) return privy_error_no_memory(error);
  if (status == PRIVY_OK && rows->table.kind == PRIVY_ARROW_STRUCT) return PRIVY_OK;
  if (!rows->schema.format || strcmp(rows->schema.format, "+s") != 0)
    return privy_error_set(error, PRIVY_CONFIG_ERROR, "the Arrow stream has no columns: its rows must be structs");
  const size_t count = rows->table.count;
  return refuse_type(error, count ? rows->schema.children[count - 1] : NULL, format);
}

static privy_status refuse_released(privy_error *error) {
  return privy_error_set(error, PRIVY_CONFIG_ERROR, "the Arrow array or stream was read before");
}

static privy_status open_table(privy_rows *rows, privy_rows **out, privy_error *error) {
  const privy_status status = init_table(rows, error);
  if (status == PRIVY_OK)
    *out = rows;
  else
    privy_rows_free(rows);
  return status;
}

privy_status privy_rows_open(struct ArrowArrayStream *stream, privy_rows **out, privy_error *error) {
  *out = NULL;
  if (!stream->release) return refuse_released(error);
  privy_rows *rows = privy_calloc(1, sizeof *rows);
  if (!rows) return privy_error_no_memory(error);
  rows->stream = *stream;
  stream->release = NULL;
  if (rows->stream.get_schema(&rows->stream, &rows->schema) == 0) return open_table(rows, out, error);
  const privy_status status = refuse_stream(rows, error);
  privy_rows_free(rows);
  return status;
}

privy_status privy_rows_open_array(struct ArrowSchema *schema, struct ArrowArray *array, privy_rows **out,
                                   privy_error *error) {
  *out = NULL;
  if (!schema->release || !array->release) return refuse_released(error);
  privy_rows *rows = privy_calloc(1, sizeof *rows);
  if (!rows) return privy_error_no_memory(error);
  rows->schema = *schema;
  rows->batch = *array;
  schema->release = NULL;
  array->release = NULL;
  rows->loaded = true;
  return open_table(rows, out, error);
}

void privy_rows_free(privy_rows *rows) {
  if (!rows) return;
  privy_arrow_column_clear(&rows->table);
  if (rows->batch.release) rows->batch.release(&rows->batch);
  if (rows->schema.release) rows->schema.release(&rows->schema);
  if (rows->stream.release) rows->stream.release(&rows->stream);
  privy_free(rows);
}

/* ---- rows ---- */

size_t privy_rows_columns(const privy_rows *rows) {
  return rows->table.count;
}

const char *privy_rows_name(const privy_rows *rows, size_t column) {
  return column < rows->table.count ? rows->table.children[column].name : NULL;
}

bool privy_rows_next(privy_rows *rows) {
  if (rows->left <= 0) return false;
  rows->left--;
  rows->at++;
  return true;
}

/* Replaces the batch by the next one of the stream, if there is one. */
static privy_status fetch(privy_rows *rows, privy_error *error) {
  if (rows->batch.release) rows->batch.release(&rows->batch);
  rows->batch = (struct ArrowArray){0};
  rows->ended = rows->ended || !rows->stream.release;
  if (rows->ended) return PRIVY_OK;
  if (rows->stream.get_next(&rows->stream, &rows->batch) == 0) {
    rows->ended = !rows->batch.release;
    return PRIVY_OK;
  }
  rows->batch.release = NULL;
  rows->ended = true;
  return refuse_stream(rows, error);
}

privy_status privy_rows_load(privy_rows *rows, bool *more, privy_error *error) {
  *more = false;
  rows->left = 0;
  const privy_status status = rows->loaded ? PRIVY_OK : fetch(rows, error);
  rows->loaded = false;
  if (rows->ended) return status;
  if (!privy_arrow_column_load(&rows->table, &rows->batch)) {
    rows->ended = true;
    return refuse_array(error);
  }
  *more = true;
  rows->left = rows->batch.length;
  rows->at = -1;
  return PRIVY_OK;
}

void privy_rows_cell(const privy_rows *rows, size_t column, privy_arrow_cell *out) {
  privy_arrow_cell row;
  out->type = PRIVY_ARROW_CELL_INVALID;
  if (!rows->batch.release || column >= rows->table.count) return;
  privy_arrow_column_cell(&rows->table, rows->at, &row);
  if (row.type == PRIVY_ARROW_CELL_NULL)
    out->type = PRIVY_ARROW_CELL_NULL;
  else if (row.type == PRIVY_ARROW_CELL_STRUCT)
    privy_arrow_cell_item(&row, (int64_t)column, out);
}
