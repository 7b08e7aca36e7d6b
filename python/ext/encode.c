#include "encode.h"

#include "errors.h"
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

/* UTF-8 of a str, which may be NULL with an exception: in that case, and where it has no UTF-8, other words. */
static const char *words_of(PyObject *text, const char *otherwise) {
  const char *words = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
  if (words) return words;
  PyErr_Clear();
  return otherwise;
}

static PyObject *type_name(walker *w, PyObject *type) {
  return PyObject_GetAttr(type, w->state->names[NAME_TYPE_NAME]);
}

/* Its type and what it says; the type alone when it fails to say anything. Takes over the exception. */
static PyObject *described(walker *w, PyObject *exception) {
  PyObject *name = exception ? type_name(w, (PyObject *)Py_TYPE(exception)) : NULL;
  PyObject *text = name ? PyObject_Str(exception) : NULL;
  if (!text) PyErr_Clear();
  PyObject *all = text && PyUnicode_GetLength(text) > 0 ? PyUnicode_FromFormat("%U: %U", name, text) : Py_XNewRef(name);
  Py_XDECREF(text);
  Py_XDECREF(name);
  Py_XDECREF(exception);
  return all;
}

/* The exception that is set becomes a fault of the value, unless memory ran out or it is no Exception. */
static int refuse_failed(walker *w, PyObject *value) {
  if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) return -1;
  PyObject *error = described(w, errors_caught()), *type = type_name(w, (PyObject *)Py_TYPE(value));
  const char *name = words_of(type, "value");
  privy_request_raised(w->request, name, words_of(error, "an exception"));
  Py_XDECREF(type);
  Py_XDECREF(error);
  return 0;
}

/* A function whose variables have addresses has a frame of its own: the stack protector costs its callers nothing. */
#define APART __attribute__((noinline))

typedef struct utf8 {
  const char *text;
  Py_ssize_t length;
} utf8;

static APART utf8 encoded(PyObject *value) {
  utf8 bytes;
  bytes.text = PyUnicode_AsUTF8AndSize(value, &bytes.length);
  if (!bytes.text && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) PyErr_Clear();
  return bytes;
}

/* The text of a str. NULL when it holds a lone surrogate, or with an exception: check PyErr_Occurred. */
static utf8 text_of(PyObject *value) {
#ifndef Py_LIMITED_API
  if (PyUnicode_IS_COMPACT_ASCII(value)) {
    return (utf8){(const char *)PyUnicode_1BYTE_DATA(value), PyUnicode_GET_LENGTH(value)};
  }
#endif
  return encoded(value);
}

static int walk_string(walker *w, PyObject *value) {
  const utf8 bytes = text_of(value);
  if (bytes.text) {
    privy_request_string(w->request, bytes.text, (size_t)bytes.length);
    return 0;
  }
  return PyErr_Occurred() ? -1 : refuse(w, "must be valid Unicode: it holds a lone surrogate");
}

/* Sends str(value) as a number; the core judges whether it is one. Takes the reference to `text`. */
static int walk_digits(walker *w, PyObject *value, PyObject *text) {
  if (!text) return refuse_failed(w, value);
  const utf8 digits = text_of(text);
  if (digits.text) privy_request_number(w->request, digits.text, (size_t)digits.length);
  Py_DECREF(text);
  if (digits.text || PyErr_Occurred()) return digits.text ? 0 : -1;
  return refuse(w, "is not a number");
}

/* An int beyond 64 bits. */
static int walk_large(walker *w, PyObject *value) {
  PyObject *text = PyNumber_ToBase(value, 10);
  if (text || !PyErr_ExceptionMatches(PyExc_ValueError)) return walk_digits(w, value, text);
  PyErr_Clear();
  return refuse(w, "is a number of too many digits");
}

static APART int walk_integer(walker *w, PyObject *value) {
  int overflow;
  long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow) return walk_large(w, value);
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
    PyObject *item = i < count ? PySequence_GetItem(sequence, i) : NULL;
    if (!item) {
      if (PyErr_Occurred()) result = refuse_failed(w, sequence);
      break;
    }
    result = walk_any(w, item);
    Py_DECREF(item);
  }
  privy_request_end_array(w->request);
  w->depth--;
  return result;
}

