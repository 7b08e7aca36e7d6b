/* Requests as users give them, and what their answers become. */
#ifndef PRIVY_PYTHON_REQUEST_H
#define PRIVY_PYTHON_REQUEST_H

#include "state.h"

/* How many Python values make up a raw request: method, path, params, body, headers. */
#define REQUEST_RAW_COUNT 5

/* The operation of this name. A deprecated one warns the Python frame `level` steps up. NULL with an exception. */
const privy_operation *request_operation(PyObject *name, Py_ssize_t level);
/* A request of an operation, not finished yet; `extra` may be None. NULL with an exception. */
privy_request *request_new(core_state *state, const privy_operation *operation, PyObject *params, PyObject *extra);
/* A request to any endpoint, not finished yet, of REQUEST_RAW_COUNT values. NULL with an exception. */
privy_request *request_new_raw(core_state *state, PyObject *const *values);
/* What an answer holds: a page, a record or None; of a raw request (operation NULL) status, headers, body and value. */
PyObject *request_result(core_state *state, const privy_operation *operation, privy_response *response);
/* refuse_json(status, body): raises what stands for an answer whose body is not JSON. Method of the module. */
PyObject *request_refuse_json(PyObject *module, PyObject *args);
/* validate(operation, params, extra): the faults that a call would raise with. Method of the module. */
PyObject *request_refuse_rows(PyObject *module, PyObject *args);
PyObject *request_validate(PyObject *module, PyObject *args);
/* True when a function has as many arguments as it takes; otherwise false with TypeError. */
bool request_right_count(Py_ssize_t given, Py_ssize_t wanted);

#endif
