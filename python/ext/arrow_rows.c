#include "arrow_rows.h"

#include <math.h>
#include <string.h>

#include "errors.h"
#include "times.h"

#define STREAM_NAME "arrow_array_stream"
#define SCHEMA_NAME "arrow_schema"
#define ARRAY_NAME "arrow_array"

/*
 * An iterator of dicts. `omits_nulls`: they lack what is null or NaN, at top level and in structs. `whole` says for
 * each column whether its numbers without a fraction are integers.
 */
typedef struct arrow_rows_object {
  PyObject_HEAD core_state *state;
  privy_rows *rows;
  PyObject *names; /* a tuple of str */
  bool *whole;
  bool omits_nulls;
} arrow_rows_object;

static void *raise_invalid(void) {
  PyErr_SetString(PyExc_ValueError, "the Arrow array is invalid: it contradicts itself");
  return NULL;
}

static void raise_error(const core_state *state, privy_status status, const privy_error *error) {
  if (status == PRIVY_CONFIG_ERROR)
    PyErr_SetString(PyExc_ValueError, error->message);
  else
    errors_raise((core_state *)state, status, error);
}

/* ---- values ---- */

static PyObject *value_of_cell(arrow_rows_object *self, const privy_arrow_cell *cell);

/* An invalid byte becomes a lone surrogate, which no field accepts. */
static PyObject *text_of(const char *text, size_t length) {
  return PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "surrogateescape");
}

static PyObject *number_of(arrow_rows_object *self, const privy_arrow_cell *cell) {
  if (!memchr(cell->text, '.', cell->length)) return PyLong_FromString(cell->room, NULL, 10);
  PyObject *decimal = state_decimal(self->state);
  return decimal ? PyObject_CallFunction(decimal, "s#", cell->text, (Py_ssize_t)cell->length) : NULL;
}

static PyObject *without_zone(PyObject *instant) {
  PyObject *replace = PyObject_GetAttrString(instant, "replace");
  PyObject *none = Py_BuildValue("()"), *zone = Py_BuildValue("{s:O}", "tzinfo", Py_None);
  PyObject *local = replace && none && zone ? PyObject_Call(replace, none, zone) : NULL;
  Py_XDECREF(replace);
  Py_XDECREF(none);
  Py_XDECREF(zone);
  return local;
}

/* A datetime; the text of a time that has nanoseconds. */
static PyObject *time_of(arrow_rows_object *self, const privy_arrow_cell *cell) {
  char text[PRIVY_ARROW_CELL_ROOM + 1];
  privy_time at;
  const bool local = cell->type == PRIVY_ARROW_CELL_LOCAL;
  memcpy(text, cell->text, cell->length);
  text[cell->length] = 'Z';
  if (!privy_time_parse(text, cell->length + local, &at) || at.nanos % 1000) return text_of(cell->text, cell->length);
  PyObject *instant = times_make(self->state, &at);
  if (!instant || !local) return instant;
  PyObject *value = without_zone(instant);
  Py_DECREF(instant);
  return value;
}

static PyObject *date_of(arrow_rows_object *self, const privy_arrow_cell *cell) {
  PyObject *date = state_date(self->state);
  return date ? PyObject_CallMethod(date, "fromisoformat", "s#", cell->text, (Py_ssize_t)cell->length) : NULL;
}

/* A timedelta, which is refused by its name. */
static PyObject *duration_of(arrow_rows_object *self, const privy_arrow_cell *cell) {
  PyObject *datetime = PyImport_ImportModule("datetime");
  PyObject *value = datetime ? PyObject_CallMethod(datetime, "timedelta", "dd", 0.0, cell->real) : NULL;
  Py_XDECREF(datetime);
  (void)self;
  return value;
}

static PyObject *list_of(arrow_rows_object *self, const privy_arrow_cell *cell) {
  PyObject *list = PyList_New(0);
  privy_arrow_cell item;
  for (int64_t i = 0; list && i < cell->count; i++) {
    privy_arrow_cell_item(cell, i, &item);
    PyObject *value = value_of_cell(self, &item);
    if (!value || PyList_Append(list, value) < 0) Py_CLEAR(list);
    Py_XDECREF(value);
  }
  return list;
}