/* A number as it is, anything else by the name of its type: only these are short, and run no code of others. */
static PyObject *name_of_key(walker *w, PyObject *key) {
  bool number = PyLong_CheckExact(key) || PyFloat_CheckExact(key) || PyBool_Check(key) || key == Py_None;
  return number ? PyObject_Str(key) : type_name(w, (PyObject *)Py_TYPE(key));
}

/* A key that is no str, or no valid one, is named as well as can be and refused. */
static APART int walk_odd_member(walker *w, PyObject *key) {
  bool is_text = PyUnicode_Check(key);
  if (key == Py_None) {
    privy_request_no_key(w->request, NULL, 0);
    return 0;
  }
  PyObject *shown = is_text ? Py_NewRef(key) : name_of_key(w, key);
  PyObject *bytes = shown ? PyUnicode_AsEncodedString(shown, "utf-8", "backslashreplace") : NULL;
  Py_XDECREF(shown);
  if (!bytes) return -1;
  char *name;
  Py_ssize_t length;
  int result = PyBytes_AsStringAndSize(bytes, &name, &length);
  if (result == 0 && !is_text) privy_request_no_key(w->request, name, (size_t)length);
  if (result == 0 && is_text) {
    privy_request_key(w->request, name, (size_t)length);
    refuse(w, "must have a valid Unicode key: it holds a lone surrogate");
  }
  Py_DECREF(bytes);
  return result;
}

static int walk_member(walker *w, PyObject *key, PyObject *value) {
  if (value == w->state->omit) return 0;
  const utf8 name = PyUnicode_Check(key) ? text_of(key) : (utf8){NULL, 0};
  if (name.text) {
    privy_request_key(w->request, name.text, (size_t)name.length);
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
      PyErr_SetString(PyExc_TypeError, "too many positional values");
      result = -1;
    } else if (given) {
      result = walk_any(w, value);
    }
  }
  return result;
}

/* The items of a mapping, all of them pairs, as a list: a new reference, or NULL with an exception. */
static PyObject *items_of(PyObject *mapping) {
  PyObject *items = PyMapping_Items(mapping);
  for (Py_ssize_t i = 0; items && i < PyList_Size(items); i++) {
    PyObject *item = PyList_GetItem(items, i);
    if (PyTuple_Check(item) && PyTuple_Size(item) == 2) continue;
    PyErr_SetString(PyExc_TypeError, "items() of a mapping must return pairs");
    Py_CLEAR(items);
  }
  return items;
}

/* Takes over the list of pairs. */
static int walk_items(walker *w, PyObject *items) {
  int result = 0;
  for (Py_ssize_t i = 0; result == 0 && i < PyList_Size(items); i++) {
    PyObject *item = PyList_GetItem(items, i);
    result = walk_member(w, PyTuple_GetItem(item, 0), PyTuple_GetItem(item, 1));
  }
  Py_DECREF(items);
  return result;
}

/* The next pair of a dict, as new references; false at its end. */
static bool next_pair(PyObject *dict, Py_ssize_t *at, PyObject **key, PyObject **value) {
  bool found;
  CRITICAL_SECTION_BEGIN(dict);
  found = PyDict_Next(dict, at, key, value);
  if (found) {
    Py_INCREF(*key);
    Py_INCREF(*value);
  }
  STATE_STEP_DONE();
  return found;
}

/* Turning a value into text may run a program's own code, and that may change the dict. */
static APART int walk_dict(walker *w, PyObject *dict) {
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
  PyObject *items = items_of(mapping);
  return items ? walk_items(w, items) : -1;
}

static int walk_mapping(walker *w, PyObject *mapping) {
  if (!enter(w, mapping)) return 0;
  bool plain = PyDict_CheckExact(mapping);
  PyObject *items = plain ? NULL : items_of(mapping);
  int result;
  if (plain || items) {
    privy_request_begin_object(w->request);
    result = plain ? walk_dict(w, mapping) : walk_items(w, items);
    privy_request_end_object(w->request);
  } else {
    result = refuse_failed(w, mapping);
  }
  w->depth--;
  return result;
}

/* ---- what is missing ---- */

/* Not equal to itself, as NaN and NaT. */
static bool is_missing(PyObject *value) {
  PyObject *differs = PyObject_RichCompare(value, value, Py_NE);
  int missing = differs ? PyObject_IsTrue(differs) : 0;
  Py_XDECREF(differs);
  PyErr_Clear();
  return missing > 0;
}

/* ---- instants ---- */

