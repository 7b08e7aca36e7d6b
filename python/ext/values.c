#include "values.h"

#include "labels.h"
#include "scalars.h"

/* ---- containers ---- */

/* An element of an array; `field` is the field of the array, NULL when no table has it. */
static PyObject *element_of(core_state *state, privy_response *response, privy_value item,
                            const privy_field_info *field) {
  if (!field) return value_of_json(state, response, item);
  if (field->kind == PRIVY_KIND_STRINGS && item.type == PRIVY_STRING) return label_text(state->labels, item);
  if (field->kind == PRIVY_KIND_OBJECTS && item.type == PRIVY_OBJECT)
    return json_object_new(state, response, item, field->object);
  return value_of_json(state, response, item);
}

static Py_ssize_t count_left(privy_cursor cursor) {
  Py_ssize_t count = 0;
  privy_value key, item;
  while (privy_cursor_next(&cursor, &key, &item)) count++;
  return count;
}

#define FIRST_ELEMENTS 8

/* Arrays are short: the first elements are converted before the rest is counted, so that most are read once. */
static PyObject *array_of(core_state *state, privy_response *response, privy_value value,
                          const privy_field_info *field) {
  PyObject *first[FIRST_ELEMENTS];
  Py_ssize_t made = 0;
  privy_cursor cursor;
  privy_value key, item;
  privy_cursor_init(&cursor, value);
  while (made < FIRST_ELEMENTS && privy_cursor_next(&cursor, &key, &item)) {
    first[made] = element_of(state, response, item, field);
    if (!first[made]) break;
    made++;
  }
  PyObject *tuple = PyErr_Occurred() ? NULL : PyTuple_New(made + count_left(cursor));
  for (Py_ssize_t i = 0; i < made; i++) {
    if (tuple) {
      state_set_element(tuple, i, first[i]);
    } else {
      Py_DECREF(first[i]);
    }
  }
  while (tuple && privy_cursor_next(&cursor, &key, &item)) {
    PyObject *element = element_of(state, response, item, field);
    if (element)
      state_set_element(tuple, made++, element);
    else
      Py_CLEAR(tuple);
  }
  return tuple;
}

PyObject *value_of_json(core_state *state, privy_response *response, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_ABSENT:
  case PRIVY_NULL: return Py_NewRef(Py_None);
  case PRIVY_FALSE: return Py_NewRef(Py_False);
  case PRIVY_TRUE: return Py_NewRef(Py_True);
  case PRIVY_NUMBER:
    return value.integral ? scalar_number(state, value, PRIVY_KIND_ANY) : label_number(state->numbers, state, value);
  case PRIVY_STRING: return label_text(state->texts, value);
  case PRIVY_ARRAY: return array_of(state, response, value, NULL);
  case PRIVY_OBJECT: return json_object_new(state, response, value, NULL);
  }
  PyErr_SetString(PyExc_SystemError, "privy: unknown type of JSON value");
  return NULL;
}

static PyObject *value_of_string(core_state *state, const privy_field_info *info, privy_value value) {
  switch (info->kind) {
  case PRIVY_KIND_MONEY: return scalar_number(state, value, PRIVY_KIND_MONEY);
  case PRIVY_KIND_TIME: return scalar_time(state, value);
  case PRIVY_KIND_ENUM: return label_text(state->labels, value);
  default: return scalar_text(value);
  }
}

PyObject *value_of_field(core_state *state, privy_response *response, const privy_field_info *info, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_STRING: return value_of_string(state, info, value);
  case PRIVY_NUMBER: return scalar_number(state, value, info->kind);
  case PRIVY_OBJECT:
    return json_object_new(state, response, value, info->kind == PRIVY_KIND_OBJECT ? info->object : NULL);
  case PRIVY_ARRAY: return array_of(state, response, value, info);
  default: return value_of_json(state, response, value);
  }
}

/* ---- objects ---- */

static PyObject *member_name(core_state *state, const privy_object *table, privy_value key, privy_field_info *info,
                             bool *known) {
  *known = false;
  PyObject *text = label_text(state->labels, key);
  if (!text || !table) return text;
  Py_ssize_t length;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
  int index = bytes ? privy_object_index(table, bytes, (size_t)length) : -1;
  *known = index >= 0 && privy_object_field(table, (size_t)index, info);
  if (bytes && !*known) return text;
  Py_DECREF(text);
  return bytes ? PyUnicode_InternFromString(info->name) : NULL;
}

static int read_member(const json_object *self, core_state *state, PyObject *dict, privy_value key, privy_value item) {
  privy_field_info info;
  bool known;
  PyObject *name = member_name(state, self->table, key, &info, &known);
  PyObject *value = !name   ? NULL
                    : known ? value_of_field(state, self->response, &info, item)
                            : value_of_json(state, self->response, item);
  int result = value ? PyDict_SetItem(dict, name, value) : -1;
  Py_XDECREF(name);
  Py_XDECREF(value);
  return result;
}

static PyObject *empty_dict(core_state *state) {
  PyObject *cached = lazy_get(&state->empty);
  return Py_XNewRef(cached ? cached : lazy_set(&state->empty, PyDict_New()));
}

static PyObject *read_members(const json_object *self, core_state *state) {
  if (self->json.length <= 2) return empty_dict(state);
  PyObject *dict = PyDict_New();
  privy_cursor cursor;
  privy_value key, item;
  privy_cursor_init(&cursor, self->json);
  while (dict && privy_cursor_next(&cursor, &key, &item)) {
    if (read_member(self, state, dict, key, item) < 0) Py_CLEAR(dict);
  }
  return dict;
}

PyObject *json_object_dict(PyObject *object) {
  json_object *self = (json_object *)object;
  PyObject *cached = lazy_get(&self->dict);
  return cached ? cached : lazy_set(&self->dict, read_members(self, state_of_object(object)));
}

PyObject *json_object_new(core_state *state, privy_response *response, privy_value json, const privy_object *table) {
  json_object *self = (json_object *)PyType_GenericAlloc(state->json_object_type, 0);
  if (!self) return NULL;
  self->response = privy_response_retain(response);
  self->table = table;
  self->json = json;
  return (PyObject *)self;
}

PyObject *json_object_from_dict(core_state *state, PyObject *dict) {
  json_object *self = dict ? (json_object *)PyType_GenericAlloc(state->json_object_type, 0) : NULL;
  if (self) {
    self->dict = dict;
  } else {
    Py_XDECREF(dict);
  }
  return (PyObject *)self;
}
