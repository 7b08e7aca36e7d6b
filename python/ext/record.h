/* Records: one immutable Python type per table of what operations answer. */
#ifndef PRIVY_PYTHON_RECORD_H
#define PRIVY_PYTHON_RECORD_H

#include "state.h"

/* The record at `index` of the response, which it keeps alive. A new reference, or NULL with an exception. */
PyObject *record_new(core_state *state, privy_response *response, size_t index);
/* Reads back what __reduce__ wrote: the type's name and the record's JSON. Method of the module. */
PyObject *record_load(PyObject *module, PyObject *args);
/* What the record holds beyond its table, as a read-only mapping. */
PyObject *record_unknown(core_state *state, privy_response *response, const privy_record *record);
/* The bytes of a record as one JSON object, as bytes. */
PyObject *record_bytes(const privy_record *record);

/* Every answer field of `object`, the last one without a name. To be freed by PyMem_Free; NULL with an exception. */
record_slot *record_slots(const privy_object *object);

#endif
