/* The Python types of records, from the tables of the core. */
#include <string.h>

#include "record.h"
#include "types.h"

record_slot *record_slots(const privy_object *object) {
  size_t count = privy_object_count(object);
  record_slot *slots = PyMem_Calloc(count + 1, sizeof *slots);
  for (size_t i = 0; slots && i < count; i++) {
    slots[i].index = i;
    privy_object_field(object, i, &slots[i].info);
  }
  if (!slots) PyErr_NoMemory();
  return slots;
}

/* Positional patterns of a match statement stand for the fields in the order of the table. */
static int set_match_args(const record_type *table) {
  PyObject *names = PyTuple_New((Py_ssize_t)table->count);
  for (size_t i = 0; names && i < table->count; i++) {
    PyObject *name = PyUnicode_InternFromString(table->slots[i].info.name);
    if (!name || PyTuple_SetItem(names, (Py_ssize_t)i, name) < 0) Py_CLEAR(names);
  }
  int result = names ? PyObject_SetAttrString((PyObject *)table->type, "__match_args__", names) : -1;
  Py_XDECREF(names);
  return result;
}

static int record_add(PyObject *module, record_type *table, const privy_object *object) {
  static const char prefix[] = "privy.";
  const char *name = privy_object_name(object);
  table->object = object;
  table->count = privy_object_count(object);
  table->name = PyMem_Malloc(sizeof prefix + strlen(name));
  if (!table->name) return PyErr_NoMemory(), -1;
  memcpy(table->name, prefix, sizeof prefix - 1);
  memcpy(table->name + sizeof prefix - 1, name, strlen(name) + 1);
  table->slots = record_slots(object);
  table->type = table->slots ? record_make_type(module, table) : NULL;
  return table->type ? set_match_args(table) : -1;
}

int record_add_all(PyObject *module, core_state *state) {
  size_t operations = 0;
  while (privy_operation_at(operations)) operations++;
  state->records = PyMem_Calloc(operations + 1, sizeof *state->records);
  if (!state->records) {
    PyErr_NoMemory();
    return -1;
  }
  for (size_t i = 0; i < operations; i++) {
    const privy_object *object = privy_operation_object(privy_operation_at(i));
    if (!object || state_record_type(state, object)) continue;
    if (record_add(module, &state->records[state->record_count++], object) < 0) return -1;
  }
  return 0;
}

void record_free_tables(core_state *state) {
  labels_clear(state->labels);
  labels_clear(state->texts);
  labels_clear(state->numbers);
  for (size_t i = 0; i < state->record_count; i++) {
    PyMem_Free(state->records[i].slots);
    PyMem_Free(state->records[i].name);
  }
  PyMem_Free(state->records);
  state->records = NULL;
  state->record_count = 0;
}
