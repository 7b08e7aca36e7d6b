/* JSON objects as read-only mappings. */
#ifndef PRIVY_PYTHON_JSON_OBJECT_H
#define PRIVY_PYTHON_JSON_OBJECT_H

#include "state.h"

/* The object `json`, which lies in the response and keeps it alive; `table` names the fields among its members, NULL:
 * none does. JSONObject are made when they are first looked into. A new reference, or NULL with an exception. */
PyObject *members_new(core_state *state, privy_response *response, privy_value json, const privy_object *table);
/* The same around a dict, whose reference it takes over. NULL with an exception, also when `dict` is NULL. */
PyObject *members_of(core_state *state, PyObject *dict);
/* The members of such a mapping: a borrowed dict that nobody may change, NULL with an exception. */
PyObject *members_dict(PyObject *members);

#endif
