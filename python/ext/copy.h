/* Copies of converted values. All return a new reference, or NULL with an exception. */
#ifndef PRIVY_PYTHON_COPY_H
#define PRIVY_PYTHON_COPY_H

#include "state.h"

/* A mutable copy: each JSONObject becomes a dict, each tuple a list. */
PyObject *copy_plain(const core_state *state, PyObject *value);
/* A copy for repr: each JSONObject becomes a dict, and e-mail addresses and phone numbers in strings are masked. */
PyObject *copy_masked(const core_state *state, PyObject *value);
/* The values of a JSON text: dict, list, str, int, float, bool, None. Takes over `text`, which may be NULL with an
 * exception. */
PyObject *copy_from_json(core_state *state, PyObject *text);

#endif
