/* Groups of calls that an event loop drives. */
#include "group.h"
#include "group_object.h"

static void on_socket(void *context, int socket, int events) {
  group_object *self = context;
  if (!self->socket_callback) return;
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyObject *result = PyObject_CallFunction(self->socket_callback, "ii", socket, events);
  if (!result) PyErr_WriteUnraisable(self->socket_callback);
  Py_XDECREF(result);
  PyErr_Restore(type, value, trace);
}

PyObject *group_set_socket_callback(PyObject *object, PyObject *socket_callback) {
  group_object *self = (group_object *)object;
  if (!group_lock(object)) return NULL;
  PyObject *before = self->socket_callback;
  self->socket_callback = Py_NewRef(socket_callback);
  privy_group_set_socket_callback(self->group, on_socket, self);
  group_unlock(object);
  Py_XDECREF(before);
  Py_RETURN_NONE;
}

PyObject *group_timeout(PyObject *object, PyObject *unused) {
  (void)unused;
  group_object *self = (group_object *)object;
  if (!group_lock(object)) return NULL;
  double seconds = privy_group_timeout(self->group);
  group_unlock(object);
  return seconds < 0 ? Py_NewRef(Py_None) : PyFloat_FromDouble(seconds);
}

PyObject *group_socket_action(PyObject *object, PyObject *args) {
  group_object *self = (group_object *)object;
  int socket, events;
  if (!PyArg_ParseTuple(args, "ii", &socket, &events) || !group_lock(object)) return NULL;
  privy_group_socket_action(self->group, socket, events);
  group_unlock(object);
  if (!group_report(object)) return NULL;
  Py_RETURN_NONE;
}
