/* What the tests of columns share: pages from texts, a stream, and cells as texts. */
#ifndef COLUMNS_SCENE_H
#define COLUMNS_SCENE_H

#include "harness.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "message/error.h"
#include "response_text.h"

/* ---- a source of pages from texts ---- */

typedef struct text_source {
  const char *operation;
  const char *const *pages;
  size_t count, at;
  const bool *skip;    /* of every page; NULL: nothing is skipped */
  size_t fails_at;     /* the page in whose place the call fails; 0: none */
  int calls, releases; /* of the two functions */
} text_source;

static inline privy_status next_text(void *context, privy_response **page, const bool **skip, privy_error *error) {
  text_source *source = context;
  source->calls++;
  if (source->fails_at && source->at + 1 == source->fails_at)
    return privy_error_set(error, PRIVY_SERVER, "the server is on fire");
  if (source->at == source->count) return PRIVY_OK;
  *skip = source->skip;
  return parse_response(source->operation, 200, "", source->pages[source->at++], page, error);
}

static inline void release_source(void *context) {
  ((text_source *)context)->releases++;
}

/* ---- a stream with what it has given ---- */

typedef struct scene {
  text_source source;
  struct ArrowArrayStream stream;
  struct ArrowSchema schema;
  struct ArrowArray batch;
} scene;

static inline privy_status status_of(int code) {
  if (code == 0) return PRIVY_OK;
  return code == ENOMEM ? PRIVY_NO_MEMORY : code == EIO ? PRIVY_SERVER : PRIVY_CONFIG_ERROR;
}

static inline privy_status open_scene(scene *at, int64_t batch_rows, bool spread) {
  privy_columns_config config;
  privy_columns_config_init(&config);
  assert_int_equal(config.batch_rows, 65536);
  assert_false(config.spread);
  if (batch_rows) config.batch_rows = batch_rows;
  config.spread = spread;
  const privy_object *object = privy_operation_object(privy_operation_find(at->source.operation));
  privy_page_source source = {next_text, release_source, &at->source};
  return privy_columns_stream(object, &config, source, &at->stream);
}

static inline void drop_batch(scene *at) {
  if (!at->batch.release) return;
  at->batch.release(&at->batch);
  assert_null(at->batch.release);
}

/* After a failure, a lack of memory too, the stream has a message, and each further call fails in the same way. */
static inline privy_status failed_with(scene *at, int code) {
  if (code == 0) return PRIVY_OK;
  struct ArrowSchema schema;
  struct ArrowArray batch;
  const char *message = at->stream.get_last_error(&at->stream);
  assert_non_null(message);
  if (code == ENOMEM) assert_string_equal(message, "out of memory");
  assert_int_equal(at->stream.get_schema(&at->stream, &schema), code);
  assert_null(schema.release);
  assert_int_equal(at->stream.get_next(&at->stream, &batch), code);
  assert_null(batch.release);
  assert_string_equal(at->stream.get_last_error(&at->stream), message);
  return status_of(code);
}

static inline privy_status next_batch(scene *at) {
  drop_batch(at);
  const int code = at->stream.get_next(&at->stream, &at->batch);
  if (code) assert_null(at->batch.release);
  return failed_with(at, code);
}

static inline privy_status read_schema(scene *at) {
  const int code = at->stream.get_schema(&at->stream, &at->schema);
  if (code) assert_null(at->schema.release);
  return failed_with(at, code);
}

static inline void end_scene(scene *at) {
  const bool opened = at->stream.release != NULL;
  if (opened) at->stream.release(&at->stream);
  assert_null(at->stream.release);
  assert_int_equal(at->source.releases, opened);
  drop_batch(at);
  if (!at->schema.release) return;
  at->schema.release(&at->schema);
  assert_null(at->schema.release);
}

/* ---- cells as texts ---- */

static inline bool bit_at(const void *bits, int64_t index) {
  return ((const uint8_t *)bits)[index / 8] >> index % 8 & 1;
}

static inline void add_words(char *out, size_t room, const char *text, size_t length) {
  const size_t used = strlen(out);
  assert_true(used + length < room);
  memcpy(out + used, text, length);
  out[used + length] = '\0';
}

