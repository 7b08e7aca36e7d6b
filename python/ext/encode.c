#include "encode.h"

#include "errors.h"
#include "times.h"

/* Protects the stack from hostile input. The core accepts far fewer levels. */
#define MAX_DEPTH 200

typedef struct encoder {
  core_state *state;
  privy_request *request;
  PyObject *inside[MAX_DEPTH];
  int depth;
} encoder;

static int encode_any(encoder *self, PyObject *value);

static int refuse(encoder *self, privy_detail_code code, const char *message) {
  privy_request_refuse(self->request, code, message);
  return 0;
}

/* The UTF-8 of a str; `otherwise` when the str has none, or is NULL with an exception. */
static const char *utf8_or(PyObject *text, const char *otherwise) {
  const char *words = text ? PyUnicode_AsUTF8AndSize(text, NULL) : NULL;
  if (words) return words;
  PyErr_Clear();
  return otherwise;
}

static PyObject *type_name(encoder *self, PyObject *type) {
  return PyObject_GetAttr(type, self->state->names[NAME_TYPE_NAME]);
}

/* "Type: message" of an exception; "Type" when it has no message. Takes over the exception. */
static PyObject *described(encoder *self, PyObject *exception) {
  PyObject *name = exception ? type_name(self, (PyObject *)Py_TYPE(exception)) : NULL;
  PyObject *text = name ? PyObject_Str(exception) : NULL;
  if (!text) PyErr_Clear();
  PyObject *all = text && PyUnicode_GetLength(text) > 0 ? PyUnicode_FromFormat("%U: %U", name, text) : Py_XNewRef(name);
  Py_XDECREF(text);
  Py_XDECREF(name);
  Py_XDECREF(exception);
  return all;
}

/* Turns the exception that is set into an error detail of the value; a MemoryError, and what is not an Exception, stays
 * set. */
static int refuse_failed(encoder *self, PyObject *value) {
  if (!PyErr_ExceptionMatches(PyExc_Exception) || PyErr_ExceptionMatches(PyExc_MemoryError)) return -1;
  PyObject *error = described(self, errors_caught()), *type = type_name(self, (PyObject *)Py_TYPE(value));
  const char *name = utf8_or(type, "value");
  privy_request_raised(self->request, name, utf8_or(error, "an exception"));
  Py_XDECREF(type);
  Py_XDECREF(error);
  return 0;
}

/* Keeps variables whose address is taken out of the callers' frames, which then need no stack protector. */
#define NOINLINE __attribute__((noinline))

typedef struct utf8 {
  const char *text;
  Py_ssize_t length;
} utf8;

