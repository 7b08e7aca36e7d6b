#include "sandbox.h"
#include "types.h"

/* One connection of a served sandbox. Only the thread that serves the connection uses it. */
typedef struct served_object {
  PyObject_HEAD privy_sandbox_connection *connection;
} served_object;

static privy_sandbox_connection *inside(PyObject *object) {
  return ((served_object *)object)->connection;
}

/* feed(bytes) */
static PyObject *served_feed(PyObject *self, PyObject *args) {
  const char *bytes;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "y#", &bytes, &length)) return NULL;
  if (privy_sandbox_connection_feed(inside(self), bytes, (size_t)length) != PRIVY_OK) return PyErr_NoMemory();
  Py_RETURN_NONE;
}

/* next(now): (kind, bytes to send, time until which to read or seconds to wait before sending, whether it is idle) */
static PyObject *served_next(PyObject *self, PyObject *args) {
  double now;
  privy_sandbox_step step;
  if (!PyArg_ParseTuple(args, "d", &now)) return NULL;
  PyThreadState *thread = PyEval_SaveThread();
  const privy_status status = privy_sandbox_connection_next(inside(self), now, &step);
  PyEval_RestoreThread(thread);
  if (status != PRIVY_OK) return PyErr_NoMemory();
  return Py_BuildValue("(iy#dN)", (int)step.kind, step.bytes ? step.bytes : "", (Py_ssize_t)step.length,
                       step.kind == PRIVY_SANDBOX_READ ? step.until : step.delay, PyBool_FromLong(step.idle));
}

/* SandboxConnection(sandbox, host, allowed): the address that the server listens on; further host names, or None */
static PyObject *served_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  PyObject *object;
  const char *host, *allowed;
  if (!PyArg_ParseTuple(args, "Osz", &object, &host, &allowed)) return NULL;
  privy_sandbox *sandbox = sandbox_of(state_of_type(type), object);
  served_object *self = sandbox ? (served_object *)PyType_GenericAlloc(type, 0) : NULL;
  if (!self) return NULL;
  if (privy_sandbox_connection_new(sandbox, host, allowed, &self->connection) != PRIVY_OK) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  return (PyObject *)self;
}

static int served_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  return 0;
}

static void served_dealloc(PyObject *self) {
  PyObject_GC_UnTrack(self);
  privy_sandbox_connection_free(inside(self));
  state_free_object(self);
}

static PyMethodDef served_methods[] = {
    {"feed", served_feed, METH_VARARGS, "Takes bytes that the connection received."},
    {"next", served_next, METH_VARARGS, "The next step, at a time of a monotonic clock."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot served_slots[] = {
    {Py_tp_doc, "One HTTP connection of a served sandbox, without its socket."},
    {Py_tp_new, served_new},
    {Py_tp_methods, served_methods},
    {Py_tp_traverse, served_traverse},
    {Py_tp_dealloc, served_dealloc},
    {0, NULL},
};

static PyType_Spec served_spec = {
    .name = "privy._core.SandboxConnection",
    .basicsize = sizeof(served_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = served_slots,
};

int served_add(PyObject *module) {
  if (state_add_own_type(module, &served_spec) < 0) return -1;
  if (PyModule_AddIntConstant(module, "SANDBOX_READ", PRIVY_SANDBOX_READ) < 0) return -1;
  if (PyModule_AddIntConstant(module, "SANDBOX_SEND", PRIVY_SANDBOX_SEND) < 0) return -1;
  if (PyModule_AddIntConstant(module, "SANDBOX_CONNECTIONS", PRIVY_SANDBOX_CONNECTIONS) < 0) return -1;
  return PyModule_AddStringConstant(module, "SANDBOX_BUSY", PRIVY_SANDBOX_BUSY);
}

PyObject *served_is_local(PyObject *module, PyObject *args) {
  const char *host;
  (void)module;
  if (!PyArg_ParseTuple(args, "s", &host)) return NULL;
  return PyBool_FromLong(privy_host_is_local(host));
}