static inline void add_text(char *out, size_t room, const struct ArrowArray *array, int64_t row) {
  assert_int_equal(array->n_buffers, 3);
  const int32_t *offsets = array->buffers[1];
  assert_int_equal(offsets[0], 0);
  add_words(out, room, (const char *)array->buffers[2] + offsets[row], (size_t)(offsets[row + 1] - offsets[row]));
}

static inline void add_list(char *out, size_t room, const struct ArrowArray *array, int64_t row) {
  const int32_t *offsets = array->buffers[1];
  const struct ArrowArray *items = array->children[0];
  assert_int_equal(array->n_children, 1);
  assert_int_equal(items->length, offsets[array->length]);
  for (int32_t i = offsets[row]; i < offsets[row + 1]; i++) {
    add_words(out, room, "[", 1);
    if (items->buffers[0] && !bit_at(items->buffers[0], i))
      add_words(out, room, "null", 4);
    else
      add_text(out, room, items, i);
    add_words(out, room, "]", 1);
  }
}

/* The value of a cell, by the format of its column: "null", or its text. */
static inline void read_cell(const struct ArrowSchema *schema, const struct ArrowArray *array, int64_t row, char *out,
                             size_t room) {
  out[0] = '\0';
  assert_int_equal(array->offset, 0);
  assert_true(row < array->length);
  assert_int_equal(array->null_count != 0, array->buffers[0] != NULL);
  if (array->buffers[0] && !bit_at(array->buffers[0], row)) {
    add_words(out, room, "null", 4);
  } else if (strcmp(schema->format, "u") == 0) {
    add_text(out, room, array, row);
  } else if (strcmp(schema->format, "c") == 0) {
    const int8_t position = ((const int8_t *)array->buffers[1])[row];
    assert_in_range(position, 0, array->dictionary->length - 1);
    add_text(out, room, array->dictionary, position);
  } else if (strcmp(schema->format, "b") == 0) {
    const bool truth = bit_at(array->buffers[1], row);
    add_words(out, room, truth ? "true" : "false", truth ? 4 : 5);
  } else if (strcmp(schema->format, "+l") == 0) {
    add_list(out, room, array, row);
  } else {
    assert_true(strcmp(schema->format, "l") == 0 || strcmp(schema->format, "tsu:UTC") == 0);
    snprintf(out, room, "%" PRId64, ((const int64_t *)array->buffers[1])[row]);
  }
}

static inline size_t column_of(const struct ArrowSchema *schema, const char *name) {
  for (int64_t i = 0; i < schema->n_children; i++)
    if (strcmp(schema->children[i]->name, name) == 0) return (size_t)i;
  fail_msg("there is no column %s", name);
  return 0;
}

static inline void assert_cell(const scene *at, const char *name, int64_t row, const char *expected) {
  char text[512];
  const size_t column = column_of(&at->schema, name);
  read_cell(at->schema.children[column], at->batch.children[column], row, text, sizeof text);
  if (strcmp(text, expected) != 0) fail_msg("%s[%d] is %s, not %s", name, (int)row, text, expected);
}

static inline void assert_format(const scene *at, const char *name, const char *format) {
  const struct ArrowSchema *schema = at->schema.children[column_of(&at->schema, name)];
  assert_string_equal(schema->format, format);
  assert_int_equal(schema->flags, ARROW_FLAG_NULLABLE);
  assert_null(schema->metadata);
}

static const char *const two_contacts[] = {
    "{\"data\":[{\"id\":\"cus_1\",\"email\":\"a@x.io\",\"first_name\":\"J\\u00fcrgen \\\"J\\\" \\ud83d\\ude00\","
    "\"last_name\":\"\",\"email_consent\":\"non_subscribed\",\"sms_consent\":\"opted_in_by_fax\","
    "\"tags\":[\"vip\",\"a,\\\"b\\\"\",\"\"],\"custom_fields\":{\"n\":1.50,\"s\":\"x\"},"
    "\"created_at\":\"2026-05-04T10:20:30.123456789Z\",\"updated_at\":\"0001-01-01T00:00:00+00:00\"},"
    "{\"id\":\"cus_2\",\"email\":null,\"first_name\":17,\"email_consent\":null,\"sms_consent\":\"subscribed\","
    "\"tags\":[],\"custom_fields\":{},\"created_at\":\"2026-05-04T12:20:30+02:00\",\"updated_at\":\"yesterday\"}],"
    "\"pagination\":{\"page\":1,\"per_page\":2,\"total_count\":2,\"total_pages\":1}}"};

#endif
