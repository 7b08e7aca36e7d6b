/* Strings, numbers and times of responses as Python objects. All return a new reference, or NULL with an exception. */
#ifndef PRIVY_PYTHON_SCALARS_H
#define PRIVY_PYTHON_SCALARS_H

#include "state.h"

/* The str of a string value. */
PyObject *scalar_text(privy_value value);
/* The str of a C string, None for NULL. Invalid UTF-8 is replaced. */
PyObject *scalar_c_string(const char *text);
/* A number of seconds, also since 1970; None if it is not known. */
PyObject *scalar_seconds(bool known, double seconds);
/* The int or Decimal of a number in a field of that kind; a str when the value is not a number. */
PyObject *scalar_number(core_state *state, privy_value value, privy_kind kind);
/* The aware datetime of a string value; a str when the value is not a time. */
PyObject *scalar_time(core_state *state, privy_value value);

#endif
