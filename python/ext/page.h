/* Pages of records. */
#ifndef PRIVY_PYTHON_PAGE_H
#define PRIVY_PYTHON_PAGE_H

#include "state.h"

/* The page that the response holds. A new reference, or NULL with an exception. */
PyObject *page_new(core_state *state, privy_response *response);
/* The response with the records of the page; NULL with TypeError for a page that no call returned. */
privy_response *page_response(core_state *state, PyObject *object);
/* _load_page(records, pagination): unpickles a page. Method of the module. */
PyObject *page_load(PyObject *module, PyObject *args);

#endif
