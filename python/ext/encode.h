/* What users give, told to a request. */
#ifndef PRIVY_PYTHON_ENCODE_H
#define PRIVY_PYTHON_ENCODE_H

#include "state.h"

/* All return 0, or -1 with an exception. What cannot be sent is no exception but a fault of its field. */

/* One value, wherever the request expects one. */
int walk_value(core_state *state, privy_request *request, PyObject *value);
/* The parameters of an operation: a tuple of their values in the order of its table, or a mapping of them. */
int walk_params(core_state *state, privy_request *request, PyObject *params);
/* The members of a mapping as named values at top level. Values that are `omit` are left out. */
int walk_members(core_state *state, privy_request *request, PyObject *mapping);

#endif
