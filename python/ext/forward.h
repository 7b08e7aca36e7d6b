/* Methods that Python modules implement. The modules are imported when a method is called. */
#ifndef PRIVY_PYTHON_FORWARD_H
#define PRIVY_PYTHON_FORWARD_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* Calls the function `name` of a module. `format` builds the arguments, as for Py_BuildValue. NULL with an exception.
 */
PyObject *forward(const char *module_name, const char *name, const char *format, ...);

/* Class methods that pydantic calls: the schema of a type, and its JSON schema. */
PyObject *forward_core_schema(PyObject *type, PyObject *args);
PyObject *forward_json_schema(PyObject *type, PyObject *args);

#define CORE_SCHEMA_DOC "__get_pydantic_core_schema__($type, source, handler, /)\n--\n\nThe schema for pydantic."
#define JSON_SCHEMA_DOC "__get_pydantic_json_schema__($type, schema, handler, /)\n--\n\nThe JSON schema for pydantic."

/* Documentation that several types share, with signatures. */
#define TO_DICT_DOC                                                                                                    \
  "to_dict($self, /, *, json=False)\n--\n\n"                                                                           \
  "A new dict that holds mutable dicts and lists; with json=True the values have JSON types."
#define TO_JSON_DOC "to_json($self, /)\n--\n\nThe text of a JSON object."

#endif
