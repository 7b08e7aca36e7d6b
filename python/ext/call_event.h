/* The events of calls, for on_event and the logger. */
#ifndef PRIVY_PYTHON_CALL_EVENT_H
#define PRIVY_PYTHON_CALL_EVENT_H

#include "state.h"

/* The lowest level of events that `on_event`, which may be NULL, or the logger wants; PRIVY_LEVEL_OFF when neither
 * wants any. False with an exception. */
bool event_wanted(core_state *state, PyObject *on_event, privy_level *least);
/* Reports an event, in `context` unless that is NULL. An Exception of a callback goes to sys.unraisablehook. Any other
 * exception stays set and must stop the call: then false. */
bool event_report(core_state *state, PyObject *on_event, PyObject *context, const privy_trace_event *event);
/* Reports that the request is invalid. The exception that is set stays set, unless a callback raises one that must stop
 * the call. */
void event_report_refusal(core_state *state, PyObject *on_event, privy_client *client, const privy_request *request,
                          const privy_error *error);
/* Whether this thread is inside on_event or a handler of the logger. */
bool event_is_reporting(void);

#endif
