#include "walk.h"

#include "times.h"

/* Far beyond what the core accepts; it only keeps a hostile structure from exhausting the stack. */
#define WALK_DEPTH 200

typedef struct walker {
  core_state *state;
  privy_request *request;
  PyObject *inside[WALK_DEPTH];
  int depth;
} walker;

static int walk_any(walker *w, PyObject *value);

static int refuse(walker *w, const char *message) {
  privy_request_refuse(w->request, message);
  return 0;
}

/* True when the text of a str came out; false: the failure was told (or is an exception: check PyErr_Occurred). */
static bool text_of(PyObject *value, const char **text, Py_ssize_t *length) {
#ifndef Py_LIMITED_API
  if (PyUnicode_IS_COMPACT_ASCII(value)) {
    *text = (const char *)PyUnicode_1BYTE_DATA(value);
    *length = PyUnicode_GET_LENGTH(value);
    return true;
  }
#endif
  *text = PyUnicode_AsUTF8AndSize(value, length);
  if (*text) return true;
  if (PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) PyErr_Clear();
  return false;
}

static int walk_string(walker *w, PyObject *value) {
  const char *text;
  Py_ssize_t length;
  if (text_of(value, &text, &length)) {
    privy_request_string(w->request, text, (size_t)length);
    return 0;
  }
  return PyErr_Occurred() ? -1 : refuse(w, "must be valid Unicode: it holds a lone surrogate");
}

/* Sends str(value) as a number; the core judges whether it is one. Takes the reference to `text`. */
static int walk_digits(walker *w, PyObject *text) {
  const char *digits;
  Py_ssize_t length;
  if (!text) {
    if (!PyErr_ExceptionMatches(PyExc_ValueError)) return -1;
    PyErr_Clear();
    return refuse(w, "is a number of too many digits");
  }
  bool ok = text_of(text, &digits, &length);
  if (ok) privy_request_number(w->request, digits, (size_t)length);
  Py_DECREF(text);
  return ok ? 0 : -1;
}

static int walk_integer(walker *w, PyObject *value) {
  int overflow;
  long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow) return walk_digits(w, PyNumber_ToBase(value, 10));
  if (number == -1 && PyErr_Occurred()) return -1;
  privy_request_integer(w->request, number);
  return 0;
}

static int walk_float(walker *w, PyObject *value) {
  double number = PyFloat_AsDouble(value);
  char *text = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
  if (!text) return -1;
  privy_request_number(w->request, text, strlen(text));
  PyMem_Free(text);
  return 0;
}

/* ---- containers ---- */

static bool enter(walker *w, PyObject *container) {
  for (int i = 0; i < w->depth; i++) {
    if (w->inside[i] == container) {
      refuse(w, "must not contain itself");
      return false;
    }
  }
  if (w->depth == WALK_DEPTH) {
    refuse(w, "is nested too deeply");
    return false;
  }
  w->inside[w->depth++] = container;
  return true;
}

static int walk_sequence(walker *w, PyObject *sequence) {
  if (!enter(w, sequence)) return 0;
  int result = 0;
  privy_request_begin_array(w->request);
  for (Py_ssize_t i = 0; result == 0; i++) {
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0) result = -1;
    if (i >= count) break;
    PyObject *item = PySequence_GetItem(sequence, i);
    result = item ? walk_any(w, item) : -1;
    Py_XDECREF(item);
  }
  privy_request_end_array(w->request);
  w->depth--;
  return result;
}

/* A key that is no str, or no valid one, is named as well as can be and refused. */
static int walk_odd_member(walker *w, PyObject *key) {
  bool is_text = PyUnicode_Check(key);
  PyObject *shown = is_text ? Py_NewRef(key) : PyObject_Str(key);
  PyObject *bytes = shown ? PyUnicode_AsEncodedString(shown, "utf-8", "backslashreplace") : NULL;
  Py_XDECREF(shown);
  if (!bytes) return -1;
  char *name;
  Py_ssize_t length;
  int result = PyBytes_AsStringAndSize(bytes, &name, &length);
  if (result == 0) {
    privy_request_key(w->request, name, (size_t)length);
    refuse(w, is_text ? "must have a valid Unicode key: it holds a lone surrogate" : "must have a key that is a str");
  }
  Py_DECREF(bytes);
  return result;
}

