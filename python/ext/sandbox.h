/* The in-memory Privy as a Python type. */
#ifndef PRIVY_PYTHON_SANDBOX_H
#define PRIVY_PYTHON_SANDBOX_H

#include "state.h"

/* served.c: is_local(host) */
PyObject *served_is_local(PyObject *module, PyObject *args);

/* The core's sandbox behind a Python object; NULL with TypeError when it is none. Borrowed. */
privy_sandbox *sandbox_of(core_state *state, PyObject *object);

#endif
