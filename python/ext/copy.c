#include "copy.h"

#include "values.h"

typedef PyObject *copy_text(PyObject *text);

static PyObject *copy_value(const core_state *state, PyObject *value, copy_text *text);

static int copy_member(const core_state *state, PyObject *members, PyObject *key, PyObject *item, copy_text *text) {
  PyObject *name = text ? text(key) : Py_NewRef(key);
  PyObject *inner = name ? copy_value(state, item, text) : NULL;
  int result = inner ? PyDict_SetItem(members, name, inner) : -1;
  Py_XDECREF(name);
  Py_XDECREF(inner);
  return result;
}

static PyObject *copy_mapping(const core_state *state, PyObject *value, copy_text *text) {
  PyObject *dict = json_object_dict(value);
  PyObject *members = dict ? PyDict_New() : NULL;
  PyObject *key, *item;
  Py_ssize_t at = 0;
  while (members && PyDict_Next(dict, &at, &key, &item)) {
    if (copy_member(state, members, key, item, text) < 0) Py_CLEAR(members);
  }
  return members;
}

static PyObject *copy_tuple(const core_state *state, PyObject *value, copy_text *text) {
  Py_ssize_t count = PyTuple_Size(value);
  PyObject *list = PyList_New(count);
  for (Py_ssize_t i = 0; list && i < count; i++) {
    PyObject *inner = copy_value(state, PyTuple_GetItem(value, i), text);
    if (!inner || PyList_SetItem(list, i, inner) < 0) Py_CLEAR(list);
  }
  if (!list || !text) return list;
  PyObject *tuple = PyList_AsTuple(list); /* repr shows a masked copy in place of the value */
  Py_DECREF(list);
  return tuple;
}

static PyObject *copy_value(const core_state *state, PyObject *value, copy_text *text) {
  if (Py_IS_TYPE(value, state->json_object_type)) return copy_mapping(state, value, text);
  if (PyTuple_CheckExact(value)) return copy_tuple(state, value, text);
  if (text && PyUnicode_Check(value)) return text(value);
  return Py_NewRef(value);
}

PyObject *copy_from_json(core_state *state, PyObject *text) {
  PyObject *reader = text ? state_json_reader(state) : NULL;
  PyObject *value = reader ? PyObject_CallFunctionObjArgs(reader, text, NULL) : NULL;
  Py_XDECREF(text);
  return value;
}

PyObject *copy_plain(const core_state *state, PyObject *value) {
  return copy_value(state, value, NULL);
}

static PyObject *mask_text(PyObject *value) {
  Py_ssize_t length;
  const char *text = PyUnicode_AsUTF8AndSize(value, &length);
  if (!text) return NULL;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  PyObject *masked = NULL;
  if (privy_mask(text, (size_t)length, &out) == PRIVY_OK) {
    masked = PyUnicode_DecodeUTF8(out.data ? out.data : "", (Py_ssize_t)out.length, "strict");
  } else {
    PyErr_NoMemory();
  }
  privy_buffer_clear(&out);
  return masked;
}

PyObject *copy_masked(const core_state *state, PyObject *value) {
  return copy_value(state, value, mask_text);
}
