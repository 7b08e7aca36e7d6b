/* Columns as arrays of the Arrow C data interface. Each array owns its buffers, so that it can be moved out of its
 * parent; the structs of children and dictionaries belong to the parent, as the interface wants it. */
#include <string.h>

#include "base/memory.h"
#include "columns/column.h"

#define BUFFERS 3
/* Unused bytes that a buffer may keep. */
#define SPARE 4096

typedef struct exported_array {
  void *owned[BUFFERS];
  const void *buffers[BUFFERS];
  struct ArrowArray *arrays, **children;
  struct ArrowArray dictionary;
} exported_array;

static void release_child(struct ArrowArray *array) {
  if (array->release) array->release(array);
}

static void release_array(struct ArrowArray *array) {
  exported_array *own = array->private_data;
  for (int64_t i = 0; i < array->n_children; i++) release_child(&own->arrays[i]);
  release_child(&own->dictionary);
  for (size_t i = 0; i < BUFFERS; i++) privy_free(own->owned[i]);
  privy_free(own->arrays);
  privy_free(own->children);
  privy_free(own);
  array->release = NULL;
}

/* Makes an array without buffers, whose children are released. */
static exported_array *array_new(struct ArrowArray *out, size_t rows, size_t nulls, size_t children) {
  exported_array *own = privy_calloc(1, sizeof *own);
  if (!own) return NULL;
  *out = (struct ArrowArray){.length = (int64_t)rows,
                             .null_count = (int64_t)nulls,
                             .buffers = own->buffers,
                             .release = release_array,
                             .private_data = own};
  if (children == 0) return own;
  own->arrays = privy_calloc(children, sizeof *own->arrays);
  own->children = privy_calloc(children, sizeof *own->children);
  if (!own->arrays || !own->children) {
    release_array(out);
    return NULL;
  }
  for (size_t i = 0; i < children; i++) own->children[i] = &own->arrays[i];
  out->children = own->children;
  out->n_children = (int64_t)children;
  return own;
}

static void add_buffer(struct ArrowArray *out, void *data) {
  exported_array *own = out->private_data;
  own->owned[out->n_buffers] = data;
  own->buffers[out->n_buffers++] = data;
}

/* Moves the bytes out of the buffer, and returns what the array does not need. */
static void move_buffer(struct ArrowArray *out, privy_buffer *buffer) {
  if (buffer->capacity - buffer->length > SPARE) {
    void *smaller = privy_realloc(buffer->data, buffer->length);
    if (smaller) buffer->data = smaller;
  }
  add_buffer(out, buffer->data);
  *buffer = (privy_buffer)PRIVY_BUFFER_EMPTY;
}

static void move_validity(struct ArrowArray *out, privy_column *column) {
  if (column->nulls) {
    move_buffer(out, &column->validity);
  } else {
    add_buffer(out, NULL);
    privy_buffer_clear(&column->validity);
  }
}

/* The interface allows no missing buffer but that of the validity. */
static bool fill_buffers(privy_column *column) {
  static const char zero[sizeof(int32_t)];
  if (column->fixed.length == 0 && !privy_buffer_append(&column->fixed, zero, sizeof zero)) return false;
  return column->type != PRIVY_COLUMN_TEXT || privy_buffer_reserve(&column->text, 1);
}

static bool copy_buffer(privy_buffer *copy, const privy_buffer *buffer) {
  return privy_buffer_append(copy, buffer->data, buffer->length);
}

/* The column keeps its dictionary, so that positions in later batches stay the same. */
static bool export_dictionary(const privy_column *column, struct ArrowArray *out) {
  exported_array *own = out->private_data;
  const privy_column *dictionary = column->child;
  privy_column copy = {.type = dictionary->type, .rows = dictionary->rows};
  const bool copied = copy_buffer(&copy.fixed, &dictionary->fixed) && copy_buffer(&copy.text, &dictionary->text) &&
                      privy_column_export(&copy, &own->dictionary);
  privy_column_clear(&copy);
  if (copied) out->dictionary = &own->dictionary;
  return copied;
}

static bool export_child(privy_column *column, struct ArrowArray *out) {
  if (column->type == PRIVY_COLUMN_ENUM) return export_dictionary(column, out);
  return column->type != PRIVY_COLUMN_LIST || privy_column_export(column->child, out->children[0]);
}

bool privy_column_export(privy_column *column, struct ArrowArray *out) {
  if (!fill_buffers(column) || !array_new(out, column->rows, column->nulls, column->type == PRIVY_COLUMN_LIST))
    return false;
  if (!export_child(column, out)) {
    release_array(out);
    return false;
  }
  move_validity(out, column);
  move_buffer(out, &column->fixed);
  if (column->type == PRIVY_COLUMN_TEXT) move_buffer(out, &column->text);
  column->rows = column->nulls = 0;
  return true;
}

bool privy_columns_export(privy_column *columns, size_t count, size_t rows, struct ArrowArray *out) {
  if (!array_new(out, rows, 0, count)) return false;
  add_buffer(out, NULL);
  for (size_t i = 0; i < count; i++) {
    if (privy_column_export(&columns[i], out->children[i])) continue;
    release_array(out);
    return false;
  }
  return true;
}