/* Adds a member of a map. 0, or -1 with an exception. */
static int add_pair(arrow_rows_object *self, PyObject *dict, const privy_arrow_cell *pair) {
  privy_arrow_cell cell;
  privy_arrow_cell_item(pair, 0, &cell);
  PyObject *key = value_of_cell(self, &cell);
  privy_arrow_cell_item(pair, 1, &cell);
  PyObject *value = key ? value_of_cell(self, &cell) : NULL;
  int result = value ? PyDict_SetItem(dict, key, value) : -1;
  Py_XDECREF(key);
  Py_XDECREF(value);
  return result;
}

static PyObject *map_of(arrow_rows_object *self, const privy_arrow_cell *cell) {
  PyObject *dict = PyDict_New();
  privy_arrow_cell pair;
  for (int64_t i = 0; dict && i < cell->count; i++) {
    privy_arrow_cell_item(cell, i, &pair);
    if (pair.type != PRIVY_ARROW_CELL_STRUCT) raise_invalid();
    if (pair.type != PRIVY_ARROW_CELL_STRUCT || add_pair(self, dict, &pair) < 0) Py_CLEAR(dict);
  }
  return dict;
}

static bool is_omitted(const arrow_rows_object *self, const privy_arrow_cell *cell) {
  return self->omits_nulls &&
         (cell->type == PRIVY_ARROW_CELL_NULL || (cell->type == PRIVY_ARROW_CELL_REAL && isnan(cell->real)));
}

static PyObject *struct_of(arrow_rows_object *self, const privy_arrow_cell *cell) {
  PyObject *dict = PyDict_New();
  privy_arrow_cell item;
  for (int64_t i = 0; dict && i < cell->count; i++) {
    privy_arrow_cell_item(cell, i, &item);
    if (is_omitted(self, &item)) continue;
    const char *name = privy_arrow_cell_name(cell, i);
    PyObject *key = text_of(name, strlen(name)), *value = key ? value_of_cell(self, &item) : NULL;
    if (!value || PyDict_SetItem(dict, key, value) < 0) Py_CLEAR(dict);
    Py_XDECREF(key);
    Py_XDECREF(value);
  }
  return dict;
}

static PyObject *value_of_cell(arrow_rows_object *self, const privy_arrow_cell *cell) {
  switch (cell->type) {
  case PRIVY_ARROW_CELL_NULL: return Py_NewRef(Py_None);
  case PRIVY_ARROW_CELL_BOOLEAN: return PyBool_FromLong(cell->integer != 0);
  case PRIVY_ARROW_CELL_INTEGER: return PyLong_FromLongLong(cell->integer);
  case PRIVY_ARROW_CELL_REAL: return PyFloat_FromDouble(cell->real);
  case PRIVY_ARROW_CELL_NUMBER: return number_of(self, cell);
  case PRIVY_ARROW_CELL_TEXT:
  case PRIVY_ARROW_CELL_TIME: return text_of(cell->text, cell->length);
  case PRIVY_ARROW_CELL_BYTES: return PyBytes_FromStringAndSize(cell->text, (Py_ssize_t)cell->length);
  case PRIVY_ARROW_CELL_DATE: return date_of(self, cell);
  case PRIVY_ARROW_CELL_INSTANT:
  case PRIVY_ARROW_CELL_LOCAL: return time_of(self, cell);
  case PRIVY_ARROW_CELL_DURATION: return duration_of(self, cell);
  case PRIVY_ARROW_CELL_LIST: return list_of(self, cell);
  case PRIVY_ARROW_CELL_MAP: return map_of(self, cell);
  case PRIVY_ARROW_CELL_STRUCT: return struct_of(self, cell);
  case PRIVY_ARROW_CELL_INVALID: break;
  }
  return raise_invalid();
}

/* ---- rows ---- */

static PyObject *current_row(arrow_rows_object *self) {
  PyObject *dict = PyDict_New();
  privy_arrow_cell cell;
  for (Py_ssize_t i = 0; dict && i < PyTuple_Size(self->names); i++) {
    privy_rows_cell(self->rows, (size_t)i, &cell);
    if (is_omitted(self, &cell)) continue;
    if (self->whole[i]) privy_arrow_cell_make_whole(&cell);
    PyObject *value = value_of_cell(self, &cell);
    if (!value || PyDict_SetItem(dict, PyTuple_GetItem(self->names, i), value) < 0) Py_CLEAR(dict);
    Py_XDECREF(value);
  }
  return dict;
}

