/* The Python type Export: the contacts of a list as a file. */
#ifndef PRIVY_PYTHON_EXPORT_H
#define PRIVY_PYTHON_EXPORT_H

#include "state.h"

/* Adds the type to the module. 0, or -1 with an exception. */
int export_add(PyObject *module);

/* check_export_format(path, format): raises if neither says a format. Method of the module. */
PyObject *export_check_format(PyObject *module, PyObject *arguments);

#endif
