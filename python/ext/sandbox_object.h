/* The Python type Sandbox: shared by sandbox.c and sandbox_records.c, which has the methods that return what a sandbox
 * received and stores. */
#ifndef PRIVY_PYTHON_SANDBOX_OBJECT_H
#define PRIVY_PYTHON_SANDBOX_OBJECT_H

#include "privy_sandbox.h"
#include "state.h"

typedef struct sandbox_object {
  PyObject_HEAD privy_sandbox *sandbox;
} sandbox_object;

static inline privy_sandbox *sandbox_in(PyObject *object) {
  return ((sandbox_object *)object)->sandbox;
}

/* The [(name, value)] of a block of header lines. */
PyObject *sandbox_header_pairs(const char *block, size_t length);

/* history(): (method, path, operation or None, HTTP status, time, [(name, value)], body or None) of each request */
PyObject *sandbox_history(PyObject *self, PyObject *unused);
PyObject *sandbox_keep_history(PyObject *self, PyObject *args);
/* stored(kind): the JSON text of each record of the kind */
PyObject *sandbox_stored(PyObject *self, PyObject *args);
/* find(kind, key): the JSON text of the record, or None */
PyObject *sandbox_find(PyObject *self, PyObject *args);

#endif
