/* Pages of records. */
#ifndef PRIVY_PYTHON_PAGE_H
#define PRIVY_PYTHON_PAGE_H

#include "state.h"

/* The page that the response holds. A new reference, or NULL with an exception. */
PyObject *page_new(core_state *state, privy_response *response);
/* The answer that holds the page's records in their order; NULL with an exception when the object is no page that a
 * call gave. */
const privy_response *page_response(core_state *state, PyObject *object);
/* Reads back what __reduce__ wrote: the records and the JSON of the page's place. Method of the module. */
PyObject *page_load(PyObject *module, PyObject *args);

#endif
