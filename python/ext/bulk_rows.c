#include "bulk.h"
#include "client.h"
#include "errors.h"
#include "group.h"
#include "request.h"

static PyObject *error_class(bulk_object *self, privy_status status) {
  return lazy_import(&self->state->errors[status], "privy._errors", privy_error_describe(status)->name);
}

bool bulk_is_own(bulk_object *self, PyObject *exception) {
  PyObject *base = error_class(self, PRIVY_CONFIG_ERROR);
  return base &&
         (PyErr_GivenExceptionMatches(exception, base) || PyErr_GivenExceptionMatches(exception, PyExc_MemoryError));
}

/* Whether the exception is about the row. Any other ends the run: no memory, a closed client, an invalid setting. */
static bool concerns_row(bulk_object *self, PyObject *exception) {
  PyObject *detail = error_class(self, PRIVY_VALIDATION);
  return detail && (PyErr_GivenExceptionMatches(exception, detail) || !bulk_is_own(self, exception));
}

/* The next row: NULL without an exception at the end, or with one. */
static PyObject *next_row(bulk_object *self) {
  PyObject *row = self->pending;
  self->pending = NULL;
  return row ? row : PyIter_Next(self->iterator);
}

/* The parameters of the row, and its `extra`. Runs no Python code for a dict without `extra`: a signal handler could
 * raise an exception there, which would count as an error of the row. */
static PyObject *split(bulk_object *self, PyObject *row) {
  int has_extra = PyDict_CheckExact(row) ? PyDict_Contains(row, self->state->names[NAME_EXTRA]) : 1;
  if (has_extra < 0) return NULL;
  return has_extra ? PyObject_CallFunctionObjArgs(self->split, row, NULL) : Py_BuildValue("(OO)", row, Py_None);
}

/* The finished request of the row; NULL with an exception. `*encoded`: the values of the row were read before that. */
static privy_request *build(bulk_object *self, PyObject *row, bool *encoded) {
  PyObject *pair = split(self, row);
  PyObject *params, *extra;
  privy_request *request = NULL;
  if (pair && PyArg_ParseTuple(pair, "OO", &params, &extra))
    request = request_new(self->state, self->operation, params, extra, self->headers);
  *encoded = request;
  if (request && (client_finish(self->state, self->client, request) < 0 || !client_open(self->state, self->client))) {
    privy_request_free(request);
    request = NULL;
  }
  Py_XDECREF(pair);
  return request;
}

static bool store(PyObject *dict, uint64_t index, PyObject *value) {
  PyObject *key = PyLong_FromUnsignedLongLong(index);
  bool stored = key && PyDict_SetItem(dict, key, value) == 0;
  Py_XDECREF(key);
  return stored;
}

void bulk_set_stop(bulk_object *self, PyObject *exception) {
  if (self->stop) return;
  self->stop = Py_NewRef(exception);
  self->source_failed = true;
}

/* Adds the exception of an invalid row. False for an unrelated exception: the row becomes `pending`. After the values
 * of the row are read, only exceptions of privy are about the row. */
static bool refuse(bulk_object *self, uint64_t index, PyObject *row, bool encoded) {
  const bool any = PyErr_ExceptionMatches(PyExc_Exception);
  PyObject *exception = errors_caught();
  if (!any || (encoded && !bulk_is_own(self, exception))) {
    self->pending = Py_NewRef(row);
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_DECREF(exception);
    return false;
  }
  if (concerns_row(self, exception) && store(self->refusals, index, exception)) {
    privy_error error;
    privy_error_init(&error);
    error.code = PRIVY_VALIDATION;
    privy_bulk_refuse(self->bulk, &error);
  } else {
    PyErr_Clear();
    bulk_set_stop(self, exception);
    privy_bulk_fail(self->bulk);
  }
  Py_DECREF(exception);
  return true;
}

/* Ends the rows, with the Exception of the iterator if it raised one. False with any other exception, after which the
 * rows may continue. */
static bool end_rows(bulk_object *self) {
  if (PyErr_Occurred()) {
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return false;
    PyObject *exception = errors_caught();
    bulk_set_stop(self, exception);
    Py_DECREF(exception);
  }
  privy_bulk_end_rows(self->bulk);
  return true;
}

bool bulk_take_row(bulk_object *self) {
  PyObject *row = next_row(self);
  if (!row) return end_rows(self);
  const uint64_t index = self->next_index;
  privy_request *request = NULL;
  bool taken, encoded = false;
  if (!store(self->rows, index, row)) {
    self->pending = Py_NewRef(row);
    taken = false;
  } else if ((request = build(self, row, &encoded))) {
    if (!group_keep_context(self->group, index))
      PyErr_Clear(); /* its events are then reported in the current context */
    privy_bulk_add(self->bulk, request);
    taken = true;
  } else {
    taken = refuse(self, index, row, encoded);
  }
  self->next_index += taken;
  Py_DECREF(row);
  return taken;
}
