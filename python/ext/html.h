#ifndef PRIVY_PYTHON_HTML_H
#define PRIVY_PYTHON_HTML_H

#include "state.h"

/* The methods that notebooks call: the module privy._html, imported on first use, makes the HTML. */
PyObject *html_of_record(PyObject *record, PyObject *unused);
PyObject *html_of_page(PyObject *page, PyObject *unused);

#endif
