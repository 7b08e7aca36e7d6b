#include "lazy.h"

PyObject *lazy_set(lazy_slot *slot, PyObject *made) {
  PyObject *before = NULL;
  if (!made || atomic_compare_exchange_strong(slot, &before, made)) return made;
  Py_DECREF(made);
  return before;
}

static PyObject *import(const char *module_name, const char *name) {
  PyObject *module = PyImport_ImportModule(module_name);
  PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;
  Py_XDECREF(module);
  return found;
}

PyObject *lazy_import(lazy_slot *slot, const char *module_name, const char *name) {
  PyObject *cached = lazy_get(slot);
  return cached ? cached : lazy_set(slot, import(module_name, name));
}