static int walk_member(walker *w, PyObject *key, PyObject *value) {
  const char *name;
  Py_ssize_t length;
  if (value == w->state->omit) return 0;
  if (PyUnicode_Check(key) && text_of(key, &name, &length)) {
    privy_request_key(w->request, name, (size_t)length);
    return walk_any(w, value);
  }
  return PyErr_Occurred() ? -1 : walk_odd_member(w, key);
}

/* The values of the operation's parameters, in the order of its table. */
static int walk_values(walker *w, PyObject *values) {
  int result = 0;
  Py_ssize_t count = PyTuple_Size(values);
  for (Py_ssize_t i = 0; result == 0 && i < count; i++) {
    PyObject *value = PyTuple_GetItem(values, i);
    bool given = value != w->state->omit;
    if (!privy_request_next(w->request, given)) {
      PyErr_SetString(PyExc_TypeError, "there are more values than parameters");
      result = -1;
    } else if (given) {
      result = walk_any(w, value);
    }
  }
  return result;
}

static int walk_item(walker *w, PyObject *item) {
  if (PyTuple_Check(item) && PyTuple_Size(item) == 2) {
    return walk_member(w, PyTuple_GetItem(item, 0), PyTuple_GetItem(item, 1));
  }
  PyErr_SetString(PyExc_TypeError, "items() of a mapping must give pairs");
  return -1;
}

/* The next pair of a dict, as new references; false at its end. */
static bool next_pair(PyObject *dict, Py_ssize_t *at, PyObject **key, PyObject **value) {
  bool found;
  STATE_STEP_OF(dict);
  found = PyDict_Next(dict, at, key, value);
  if (found) {
    Py_INCREF(*key);
    Py_INCREF(*value);
  }
  STATE_STEP_DONE();
  return found;
}

