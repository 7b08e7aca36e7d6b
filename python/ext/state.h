/* What one import of privy._core holds, and the objects of the standard library that it needs now and then. */
#ifndef PRIVY_PYTHON_STATE_H
#define PRIVY_PYTHON_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdatomic.h>

#include "critical_section.h"
#include "labels.h"
#include "lazy.h"
#include "privy.h"

/* One answer field of a record type. */
typedef struct record_slot {
  privy_field_info info;
  size_t index;
} record_slot;

/* A Python type made from one table. Names and attributes live here as long as the type does. */
typedef struct record_type {
  const privy_object *object;
  PyTypeObject *type;
  record_slot *slots;
  char *name;
  size_t count;
} record_type;

/* Names that are looked up again and again: interned, so that Python's caches know them. */
#define STATE_NAMES(X)                                                                                                 \
  X(UTCOFFSET, "utcoffset")                                                                                            \
  X(ASTIMEZONE, "astimezone")                                                                                          \
  X(ISOFORMAT, "isoformat")                                                                                            \
  X(TYPE_NAME, "__name__")                                                                                             \
  X(ITEMS, "items")                                                                                                    \
  X(KEYS, "keys")                                                                                                      \
  X(VALUES, "values")                                                                                                  \
  X(REVERSED, "__reversed__")                                                                                          \
  X(INDEX, "index")                                                                                                    \
  X(COUNT, "count")                                                                                                    \
  X(EXTRA, "extra")                                                                                                    \
  X(LOAD, "_load")                                                                                                     \
  X(LOAD_PAGE, "_load_page")                                                                                           \
  X(LOGGING, "logging")                                                                                                \
  X(IS_ENABLED_FOR, "isEnabledFor")                                                                                    \
  X(RUN, "run")                                                                                                        \
  X(COPY, "copy")

typedef enum state_name {
#define X(id, text) NAME_##id,
  STATE_NAMES(X)
#undef X
      NAME_TOTAL
} state_name;

typedef struct core_state {
  PyTypeObject *omit_type;
  PyTypeObject *client_type;
  PyTypeObject *group_type;
  PyTypeObject *sandbox_type;
  PyTypeObject *page_type;
  PyTypeObject *json_object_type;
  record_slot *page_slots;
  PyGetSetDef *page_attributes;
  PyObject *omit;
  record_type *records;
  size_t record_count;
  lazy_slot errors[PRIVY_STATUS_COUNT];
  lazy_slot error_builder;
  lazy_slot event_class;
  lazy_slot event_log;
  lazy_slot logger;
  lazy_slot decimal;
  lazy_slot datetime;
  lazy_slot timezone;
  lazy_slot utc;
  lazy_slot mapping;
  lazy_slot date;
  lazy_slot copy_context;
  lazy_slot values;
  lazy_slot json_reader;
  lazy_slot json_writer;
  label labels[LABEL_COUNT];
  const void *_Atomic times; /* the C interface of datetime, once it has been asked for */
  atomic_bool times_asked;
  PyObject *names[NAME_TOTAL];
} core_state;

/* The state behind a type that this module made. */
core_state *state_of_type(PyTypeObject *type);
core_state *state_of_object(PyObject *object);
core_state *state_of_module(PyObject *module);

/* Makes the names. 0, or -1 with an exception. */
int state_intern_names(core_state *state);
/* What a dict holds under a key: a new reference, NULL without an exception when that is nothing. */
PyObject *state_item(PyObject *dict, PyObject *key);
/* Sets an item of a dict. Takes over the value, which may be NULL with an exception. False with an exception. */
bool state_set_item(PyObject *dict, const char *name, PyObject *value);
/* decimal.Decimal, datetime.datetime, datetime.date, datetime.timezone.utc, collections.abc.Mapping: imported when
 * first asked for. Borrowed references; NULL with an exception when the import fails. */
PyObject *state_decimal(core_state *state);
PyObject *state_datetime(core_state *state);
PyObject *state_utc(core_state *state);
PyObject *state_mapping(core_state *state);
PyObject *state_date(core_state *state);
/* contextvars.copy_context; likewise. */
PyObject *state_copy_context(core_state *state);
/* The function of privy._values that finds a plain value for one of another library; likewise. */
PyObject *state_values(core_state *state);

/* The functions of privy._json that read JSON into plain values and write plain values as JSON; likewise. */
PyObject *state_json_reader(core_state *state);
PyObject *state_json_writer(core_state *state);

/* The record type of a table; NULL (no exception) when there is none. */
const record_type *state_record_type(const core_state *state, const privy_object *object);

/* Frees an object whose type was made from a spec, and lets go of the type. */
void state_free_object(PyObject *object);

/* Makes a type of this module and adds it under the last part of its name. NULL with an exception on failure. */
PyTypeObject *state_add_type(PyObject *module, PyType_Spec *spec);

#endif
