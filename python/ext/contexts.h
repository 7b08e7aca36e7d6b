/* The context variables of the places where calls were made, by the calls' ids: what reports an event runs in them. */
#ifndef PRIVY_PYTHON_CONTEXTS_H
#define PRIVY_PYTHON_CONTEXTS_H

#include "state.h"

/* Keeps a copy of the current context for the call in a dict. False with an exception. */
bool contexts_keep(core_state *state, PyObject *contexts, uint64_t id);
/* The context of the call: a new reference, NULL without an exception when none is kept. */
PyObject *contexts_find(PyObject *contexts, uint64_t id);
/* The call has ended. */
void contexts_forget(PyObject *contexts, uint64_t id);

#endif