static int send_time(walker *w, PyObject *text) {
  static const char zero[] = "+00:00";
  const size_t tail = sizeof zero - 1;
  char room[64];
  if (!PyUnicode_Check(text)) return refuse(w, "must be a datetime whose isoformat() is text");
  const utf8 given = text_of(text);
  if (!given.text) return PyErr_Occurred() ? -1 : refuse(w, "must be a valid datetime");
  const char *bytes = given.text;
  size_t length = (size_t)given.length;
  if (length > tail && length < sizeof room && memcmp(bytes + length - tail, zero, tail) == 0) {
    length -= tail;
    memcpy(room, bytes, length);
    room[length++] = 'Z';
    bytes = room;
  }
  privy_request_time(w->request, bytes, length);
  return 0;
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

/* The exception that is set says why the datetime has no text. */
static int refuse_time(walker *w, PyObject *value) {
  if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
    PyErr_Clear();
    return refuse(w, "is outside the range of UTC datetimes");
  }
  PyObject *type, *error, *trace;
  PyErr_Fetch(&type, &error, &trace);
  bool missing = is_missing(value);
  PyErr_Restore(type, error, trace);
  if (!missing) return refuse_failed(w, value);
  PyErr_Clear();
  privy_request_missing(w->request, "NaT");
  return 0;
}

static APART int walk_datetime(walker *w, PyObject *value) {
  char told[TIMES_LENGTH];
  size_t length = times_tell(w->state, value, told);
  if (length) {
    privy_request_time(w->request, told, length);
    return 0;
  }
  PyObject *moved = in_utc(w, value);
  PyObject *text = moved ? PyObject_CallMethodObjArgs(moved, w->state->names[NAME_ISOFORMAT], NULL) : NULL;
  int result = text ? send_time(w, text) : refuse_time(w, value);
  Py_XDECREF(moved);
  Py_XDECREF(text);
  return result;
}

static int walk_date(walker *w, PyObject *value) {
  PyObject *text = PyObject_CallMethodObjArgs(value, w->state->names[NAME_ISOFORMAT], NULL);
  if (!text) return refuse_failed(w, value);
  const utf8 bytes = PyUnicode_Check(text) ? text_of(text) : (utf8){NULL, 0};
  if (bytes.text)
    privy_request_date(w->request, bytes.text, (size_t)bytes.length);
  else if (!PyErr_Occurred())
    refuse(w, "must be a date whose isoformat() is text");
  Py_DECREF(text);
  return PyErr_Occurred() ? -1 : 0;
}

/* ---- everything else ---- */

static int refuse_type(walker *w, PyObject *value) {
  PyObject *name = type_name(w, (PyObject *)Py_TYPE(value));
  privy_request_other(w->request, words_of(name, "object"));
  Py_XDECREF(name);
  return 0;
}

/* A value of another library: converted to one that the core has a type for. */
static int walk_foreign(walker *w, PyObject *value) {
  if (!enter(w, value)) return 0;
  PyObject *convert = state_values(w->state);
  PyObject *plain = convert ? PyObject_CallFunctionObjArgs(convert, value, NULL) : NULL;
  int result = 0;
  if (!plain)
    result = refuse_failed(w, value);
  else if (plain == Py_NotImplemented)
    result = refuse_type(w, value);
  else if (PyBytes_Check(plain))
    privy_request_missing(w->request, PyBytes_AsString(plain));
  else
    result = walk_any(w, plain);
  Py_XDECREF(plain);
  w->depth--;
  return result;
}

static int is_a(PyObject *value, PyObject *type) {
  if (type && Py_IS_TYPE(value, (PyTypeObject *)type)) return 1;
  return type ? PyObject_IsInstance(value, type) : -1;
}

static int walk_other(walker *w, PyObject *value) {
  if (PyFloat_CheckExact(value)) return walk_float(w, value);
  int match = is_a(value, state_decimal(w->state));
  if (match) return match < 0 ? refuse_failed(w, value) : walk_digits(w, value, PyObject_Str(value));
  match = is_a(value, state_datetime(w->state));
  if (match) return match < 0 ? refuse_failed(w, value) : walk_datetime(w, value);
  if (PyFloat_Check(value)) return walk_float(w, value);
  match = is_a(value, state_mapping(w->state));
  if (match) return match < 0 ? refuse_failed(w, value) : walk_mapping(w, value);
  match = is_a(value, state_date(w->state));
  if (match) return match < 0 ? refuse_failed(w, value) : walk_date(w, value);
  return walk_foreign(w, value);
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
