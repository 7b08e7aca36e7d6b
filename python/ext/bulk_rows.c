#include "bulk.h"
#include "client.h"
#include "errors.h"
#include "group.h"
#include "plan.h"
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

/* Whether the exception may be one of a signal handler, which a second attempt does not raise. */
static bool may_be_unrelated(bulk_object *self) {
  if (!PyErr_ExceptionMatches(PyExc_Exception)) return false;
  PyObject *exception = errors_caught();
  const bool own = bulk_is_own(self, exception);
  PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
  Py_DECREF(exception);
  return !own;
}

/* Whether the iterator returns the same row again after an exception. */
static bool resumes(bulk_object *self) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  const int found = PyObject_HasAttrString(self->iterator, "resumes");
  PyErr_Restore(type, value, trace);
  return found;
}

/* The next row: NULL without an exception at the end, or with one. `*unrelated`: the exception is not one of the
 * iterator; the row is `pending`. */
static PyObject *next_row(bulk_object *self, bool *unrelated) {
  PyObject *row = self->pending;
  self->pending = NULL;
  *unrelated = false;
  if (!row) row = PyIter_Next(self->iterator);
  if (row || !PyErr_Occurred() || !may_be_unrelated(self) || !resumes(self)) return row;
  PyObject *first = errors_caught();
  self->pending = PyIter_Next(self->iterator);
  *unrelated = !PyErr_Occurred();
  if (*unrelated) PyErr_SetObject((PyObject *)Py_TYPE(first), first);
  Py_DECREF(first);
  return NULL;
}

static bool store(PyObject *dict, uint64_t index, PyObject *value) {
  PyObject *key = PyLong_FromUnsignedLongLong(index);
  bool stored = key && PyDict_SetItem(dict, key, value) == 0;
  Py_XDECREF(key);
  return stored;
}

/* The row to show, its parameters, its `extra` and whether it omits nulls. `*unrelated`: the exception is not about the
 * row, since a second attempt did not raise it. */
static PyObject *split(bulk_object *self, PyObject *row, bool *unrelated) {
  PyObject *parts = PyObject_CallFunctionObjArgs(self->split, row, NULL);
  if (parts || !may_be_unrelated(self)) return parts;
  PyObject *first = errors_caught();
  parts = PyObject_CallFunctionObjArgs(self->split, row, NULL);
  *unrelated = parts;
  if (parts) PyErr_SetObject((PyObject *)Py_TYPE(first), first);
  Py_XDECREF(parts);
  Py_DECREF(first);
  return NULL;
}

/* What was made of a row. */
typedef struct built_row {
  privy_request *request;
  bool encoded;        /* the values of the row were read, or an exception is not about the row */
  privy_error refusal; /* of a request that is invalid */
} built_row;

static void drop_request(built_row *built) {
  privy_request_free(built->request);
  built->request = NULL;
}

/* Begins the request of a row that is no dict or has `extra`. NULL with an exception. */
static privy_request *begin_split(bulk_object *self, uint64_t index, PyObject *row, built_row *built) {
  PyObject *parts = split(self, row, &built->encoded);
  PyObject *shown, *params, *extra;
  privy_request *request = NULL;
  int omits_nulls;
  if (parts && PyArg_ParseTuple(parts, "OOOp", &shown, &params, &extra, &omits_nulls) &&
      (shown == row || store(self->rows, index, shown)))
    request = request_new_row(self->state, self->operation, params, extra, self->headers, omits_nulls);
  Py_XDECREF(parts);
  return request;
}

/* Runs no Python code for a dict without `extra`. */
static privy_request *begin_request(bulk_object *self, uint64_t index, PyObject *row, built_row *built) {
  const int splits = PyDict_CheckExact(row) ? PyDict_Contains(row, self->state->names[NAME_EXTRA]) : 1;
  if (splits < 0) return NULL;
  if (splits) return begin_split(self, index, row, built);
  return request_new_row(self->state, self->operation, row, Py_None, self->headers, self->omits_nulls);
}

/* Builds the request of the row, and finishes it. False with an exception; a request that is invalid is kept. */
static bool build(bulk_object *self, uint64_t index, PyObject *row, built_row *built) {
  built->request = begin_request(self, index, row, built);
  if (!built->request) return false;
  built->encoded = true;
  if (client_finish(self->state, self->client, built->request, (int64_t)index, &built->refusal) < 0) return false;
  if (client_open(self->state, self->client)) return true;
  drop_request(built);
  return false;
}

void bulk_set_stop(bulk_object *self, PyObject *exception) {
  if (self->stop) return;
  self->stop = Py_NewRef(exception);
  self->source_failed = true;
}

