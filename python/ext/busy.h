/* The lock of an object that one thread at a time uses. It is not waited for: a second thread gets an exception. */
#ifndef PRIVY_PYTHON_BUSY_H
#define PRIVY_PYTHON_BUSY_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdatomic.h>
#include <stdbool.h>

/* Whether the lock was free. If not, raises a RuntimeError with the message. */
static inline bool busy_enter(atomic_bool *busy, const char *message) {
  if (!atomic_exchange_explicit(busy, true, memory_order_acquire)) return true;
  PyErr_SetString(PyExc_RuntimeError, message);
  return false;
}

static inline void busy_leave(atomic_bool *busy) {
  atomic_store_explicit(busy, false, memory_order_release);
}

#endif
