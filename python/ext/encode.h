/* Encodes Python values into a request. */
#ifndef PRIVY_PYTHON_ENCODE_H
#define PRIVY_PYTHON_ENCODE_H

#include "state.h"

/* All return 0, or -1 with an exception. A value that cannot be sent is not an exception: the request then holds an
 * error detail for its field. */

/* One value, where the request expects a value. */
int encode_value(core_state *state, privy_request *request, PyObject *value);
/* The parameters of an operation: a tuple of their values in the order of its table, or a mapping of them. */
int encode_params(core_state *state, privy_request *request, PyObject *params);
/* The members of a mapping as fields of the request, without values that are `omit`. */
int encode_members(core_state *state, privy_request *request, PyObject *mapping);
/* The names of parameters in a list, without values. */
int encode_keys(core_state *state, privy_request *request, PyObject *names);

#endif
