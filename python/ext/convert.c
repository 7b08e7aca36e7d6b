#include "convert.h"

#include <string.h>

#include "json_object.h"
#include "times.h"

/* ---- text ---- */

#ifndef Py_LIMITED_API
static bool is_ascii(const char *text, size_t length) {
  uint64_t eight, seen = 0;
  if (length < sizeof eight) {
    for (size_t i = 0; i < length; i++) seen |= (unsigned char)text[i];
    return seen < 0x80;
  }
  /* The last eight may overlap those before. */
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

/* The character at `*at`, which is moved behind it. The core has made sure that the text is UTF-8. */
static Py_UCS4 next_character(const unsigned char **at) {
  Py_UCS4 lead = *(*at)++;
  if (lead < 0x80) return lead;
  int more = lead < 0xE0 ? 1 : lead < 0xF0 ? 2 : 3;
  Py_UCS4 character = lead & (0x3Fu >> more);
  for (; more > 0; more--) character = character << 6 | (*(*at)++ & 0x3Fu);
  return character;
}

static PyObject *characters_of(const char *text, size_t length) {
  const unsigned char *at = (const unsigned char *)text, *end = at + length;
  Py_UCS4 largest = 0;
  Py_ssize_t count = 0;
  for (; at < end; count++) {
    Py_UCS4 character = next_character(&at);
    if (character > largest) largest = character;
  }
  PyObject *made = PyUnicode_New(count, largest);
  if (!made) return NULL;
  at = (const unsigned char *)text;
  for (Py_ssize_t i = 0; i < count; i++) {
    PyUnicode_WRITE(PyUnicode_KIND(made), PyUnicode_DATA(made), i, next_character(&at));
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

PyObject *convert_text(privy_value value) {
  if (!value.escaped) return text_of(value.text, value.length);
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

static size_t word_place(const char *text, size_t length) {
  uint64_t head = 0, tail = 0;
  if (length >= sizeof head) {
    memcpy(&head, text, sizeof head);
    memcpy(&tail, text + length - sizeof tail, sizeof tail);
  } else {
    for (size_t i = 0; i < length; i++) head = head << 8 | (unsigned char)text[i];
  }
  uint64_t mixed = (head ^ (tail << 29 | tail >> 35) ^ length) * 0x9E3779B97F4A7C15u;
  return (size_t)(mixed >> 32) % STATE_WORDS;
}

#ifdef Py_GIL_DISABLED
#define LOCK_WORD(word) PyMutex_Lock(&(word)->mutex)
#define UNLOCK_WORD(word) PyMutex_Unlock(&(word)->mutex)
#else
#define LOCK_WORD(word) (void)(word)
#define UNLOCK_WORD(word) (void)(word)
#endif

/* A new reference to the text of a word; NULL without an exception when another stands there. */
static PyObject *known_word(state_word *word, privy_value value) {
  PyObject *text = NULL;
  LOCK_WORD(word);
  if (word->text && word->length == (Py_ssize_t)value.length && memcmp(word->bytes, value.text, value.length) == 0) {
    text = Py_NewRef(word->text);
  }
  UNLOCK_WORD(word);
  return text;
}

static void keep_word(state_word *word, PyObject *text, const char *bytes, Py_ssize_t length) {
  Py_INCREF(text);
  LOCK_WORD(word);
  PyObject *before = word->text;
  word->text = text;
  word->bytes = bytes;
  word->length = length;
  UNLOCK_WORD(word);
  Py_XDECREF(before);
}

PyObject *convert_label(core_state *state, privy_value value) {
  if (value.escaped || value.length > 32) return convert_text(value);
  state_word *word = &state->words[word_place(value.text, value.length)];
  PyObject *text = known_word(word, value);
  if (text) return text;
  text = text_of(value.text, value.length);
  if (!text) return NULL;
  Py_ssize_t length;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
  if (!bytes) {
    Py_DECREF(text);
    return NULL;
  }
  keep_word(word, text, bytes, length);
  return text;
}

void convert_forget(core_state *state) {
  for (size_t i = 0; i < STATE_WORDS; i++) Py_CLEAR(state->words[i].text);
}

PyObject *convert_words(const char *text) {
  if (!text) return Py_NewRef(Py_None);
  return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace");
}

/* ---- numbers ---- */

static PyObject *slice_text(privy_value value) {
  return text_of(value.text, value.length);
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

/* The number that the value is in a field of that kind; what is no number stays the text that it is. */
static PyObject *number_of(core_state *state, privy_value value, privy_kind kind) {
  if (value.integral && kind != PRIVY_KIND_MONEY) return integer_of(state, value);
  privy_buffer room = PRIVY_BUFFER_EMPTY;
  privy_value number;
  PyObject *result;
  if (privy_value_number(value, kind, &room, &number) != PRIVY_OK) {
    result = PyErr_NoMemory();
  } else if (number.type == PRIVY_ABSENT) {
    result = convert_text(value);
  } else {
    result = number.integral ? integer_of(state, number) : decimal_of(state, number);
  }
  privy_buffer_clear(&room);
  return result;
}

/* ---- times ---- */

static PyObject *time_of(core_state *state, privy_value value) {
  privy_time at;
  return privy_value_time(value, &at) ? times_make(state, &at) : convert_text(value);
}

/* ---- containers ---- */

/* `field` is the one whose elements these are, NULL for an array that no table knows. */
static PyObject *element_of(core_state *state, privy_response *response, privy_value item,
                            const privy_field_info *field) {
  if (!field) return convert_any(state, response, item);
  if (field->kind == PRIVY_KIND_STRINGS && item.type == PRIVY_STRING) return convert_label(state, item);
  if (field->kind == PRIVY_KIND_OBJECTS && item.type == PRIVY_OBJECT)
    return members_new(state, response, item, field->object);
  return convert_any(state, response, item);
}

static Py_ssize_t count_left(privy_cursor cursor) {
  Py_ssize_t count = 0;
  privy_value key, item;
  while (privy_cursor_next(&cursor, &key, &item)) count++;
  return count;
}

#define FIRST_PLACES 8

/* The first elements are made before the tuple, whose length is known only behind them: arrays are short. */
static PyObject *array_of(core_state *state, privy_response *response, privy_value value,
                          const privy_field_info *field) {
  PyObject *first[FIRST_PLACES];
  Py_ssize_t made = 0;
  privy_cursor cursor;
  privy_value key, item;
  privy_cursor_init(&cursor, value);
  while (made < FIRST_PLACES && privy_cursor_next(&cursor, &key, &item)) {
    first[made] = element_of(state, response, item, field);
    if (!first[made]) break;
    made++;
  }
  PyObject *tuple = PyErr_Occurred() ? NULL : PyTuple_New(made + count_left(cursor));
  for (Py_ssize_t i = 0; i < made; i++) {
    if (tuple) {
      PyTuple_SetItem(tuple, i, first[i]);
    } else {
      Py_DECREF(first[i]);
    }
  }
  while (tuple && privy_cursor_next(&cursor, &key, &item)) {
    PyObject *element = element_of(state, response, item, field);
    if (!element || PyTuple_SetItem(tuple, made++, element) < 0) Py_CLEAR(tuple);
  }
  return tuple;
}

PyObject *convert_any(core_state *state, privy_response *response, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_ABSENT:
  case PRIVY_NULL: return Py_NewRef(Py_None);
  case PRIVY_FALSE: return Py_NewRef(Py_False);
  case PRIVY_TRUE: return Py_NewRef(Py_True);
  case PRIVY_NUMBER: return number_of(state, value, PRIVY_KIND_ANY);
  case PRIVY_STRING: return convert_text(value);
  case PRIVY_ARRAY: return array_of(state, response, value, NULL);
  case PRIVY_OBJECT: return members_new(state, response, value, NULL);
  }
  PyErr_SetString(PyExc_SystemError, "privy: a value of no known type");
  return NULL;
}

static PyObject *convert_string(core_state *state, const privy_field_info *info, privy_value value) {
  switch (info->kind) {
  case PRIVY_KIND_MONEY: return number_of(state, value, PRIVY_KIND_MONEY);
  case PRIVY_KIND_TIME: return time_of(state, value);
  case PRIVY_KIND_ENUM: return convert_label(state, value);
  default: return convert_text(value);
  }
}

PyObject *convert_field(core_state *state, privy_response *response, const privy_field_info *info, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_STRING: return convert_string(state, info, value);
  case PRIVY_NUMBER: return number_of(state, value, info->kind);
  case PRIVY_OBJECT: return members_new(state, response, value, info->kind == PRIVY_KIND_OBJECT ? info->object : NULL);
  case PRIVY_ARRAY: return array_of(state, response, value, info);
  default: return convert_any(state, response, value);
  }
}
