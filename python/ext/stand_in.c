#include "stand_in.h"

#include "client_object.h"
#include "errors.h"
#include "sandbox.h"
#include "types.h"

PyObject *client_root(PyObject *object, void *unused) {
  (void)unused;
  return Py_NewRef((PyObject *)owner_of((client_object *)object));
}

/* Makes the core's client of a stand-in. False with an exception. */
static bool stand_in(core_state *state, client_object *owner, client_object *copy, privy_sandbox *sandbox) {
  privy_client *client = owner_acquire(owner);
  if (!client) return errors_refuse(state, "the client is closed"), false;
  privy_error error;
  privy_error_init(&error);
  const privy_status status = privy_client_stand_in(client, sandbox, &copy->client, &error);
  owner_release(owner, 1);
  if (status != PRIVY_OK) errors_raise(state, status, &error);
  privy_error_clear(&error);
  copy->sandbox = sandbox;
  copy->is_sandbox = true;
  copy->reserve = owner->reserve;
  copy->may_watch = (bool)owner->may_watch;
  return status == PRIVY_OK;
}

/* stand_in(sandbox, root): the same client with the sandbox in place of the network. `root` is the stand-in of the
 * client that with_options copied, or None. */
PyObject *client_stand_in(PyObject *object, PyObject *args) {
  client_object *self = (client_object *)object;
  core_state *state = state_of_object(object);
  PyObject *given, *root;
  if (!PyArg_ParseTuple(args, "OO", &given, &root)) return NULL;
  privy_sandbox *sandbox = sandbox_of(state, given);
  if (!sandbox || (root != Py_None && !client_as(state, root))) return NULL;
  client_object *copy = (client_object *)PyType_GenericAlloc(Py_TYPE(object), 0);
  if (!copy) return NULL;
  copy->options = self->options;
  copy->on_event = Py_XNewRef(self->on_event);
  if (root != Py_None)
    copy->root = (client_object *)Py_NewRef((PyObject *)owner_of((client_object *)root));
  else if (!stand_in(state, owner_of(self), copy, sandbox))
    Py_CLEAR(copy);
  return (PyObject *)copy;
}

/* set_use(use): see client_use. */
PyObject *client_set_use(PyObject *object, PyObject *number) {
  const long use = PyLong_AsLong(number);
  if (use == -1 && PyErr_Occurred()) return NULL;
  if (use < 0 || use >= USE_COUNT) return PyErr_Format(PyExc_ValueError, "there is no use %ld", use);
  owner_of((client_object *)object)->use = (int)use;
  Py_RETURN_NONE;
}
