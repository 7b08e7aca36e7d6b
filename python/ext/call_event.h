/* The events of calls, for on_event, the logger and OpenTelemetry. */
#ifndef PRIVY_PYTHON_CALL_EVENT_H
#define PRIVY_PYTHON_CALL_EVENT_H

#include "state.h"

/* The receivers of a client besides the logger; each may be NULL. Borrowed. */
typedef struct event_receivers {
  PyObject *on_event;
  PyObject *watch; /* a Watch of privy._otel */
} event_receivers;

/* Whether the program has imported OpenTelemetry; nothing of it is imported otherwise. */
bool event_uses_otel(core_state *state);
/* A Watch for a client; NULL without an exception if it cannot be created. The exception that is set stays set. */
PyObject *event_new_watch(core_state *state, const privy_client *client);
/* The lowest level of events that the receivers or the logger want; PRIVY_LEVEL_OFF when none wants any. False with an
 * exception. */
bool event_wanted(core_state *state, event_receivers receivers, privy_level *least);
/* Reports an event, in `context` unless that is NULL. An Exception of a callback goes to sys.unraisablehook. Any other
 * exception stays set and must stop the call: then false. */
bool event_report(core_state *state, event_receivers receivers, PyObject *context, const privy_trace_event *event);
/* Reports a request that is about to be sent to the Watch, which must not be NULL, and adds the headers that it
 * returns. Exceptions go to sys.unraisablehook; Ctrl-C is raised by the next check for signals. */
void event_send(core_state *state, event_receivers receivers, PyObject *context, const privy_trace_event *event,
                privy_send_headers *headers);
/* Reports that the request is invalid. `row`: its index in a bulk run, or -1. The exception that is set stays set,
 * unless a callback raises one that must stop the call. */
void event_report_refusal(core_state *state, event_receivers receivers, privy_client *client,
                          const privy_request *request, const privy_error *error, int64_t row);
/* Whether this thread is inside a receiver. */
bool event_is_reporting(void);

#endif
