#include "html.h"

static PyObject *html_by(const char *function, PyObject *object) {
  PyObject *module = PyImport_ImportModule("privy._html");
  PyObject *html = module ? PyObject_CallMethod(module, function, "O", object) : NULL;
  Py_XDECREF(module);
  return html;
}

PyObject *html_of_record(PyObject *record, PyObject *unused) {
  (void)unused;
  return html_by("show_record", record);
}

PyObject *html_of_page(PyObject *page, PyObject *unused) {
  (void)unused;
  return html_by("show_page", page);
}
