#include "lazy.h"

#include <stdbool.h>

/* With a GIL no other thread fills the slot meanwhile, so that no locked instruction is needed. */
static bool fill(lazy_slot *slot, PyObject **before, PyObject *made) {
#ifdef Py_GIL_DISABLED
  return atomic_compare_exchange_strong(slot, before, made);
#else
  *before = lazy_get(slot);
  if (!*before) atomic_store_explicit(slot, made, memory_order_release);
  return !*before;
#endif
}

PyObject *lazy_set(lazy_slot *slot, PyObject *made) {
  PyObject *before = NULL;
  if (!made || fill(slot, &before, made)) return made;
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
