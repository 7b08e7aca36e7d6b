#include "state.h"

core_state *state_of_type(PyTypeObject *type) {
  return PyType_GetModuleState(type);
}

core_state *state_of_object(PyObject *object) {
  return PyType_GetModuleState(Py_TYPE(object));
}

core_state *state_of_module(PyObject *module) {
  return PyModule_GetState(module);
}

int state_intern_names(core_state *state) {
  static const char *const texts[NAME_TOTAL] = {
#define X(id, text) text,
      STATE_NAMES(X)
#undef X
  };
  for (int i = 0; i < NAME_TOTAL; i++) {
    state->names[i] = PyUnicode_InternFromString(texts[i]);
    if (!state->names[i]) return -1;
  }
  return 0;
}

PyObject *state_item(PyObject *dict, PyObject *key) {
#ifdef Py_GIL_DISABLED
  PyObject *item;
  (void)PyDict_GetItemRef(dict, key, &item);
  return item;
#else
  return Py_XNewRef(PyDict_GetItemWithError(dict, key));
#endif
}

bool state_set_item(PyObject *dict, const char *name, PyObject *value) {
  bool done = value && PyDict_SetItemString(dict, name, value) == 0;
  Py_XDECREF(value);
  return done;
}

PyObject *state_decimal(core_state *state) {
  return lazy_import(&state->decimal, "decimal", "Decimal");
}

PyObject *state_datetime(core_state *state) {
  return lazy_import(&state->datetime, "datetime", "datetime");
}

PyObject *state_date(core_state *state) {
  return lazy_import(&state->date, "datetime", "date");
}

PyObject *state_copy_context(core_state *state) {
  return lazy_import(&state->copy_context, "_contextvars", "copy_context");
}

PyObject *state_values(core_state *state) {
  return lazy_import(&state->values, "privy._values", "plain");
}

PyObject *state_utc(core_state *state) {
  PyObject *cached = lazy_get(&state->utc);
  if (cached) return cached;
  PyObject *zone = lazy_import(&state->timezone, "datetime", "timezone");
  return zone ? lazy_set(&state->utc, PyObject_GetAttrString(zone, "utc")) : NULL;
}

PyObject *state_mapping(core_state *state) {
  return lazy_import(&state->mapping, "_collections_abc", "Mapping");
}

PyObject *state_json_reader(core_state *state) {
  return lazy_import(&state->json_reader, "privy._json", "read");
}

PyObject *state_json_writer(core_state *state) {
  return lazy_import(&state->json_writer, "privy._json", "write");
}

const record_type *state_record_type(const core_state *state, const privy_object *object) {
  for (size_t i = 0; i < state->record_count; i++) {
    if (state->records[i].object == object) return &state->records[i];
  }
  return NULL;
}

const record_type *state_type_table(const core_state *state, const PyTypeObject *type) {
  for (size_t i = 0; i < state->record_count; i++) {
    if (state->records[i].type == type) return &state->records[i];
  }
  return NULL;
}

void state_free_object(PyObject *object) {
  PyTypeObject *type = Py_TYPE(object);
  freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
  release(object);
  Py_DECREF(type);
}

PyTypeObject *state_add_type(PyObject *module, PyType_Spec *spec) {
  PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, spec, NULL);
  if (!type) return NULL;
  if (PyModule_AddType(module, type) < 0) {
    Py_DECREF(type);
    return NULL;
  }
  return type;
}

int state_add_own_type(PyObject *module, PyType_Spec *spec) {
  PyTypeObject *type = state_add_type(module, spec);
  Py_XDECREF((PyObject *)type);
  return type ? 0 : -1;
}
