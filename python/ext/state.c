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

PyObject *state_keep(state_place *place, PyObject *made) {
  PyObject *before = NULL;
  if (!made || atomic_compare_exchange_strong(place, &before, made)) return made;
  Py_DECREF(made);
  return before;
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

static PyObject *imported(const char *module_name, const char *name) {
  PyObject *module = PyImport_ImportModule(module_name);
  PyObject *found = module ? PyObject_GetAttrString(module, name) : NULL;
  Py_XDECREF(module);
  return found;
}

PyObject *state_import(state_place *place, const char *module_name, const char *name) {
  PyObject *kept = state_kept(place);
  return kept ? kept : state_keep(place, imported(module_name, name));
}

PyObject *state_decimal(core_state *state) {
  return state_import(&state->decimal, "decimal", "Decimal");
}

PyObject *state_datetime(core_state *state) {
  return state_import(&state->datetime, "datetime", "datetime");
}

PyObject *state_date(core_state *state) {
  return state_import(&state->date, "datetime", "date");
}

PyObject *state_copy_context(core_state *state) {
  return state_import(&state->copy_context, "_contextvars", "copy_context");
}

PyObject *state_values(core_state *state) {
  return state_import(&state->values, "privy._values", "plain");
}

PyObject *state_utc(core_state *state) {
  PyObject *kept = state_kept(&state->utc);
  if (kept) return kept;
  PyObject *zone = imported("datetime", "timezone");
  PyObject *utc = zone ? PyObject_GetAttrString(zone, "utc") : NULL;
  Py_XDECREF(zone);
  return state_keep(&state->utc, utc);
}

PyObject *state_mapping(core_state *state) {
  return state_import(&state->mapping, "_collections_abc", "Mapping");
}

PyObject *state_json_reader(core_state *state) {
  return state_import(&state->json_reader, "privy._json", "read");
}

PyObject *state_json_writer(core_state *state) {
  return state_import(&state->json_writer, "privy._json", "write");
}

const record_type *state_record_type(const core_state *state, const privy_object *object) {
  for (size_t i = 0; i < state->record_count; i++) {
    if (state->records[i].object == object) return &state->records[i];
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
