/* Rows as streams of Arrow arrays. The core builds the columns; an iterator of Python gives it the pages. */
#include "columns.h"

#include <string.h>

#include "errors.h"
#include "page.h"
#include "record.h"

#define STREAM_NAME "arrow_array_stream"

typedef struct rows_source {
  PyObject *module; /* keeps `state` alive */
  core_state *state;
  PyObject *iterator;
  PyObject *records; /* a tuple whose records from `at` on are still to be read; NULL: none */
  Py_ssize_t at;
  bool *skip;
  size_t skip_capacity;
} rows_source;

/* ---- errors ---- */

static char *copy_text(const char *text, Py_ssize_t length) {
  char *copy = privy_alloc((size_t)length + 1);
  if (copy) memcpy(copy, text, (size_t)length + 1);
  return copy;
}

/* "PrivyError: the message" */
static char *describe_exception(const core_state *state, PyObject *exception) {
  PyObject *name = PyObject_GetAttr((PyObject *)Py_TYPE(exception), state->names[NAME_TYPE_NAME]);
  PyObject *text = name ? PyUnicode_FromFormat("%S: %S", name, exception) : NULL;
  Py_ssize_t length = 0;
  const char *bytes = text ? PyUnicode_AsUTF8AndSize(text, &length) : NULL;
  char *copy = bytes ? copy_text(bytes, length) : NULL;
  Py_XDECREF(name);
  Py_XDECREF(text);
  PyErr_Clear();
  return copy;
}

privy_status columns_take_exception(const core_state *state, privy_error *error) {
  const bool no_memory = PyErr_ExceptionMatches(PyExc_MemoryError);
  const bool failed = PyErr_ExceptionMatches(PyExc_Exception);
  PyObject *exception = errors_caught();
  error->message = no_memory ? NULL : describe_exception(state, exception);
  Py_XDECREF(exception);
  if (!error->message) return PRIVY_NO_MEMORY;
  error->message_owned = true;
  return error->code = failed ? PRIVY_API_STATUS : PRIVY_INTERRUPTED;
}

/* ---- pages ---- */

static bool *skip_all(rows_source *self, size_t count) {
  if (count > self->skip_capacity) {
    bool *grown = privy_realloc(self->skip, count * sizeof *grown);
    if (!grown) {
      PyErr_NoMemory();
      return NULL;
    }
    self->skip = grown;
    self->skip_capacity = count;
  }
  memset(self->skip, true, count * sizeof *self->skip);
  return self->skip;
}

/* The position of the record, at `from` or later; the response's count if it is not there. */
static size_t find_record(const privy_response *response, const privy_record *record, size_t from) {
  const size_t count = privy_response_count(response);
  while (from < count && privy_response_record(response, from) != record) from++;
  return from;
}

/* Takes the next records that follow each other in one response. 0, or -1 with an exception. */
static int take_records(rows_source *self, privy_response **page, const bool **skip) {
  const Py_ssize_t total = PyTuple_Size(self->records);
  *page = NULL;
  for (size_t next = 0; self->at < total; self->at++) {
    const privy_record *record;
    privy_response *response = record_response(self->state, PyTuple_GetItem(self->records, self->at), &record);
    if (!response) return -1;
    if (!*page) {
      if (!skip_all(self, privy_response_count(response))) return -1;
      *page = response;
    }
    next = response == *page ? find_record(response, record, next) : privy_response_count(*page);
    if (next >= privy_response_count(*page)) break; /* of another response, or not in its order */
    self->skip[next++] = false;
  }
  if (self->at == total) Py_CLEAR(self->records);
  *skip = self->skip;
  return 0;
}

/* Reads an item of the iterator: a page, or a sequence of records. 0, or -1 with an exception. */
static int take_item(rows_source *self, PyObject *item, privy_response **page) {
  *page = page_response(self->state, item);
  if (*page) return 0;
  PyErr_Clear();
  self->at = 0;
  self->records = PySequence_Tuple(item);
  return self->records ? 0 : -1;
}

