#include "convert.h"

#include <string.h>

PyObject *convert_text(privy_value value) {
  if (!value.escaped) return PyUnicode_DecodeUTF8(value.text, (Py_ssize_t)value.length, "strict");
  privy_buffer plain = PRIVY_BUFFER_EMPTY;
  PyObject *text;
  if (privy_value_decode(value, &plain) == PRIVY_OK) {
    text = PyUnicode_DecodeUTF8(plain.data ? plain.data : "", (Py_ssize_t)plain.length, "strict");
  } else {
    text = PyErr_NoMemory();
  }
  privy_buffer_clear(&plain);
  return text;
}

PyObject *convert_words(const char *text) {
  if (!text) return Py_NewRef(Py_None);
  return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

static PyObject *slice_text(privy_value value) {
  return PyUnicode_DecodeUTF8(value.text, (Py_ssize_t)value.length, "strict");
}

/* Calls type(text); a refusal of the kind `lenient` gives the text itself. */
static PyObject *call_or_text(PyObject *type, PyObject *text, PyObject *lenient) {
  if (!type || !text) {
    Py_XDECREF(text);
    return NULL;
  }
  PyObject *value = PyObject_CallFunctionObjArgs(type, text, NULL);
  if (!value && PyErr_ExceptionMatches(lenient)) {
    PyErr_Clear();
    return text;
  }
  Py_DECREF(text);
  return value;
}

static PyObject *decimal_of(core_state *state, privy_value value) {
  return call_or_text(state_decimal(state), slice_text(value), PyExc_ArithmeticError);
}

static PyObject *integer_of(core_state *state, privy_value value) {
  if (value.length > 18) {
    PyObject *number = call_or_text((PyObject *)&PyLong_Type, slice_text(value), PyExc_ValueError);
    if (!number || !PyUnicode_Check(number)) return number;
    Py_DECREF(number);
    return decimal_of(state, value);
  }
  bool negative = value.length > 0 && value.text[0] == '-';
  long long number = 0;
  for (uint32_t i = negative ? 1 : 0; i < value.length; i++) number = number * 10 + (value.text[i] - '0');
  return PyLong_FromLongLong(negative ? -number : number);
}

static PyObject *number_of(core_state *state, privy_value value) {
  return value.integral ? integer_of(state, value) : decimal_of(state, value);
}

/* A string that holds a number, as Decimal; any other string as it is. */
static PyObject *money_of(core_state *state, privy_value value) {
  PyObject *text = convert_text(value);
  if (!text) return NULL;
  Py_ssize_t length;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
  if (!bytes) {
    Py_DECREF(text);
    return NULL;
  }
  privy_error error;
  privy_error_init(&error);
  privy_value inner = {0};
  privy_status status = privy_value_parse(bytes, (size_t)length, &inner, &error);
  privy_error_clear(&error);
  if (status == PRIVY_NO_MEMORY) {
    Py_DECREF(text);
    return PyErr_NoMemory();
  }
  if (status != PRIVY_OK || inner.type != PRIVY_NUMBER) return text;
  return call_or_text(state_decimal(state), text, PyExc_ArithmeticError);
}

static PyObject *time_of(core_state *state, privy_value value) {
  PyObject *text = convert_text(value);
  if (!text) return NULL;
  Py_ssize_t length;
  privy_time at;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
  if (!bytes) {
    Py_DECREF(text);
    return NULL;
  }
  if (!privy_time_parse(bytes, (size_t)length, &at)) return text;
  Py_DECREF(text);
  PyObject *type = state_datetime(state);
  PyObject *utc = state_utc(state);
  if (!type || !utc) return NULL;
  return PyObject_CallFunction(type, "iiiiiiiO", (int)at.year, at.month, at.day, at.hour, at.minute,
                               at.second > 59 ? 59 : at.second, (int)(at.nanos / 1000), utc);
}

static PyObject *choice_of(const privy_field_info *info, privy_value value) {
  if (value.choice > 0) {
    const char *known = privy_enum_value(info->choices, value.choice - 1u);
    if (known) return PyUnicode_InternFromString(known);
  }
  return convert_text(value);
}

static PyObject *array_of(core_state *state, privy_value value, const privy_field_info *element);

static PyObject *member_key(const privy_object *object, privy_value key, privy_field_info *info, bool *known) {
  PyObject *text = convert_text(key);
  if (!text || !object) return text;
  Py_ssize_t length;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
  if (!bytes) {
    Py_DECREF(text);
    return NULL;
  }
  int index = privy_object_index(object, bytes, (size_t)length);
  *known = index >= 0 && privy_object_field(object, (size_t)index, info);
  if (!*known) return text;
  Py_DECREF(text);
  return PyUnicode_InternFromString(info->name);
}

static PyObject *object_of(core_state *state, privy_value value, const privy_object *object) {
  PyObject *members = PyDict_New();
  if (!members) return NULL;
  privy_cursor cursor;
  privy_value key, item;
  privy_cursor_init(&cursor, value);
  while (privy_cursor_next(&cursor, &key, &item)) {
    privy_field_info info;
    bool known = false;
    PyObject *name = member_key(object, key, &info, &known);
    PyObject *inner = !name ? NULL : known ? convert_field(state, &info, item) : convert_any(state, item);
    int failed = inner ? PyDict_SetItem(members, name, inner) : -1;
    Py_XDECREF(name);
    Py_XDECREF(inner);
    if (failed) {
      Py_DECREF(members);
      return NULL;
    }
  }
  PyObject *proxy = PyDictProxy_New(members);
  Py_DECREF(members);
  return proxy;
}

static PyObject *array_of(core_state *state, privy_value value, const privy_field_info *element) {
  PyObject *list = PyList_New(0);
  if (!list) return NULL;
  privy_cursor cursor;
  privy_value key, item;
  privy_cursor_init(&cursor, value);
  while (privy_cursor_next(&cursor, &key, &item)) {
    PyObject *inner =
        element && item.type == PRIVY_OBJECT ? object_of(state, item, element->object) : convert_any(state, item);
    int failed = inner ? PyList_Append(list, inner) : -1;
    Py_XDECREF(inner);
    if (failed) {
      Py_DECREF(list);
      return NULL;
    }
  }
  PyObject *tuple = PyList_AsTuple(list);
  Py_DECREF(list);
  return tuple;
}

PyObject *convert_any(core_state *state, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_ABSENT:
  case PRIVY_NULL: return Py_NewRef(Py_None);
  case PRIVY_FALSE: return Py_NewRef(Py_False);
  case PRIVY_TRUE: return Py_NewRef(Py_True);
  case PRIVY_NUMBER: return number_of(state, value);
  case PRIVY_STRING: return convert_text(value);
  case PRIVY_ARRAY: return array_of(state, value, NULL);
  case PRIVY_OBJECT: return object_of(state, value, NULL);
  }
  PyErr_SetString(PyExc_SystemError, "privy: a value of no known type");
  return NULL;
}

static PyObject *convert_string(core_state *state, const privy_field_info *info, privy_value value) {
  switch (info->kind) {
  case PRIVY_KIND_MONEY: return money_of(state, value);
  case PRIVY_KIND_TIME: return time_of(state, value);
  case PRIVY_KIND_ENUM: return choice_of(info, value);
  default: return convert_text(value);
  }
}

static PyObject *convert_number(core_state *state, const privy_field_info *info, privy_value value) {
  switch (info->kind) {
  case PRIVY_KIND_MONEY: return decimal_of(state, value);
  case PRIVY_KIND_INTEGER:
  case PRIVY_KIND_ORDER_ID: return value.integral ? integer_of(state, value) : slice_text(value);
  default: return number_of(state, value);
  }
}

PyObject *convert_field(core_state *state, const privy_field_info *info, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_STRING: return convert_string(state, info, value);
  case PRIVY_NUMBER: return convert_number(state, info, value);
  case PRIVY_OBJECT: return object_of(state, value, info->kind == PRIVY_KIND_OBJECT ? info->object : NULL);
  case PRIVY_ARRAY: return array_of(state, value, info->kind == PRIVY_KIND_OBJECTS ? info : NULL);
  default: return convert_any(state, value);
  }
}
