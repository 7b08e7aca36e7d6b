/* Methods and attributes of the Python type Client: a sandbox that is active stands in for the network. */
#ifndef PRIVY_PYTHON_STAND_IN_H
#define PRIVY_PYTHON_STAND_IN_H

#include "state.h"

PyObject *client_stand_in(PyObject *object, PyObject *args);
PyObject *client_set_use(PyObject *object, PyObject *number);
PyObject *client_root(PyObject *object, void *unused);

#endif
