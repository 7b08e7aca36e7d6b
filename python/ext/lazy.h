/* Slots for objects that are created on first use. */
#ifndef PRIVY_PYTHON_LAZY_H
#define PRIVY_PYTHON_LAZY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdatomic.h>

/* Holds NULL at first, then one object until its owner is freed. */
typedef _Atomic(PyObject *) lazy_slot;

/* The object of the slot: borrowed, NULL without an exception when the slot is empty. */
static inline PyObject *lazy_get(const lazy_slot *slot) {
  return atomic_load_explicit(slot, memory_order_acquire);
}
/* Stores `made` unless the slot is filled: another thread, or code that ran meanwhile, may have filled it. Takes over
 * `made`, which may be NULL with an exception. Returns what the slot holds now: borrowed, NULL when `made` is NULL. */
PyObject *lazy_set(lazy_slot *slot, PyObject *made);
/* The object `name` of a Python module, imported on first use. Borrowed; NULL with an exception. */
PyObject *lazy_import(lazy_slot *slot, const char *module_name, const char *name);

#endif
