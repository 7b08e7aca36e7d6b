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

/* What is no fault of a row ends the run: memory, a closed client, a setting. */
static bool is_fault_of_row(bulk_object *self, PyObject *exception) {
  PyObject *detail = error_class(self, PRIVY_VALIDATION);
  return detail && (PyErr_GivenExceptionMatches(exception, detail) || !bulk_is_own(self, exception));
}

/* The next row: NULL without an exception at the end, or with one. */
static PyObject *next_row(bulk_object *self) {
  PyObject *row = self->pending;
  self->pending = NULL;
  return row ? row : PyIter_Next(self->iterator);
}

/* The row's parameters and `extra`. A dict without the latter needs no Python code, in which a signal handler could
 * raise: its exception would count as the row's. */
static PyObject *split(bulk_object *self, PyObject *row) {
  int has_extra = PyDict_CheckExact(row) ? PyDict_Contains(row, self->state->names[NAME_EXTRA]) : 1;
  if (has_extra < 0) return NULL;
  return has_extra ? PyObject_CallFunctionObjArgs(self->split, row, NULL) : Py_BuildValue("(OO)", row, Py_None);
}

/* A finished request of the row; NULL with an exception. `checked`: the row's values were read before. */
static privy_request *build(bulk_object *self, PyObject *row, bool *checked) {
  PyObject *pair = split(self, row);
  PyObject *params, *extra;
  privy_request *request = NULL;
  if (pair && PyArg_ParseTuple(pair, "OO", &params, &extra))
    request = request_new(self->state, self->operation, params, extra);
  *checked = request;
  if (request && (client_finish(self->state, self->client, request) < 0 || !client_open(self->state, self->client))) {
    privy_request_free(request);
    request = NULL;
  }
  Py_XDECREF(pair);
  return request;
}

static bool keep(PyObject *dict, uint64_t index, PyObject *value) {
  PyObject *key = PyLong_FromUnsignedLongLong(index);
  bool kept = key && PyDict_SetItem(dict, key, value) == 0;
  Py_XDECREF(key);
  return kept;
}

void bulk_keep_stop(bulk_object *self, PyObject *exception) {
  if (self->stop) return;
  self->stop = Py_NewRef(exception);
}

/* A row that no request could be made of. False when the exception came from elsewhere: the row waits. Once the row's
 * values have been read, only exceptions of privy itself can be about it. */
static bool refuse(bulk_object *self, uint64_t index, PyObject *row, bool checked) {
  const bool any = PyErr_ExceptionMatches(PyExc_Exception);
  PyObject *exception = errors_caught();
  if (!any || (checked && !bulk_is_own(self, exception))) {
    self->pending = Py_NewRef(row);
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_DECREF(exception);
    return false;
  }
  if (is_fault_of_row(self, exception) && keep(self->refusals, index, exception)) {
    privy_error error;
    privy_error_init(&error);
    error.code = PRIVY_VALIDATION;
    privy_bulk_refuse(self->bulk, &error);
  } else {
    PyErr_Clear();
    bulk_keep_stop(self, exception);
    privy_bulk_fail(self->bulk);
  }
  Py_DECREF(exception);
  return true;
}

/* The rows are at their end, or fail. False when the exception is the caller's and the rows may go on. */
static bool end_rows(bulk_object *self) {
  if (PyErr_Occurred()) {
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return false;
    PyObject *exception = errors_caught();
    bulk_keep_stop(self, exception);
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
  bool taken, checked = false;
  if (!keep(self->rows, index, row)) {
    self->pending = Py_NewRef(row);
    taken = false;
  } else if ((request = build(self, row, &checked))) {
    if (!group_keep_context(self->group, index)) PyErr_Clear(); /* its events then run where they are reported */
    privy_bulk_add(self->bulk, request);
    taken = true;
  } else {
    taken = refuse(self, index, row, checked);
  }
  self->next_index += taken;
  Py_DECREF(row);
  return taken;
}