static NOINLINE utf8 encoded(PyObject *value) {
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

static int encode_string(encoder *self, PyObject *value) {
  const utf8 bytes = text_of(value);
  if (bytes.text) {
    privy_request_string(self->request, bytes.text, (size_t)bytes.length);
    return 0;
  }
  return PyErr_Occurred()
             ? -1
             : refuse(self, PRIVY_CODE_INVALID_ENCODING, "must be valid Unicode: it holds a lone surrogate");
}

/* Encodes str(value) as a number; the core checks it. Takes over `text`, which may be NULL with an exception. */
static int encode_number(encoder *self, PyObject *value, PyObject *text) {
  if (!text) return refuse_failed(self, value);
  const utf8 digits = text_of(text);
  if (digits.text) privy_request_number(self->request, digits.text, (size_t)digits.length);
  Py_DECREF(text);
  if (digits.text || PyErr_Occurred()) return digits.text ? 0 : -1;
  return refuse(self, PRIVY_CODE_NOT_A_NUMBER, "is not a number");
}

/* An int beyond 64 bits. */
static int encode_large(encoder *self, PyObject *value) {
  PyObject *text = PyNumber_ToBase(value, 10);
  if (text || !PyErr_ExceptionMatches(PyExc_ValueError)) return encode_number(self, value, text);
  PyErr_Clear();
  return refuse(self, PRIVY_CODE_TOO_LARGE, "is a number of too many digits");
}

static NOINLINE int encode_integer(encoder *self, PyObject *value) {
  int overflow;
  long long number = PyLong_AsLongLongAndOverflow(value, &overflow);
  if (overflow) return encode_large(self, value);
  if (number == -1 && PyErr_Occurred()) return -1;
  privy_request_integer(self->request, number);
  return 0;
}

static int encode_float(encoder *self, PyObject *value) {
  double number = PyFloat_AsDouble(value);
  char *text = PyOS_double_to_string(number, 'r', 0, Py_DTSF_ADD_DOT_0, NULL);
  if (!text) return -1;
  privy_request_number(self->request, text, strlen(text));
  PyMem_Free(text);
  return 0;
}

/* ---- containers ---- */

static bool push_container(encoder *self, PyObject *container) {
  for (int i = 0; i < self->depth; i++) {
    if (self->inside[i] == container) {
      refuse(self, PRIVY_CODE_CIRCULAR, "must not contain itself");
      return false;
    }
  }
  if (self->depth == MAX_DEPTH) {
    refuse(self, PRIVY_CODE_TOO_DEEP, "is nested too deeply");
    return false;
  }
  self->inside[self->depth++] = container;
  return true;
}

static int encode_sequence(encoder *self, PyObject *sequence) {
  if (!push_container(self, sequence)) return 0;
  int result = 0;
  privy_request_begin_array(self->request);
  for (Py_ssize_t i = 0; result == 0; i++) {
    Py_ssize_t count = PySequence_Size(sequence);
    PyObject *item = i < count ? PySequence_GetItem(sequence, i) : NULL;
    if (!item) {
      if (PyErr_Occurred()) result = refuse_failed(self, sequence);
      break;
    }
    result = encode_any(self, item);
    Py_DECREF(item);
  }
  privy_request_end_array(self->request);
  self->depth--;
  return result;
}

/* What an error message shows of an invalid key: a number, or the name of its type. Neither is long, and neither runs
 * code of the key's class. */
static PyObject *name_of_key(encoder *self, PyObject *key) {
  bool number = PyLong_CheckExact(key) || PyFloat_CheckExact(key) || PyBool_Check(key) || key == Py_None;
  return number ? PyObject_Str(key) : type_name(self, (PyObject *)Py_TYPE(key));
}

/* A key that is not a str, or that has no UTF-8: refuses the member and names its key. */
static NOINLINE int encode_invalid_key(encoder *self, PyObject *key) {
  bool is_text = PyUnicode_Check(key);
  if (key == Py_None) {
    privy_request_no_key(self->request, NULL, 0);
    return 0;
  }
  PyObject *shown = is_text ? Py_NewRef(key) : name_of_key(self, key);
  PyObject *bytes = shown ? PyUnicode_AsEncodedString(shown, "utf-8", "backslashreplace") : NULL;
  Py_XDECREF(shown);
  if (!bytes) return -1;
  char *name;
  Py_ssize_t length;
  int result = PyBytes_AsStringAndSize(bytes, &name, &length);
  if (result == 0 && !is_text) privy_request_no_key(self->request, name, (size_t)length);
  if (result == 0 && is_text) {
    privy_request_key(self->request, name, (size_t)length);
    refuse(self, PRIVY_CODE_INVALID_ENCODING, "must have a valid Unicode key: it holds a lone surrogate");
  }
  Py_DECREF(bytes);
  return result;
}

/* 1 if a value may follow; 0 if the key is invalid; -1 with an exception. */
static int encode_key(encoder *self, PyObject *key) {
  const utf8 name = PyUnicode_Check(key) ? text_of(key) : (utf8){NULL, 0};
  if (name.text) {
    privy_request_key(self->request, name.text, (size_t)name.length);
    return 1;
  }
  return PyErr_Occurred() ? -1 : encode_invalid_key(self, key);
}

static int encode_member(encoder *self, PyObject *key, PyObject *value) {
  if (value == self->state->omit) return 0;
  const int named = encode_key(self, key);
  return named > 0 ? encode_any(self, value) : named;
}

/* Values of an operation's parameters, in the order of its table. */
static int encode_positional(encoder *self, PyObject *values) {
  int result = 0;
  Py_ssize_t count = PyTuple_Size(values);
  for (Py_ssize_t i = 0; result == 0 && i < count; i++) {
    PyObject *value = PyTuple_GetItem(values, i);
    bool given = value != self->state->omit;
    if (!privy_request_next(self->request, given)) {
      PyErr_SetString(PyExc_TypeError, "too many positional values");
      result = -1;
    } else if (given) {
      result = encode_any(self, value);
    }
  }
  return result;
}

/* The items of a mapping as a list of pairs: a new reference; NULL with an exception. */
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
static int encode_items(encoder *self, PyObject *items) {
  int result = 0;
  for (Py_ssize_t i = 0; result == 0 && i < PyList_Size(items); i++) {
    PyObject *item = PyList_GetItem(items, i);
    result = encode_member(self, PyTuple_GetItem(item, 0), PyTuple_GetItem(item, 1));
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
  CRITICAL_SECTION_END();
  return found;
}

static Py_ssize_t size_of(PyObject *dict) {
#ifndef Py_LIMITED_API
  return PyDict_GET_SIZE(dict);
#else
  return PyDict_Size(dict);
#endif
}

/* Encoding a value may run user code, which may change the dict. */
static NOINLINE int encode_dict(encoder *self, PyObject *dict) {
  PyObject *key, *value;
  Py_ssize_t at = 0, count = size_of(dict);
  int result = 0;
  while (result == 0 && next_pair(dict, &at, &key, &value)) {
    result = encode_member(self, key, value);
    Py_DECREF(key);
    Py_DECREF(value);
    if (result < 0 || size_of(dict) == count) continue;
    PyErr_SetString(PyExc_RuntimeError, "dictionary changed size during iteration");
    result = -1;
  }
  return result;
}

static int encode_pairs(encoder *self, PyObject *mapping) {
  if (PyDict_CheckExact(mapping)) return encode_dict(self, mapping);
  PyObject *items = items_of(mapping);
  return items ? encode_items(self, items) : -1;
}

static int encode_mapping(encoder *self, PyObject *mapping) {
  if (!push_container(self, mapping)) return 0;
  bool plain = PyDict_CheckExact(mapping);
  PyObject *items = plain ? NULL : items_of(mapping);
  int result;
  if (plain || items) {
    privy_request_begin_object(self->request);
    result = plain ? encode_dict(self, mapping) : encode_items(self, items);
    privy_request_end_object(self->request);
  } else {
    result = refuse_failed(self, mapping);
  }
  self->depth--;
  return result;
}

/* ---- missing values ---- */

/* True for a value that is not equal to itself, such as NaN and NaT. */
static bool is_missing(PyObject *value) {
  PyObject *differs = PyObject_RichCompare(value, value, Py_NE);
  int missing = differs ? PyObject_IsTrue(differs) : 0;
  Py_XDECREF(differs);
  PyErr_Clear();
  return missing > 0;
}

/* ---- times ---- */

static int send_time(encoder *self, PyObject *text) {
  static const char zero[] = "+00:00";
  const size_t tail = sizeof zero - 1;
  char buffer[64];
  if (!PyUnicode_Check(text))
    return refuse(self, PRIVY_CODE_CONVERSION_FAILED, "must be a datetime whose isoformat() is text");
  const utf8 given = text_of(text);
  if (!given.text) return PyErr_Occurred() ? -1 : refuse(self, PRIVY_CODE_INVALID_TIME, "must be a valid datetime");
  const char *bytes = given.text;
  size_t length = (size_t)given.length;
  if (length > tail && length < sizeof buffer && memcmp(bytes + length - tail, zero, tail) == 0) {
    length -= tail;
    memcpy(buffer, bytes, length);
    buffer[length++] = 'Z';
    bytes = buffer;
  }
  privy_request_time(self->request, bytes, length);
  return 0;
}

/* The same time in UTC; a naive datetime as it is, which the core refuses. */
static PyObject *in_utc(encoder *self, PyObject *value) {
  PyObject *offset = PyObject_CallMethodObjArgs(value, self->state->names[NAME_UTCOFFSET], NULL);
  if (!offset) return NULL;
  bool naive = offset == Py_None;
  Py_DECREF(offset);
  if (naive) return Py_NewRef(value);
  PyObject *utc = state_utc(self->state);
  return utc ? PyObject_CallMethodObjArgs(value, self->state->names[NAME_ASTIMEZONE], utc, NULL) : NULL;
}

/* Refuses a datetime that has no text, with the exception that is set. */
static int refuse_time(encoder *self, PyObject *value) {
  if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
    PyErr_Clear();
    return refuse(self, PRIVY_CODE_INVALID_TIME, "is outside the range of UTC datetimes");
  }
  PyObject *type, *error, *trace;
  PyErr_Fetch(&type, &error, &trace);
  bool missing = is_missing(value);
  PyErr_Restore(type, error, trace);
  if (!missing) return refuse_failed(self, value);
  PyErr_Clear();
  privy_request_missing(self->request, "NaT");
  return 0;
}

static NOINLINE int encode_datetime(encoder *self, PyObject *value) {
  char utc[TIMES_LENGTH];
  size_t length = times_write(self->state, value, utc);
  if (length) {
    privy_request_time(self->request, utc, length);
    return 0;
  }
  PyObject *moved = in_utc(self, value);
  PyObject *text = moved ? PyObject_CallMethodObjArgs(moved, self->state->names[NAME_ISOFORMAT], NULL) : NULL;
  int result = text ? send_time(self, text) : refuse_time(self, value);
  Py_XDECREF(moved);
  Py_XDECREF(text);
  return result;
}

static int encode_date(encoder *self, PyObject *value) {
  PyObject *text = PyObject_CallMethodObjArgs(value, self->state->names[NAME_ISOFORMAT], NULL);
  if (!text) return refuse_failed(self, value);
  const utf8 bytes = PyUnicode_Check(text) ? text_of(text) : (utf8){NULL, 0};
  if (bytes.text)
    privy_request_date(self->request, bytes.text, (size_t)bytes.length);
  else if (!PyErr_Occurred())
    refuse(self, PRIVY_CODE_CONVERSION_FAILED, "must be a date whose isoformat() is text");
  Py_DECREF(text);
  return PyErr_Occurred() ? -1 : 0;
}

/* ---- other types ---- */

static int refuse_type(encoder *self, PyObject *value) {
  PyObject *name = type_name(self, (PyObject *)Py_TYPE(value));
  privy_request_other(self->request, utf8_or(name, "object"));
  Py_XDECREF(name);
  return 0;
}

/* A value of a third-party type, such as numpy.int64: converted to a plain Python value first. */
static int encode_foreign(encoder *self, PyObject *value) {
  if (!push_container(self, value)) return 0;
  PyObject *convert = state_values(self->state);
  PyObject *plain = convert ? PyObject_CallFunctionObjArgs(convert, value, NULL) : NULL;
  int result = 0;
  if (!plain)
    result = refuse_failed(self, value);
  else if (plain == Py_NotImplemented)
    result = refuse_type(self, value);
  else if (PyBytes_Check(plain))
    privy_request_missing(self->request, PyBytes_AsString(plain));
  else
    result = encode_any(self, plain);
  Py_XDECREF(plain);
  self->depth--;
  return result;
}

static int is_a(PyObject *value, PyObject *type) {
  if (type && Py_IS_TYPE(value, (PyTypeObject *)type)) return 1;
  return type ? PyObject_IsInstance(value, type) : -1;
}

static int encode_other(encoder *self, PyObject *value) {
  if (PyFloat_CheckExact(value)) return encode_float(self, value);
  int match = is_a(value, state_decimal(self->state));
  if (match) return match < 0 ? refuse_failed(self, value) : encode_number(self, value, PyObject_Str(value));
  match = is_a(value, state_datetime(self->state));
  if (match) return match < 0 ? refuse_failed(self, value) : encode_datetime(self, value);
  if (PyFloat_Check(value)) return encode_float(self, value);
  match = is_a(value, state_mapping(self->state));
  if (match) return match < 0 ? refuse_failed(self, value) : encode_mapping(self, value);
  match = is_a(value, state_date(self->state));
  if (match) return match < 0 ? refuse_failed(self, value) : encode_date(self, value);
  return encode_foreign(self, value);
}

static int encode_any(encoder *self, PyObject *value) {
  if (PyUnicode_Check(value)) return encode_string(self, value);
  if (PyBool_Check(value)) {
    privy_request_boolean(self->request, value == Py_True);
    return 0;
  }
  if (value == Py_None) {
    privy_request_null(self->request);
    return 0;
  }
  if (PyLong_Check(value)) return encode_integer(self, value);
  if (PyDict_Check(value)) return encode_mapping(self, value);
  if (PyList_Check(value) || PyTuple_Check(value)) return encode_sequence(self, value);
  return encode_other(self, value);
}

static void encoder_init(encoder *self, core_state *state, privy_request *request) {
  self->state = state;
  self->request = request;
  self->depth = 0;
}

int encode_value(core_state *state, privy_request *request, PyObject *value) {
  encoder self;
  encoder_init(&self, state, request);
  return encode_any(&self, value);
}

int encode_params(core_state *state, privy_request *request, PyObject *params) {
  encoder self;
  encoder_init(&self, state, request);
  return PyTuple_CheckExact(params) ? encode_positional(&self, params) : encode_pairs(&self, params);
}

int encode_members(core_state *state, privy_request *request, PyObject *mapping) {
  encoder self;
  encoder_init(&self, state, request);
  return encode_pairs(&self, mapping);
}

int encode_keys(core_state *state, privy_request *request, PyObject *names) {
  encoder self;
  encoder_init(&self, state, request);
  int result = 0;
  for (Py_ssize_t i = 0; result >= 0 && i < PyList_Size(names); i++)
    result = encode_key(&self, PyList_GetItem(names, i));
  return result < 0 ? -1 : 0;
}
