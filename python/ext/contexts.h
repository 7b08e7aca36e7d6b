/* Contexts (of context variables) of the callers, by the ids of their calls. Events are reported in them. */
#ifndef PRIVY_PYTHON_CONTEXTS_H
#define PRIVY_PYTHON_CONTEXTS_H

#include "state.h"

/* Stores a copy of the current context under the id of a call in a dict. False with an exception. */
bool contexts_keep(core_state *state, PyObject *contexts, uint64_t id);
/* The context of the call: a new reference; NULL without an exception when the dict has none. */
PyObject *contexts_find(PyObject *contexts, uint64_t id);
/* Removes the context of the call. */
void contexts_forget(PyObject *contexts, uint64_t id);

#endif
