#include "reading.h"

#include "client.h"
#include "errors.h"
#include "group.h"

PyObject *reading_new(PyTypeObject *type, PyObject *args, bool (*initialize)(reading_object *self, PyObject *args)) {
  reading_object *self = (reading_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  self->state = state_of_type(type);
  if (!initialize(self, args)) Py_CLEAR(self);
  return (PyObject *)self;
}

bool reading_open(reading_object *self, PyObject *group, PyObject *client, PyObject *report) {
  if (!client_acquire(self->state, client)) return false;
  self->acquired = true;
  self->client = Py_NewRef(client);
  self->group = Py_NewRef(group);
  self->report = report == Py_None ? NULL : Py_NewRef(report);
  return true;
}

bool reading_shut(reading_object *self) {
  if (self->shut) return true;
  self->shut = true;
  return group_shut(self->group);
}

bool reading_end(reading_object *self, const privy_error *error) {
  if (!reading_shut(self)) return false;
  if (error) errors_raise(self->state, error->code, error);
  return !error;
}

int reading_traverse(PyObject *object, visitproc visit, void *arg) {
  reading_object *self = (reading_object *)object;
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->group);
  Py_VISIT(self->client);
  Py_VISIT(self->report);
  return 0;
}

int reading_clear(PyObject *object) {
  Py_CLEAR(((reading_object *)object)->report);
  return 0;
}

void reading_free(PyObject *object) {
  reading_object *self = (reading_object *)object;
  if (self->acquired) client_release(self->client);
  (void)reading_clear(object);
  Py_XDECREF(self->group);
  Py_XDECREF(self->client);
  state_free_object(object);
}
