/* What one import of privy._core holds, and the objects of the standard library that it needs now and then. */
#ifndef PRIVY_PYTHON_STATE_H
#define PRIVY_PYTHON_STATE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <stdatomic.h>

#include "privy.h"

/*
 * What stands between these two is one step to all other threads, as long as it neither waits nor runs Python code.
 * The GIL sees to that by itself; without it the object's own lock does. No jump may lead out of it.
 */
#ifdef Py_GIL_DISABLED
#define CRITICAL_SECTION_BEGIN(object) Py_BEGIN_CRITICAL_SECTION(object)
#define STATE_STEP_DONE() Py_END_CRITICAL_SECTION()
#else
#define CRITICAL_SECTION_BEGIN(object) {
#define STATE_STEP_DONE() }
#endif

/* A place for an object that is made when it is first wanted and stays from then on. */
typedef _Atomic(PyObject *) state_place;

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

/* A short text that comes again and again, with its UTF-8, which lives in it. */
typedef struct state_word {
  PyObject *text;
  const char *bytes;
  Py_ssize_t length;
#ifdef Py_GIL_DISABLED
  PyMutex mutex;
#endif
} state_word;

#define STATE_WORDS 256

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
  PyTypeObject *members_type;
  record_slot *page_slots;
  PyGetSetDef *page_attributes;
  PyObject *omit;
  record_type *records;
  size_t record_count;
  state_place errors[PRIVY_STATUS_COUNT];
  state_place error_builder;
  state_place event_class;
  state_place event_log;
  state_place logger;
  state_place decimal;
  state_place datetime;
  state_place utc;
  state_place mapping;
  state_place date;
  state_place copy_context;
  state_place values;
  state_place json_reader;
  state_place json_writer;
  state_word words[STATE_WORDS];
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
/* What a place holds: borrowed, NULL (no exception) when that is nothing yet. */
static inline PyObject *state_kept(const state_place *place) {
  return atomic_load_explicit(place, memory_order_acquire);
}
/* Puts what was made into its place, unless another thread, or code that making it ran, was there before: the first
 * stays. Takes over `made`, which may be NULL. What the place holds now: borrowed, NULL when `made` is. */
PyObject *state_keep(state_place *place, PyObject *made);
/* What a dict holds under a key: a new reference, NULL without an exception when that is nothing. */
PyObject *state_item(PyObject *dict, PyObject *key);
/* The object `name` of a Python module, kept in `*place` from the first time on. Borrowed; NULL with an exception. */
PyObject *state_import(state_place *place, const char *module_name, const char *name);
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

/* The makers of the types, called once by the module. 0, or -1 with an exception. */
int omit_add(PyObject *module, core_state *state);
int members_add(PyObject *module, core_state *state);
int record_add_all(PyObject *module, core_state *state);
int page_add(PyObject *module, core_state *state);
int client_add(PyObject *module, core_state *state);
int group_add(PyObject *module, core_state *state);
int sandbox_add(PyObject *module, core_state *state);
int list_add(PyObject *module);
int bulk_add(PyObject *module);
int served_add(PyObject *module);
/* Frees what record_add_all and page_add allocated for the types. */
void record_forget_all(core_state *state);
void page_forget(core_state *state);

#endif
