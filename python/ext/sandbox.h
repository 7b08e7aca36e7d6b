/* The Python type Sandbox, an in-memory Privy. */
#ifndef PRIVY_PYTHON_SANDBOX_H
#define PRIVY_PYTHON_SANDBOX_H

#include "privy_sandbox.h"
#include "state.h"

/* served.c: is_local(host) */
PyObject *served_is_local(PyObject *module, PyObject *args);

/* The core's sandbox of a Python object; NULL with TypeError when the object is not a Sandbox. Borrowed. */
privy_sandbox *sandbox_of(core_state *state, PyObject *object);

#endif
