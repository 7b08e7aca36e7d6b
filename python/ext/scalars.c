#include "scalars.h"

#include <string.h>

#include "times.h"

/* ---- text ---- */

#ifndef Py_LIMITED_API
static bool is_ascii(const char *text, size_t length) {
  uint64_t eight, seen = 0;
  if (length < sizeof eight && length >= sizeof(uint32_t)) {
    uint32_t first, last; /* which may overlap */
    memcpy(&first, text, sizeof first);
    memcpy(&last, text + length - sizeof last, sizeof last);
    return !((first | last) & 0x80808080u);
  }
  if (length < sizeof eight) {
    for (size_t i = 0; i < length; i++) seen |= (unsigned char)text[i];
    return seen < 0x80;
  }
  /* The last eight bytes may overlap the ones before. */
  for (size_t i = 0; i < length - sizeof eight; i += sizeof eight) {
    memcpy(&eight, text + i, sizeof eight);
    seen |= eight;
  }
  memcpy(&eight, text + length - sizeof eight, sizeof eight);
  return !((seen | eight) & 0x8080808080808080u);
}

static PyObject *ascii_of(const char *text, size_t length) {
  PyObject *made = PyUnicode_New((Py_ssize_t)length, 127);
  if (made) memcpy(PyUnicode_1BYTE_DATA(made), text, length);
  return made;
}

/* Decodes the character at `*at` and moves `*at` after it. The core has checked that the text is UTF-8. */
static Py_UCS4 next_character(const unsigned char **at) {
  Py_UCS4 lead = *(*at)++;
  if (lead < 0x80) return lead;
  int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  Py_UCS4 character = lead & (0x3Fu >> more);
  for (; more > 0; more--) character = character << 6 | (*(*at)++ & 0x3Fu);
  return character;
}

/* Writes the characters of the text into an array of the type. */
#define WRITE_CHARACTERS(type, made, at, end)                                                                          \
  do {                                                                                                                 \
    type *to = (type *)PyUnicode_DATA(made);                                                                           \
    while ((at) < (end)) *to++ = (type)next_character(&(at));                                                          \
  } while (0)

/* The largest byte says how wide the widest character is: it is the first byte of one. */
static PyObject *characters_of(const char *text, size_t length) {
  const unsigned char *at = (const unsigned char *)text, *end = at + length;
  unsigned char largest = 0;
  Py_ssize_t count = 0;
  for (size_t i = 0; i < length; i++) {
    count += (at[i] & 0xC0) != 0x80;
    if (at[i] > largest) largest = at[i];
  }
  PyObject *made = PyUnicode_New(count, largest < 0xC4 ? 0xFF : largest < 0xF0 ? 0xFFFF : 0x10FFFF);
  if (!made) return NULL;
  switch (PyUnicode_KIND(made)) {
  case PyUnicode_1BYTE_KIND: WRITE_CHARACTERS(Py_UCS1, made, at, end); break;
  case PyUnicode_2BYTE_KIND: WRITE_CHARACTERS(Py_UCS2, made, at, end); break;
  default: WRITE_CHARACTERS(Py_UCS4, made, at, end);
  }
  return made;
}

static PyObject *text_of(const char *text, size_t length) {
  return is_ascii(text, length) ? ascii_of(text, length) : characters_of(text, length);
}
#else
static PyObject *text_of(const char *text, size_t length) {
  return PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "strict");
}
#endif

/* Bytes of a text with escapes that are decoded without memory from the heap. */
#define SHORT_TEXT 256

/* The decoded text is not longer. */
static PyObject *short_text(privy_value value) {
  char bytes[SHORT_TEXT];
  privy_buffer plain = {bytes, 0, sizeof bytes}; /* never grows */
  if (privy_value_decode(value, &plain) != PRIVY_OK) return PyErr_NoMemory();
  return text_of(plain.data, plain.length);
}

PyObject *scalar_text(privy_value value) {
  if (!value.escaped) return text_of(value.text, value.length);
  if (value.length <= SHORT_TEXT) return short_text(value);
  privy_buffer plain = PRIVY_BUFFER_EMPTY;
  PyObject *text;
  if (privy_value_decode(value, &plain) == PRIVY_OK) {
    text = text_of(plain.data ? plain.data : "", plain.length);
  } else {
    text = PyErr_NoMemory();
  }
  privy_buffer_clear(&plain);
  return text;
}

PyObject *scalar_c_string(const char *text) {
  if (!text) return Py_NewRef(Py_None);
  return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

PyObject *scalar_seconds(bool known, double seconds) {
  return known ? PyFloat_FromDouble(seconds) : Py_NewRef(Py_None);
}

/* ---- numbers ---- */

static PyObject *slice_text(privy_value value) {
  return text_of(value.text, value.length);
}

/* type(text), or the text itself when that raises an exception of the class `lenient`. Takes over `text`. */
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

PyObject *scalar_number(core_state *state, privy_value value, privy_kind kind) {
  if (value.integral && kind != PRIVY_KIND_MONEY) return integer_of(state, value);
  privy_buffer buffer = PRIVY_BUFFER_EMPTY;
  privy_value number;
  PyObject *result;
  if (privy_value_number(value, kind, &buffer, &number) != PRIVY_OK) {
    result = PyErr_NoMemory();
  } else if (number.type == PRIVY_ABSENT) {
    result = scalar_text(value);
  } else {
    result = number.integral ? integer_of(state, number) : decimal_of(state, number);
  }
  privy_buffer_clear(&buffer);
  return result;
}

/* ---- times ---- */

PyObject *scalar_time(core_state *state, privy_value value) {
  privy_time at;
  return privy_value_time(value, &at) ? times_make(state, &at) : scalar_text(value);
}
