/* Pages as a stream of the Arrow C stream interface. */
#include <errno.h>
#include <string.h>

#include "base/memory.h"
#include "columns/failure.h"
#include "columns/table.h"
#include "message/error.h"

/* Texts of a longer body might not fit into offsets of 32 bits. */
#define LONGEST_BODY ((size_t)1 << 30)
/* Columns that members are spread over. */
#define MOST_MEMBERS 2000

typedef struct held_page {
  privy_response *response;
  bool *skip; /* NULL: no record is skipped */
} held_page;

typedef struct column_stream {
  privy_page_source source;
  int64_t batch_rows;
  privy_table table;
  bool open;       /* the table has columns */
  held_page page;  /* whose records are being added; its `skip` is the source's unless the page was held */
  size_t at;       /* the next of its records */
  held_page *held; /* all pages, which a spread table reads before its columns are known */
  size_t held_count, held_capacity, held_at;
  bool ended; /* the source has no more pages */
  privy_error error;
} column_stream;

/* ---- pages ---- */

static bool refuse(column_stream *stream, privy_status status) {
  return privy_stream_fail(&stream->error, status);
}

/* False, with an error, for a page that does not become columns of this table. */
static bool check_page(column_stream *stream, const privy_response *page) {
  size_t length;
  privy_response_body(page, &length);
  if (length > LONGEST_BODY) {
    privy_error_set(&stream->error, PRIVY_API_STATUS, "a page of %zu bytes is too long for columns", length);
    return false;
  }
  if (privy_response_count(page) == 0 || privy_record_object(privy_response_record(page, 0)) == stream->table.object)
    return true;
  privy_error_set(&stream->error, PRIVY_CONFIG_ERROR, "the page does not hold records of %s",
                  privy_object_name(stream->table.object));
  return false;
}

/* False at an error. A page that is not there ends the stream. */
static bool fetch(column_stream *stream, privy_response **page, const bool **skip) {
  *page = NULL;
  *skip = NULL;
  if (stream->ended) return true;
  const privy_status status = stream->source.next(stream->source.context, page, skip, &stream->error);
  if (status != PRIVY_OK) return refuse(stream, status);
  stream->ended = !*page;
  if (stream->ended || check_page(stream, *page)) return true;
  privy_response_release(*page);
  return false;
}

static void drop_page(held_page *page) {
  privy_response_release(page->response);
  privy_free(page->skip);
  *page = (held_page){NULL, NULL};
}

/* Takes over the reference. */
static bool hold(column_stream *stream, privy_response *response, const bool *skip) {
  const size_t count = privy_response_count(response);
  held_page *grown = privy_grow(stream->held, stream->held_count, &stream->held_capacity, sizeof *stream->held);
  bool *copy = grown && skip ? privy_alloc(count * sizeof *copy) : NULL;
  if (grown) stream->held = grown;
  if (!grown || (skip && !copy)) {
    privy_response_release(response);
    return refuse(stream, PRIVY_NO_MEMORY);
  }
  if (copy && count) memcpy(copy, skip, count * sizeof *copy);
  stream->held[stream->held_count++] = (held_page){response, copy};
  return true;
}

static bool is_skipped(const held_page *page, size_t index) {
  return page->skip && page->skip[index];
}

static bool discover(column_stream *stream, const held_page *page) {
  const size_t count = privy_response_count(page->response);
  for (size_t i = 0; i < count; i++) {
    if (is_skipped(page, i)) continue;
    if (!privy_table_discover(&stream->table, privy_response_record(page->response, i)))
      return refuse(stream, PRIVY_NO_MEMORY);
  }
  if (stream->table.member_count <= MOST_MEMBERS) return true;
  privy_error_set(&stream->error, PRIVY_CONFIG_ERROR, "there are more than %d different members to spread over columns",
                  MOST_MEMBERS);
  return false;
}

static bool hold_all(column_stream *stream) {
  privy_response *page;
  const bool *skip;
  while (fetch(stream, &page, &skip)) {
    if (!page) return true;
    if (!hold(stream, page, skip) || !discover(stream, &stream->held[stream->held_count - 1])) return false;
  }
  return false;
}

static bool open_table(column_stream *stream) {
  if (stream->error.code != PRIVY_OK) return false;
  if (stream->open) return true;
  if (stream->table.spread && !hold_all(stream)) return false;
  stream->open = true;
  return privy_table_open(&stream->table) || refuse(stream, PRIVY_NO_MEMORY);
}