/* Turning a value into text may run a program's own code, and that may change the dict. */
static int walk_dict(walker *w, PyObject *dict) {
  PyObject *key, *value;
  Py_ssize_t at = 0, count = PyDict_Size(dict);
  int result = 0;
  while (result == 0 && next_pair(dict, &at, &key, &value)) {
    result = walk_member(w, key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    if (result < 0 || PyDict_Size(dict) == count) continue;
    PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
    result = -1;
  }
  return result;
}

static int walk_pairs(walker *w, PyObject *mapping) {
  if (PyDict_CheckExact(mapping)) return walk_dict(w, mapping);
  PyObject *items = PyMapping_Items(mapping);
  if (!items) return -1;
  int result = 0;
  for (Py_ssize_t i = 0; result == 0 && i < PyList_Size(items); i++) result = walk_item(w, PyList_GetItem(items, i));
  Py_DECREF(items);
  return result;
}

static int walk_mapping(walker *w, PyObject *mapping) {
  if (!enter(w, mapping)) return 0;
  privy_request_begin_object(w->request);
  int result = walk_pairs(w, mapping);
  privy_request_end_object(w->request);
  w->depth--;
  return result;
}

/* ---- instants ---- */

static int send_time(walker *w, PyObject *text) {
  static const char zero[] = "+00:00";
  const size_t tail = sizeof zero - 1;
  const char *bytes;
  Py_ssize_t size;
  if (!PyUnicode_Check(text)) return refuse(w, "must be a datetime whose isoformat() is text");
  if (!text_of(text, &bytes, &size)) return PyErr_Occurred() ? -1 : refuse(w, "must be a valid datetime");
  size_t length = (size_t)size;
  if (length <= tail || memcmp(bytes + length - tail, zero, tail) != 0) {
    privy_request_string(w->request, bytes, length);
    return 0;
  }
  PyObject *local = PyUnicode_FromStringAndSize(bytes, (Py_ssize_t)(length - tail));
  PyObject *utc = local ? PyUnicode_FromFormat("%UZ", local) : NULL;
  int result = utc ? walk_string(w, utc) : -1;
  Py_XDECREF(local);
  Py_XDECREF(utc);
  return result;
}

/* The same instant in UTC; a naive datetime stays as it is, so that the core sees that it has no zone. */
static PyObject *in_utc(walker *w, PyObject *value) {
  PyObject *offset = PyObject_CallMethodObjArgs(value, w->state->names[NAME_UTCOFFSET], NULL);
  if (!offset) return NULL;
  bool naive = offset == Py_None;
  Py_DECREF(offset);
  if (naive) return Py_NewRef(value);
  PyObject *utc = state_utc(w->state);
  return utc ? PyObject_CallMethodObjArgs(value, w->state->names[NAME_ASTIMEZONE], utc, NULL) : NULL;
}

static int walk_datetime(walker *w, PyObject *value) {
  char told[TIMES_LENGTH];
  size_t length = times_tell(w->state, value, told);
  if (length) {
    privy_request_string(w->request, told, length);
    return 0;
  }
  PyObject *moved = in_utc(w, value);
  if (!moved) {
    if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return -1;
    PyErr_Clear();
    return refuse(w, "must be a datetime that UTC can tell");
  }
  PyObject *text = PyObject_CallMethodObjArgs(moved, w->state->names[NAME_ISOFORMAT], NULL);
  Py_DECREF(moved);
  if (!text) return -1;
  int result = send_time(w, text);
  Py_DECREF(text);
  return result;
}

/* ---- everything else ---- */

static int refuse_type(walker *w, PyObject *value) {
  PyObject *name = PyObject_GetAttr((PyObject *)Py_TYPE(value), w->state->names[NAME_TYPE_NAME]);
  PyObject *message = name ? PyUnicode_FromFormat("must be a str, bool, number, datetime, dict, list, tuple or None, "
                                                  "not %U",
                                                  name)
                           : NULL;
  Py_XDECREF(name);
  if (!message) return -1;
  const char *text;
  Py_ssize_t length;
  if (text_of(message, &text, &length)) {
    refuse(w, text);
  } else if (!PyErr_Occurred()) {
    refuse(w, "must be a value that JSON can tell");
  }
  Py_DECREF(message);
  return PyErr_Occurred() ? -1 : 0;
}

static int walk_index(walker *w, PyObject *value) {
  PyObject *number = PyNumber_Index(value);
  if (!number) return -1;
  int result = walk_integer(w, number);
  Py_DECREF(number);
  return result;
}

static int is_a(PyObject *value, PyObject *type) {
  if (type && Py_IS_TYPE(value, (PyTypeObject *)type)) return 1;
  return type ? PyObject_IsInstance(value, type) : -1;
}

static int walk_other(walker *w, PyObject *value) {
  if (PyFloat_CheckExact(value)) return walk_float(w, value);
  int match = is_a(value, state_decimal(w->state));
  if (match) return match < 0 ? -1 : walk_digits(w, PyObject_Str(value));
  match = is_a(value, state_datetime(w->state));
  if (match) return match < 0 ? -1 : walk_datetime(w, value);
  if (PyFloat_Check(value)) return walk_float(w, value);
  if (PyIndex_Check(value)) return walk_index(w, value);
  match = is_a(value, state_mapping(w->state));
  if (match) return match < 0 ? -1 : walk_mapping(w, value);
  return refuse_type(w, value);
}

static int walk_any(walker *w, PyObject *value) {
  if (PyUnicode_Check(value)) return walk_string(w, value);
  if (PyBool_Check(value)) {
    privy_request_boolean(w->request, value == Py_True);
    return 0;
  }
  if (value == Py_None) {
    privy_request_null(w->request);
    return 0;
  }
  if (PyLong_Check(value)) return walk_integer(w, value);
  if (PyDict_Check(value)) return walk_mapping(w, value);
  if (PyList_Check(value) || PyTuple_Check(value)) return walk_sequence(w, value);
  return walk_other(w, value);
}

static void walker_init(walker *w, core_state *state, privy_request *request) {
  w->state = state;
  w->request = request;
  w->depth = 0;
}

int walk_value(core_state *state, privy_request *request, PyObject *value) {
  walker w;
  walker_init(&w, state, request);
  return walk_any(&w, value);
}

int walk_params(core_state *state, privy_request *request, PyObject *params) {
  walker w;
  walker_init(&w, state, request);
  return PyTuple_CheckExact(params) ? walk_values(&w, params) : walk_pairs(&w, params);
}

int walk_members(core_state *state, privy_request *request, PyObject *mapping) {
  walker w;
  walker_init(&w, state, request);
  return walk_pairs(&w, mapping);
}
