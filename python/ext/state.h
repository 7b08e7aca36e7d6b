/* The state of one import of privy._core, and objects of the standard library that it imports on first use. */
#ifndef PRIVY_PYTHON_STATE_H
#define PRIVY_PYTHON_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdatomic.h>

#include "critical_section.h"
#include "labels.h"
#include "lazy.h"
#include "privy.h"

/* A field of a record type. */
typedef struct record_slot {
  privy_field_info info;
  size_t index;
} record_slot;

/* A Python type created from a table. It owns the names that the type refers to. */
typedef struct record_type {
  const privy_object *object;
  PyTypeObject *type;
  record_slot *slots;
  char *name;
  size_t count;
} record_type;

/* Names of attributes that are often looked up, interned. */
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
  X(ARROW_STREAM, "arrow_stream")                                                                                      \
  X(LOAD_PAGE, "_load_page")                                                                                           \
  X(LOGGING, "logging")                                                                                                \
  X(IS_ENABLED_FOR, "isEnabledFor")                                                                                    \
  X(OTEL_CONTEXT, "opentelemetry.context")                                                                             \
  X(ACTIVE, "active")                                                                                                  \
  X(EVENT, "event")                                                                                                    \
  X(SEND, "send")                                                                                                      \
  X(RUN, "run")                                                                                                        \
  X(COPY, "copy")

typedef enum state_name {
#define X(id, text) NAME_##id,
  STATE_NAMES(X)
#undef X
      NAME_TOTAL
} state_name;

typedef enum json_view { VIEW_KEYS, VIEW_VALUES, VIEW_ITEMS, VIEW_TOTAL } json_view;

typedef struct core_state {
  PyTypeObject *omit_type;
  PyTypeObject *client_type;
  PyTypeObject *group_type;
  PyTypeObject *plan_type;
  PyTypeObject *sandbox_type;
  PyTypeObject *journal_type;
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
  lazy_slot watch_class;
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
  lazy_slot empty;           /* a dict for all objects without members; no other code gets it */
  label labels[LABEL_COUNT]; /* keys of objects, enum values, tags */
  label texts[LABEL_COUNT];  /* texts of custom fields, and others without a table */
  label numbers[LABEL_COUNT];
  lazy_slot in_job;          /* empty until a program first uses privy.job */
  const void *_Atomic times; /* the C interface of datetime; NULL until times_asked */
  atomic_bool times_asked;
  PyObject *names[NAME_TOTAL];
  PyObject *views[VIEW_TOTAL]; /* dict.keys, dict.values, dict.items */
} core_state;

/* The state of the module that created a type, an object of it, or is given. */
core_state *state_of_type(PyTypeObject *type);
core_state *state_of_object(PyObject *object);
core_state *state_of_module(PyObject *module);

/* Creates `names`. 0, or -1 with an exception. */
int state_intern_names(core_state *state);
/* The value of a key in a dict: a new reference; NULL without an exception when the dict lacks the key. */
PyObject *state_item(PyObject *dict, PyObject *key);
/* Sets an item of a dict. Takes over the value, which may be NULL with an exception. False with an exception. */
bool state_set_item(PyObject *dict, const char *name, PyObject *value);
/* Sets an element of a new tuple, which takes over the element. */
static inline void state_set_element(PyObject *tuple, Py_ssize_t index, PyObject *element) {
#ifndef Py_LIMITED_API
  PyTuple_SET_ITEM(tuple, index, element);
#else
  (void)PyTuple_SetItem(tuple, index, element);
#endif
}
/* function(argument). */
static inline PyObject *state_call(PyObject *function, PyObject *argument) {
#ifndef Py_LIMITED_API
  return PyObject_CallOneArg(function, argument);
#else
  return PyObject_CallFunctionObjArgs(function, argument, NULL);
#endif
}
/* decimal.Decimal, datetime.datetime, datetime.date, datetime.timezone.utc, collections.abc.Mapping: imported on
 * first use. Borrowed references; NULL with an exception when the import fails. */
PyObject *state_decimal(core_state *state);
PyObject *state_datetime(core_state *state);
PyObject *state_utc(core_state *state);
PyObject *state_mapping(core_state *state);
PyObject *state_date(core_state *state);
/* contextvars.copy_context; likewise. */
PyObject *state_copy_context(core_state *state);
/* privy._values.plain, which converts values of third-party types; likewise. */
PyObject *state_values(core_state *state);

/* privy._json.read and privy._json.write; likewise. */
PyObject *state_json_reader(core_state *state);
PyObject *state_json_writer(core_state *state);

/* The record type of a table; NULL without an exception when there is none. */
const record_type *state_record_type(const core_state *state, const privy_object *object);
/* The record type that is a Python type; NULL without an exception when there is none. */
const record_type *state_type_table(const core_state *state, const PyTypeObject *type);

/* Frees an object of a heap type, and releases the type. */
void state_free_object(PyObject *object);

/* Creates a type and adds it to the module. NULL with an exception. */
PyTypeObject *state_add_type(PyObject *module, PyType_Spec *spec);
/* The same for a type that only the module refers to. 0, or -1 with an exception. */
int state_add_own_type(PyObject *module, PyType_Spec *spec);

#endif