static PyObject *arrow_rows_next(PyObject *object) {
  arrow_rows_object *self = (arrow_rows_object *)object;
  privy_error error;
  privy_status status = PRIVY_OK;
  bool more = true;
  privy_error_init(&error);
  while (more && !privy_rows_next(self->rows)) {
    Py_BEGIN_ALLOW_THREADS;
    status = privy_rows_load(self->rows, &more, &error);
    Py_END_ALLOW_THREADS;
  }
  if (status != PRIVY_OK) raise_error(self->state, status, &error);
  privy_error_clear(&error);
  return more ? current_row(self) : NULL;
}

static PyObject *arrow_rows_names(PyObject *object, void *unused) {
  (void)unused;
  return PySequence_List(((arrow_rows_object *)object)->names);
}

/* ---- life ---- */

static privy_status open_stream(PyObject *given, privy_rows **rows, privy_error *error) {
  struct ArrowArrayStream *stream = PyCapsule_GetPointer(given, STREAM_NAME);
  return stream ? privy_rows_open(stream, rows, error) : PRIVY_OK;
}

static privy_status open_array(PyObject *pair, privy_rows **rows, privy_error *error) {
  PyObject *schema, *array;
  if (!PyArg_ParseTuple(pair, "OO", &schema, &array)) return PRIVY_OK;
  struct ArrowSchema *type = PyCapsule_GetPointer(schema, SCHEMA_NAME);
  struct ArrowArray *values = type ? PyCapsule_GetPointer(array, ARRAY_NAME) : NULL;
  return values ? privy_rows_open_array(type, values, rows, error) : PRIVY_OK;
}

/* False with an exception. */
static bool open_rows(arrow_rows_object *self, PyObject *given) {
  privy_error error;
  privy_error_init(&error);
  const privy_status status = (PyTuple_Check(given) ? open_array : open_stream)(given, &self->rows, &error);
  if (status != PRIVY_OK) raise_error(self->state, status, &error);
  privy_error_clear(&error);
  return self->rows;
}

static bool read_names(arrow_rows_object *self) {
  const size_t count = privy_rows_columns(self->rows);
  PyObject *names = PyList_New(0);
  for (size_t i = 0; names && i < count; i++) {
    const char *name = privy_rows_name(self->rows, i);
    PyObject *text = text_of(name, strlen(name));
    if (!text || PyList_Append(names, text) < 0) Py_CLEAR(names);
    Py_XDECREF(text);
  }
  self->names = names ? PyList_AsTuple(names) : NULL;
  Py_XDECREF(names);
  return self->names;
}

static bool read_whole(arrow_rows_object *self, PyObject *integers) {
  const Py_ssize_t count = PyTuple_Size(self->names);
  self->whole = privy_alloc((size_t)count + 1);
  if (!self->whole) PyErr_NoMemory();
  for (Py_ssize_t i = 0; self->whole && i < count; i++) {
    const int found = PySequence_Contains(integers, PyTuple_GetItem(self->names, i));
    if (found < 0) return false;
    self->whole[i] = found;
  }
  return self->whole;
}

/* ArrowRows(capsule or pair of capsules, omits_nulls, integers) */
static PyObject *arrow_rows_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  PyObject *given, *integers;
  int omits_nulls;
  if (!PyArg_ParseTuple(args, "OpO", &given, &omits_nulls, &integers)) return NULL;
  arrow_rows_object *self = (arrow_rows_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  self->state = state_of_type(type);
  self->omits_nulls = omits_nulls;
  if (!open_rows(self, given) || !read_names(self) || !read_whole(self, integers)) Py_CLEAR(self);
  return (PyObject *)self;
}

/* A producer may release what it exported while it holds the lock of the interpreter. */
static void arrow_rows_dealloc(PyObject *object) {
  arrow_rows_object *self = (arrow_rows_object *)object;
  privy_rows_free(self->rows);
  privy_free(self->whole);
  Py_XDECREF(self->names);
  state_free_object(object);
}

static PyGetSetDef arrow_rows_attributes[] = {
    {"names", arrow_rows_names, NULL, "The names of the columns.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot arrow_rows_slots[] = {
    {Py_tp_doc, "The rows of Arrow arrays as dicts."},
    {Py_tp_new, arrow_rows_new},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, arrow_rows_next},
    {Py_tp_getset, arrow_rows_attributes},
    {Py_tp_dealloc, arrow_rows_dealloc},
    {0, NULL},
};

static PyType_Spec arrow_rows_spec = {
    .name = "privy._core.ArrowRows",
    .basicsize = sizeof(arrow_rows_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = arrow_rows_slots,
};

int arrow_rows_add(PyObject *module) {
  return state_add_own_type(module, &arrow_rows_spec);
}
