/* The tables as plain Python data, for tests and tools. */
#ifndef PRIVY_PYTHON_SCHEMA_H
#define PRIVY_PYTHON_SCHEMA_H

#include "state.h"

/* Method of the module: a dict of the lists operations, objects, errors and enums. */
PyObject *schema_tables(PyObject *module, PyObject *unused);

#endif
