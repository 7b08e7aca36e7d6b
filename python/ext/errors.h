/* Errors of the core as Python exceptions. */
#ifndef PRIVY_PYTHON_ERRORS_H
#define PRIVY_PYTHON_ERRORS_H

#include "state.h"

/* Raises the exception of a status, unless one is set. `error` may be NULL for statuses without a message. */
void errors_raise(core_state *state, privy_status status, const privy_error *error);
/* Raises PrivyError: a setting or object that cannot be used. */
void errors_refuse(core_state *state, const char *message);
/* Error details as a list of dicts with field and message; NULL with an exception. */
PyObject *errors_details(const privy_details *details);
/* The public header fields of a response as a list of (name, value); NULL with an exception. */
PyObject *errors_headers(const privy_response *response);
/* Clears the exception that is set and returns it: a new reference. */
PyObject *errors_caught(void);

#endif
