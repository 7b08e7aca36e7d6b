/* The Python type Export: the contacts of a list as a file. */
#ifndef PRIVY_PYTHON_EXPORT_H
#define PRIVY_PYTHON_EXPORT_H

#include "state.h"

/* Adds the type to the module. 0, or -1 with an exception. */
int export_add(PyObject *module);

#endif
