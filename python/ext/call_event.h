/* The events of calls, for on_event and the logger. */
#ifndef PRIVY_PYTHON_CALL_EVENT_H
#define PRIVY_PYTHON_CALL_EVENT_H

#include "state.h"

/* From which level on `on_event`, which may be NULL, or the logger take the events of a call that starts now:
 * PRIVY_LEVEL_OFF when neither does. False with an exception. */
bool event_wanted(core_state *state, PyObject *on_event, privy_level *least);
/* Reports an event, in a context of context variables unless that is NULL. An Exception that is raised meanwhile goes
 * to sys.unraisablehook; any other makes this false, with the exception set, and is to stop the call. */
bool event_report(core_state *state, PyObject *on_event, PyObject *context, const privy_trace_event *event);
/* Reports that the request was refused as `error` says. Keeps the exception that is set, unless what is raised
 * meanwhile is to stop the program. */
void event_report_refusal(core_state *state, PyObject *on_event, privy_client *client, const privy_request *request,
                          const privy_error *error);
/* True while this thread is inside on_event or a handler of the logger. */
bool event_is_reporting(void);

#endif
