/* Rows as streams of Arrow arrays. */
#ifndef PRIVY_PYTHON_COLUMNS_H
#define PRIVY_PYTHON_COLUMNS_H

#include "state.h"

/* arrow_stream(table, rows, spread): the capsule of a stream. `rows` gives pages and sequences of records. Method of
 * the module. */
PyObject *columns_stream(PyObject *module, PyObject *args);

#endif
