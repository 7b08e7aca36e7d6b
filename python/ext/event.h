/* The steps of calls, told to whoever wants to know. */
#ifndef PRIVY_PYTHON_EVENT_H
#define PRIVY_PYTHON_EVENT_H

#include "state.h"

/* Whether the steps of a call that starts now are to be told: to `on_event`, which may be NULL, or to the logger. 1 or
 * 0, or -1 with an exception. */
int event_wanted(core_state *state, PyObject *on_event);
/* Tells of a step. An Exception that is raised meanwhile goes to sys.unraisablehook; any other makes this false, with
 * the exception set, and is to stop the call. */
bool event_tell(core_state *state, PyObject *on_event, const privy_event *event);

#endif