/* The error that the journal keeps of a row. The result of the row is the exception. */
static void describe(PyObject *exception, built_row *built) {
  if (built->refusal.code == PRIVY_VALIDATION) return;
  drop_request(built);
  privy_error_clear(&built->refusal);
  built->refusal.code = PRIVY_VALIDATION;
  PyObject *text = PyObject_Str(exception);
  Py_ssize_t size = 0;
  const char *message = text ? PyUnicode_AsUTF8AndSize(text, &size) : NULL;
  if (message) built->refusal.message = privy_alloc((size_t)size + 1);
  if (built->refusal.message) memcpy(built->refusal.message, message, (size_t)size + 1);
  PyErr_Clear();
  Py_XDECREF(text);
}

/* Adds the exception of an invalid row. False for an unrelated exception: the row becomes `pending`. After the values
 * of the row are read, only exceptions of privy are about the row. */
static bool refuse(bulk_object *self, uint64_t index, PyObject *row, built_row *built) {
  const bool any = PyErr_ExceptionMatches(PyExc_Exception);
  PyObject *exception = errors_caught();
  if (!any || (built->encoded && !bulk_is_own(self, exception))) {
    self->pending = Py_NewRef(row);
    PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
    Py_DECREF(exception);
    return false;
  }
  if (concerns_row(self, exception) && store(self->refusals, index, exception)) {
    describe(exception, built);
    privy_bulk_refuse(self->bulk, built->request, &built->refusal);
    built->request = NULL;
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
    privy_bulk_fail_rows(self->bulk);
  }
  privy_bulk_end_rows(self->bulk);
  return true;
}

/* An earlier run has the outcome of the row in the journal. */
static void forget_skipped(bulk_object *self, uint64_t index) {
  PyObject *key = PyLong_FromUnsignedLongLong(index);
  if (!key || PyDict_DelItem(self->rows, key) < 0) PyErr_Clear();
  Py_XDECREF(key);
  group_forget_context(self->group, index);
  self->skips++;
}

/* False if the row is skipped. The core has the requests of a plan. */
static bool give_request(bulk_object *self, privy_request *request) {
  return self->plan ? privy_plan_feed(plan_of(self->state, self->plan), self->bulk)
                    : privy_bulk_add(self->bulk, request);
}

/* False with an unrelated exception: the row is `pending`. */
static bool add_row(bulk_object *self, PyObject *row) {
  const uint64_t index = self->next_index;
  built_row built = {0};
  bool taken = true;
  privy_error_init(&built.refusal);
  if (!store(self->rows, index, row)) {
    self->pending = Py_NewRef(row);
    return false;
  }
  if (self->plan || build(self, index, row, &built)) {
    if (!group_keep_context(self->group, index))
      PyErr_Clear(); /* its events are then reported in the current context */
    if (!give_request(self, built.request)) forget_skipped(self, index);
    built.request = NULL;
  } else {
    taken = refuse(self, index, row, &built);
  }
  privy_error_clear(&built.refusal);
  drop_request(&built);
  return taken;
}

bool bulk_take_row(bulk_object *self) {
  bool unrelated;
  PyObject *row = next_row(self, &unrelated);
  if (!row) return !unrelated && end_rows(self);
  if (row == self->iterator) {
    self->starved = true;
    Py_DECREF(row);
    return true;
  }
  const bool taken = add_row(self, row);
  self->next_index += taken;
  Py_DECREF(row);
  return taken;
}

/* (index, row, in_doubt, key); NULL with an exception. */
static PyObject *open_row(bulk_object *self, const privy_bulk_row *row) {
  PyObject *index = PyLong_FromUnsignedLongLong(row->index);
  PyObject *given = index ? state_item(self->rows, index) : NULL;
  if (index && !given && !PyErr_Occurred()) given = Py_NewRef(Py_None);
  if (!given) {
    Py_XDECREF(index);
    return NULL;
  }
  return Py_BuildValue("(NNNz)", index, given, PyBool_FromLong(row->in_doubt), row->idempotency_key);
}

PyObject *bulk_list_open_rows(bulk_object *self) {
  size_t count = privy_bulk_open_rows(self->bulk, NULL, 0);
  privy_bulk_row *rows = privy_alloc((count + 1) * sizeof *rows);
  if (!rows) return PyErr_NoMemory();
  count = privy_bulk_open_rows(self->bulk, rows, count);
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && i < count; i++) {
    PyObject *row = open_row(self, &rows[i]);
    if (!row || PyList_Append(list, row) < 0) Py_CLEAR(list);
    Py_XDECREF(row);
  }
  privy_free(rows);
  return list;
}
