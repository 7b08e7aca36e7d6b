/* The tables as plain Python data, for tests and tools. */
#ifndef PRIVY_PYTHON_SCHEMA_H
#define PRIVY_PYTHON_SCHEMA_H

#include "state.h"

/* Method of the module: a dict of the lists operations, objects, errors, enums and codes. */
PyObject *schema_tables(PyObject *module, PyObject *unused);
/* Method of the module: the names of an operation's parameters that identify a row of a bulk run, as a tuple. */
PyObject *schema_row_keys(PyObject *module, PyObject *name);
/* Method of the module: the names of those whose values are integers. */
PyObject *schema_integer_params(PyObject *module, PyObject *name);
/* Method of the module: the requests that try a scope, as a list of (scope, method, path, query, has_body). */
PyObject *schema_probes(PyObject *module, PyObject *unused);
/* Method of the module: the libraries that the core loads, as a dict. */
PyObject *schema_libraries(PyObject *module, PyObject *unused);
/* Method of the module: what is wrong with a file of trusted certificates, or None. */
PyObject *schema_ca_file_problem(PyObject *module, PyObject *path);

#endif
