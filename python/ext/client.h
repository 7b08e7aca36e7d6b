/* The core's client behind a Python object. */
#ifndef PRIVY_PYTHON_CLIENT_H
#define PRIVY_PYTHON_CLIENT_H

#include "state.h"

/* The client of a Client or of a view of one, kept from being freed until client_release, whoever closes it meanwhile.
 * NULL with an exception when the object is no Client or closed. */
privy_client *client_acquire(core_state *state, PyObject *object);
void client_release(PyObject *object);
/* Whether calls may still be made. Otherwise false with an exception. */
bool client_open(core_state *state, PyObject *object);
/* What takes the events of the client's calls; may be NULL. Borrowed. */
PyObject *client_on_event(PyObject *object);
/* Checks the request, and reports its refusal. 0, or -1 with an exception that tells every fault. */
int client_finish(core_state *state, PyObject *object, privy_request *request);
/* Whether two Clients, or views of them, are one client of the core. */
bool client_is_same(core_state *state, PyObject *one, PyObject *other);
/* The client's own options with those of the OPTIONS_COUNT values that are not None. 0, or -1 with an exception. */
int client_options(core_state *state, PyObject *object, PyObject *const *given, privy_options *options);

#endif
