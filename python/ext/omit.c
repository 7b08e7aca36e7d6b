#include "state.h"
#include "types.h"

/* The default of optional parameters: a single object that is false and cannot be sent. */

static PyObject *omit_repr(PyObject *self) {
  (void)self;
  return PyUnicode_FromString("omit");
}

static int omit_bool(PyObject *self) {
  (void)self;
  return 0;
}

static PyObject *omit_reduce(PyObject *self, PyObject *unused) {
  (void)unused;
  return omit_repr(self);
}

static int omit_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  return 0;
}

static void omit_dealloc(PyObject *self) {
  PyObject_GC_UnTrack(self);
  state_free_object(self);
}

static PyMethodDef omit_methods[] = {
    {"__reduce__", omit_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot omit_slots[] = {
    {Py_tp_doc, "The default of every optional parameter: the parameter is not sent. None sends null."},
    {Py_tp_repr, omit_repr},
    {Py_nb_bool, omit_bool},
    {Py_tp_methods, omit_methods},
    {Py_tp_traverse, omit_traverse},
    {Py_tp_dealloc, omit_dealloc},
    {0, NULL},
};

static PyType_Spec omit_spec = {
    .name = "privy._core.Omit",
    .basicsize = sizeof(PyObject),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .slots = omit_slots,
};

int omit_add(PyObject *module, core_state *state) {
  state->omit_type = state_add_type(module, &omit_spec);
  if (!state->omit_type) return -1;
  state->omit = PyType_GenericAlloc(state->omit_type, 0);
  if (!state->omit) return -1;
  return PyModule_AddObjectRef(module, "omit", state->omit);
}
