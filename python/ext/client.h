/* The Python type Client, which owns a client of the core. */
#ifndef PRIVY_PYTHON_CLIENT_H
#define PRIVY_PYTHON_CLIENT_H

#include "call_event.h"
#include "state.h"

/* The core's client of a Client. It is not freed before client_release, even if it is closed meanwhile. NULL with an
 * exception when the object is not a Client, or is closed. */
privy_client *client_acquire(core_state *state, PyObject *object);
void client_release(PyObject *object);
/* Whether the client is open; false with an exception. */
bool client_open(core_state *state, PyObject *object);
/* The receivers of the events of its calls. Creates the Watch if the program has imported OpenTelemetry. */
event_receivers client_receivers(core_state *state, PyObject *object);
/* Whether it has a Watch. Needs no GIL. */
bool client_is_watched(PyObject *object);
/* Checks the request; reports an event if it is invalid. `row`: its index in a bulk run, or -1. 0, or -1 with an
 * exception that has all error details. `*refusal` gets the error of the core for the caller to clear; it may be NULL.
 */
int client_finish(core_state *state, PyObject *object, privy_request *request, int64_t row, privy_error *refusal);
/* Whether a sandbox handles the calls of the client. */
bool client_of_sandbox(PyObject *client);
/* Whether two Clients share one client of the core: with_options creates such Clients. */
bool client_is_same(core_state *state, PyObject *one, PyObject *other);
/* The options of the client, overridden by those of the OPTIONS_COUNT values that are not None. 0, or -1 with an
 * exception. */
int client_options(core_state *state, PyObject *object, PyObject *const *given, privy_options *options);
/* The same for the calls of a long run: without a max_wait among the values that of `options` stays. */
int client_run_options(core_state *state, PyObject *object, PyObject *const *given, privy_options *options);
/* The same for a single call: in a job of a queue it is deferred. */
int client_call_options(core_state *state, PyObject *object, PyObject *const *given, privy_options *options);

#endif
