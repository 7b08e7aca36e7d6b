/* Rows of Arrow arrays that another library exports, as dicts. */
#ifndef PRIVY_PYTHON_ARROW_ROWS_H
#define PRIVY_PYTHON_ARROW_ROWS_H

#include "state.h"

/* Adds the type ArrowRows to the module. 0, or -1 with an exception. */
int arrow_rows_add(PyObject *module);

#endif