/* Goes to the next page; at the end there is none. */
static bool next_page(column_stream *stream) {
  drop_page(&stream->page);
  stream->at = 0;
  if (stream->held_at < stream->held_count) {
    stream->page = stream->held[stream->held_at];
    stream->held[stream->held_at++] = (held_page){NULL, NULL};
    return true;
  }
  privy_response *response;
  const bool *skip;
  if (!fetch(stream, &response, &skip)) return false;
  if (!response) return true;
  if (hold(stream, response, skip)) {
    stream->page = stream->held[--stream->held_count];
    return true;
  }
  return false;
}

/* ---- batches ---- */

static bool add_rows(column_stream *stream) {
  const privy_record *records[PRIVY_COLUMN_CHUNK];
  const size_t total = privy_response_count(stream->page.response);
  const size_t left = (size_t)stream->batch_rows - stream->table.rows;
  const size_t most = left < PRIVY_COLUMN_CHUNK ? left : PRIVY_COLUMN_CHUNK;
  size_t count = 0;
  for (; stream->at < total && count < most; stream->at++) {
    if (!is_skipped(&stream->page, stream->at))
      records[count++] = privy_response_record(stream->page.response, stream->at);
  }
  return privy_table_add(&stream->table, records, count) || refuse(stream, PRIVY_NO_MEMORY);
}

static bool batch_is_full(const column_stream *stream) {
  return stream->table.rows >= (size_t)stream->batch_rows || privy_table_is_full(&stream->table);
}

static bool fill_batch(column_stream *stream) {
  if (!open_table(stream)) return false;
  while (!batch_is_full(stream)) {
    const bool on_page = stream->page.response && stream->at < privy_response_count(stream->page.response);
    if (!(on_page ? add_rows(stream) : next_page(stream))) return false;
    if (!on_page && !stream->page.response) return true;
  }
  return true;
}

/* ---- the interface ---- */

static int get_schema(struct ArrowArrayStream *self, struct ArrowSchema *out) {
  column_stream *stream = self->private_data;
  *out = (struct ArrowSchema){0};
  if (!open_table(stream)) return privy_stream_code(&stream->error);
  if (privy_columns_schema(stream->table.columns, stream->table.count, out)) return 0;
  *out = (struct ArrowSchema){0};
  refuse(stream, PRIVY_NO_MEMORY);
  return ENOMEM;
}

static int get_next(struct ArrowArrayStream *self, struct ArrowArray *out) {
  column_stream *stream = self->private_data;
  *out = (struct ArrowArray){0};
  if (!fill_batch(stream)) return privy_stream_code(&stream->error);
  if (stream->table.rows == 0 || privy_table_export(&stream->table, out)) return 0;
  *out = (struct ArrowArray){0};
  refuse(stream, PRIVY_NO_MEMORY);
  return ENOMEM;
}

static const char *get_last_error(struct ArrowArrayStream *self) {
  const column_stream *stream = self->private_data;
  return privy_stream_message(&stream->error);
}

static void release_stream(struct ArrowArrayStream *self) {
  column_stream *stream = self->private_data;
  drop_page(&stream->page);
  for (size_t i = stream->held_at; i < stream->held_count; i++) drop_page(&stream->held[i]);
  privy_free(stream->held);
  privy_table_clear(&stream->table);
  privy_error_clear(&stream->error);
  if (stream->source.release) stream->source.release(stream->source.context);
  privy_free(stream);
  self->release = NULL;
}

void privy_columns_config_init(privy_columns_config *config) {
  *config = (privy_columns_config){.batch_rows = PRIVY_COLUMNS_BATCH_ROWS};
}

privy_status privy_columns_stream(const privy_object *object, const privy_columns_config *config,
                                  privy_page_source source, struct ArrowArrayStream *out) {
  column_stream *stream = privy_calloc(1, sizeof *stream);
  if (!stream) return PRIVY_NO_MEMORY;
  stream->source = source;
  stream->batch_rows = config->batch_rows > 0 ? config->batch_rows : 1;
  privy_table_init(&stream->table, object, config->spread);
  privy_error_init(&stream->error);
  *out = (struct ArrowArrayStream){.get_schema = get_schema,
                                   .get_next = get_next,
                                   .get_last_error = get_last_error,
                                   .release = release_stream,
                                   .private_data = stream};
  return PRIVY_OK;
}
