/* Requests from the arguments of methods, and results from responses. */
#ifndef PRIVY_PYTHON_REQUEST_H
#define PRIVY_PYTHON_REQUEST_H

#include "state.h"

/* The values of a raw request: method, path, params, body, headers. */
#define REQUEST_RAW_COUNT 5

/* The operation of this name. Warns the Python frame `level` steps up if it is deprecated. NULL with an exception. */
const privy_operation *request_operation(PyObject *name, Py_ssize_t level);
/* A request of an operation, not finished yet; `extra` and `headers` may be None. NULL with an exception. */
privy_request *request_new(core_state *state, const privy_operation *operation, PyObject *params, PyObject *extra,
                           PyObject *headers);
/* The same; `omits_nulls`: parameters that are null are not sent. */
privy_request *request_new_row(core_state *state, const privy_operation *operation, PyObject *params, PyObject *extra,
                               PyObject *headers, bool omits_nulls);
/* Checks the headers that the requests of an operation will have. False with an exception. */
bool request_check_headers(core_state *state, const privy_operation *operation, PyObject *headers);
/* A request to any endpoint from REQUEST_RAW_COUNT values, not finished yet. NULL with an exception. */
privy_request *request_new_raw(core_state *state, PyObject *const *values);
/* The result of a call: a page, a record or None; of a raw request (operation NULL) a tuple of status, headers, body
 * and value. */
PyObject *request_result(core_state *state, const privy_operation *operation, privy_response *response);
/* refuse_json(status, body): raises the exception for a response whose body is not JSON. Method of the module. */
PyObject *request_refuse_json(PyObject *module, PyObject *args);
/* refuse_rows(details, total): raises ValidationError for the rows of a bulk run. Method of the module. */
PyObject *request_refuse_rows(PyObject *module, PyObject *args);
/* validate(operation, params, extra, omits_nulls=False): the error details of a request that is not sent. Method of the
 * module. */
PyObject *request_validate(PyObject *module, PyObject *args);
/* check_columns(operation, names): raises ValidationError if rows with these names cannot be requests of the operation.
 * Method of the module. */
PyObject *request_check_columns(PyObject *module, PyObject *args);
/* Whether a function has the right number of arguments; false with TypeError. */
bool request_right_count(Py_ssize_t given, Py_ssize_t wanted);

#endif
