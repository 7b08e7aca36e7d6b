/* The core's group of calls as a Python object, for what drives it from C. */
#ifndef PRIVY_PYTHON_GROUP_H
#define PRIVY_PYTHON_GROUP_H

#include "state.h"

/* The core's group, for this thread alone until group_unlock. NULL with an exception when it may not be used now. */
privy_group *group_lock(PyObject *object);
void group_unlock(PyObject *object);
/* From now on the events of calls that start are kept, if anybody wants them. False with an exception. */
bool group_observe(PyObject *object);
/* Keeps the context variables of this place for the events of a call (by its id; in a bulk run by the index of its
 * row), as long as the group exists or until they are forgotten. False with an exception. */
bool group_keep_context(PyObject *object, uint64_t id);
void group_forget_context(PyObject *object, uint64_t id);
/* Moves all calls on and waits at most `seconds`, and no longer than a slice. Runs signal handlers and reports events.
 * False with an exception. */
bool group_drive(PyObject *object, double seconds);
/* Reports the events that are kept. False with an exception that is to stop everything. */
bool group_report(PyObject *object);
/* The same from a finalizer, which has no caller: what is to stop everything goes to sys.unraisablehook, and an
 * exception that is set stays. Nothing is reported while the interpreter ends, or to a callable from within itself. */
void group_report_last(PyObject *object);
/* Ends all calls and closes the group. False with an exception. */
bool group_shut(PyObject *object);

#endif
