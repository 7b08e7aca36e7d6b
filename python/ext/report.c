/* What a report of a bulk run lists as a stream of Arrow arrays. An iterator of Python gives the rows. */
#include "columns.h"

typedef struct report_source {
  PyObject *module; /* keeps `state` alive */
  core_state *state;
  PyObject *iterator;
  PyObject *row; /* whose texts the core reads; NULL: none */
  Py_ssize_t count;
} report_source;

/* 0, or -1 with an exception. */
static int read_cell(PyObject *value, privy_cell *cell) {
  cell->missing = value == Py_None;
  if (cell->missing) return 0;
  if (PyLong_Check(value)) {
    cell->integer = PyLong_AsLongLong(value);
    return cell->integer == -1 && PyErr_Occurred() ? -1 : 0;
  }
  Py_ssize_t length;
  cell->text = PyUnicode_AsUTF8AndSize(value, &length);
  if (!cell->text) return -1;
  cell->length = (size_t)length;
  return 0;
}

/* 1 with a row, 0 at the end, -1 with an exception. */
static int read_row(report_source *self, privy_cell *cells) {
  Py_CLEAR(self->row);
  PyObject *item = PyIter_Next(self->iterator);
  if (!item) return PyErr_Occurred() ? -1 : 0;
  self->row = PySequence_Tuple(item);
  Py_DECREF(item);
  if (!self->row) return -1;
  if (PyTuple_Size(self->row) != self->count) {
    PyErr_Format(PyExc_ValueError, "a row of this report has %zd values", self->count);
    return -1;
  }
  for (Py_ssize_t i = 0; i < self->count; i++)
    if (read_cell(PyTuple_GetItem(self->row, i), &cells[i]) < 0) return -1;
  return 1;
}

static privy_status next_row(void *context, privy_cell *cells, bool *found, privy_error *error) {
  report_source *self = context;
  PyGILState_STATE gil = PyGILState_Ensure();
  int result = read_row(self, cells);
  privy_status status = result < 0 ? columns_take_exception(self->state, error) : PRIVY_OK;
  *found = result > 0;
  PyGILState_Release(gil);
  return status;
}

static void source_free(report_source *self) {
  PyObject *module = self->module;
  Py_XDECREF(self->iterator);
  Py_XDECREF(self->row);
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

static report_source *source_new(PyObject *module, const privy_report *report, PyObject *rows) {
  report_source *self = privy_alloc(sizeof *self);
  if (!self) {
    PyErr_NoMemory();
    return NULL;
  }
  *self = (report_source){.module = Py_NewRef(module),
                          .state = state_of_module(module),
                          .iterator = PyObject_GetIter(rows),
                          .count = (Py_ssize_t)privy_report_columns(report)};
  if (self->iterator) return self;
  source_free(self);
  return NULL;
}

PyObject *columns_report(PyObject *module, PyObject *args) {
  const char *name;
  PyObject *rows;
  if (!PyArg_ParseTuple(args, "sO", &name, &rows) || columns_check_interpreter() < 0) return NULL;
  const privy_report *report = privy_report_find(name);
  if (!report) return PyErr_Format(PyExc_LookupError, "no report %s", name);
  report_source *self = source_new(module, report, rows);
  if (!self) return NULL;
  struct ArrowArrayStream stream;
  if (privy_report_stream(report, (privy_row_source){next_row, release_source, self}, &stream) == PRIVY_OK)
    return columns_capsule(&stream);
  source_free(self);
  return PyErr_NoMemory();
}
