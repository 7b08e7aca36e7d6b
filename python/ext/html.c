#include "html.h"

#include "forward.h"

#define HTML_MODULE "privy._html"

PyObject *html_of_record(PyObject *record, PyObject *unused) {
  (void)unused;
  return forward(HTML_MODULE, "show_record", "(O)", record);
}

PyObject *html_of_page(PyObject *page, PyObject *unused) {
  (void)unused;
  return forward(HTML_MODULE, "show_page", "(O)", page);
}
