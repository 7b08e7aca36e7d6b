/* Rows as streams of Arrow arrays. */
#ifndef PRIVY_PYTHON_COLUMNS_H
#define PRIVY_PYTHON_COLUMNS_H

#include "state.h"

/* arrow_stream(table, rows, spread): the capsule of a stream. `rows` gives pages and sequences of records. Method of
 * the module. */
PyObject *columns_stream(PyObject *module, PyObject *args);
/* report_stream(report, rows): the same for what a report of a bulk run lists. `rows` gives tuples of int, str and
 * None. Method of the module. */
PyObject *columns_report(PyObject *module, PyObject *args);

/* ---- what both use ---- */

/* Raises RuntimeError and returns -1 in an interpreter whose threads PyGILState_Ensure does not know. */
int columns_check_interpreter(void);
/* Moves the exception that is set into the core's error. */
privy_status columns_take_exception(const core_state *state, privy_error *error);
/* The capsule of a stream, which is copied into it; NULL with an exception: the stream is then released. */
PyObject *columns_capsule(const struct ArrowArrayStream *stream);

#endif
