/* Records: one immutable Python type for each table of a response. */
#ifndef PRIVY_PYTHON_RECORD_H
#define PRIVY_PYTHON_RECORD_H

#include "state.h"

/* The record at `index` of the response, which it keeps alive. A new reference, or NULL with an exception. */
PyObject *record_new(core_state *state, privy_response *response, size_t index);
/* The response that holds the record, borrowed from it; NULL with TypeError for what is not a record. */
privy_response *record_response(core_state *state, PyObject *object, const privy_record **record);
/* _load(name, json): unpickles a record. Method of the module. */
PyObject *record_load(PyObject *module, PyObject *args);
/* The fields of the record that its table lacks, as a JSONObject. */
PyObject *record_unknown(core_state *state, privy_response *response, const privy_record *record);
/* The record as one JSON object, as bytes. */
PyObject *record_bytes(const privy_record *record);

/* Creates the Python type of a table and adds it to the module. NULL with an exception. */
PyTypeObject *record_make_type(PyObject *module, const record_type *table);
/* The fields of `object`; the last element has no name. Free it with PyMem_Free. NULL with an exception. */
record_slot *record_slots(const privy_object *object);

#endif
