/* Failures of the core as exceptions. */
#ifndef PRIVY_PYTHON_ERRORS_H
#define PRIVY_PYTHON_ERRORS_H

#include "state.h"

/* Raises the exception that a failure stands for. `error` may be NULL for statuses that need no words. */
void errors_raise(core_state *state, privy_status status, const privy_error *error);
/* Raises the root class: a setting that cannot be used. */
void errors_refuse(core_state *state, const char *message);
/* Faults as a list of dicts with field and message; NULL with an exception. */
PyObject *errors_details(const privy_details *details);
/* The header fields of an answer that users see as a list of (name, value); NULL with an exception. */
PyObject *errors_headers(const privy_response *response);
/* The exception that is set, which is cleared: a new reference. */
PyObject *errors_caught(void);

#endif
