#include "convert.h"

#include <string.h>

#include "members.h"

/* Copies of converted values: plain mutable ones, and masked ones for repr. */

typedef PyObject *copy_text(PyObject *text);

static PyObject *copy_value(const core_state *state, PyObject *value, copy_text *text);

static PyObject *copy_mapping(const core_state *state, PyObject *value, copy_text *text) {
  PyObject *dict = members_dict(value);
  PyObject *members = dict ? PyDict_Copy(dict) : NULL;
  if (!members) return NULL;
  PyObject *key, *item;
  Py_ssize_t at = 0;
  while (PyDict_Next(members, &at, &key, &item)) {
    PyObject *inner = copy_value(state, item, text);
    int failed = inner ? PyDict_SetItem(members, key, inner) : -1;
    Py_XDECREF(inner);
    if (failed) {
      Py_DECREF(members);
      return NULL;
    }
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
  PyObject *tuple = PyList_AsTuple(list); /* a masked copy is shown as the value that it stands for */
  Py_DECREF(list);
  return tuple;
}

static PyObject *copy_value(const core_state *state, PyObject *value, copy_text *text) {
  if (Py_IS_TYPE(value, state->members_type)) return copy_mapping(state, value, text);
  if (PyTuple_CheckExact(value)) return copy_tuple(state, value, text);
  if (text && PyUnicode_Check(value)) return text(value);
  return Py_NewRef(value);
}

PyObject *convert_read_json(core_state *state, PyObject *text) {
  PyObject *reader = text ? state_json_reader(state) : NULL;
  PyObject *value = reader ? PyObject_CallFunctionObjArgs(reader, text, NULL) : NULL;
  Py_XDECREF(text);
  return value;
}

PyObject *convert_thaw(const core_state *state, PyObject *value) {
  return copy_value(state, value, NULL);
}

static const char *last_at_sign(const char *text, size_t length) {
  for (size_t i = length; i > 0; i--) {
    if (text[i - 1] == '@') return text + i - 1;
  }
  return NULL;
}

/* "+" and some digits, or at least ten digits, with nothing but the punctuation of phone numbers between. */
static bool looks_like_phone(const char *text, size_t length) {
  size_t digits = 0;
  for (size_t i = 0; i < length; i++) {
    if (text[i] >= '0' && text[i] <= '9') {
      digits++;
    } else if (!strchr("+-(). /", text[i]) || !text[i]) {
      return false;
    }
  }
  return digits >= 10 || (digits >= 5 && text[0] == '+');
}

static size_t first_character(const char *text, size_t length) {
  size_t bytes = 1;
  while (bytes < length && ((unsigned char)text[bytes] & 0xC0) == 0x80) bytes++;
  return bytes;
}

static PyObject *mask_email(const char *text, size_t length, const char *at_sign) {
  size_t head = at_sign == text ? 0 : first_character(text, length);
  size_t tail = length - (size_t)(at_sign - text);
  PyObject *start = PyUnicode_DecodeUTF8(text, (Py_ssize_t)head, "strict");
  PyObject *end = PyUnicode_DecodeUTF8(at_sign, (Py_ssize_t)tail, "strict");
  PyObject *masked = start && end ? PyUnicode_FromFormat("%U***%U", start, end) : NULL;
  Py_XDECREF(start);
  Py_XDECREF(end);
  return masked;
}

static PyObject *mask_phone(const char *text, size_t length) {
  size_t head = length > 9 ? 5 : 2;
  char masked[64];
  if (length >= sizeof masked) return PyUnicode_FromString("***");
  memset(masked, '*', length);
  memcpy(masked, text, head);
  memcpy(masked + length - 2, text + length - 2, 2);
  return PyUnicode_FromStringAndSize(masked, (Py_ssize_t)length);
}

static PyObject *mask_text(PyObject *value) {
  Py_ssize_t size;
  const char *text = PyUnicode_AsUTF8AndSize(value, &size);
  if (!text) return NULL;
  size_t length = (size_t)size;
  const char *at_sign = last_at_sign(text, length);
  if (at_sign) return mask_email(text, length, at_sign);
  if (looks_like_phone(text, length)) return mask_phone(text, length);
  return Py_NewRef(value);
}

PyObject *convert_mask(const core_state *state, PyObject *value) {
  return copy_value(state, value, mask_text);
}
