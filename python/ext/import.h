/* Imports of files: rows of an operation, from bytes or from cells. */
#ifndef PRIVY_PYTHON_IMPORT_H
#define PRIVY_PYTHON_IMPORT_H

#include "state.h"

/* Adds the type Import to the module. 0, or -1 with an exception. */
int import_add(PyObject *module);
/* import_tables(): the presets and the conversions of maps. Method of the module. */
PyObject *import_tables(PyObject *module, PyObject *unused);
/* import_toml(bytes): a map that is written in TOML, as JSON. Method of the module. */
PyObject *import_toml(PyObject *module, PyObject *bytes);

#endif
