/* Python datetimes from and to times of the core. */
#ifndef PRIVY_PYTHON_TIMES_H
#define PRIVY_PYTHON_TIMES_H

#include "state.h"

/* The longest text that times_write writes. */
#define TIMES_LENGTH (sizeof "2026-05-12T10:00:00.000000Z" - 1)

/* An aware datetime in UTC. A leap second becomes the second before it: Python has none. A new reference, or
 * NULL with an exception. */
PyObject *times_make(core_state *state, const privy_time *at);
/* Writes an exact datetime in timezone.utc as isoformat() does, but with Z. Returns the length of the text; 0 for a
 * datetime of another class or zone, whose own methods must be called. */
size_t times_write(core_state *state, PyObject *value, char text[TIMES_LENGTH]);

#endif
