/* JSON values of responses as Python objects. All return a new reference, or NULL with an exception. */
#ifndef PRIVY_PYTHON_VALUES_H
#define PRIVY_PYTHON_VALUES_H

#include "state.h"

/*
 * A JSONObject: a read-only mapping whose members are converted on first use. It never refers back to itself, so it
 * takes no part in garbage collection.
 */
typedef struct json_object {
  PyObject_HEAD privy_response *response; /* NULL: created from a dict */
  const privy_object *table;
  privy_value json;
  lazy_slot dict; /* the members */
} json_object;

/* The value of a field, by the kind in its table: str, int, Decimal, bool, aware datetime, tuple, JSONObject or None. A
 * value that does not fit the kind is converted as value_of_json does. Objects hold a reference to the response. */
PyObject *value_of_field(core_state *state, privy_response *response, const privy_field_info *info, privy_value value);
/* Any JSON value: objects become JSONObject, arrays tuple, integral numbers int, other numbers Decimal. */
PyObject *value_of_json(core_state *state, privy_response *response, privy_value value);

/* The JSONObject of an object in the response; `table` has the fields of its members, or is NULL. */
PyObject *json_object_new(core_state *state, privy_response *response, privy_value json, const privy_object *table);
/* A JSONObject with the members of a dict. Takes over `dict`, which may be NULL with an exception. */
PyObject *json_object_from_dict(core_state *state, PyObject *dict);
/* The members of a JSONObject: a borrowed dict that must not be changed; NULL with an exception. */
PyObject *json_object_dict(PyObject *object);

#endif
