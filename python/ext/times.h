/* Instants: Python's datetime and the core's times. */
#ifndef PRIVY_PYTHON_TIMES_H
#define PRIVY_PYTHON_TIMES_H

#include "state.h"

/* Room for the longest text that times_tell writes. */
#define TIMES_LENGTH (sizeof "2026-05-12T10:00:00.000000Z" - 1)

/* An aware datetime in UTC. A leap second is told as the second before it, since Python has none. A new reference, or
 * NULL with an exception. */
PyObject *times_make(core_state *state, const privy_time *at);
/* Writes a datetime as its isoformat() has it, but with Z, and returns the length of that. 0: only its own methods can
 * tell it, since it is of another class or zone than datetime and timezone.utc. */
size_t times_tell(core_state *state, PyObject *value, char text[TIMES_LENGTH]);

#endif
