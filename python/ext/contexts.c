#include "contexts.h"

bool contexts_keep(core_state *state, PyObject *contexts, uint64_t id) {
  PyObject *copy = state_copy_context(state);
  PyObject *key = copy ? PyLong_FromUnsignedLongLong(id) : NULL;
  PyObject *context = key ? PyObject_CallNoArgs(copy) : NULL;
  bool kept = context && PyDict_SetItem(contexts, key, context) == 0;
  Py_XDECREF(key);
  Py_XDECREF(context);
  return kept;
}

PyObject *contexts_find(PyObject *contexts, uint64_t id) {
  PyObject *key = PyLong_FromUnsignedLongLong(id);
  PyObject *context = key ? state_item(contexts, key) : NULL;
  Py_XDECREF(key);
  if (!context) PyErr_Clear();
  return context;
}

void contexts_forget(PyObject *contexts, uint64_t id) {
  if (PyDict_Size(contexts) == 0) return;
  PyObject *key = PyLong_FromUnsignedLongLong(id);
  if (!key || PyDict_DelItem(contexts, key) < 0) PyErr_Clear();
  Py_XDECREF(key);
}
