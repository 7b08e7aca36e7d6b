/* Pages of records. */
#ifndef PRIVY_PYTHON_PAGE_H
#define PRIVY_PYTHON_PAGE_H

#include "state.h"

/* The page that the response holds. A new reference, or NULL with an exception. */
PyObject *page_new(core_state *state, privy_response *response);
/* The records of a page, borrowed, and the answer that holds them in the same order. NULL with an exception when the
 * object is no page that a call gave. */
PyObject *page_records(core_state *state, PyObject *object, const privy_response **response);
/* Reads back what __reduce__ wrote: the records and the JSON of the page's place. Method of the module. */
PyObject *page_load(PyObject *module, PyObject *args);

#endif
