#include "forward.h"

#define PYDANTIC_MODULE "privy._pydantic"

PyObject *forward(const char *module_name, const char *name, const char *format, ...) {
  PyObject *module = PyImport_ImportModule(module_name);
  PyObject *function = module ? PyObject_GetAttrString(module, name) : NULL;
  va_list values;
  va_start(values, format);
  PyObject *arguments = function ? Py_VaBuildValue(format, values) : NULL;
  va_end(values);
  PyObject *result = arguments ? PyObject_CallObject(function, arguments) : NULL;
  Py_XDECREF(arguments);
  Py_XDECREF(function);
  Py_XDECREF(module);
  return result;
}

PyObject *forward_core_schema(PyObject *type, PyObject *args) {
  PyObject *source, *handler;
  if (!PyArg_ParseTuple(args, "OO:__get_pydantic_core_schema__", &source, &handler)) return NULL;
  return forward(PYDANTIC_MODULE, "schema_of", "(OO)", type, handler);
}

PyObject *forward_json_schema(PyObject *type, PyObject *args) {
  PyObject *schema, *handler;
  if (!PyArg_ParseTuple(args, "OO:__get_pydantic_json_schema__", &schema, &handler)) return NULL;
  return forward(PYDANTIC_MODULE, "json_schema_of", "(OOO)", type, schema, handler);
}
