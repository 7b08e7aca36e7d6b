/* The Python type Group, a group of calls, as C code uses it. */
#ifndef PRIVY_PYTHON_GROUP_H
#define PRIVY_PYTHON_GROUP_H

#include "state.h"

/* Locks the group until group_unlock. NULL with an exception when it is in use, closed, or belongs to the parent
 * process. */
privy_group *group_lock(PyObject *object);
void group_unlock(PyObject *object);
/* Calls that start from now on record events, if a receiver wants them. False with an exception. */
bool group_observe(PyObject *object);
/* Stores the current context for the events of a call (by its id; in a bulk run by the index of its row). False with an
 * exception. */
bool group_keep_context(PyObject *object, uint64_t id);
void group_forget_context(PyObject *object, uint64_t id);
/* Drives the calls for at most `seconds`, and no longer than SLICE; negative: polls them without waiting. Runs signal
 * handlers and reports events. False with an exception. */
bool group_drive(PyObject *object, double seconds);
/* Reports the recorded events. False with an exception that must stop the calls. */
bool group_report(PyObject *object);
/* The same from a finalizer: exceptions go to sys.unraisablehook, and the exception that is set stays set. Reports
 * nothing while the interpreter shuts down or a callback runs. */
void group_report_last(PyObject *object);
/* Cancels all calls and closes the group. False with an exception. */
bool group_shut(PyObject *object);

#endif
