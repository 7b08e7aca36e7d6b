#include "bulk.h"
#include "errors.h"
#include "group.h"
#include "plan.h"
#include "request.h"

bool bulk_acknowledge(bulk_object *self) {
  privy_bulk_result_view result;
  if (!self->returned || !privy_bulk_result(self->bulk, &result)) return true;
  PyObject *key = PyLong_FromUnsignedLongLong(result.index);
  if (!key) return false;
  self->returned = false;
  if (PyDict_DelItem(self->rows, key) < 0) PyErr_Clear();
  if (PyDict_DelItem(self->refusals, key) < 0) PyErr_Clear();
  Py_DECREF(key);
  group_forget_context(self->group, result.index);
  if (self->plan) privy_plan_keep(plan_of(self->state, self->plan), &result);
  privy_bulk_acknowledge(self->bulk);
  return true;
}

PyObject *bulk_own_error(bulk_object *self) {
  PyObject *exception = errors_caught();
  if (bulk_is_own(self, exception)) return exception;
  PyErr_SetObject((PyObject *)Py_TYPE(exception), exception);
  Py_DECREF(exception);
  return NULL;
}

static void remember(bulk_object *self, PyObject *result) {
  PyObject *before;
  CRITICAL_SECTION_BEGIN(self);
  before = self->last;
  self->last = Py_NewRef(result);
  CRITICAL_SECTION_END();
  Py_XDECREF(before);
}

PyObject *bulk_current_result(bulk_object *self) {
  privy_bulk_result_view result;
  if (!privy_bulk_result(self->bulk, &result)) Py_RETURN_NONE;
  PyObject *index = PyLong_FromUnsignedLongLong(result.index);
  PyObject *row = index ? state_item(self->rows, index) : NULL;
  PyObject *error = row ? state_item(self->refusals, index) : NULL, *value = NULL, *made = NULL;
  if (row && !error && !PyErr_Occurred()) {
    if (result.status == PRIVY_OK)
      value = request_result(self->state, self->operation, result.response);
    else
      errors_raise(self->state, result.status, result.error);
    if (result.status != PRIVY_OK) error = bulk_own_error(self);
  }
  if (value)
    made = PyObject_CallFunctionObjArgs(self->success, index, row, value, NULL);
  else if (error)
    made = PyObject_CallFunctionObjArgs(self->failure, index, row, error, NULL);
  Py_XDECREF(index);
  Py_XDECREF(row);
  Py_XDECREF(error);
  Py_XDECREF(value);
  self->returned = made;
  if (made) remember(self, made);
  return made;
}