/* 1 with a page, which a record keeps alive until it is retained; 0 at the end; -1 with an exception. */
static int read_page(rows_source *self, privy_response **page, const bool **skip) {
  for (;;) {
    if (self->records) {
      PyObject *records = Py_NewRef(self->records);
      int result = take_records(self, page, skip);
      if (result == 0 && *page) privy_response_retain(*page);
      Py_DECREF(records);
      if (result < 0 || *page) return result < 0 ? -1 : 1;
    }
    PyObject *item = PyIter_Next(self->iterator);
    if (!item) return PyErr_Occurred() ? -1 : 0;
    int result = take_item(self, item, page);
    if (result == 0 && *page) privy_response_retain(*page);
    Py_DECREF(item);
    if (result < 0 || *page) return result < 0 ? -1 : 1;
  }
}

static privy_status next_page(void *context, privy_response **page, const bool **skip, privy_error *error) {
  rows_source *self = context;
  PyGILState_STATE gil = PyGILState_Ensure();
  *page = NULL;
  int found = read_page(self, page, skip);
  if (found <= 0) *page = NULL;
  privy_status status = found < 0 ? columns_take_exception(self->state, error) : PRIVY_OK;
  PyGILState_Release(gil);
  return status;
}

/* ---- life ---- */

static void source_free(rows_source *self) {
  PyObject *module = self->module;
  Py_XDECREF(self->iterator);
  Py_XDECREF(self->records);
  privy_free(self->skip);
  privy_free(self);
  Py_XDECREF(module);
}

/* Any thread may release a stream, also after the interpreter has ended: then nothing is left to free. */
static void release_source(void *context) {
  if (!Py_IsInitialized()) return;
  PyGILState_STATE gil = PyGILState_Ensure();
  source_free(context);
  PyGILState_Release(gil);
}

/* The consumer may have moved the stream out. */
static void free_capsule(PyObject *capsule) {
  struct ArrowArrayStream *stream = PyCapsule_GetPointer(capsule, STREAM_NAME);
  if (!stream) return;
  if (stream->release) stream->release(stream);
  privy_free(stream);
}

static rows_source *source_new(PyObject *module, PyObject *rows) {
  rows_source *self = privy_alloc(sizeof *self);
  if (!self) {
    PyErr_NoMemory();
    return NULL;
  }
  *self = (rows_source){.module = Py_NewRef(module), .state = state_of_module(module)};
  self->iterator = PyObject_GetIter(rows);
  if (self->iterator) return self;
  source_free(self);
  return NULL;
}

PyObject *columns_capsule(const struct ArrowArrayStream *stream) {
  struct ArrowArrayStream *moved = privy_alloc(sizeof *moved);
  if (moved) *moved = *stream;
  PyObject *capsule = moved ? PyCapsule_New(moved, STREAM_NAME, free_capsule) : PyErr_NoMemory();
  if (capsule) return capsule;
  privy_free(moved);
  struct ArrowArrayStream unused = *stream;
  unused.release(&unused);
  return NULL;
}

static PyObject *capsule_new(const privy_object *object, const privy_columns_config *config, rows_source *rows) {
  struct ArrowArrayStream stream;
  const privy_page_source source = {next_page, release_source, rows};
  if (privy_columns_stream(object, config, source, &stream) == PRIVY_OK) return columns_capsule(&stream);
  source_free(rows);
  return PyErr_NoMemory();
}

int columns_check_interpreter(void) {
  if (PyInterpreterState_GetID(PyInterpreterState_Get()) == 0) return 0;
  PyErr_SetString(PyExc_RuntimeError, "Arrow streams need the main interpreter");
  return -1;
}

PyObject *columns_stream(PyObject *module, PyObject *args) {
  const char *name;
  PyObject *rows;
  int spread;
  if (!PyArg_ParseTuple(args, "sOp", &name, &rows, &spread) || columns_check_interpreter() < 0) return NULL;
  const privy_object *object = privy_object_find(name);
  if (!object) {
    PyErr_Format(PyExc_LookupError, "no table %s", name);
    return NULL;
  }
  privy_columns_config config;
  privy_columns_config_init(&config);
  config.spread = spread;
  rows_source *source = source_new(module, rows);
  return source ? capsule_new(object, &config, source) : NULL;
}
