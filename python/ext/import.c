#include "import.h"

#include <string.h>

#include "busy.h"
#include "errors.h"
#include "privy_imports.h"
#include "scalars.h"

/*
 * An import with the lines of one reading. `phone` and `zone` are the callbacks, or None. `busy` is the lock: it is not
 * waited for; a thread or callback that finds it taken gets an exception.
 */
typedef struct import_object {
  PyObject_HEAD core_state *state;
  privy_import *import;
  privy_lines *lines; /* NULL: no bytes of this reading were fed */
  PyObject *phone, *zone;
  const char *encoding;
  char delimiter, found;
  bool has_header; /* the import knows its columns */
  bool at_header;  /* the next line of this reading is the header */
  atomic_bool busy;
} import_object;

static PyObject *text_of(privy_span text) {
  return PyUnicode_DecodeUTF8(text.length ? text.text : "", (Py_ssize_t)text.length, "replace");
}

static PyObject *c_text(const char *text) {
  return text ? PyUnicode_FromString(text) : Py_NewRef(Py_None);
}

/* ---- callbacks ---- */

/* An exception stays set, and is raised when the core returns. */
static privy_status find_phone(void *context, const char *text, size_t length, const char *country, privy_buffer *out) {
  import_object *self = context;
  if (self->phone == Py_None || PyErr_Occurred()) return PRIVY_VALIDATION;
  PyObject *found = PyObject_CallFunction(self->phone, "s#z", text, (Py_ssize_t)length, country);
  Py_ssize_t bytes = 0;
  const char *number = found && found != Py_None ? PyUnicode_AsUTF8AndSize(found, &bytes) : NULL;
  char *room = number ? privy_realloc(out->data, out->length + (size_t)bytes + 1) : NULL;
  if (room) {
    memcpy(room + out->length, number, (size_t)bytes);
    *out = (privy_buffer){room, out->length + (size_t)bytes, out->length + (size_t)bytes + 1};
  } else if (number) {
    PyErr_NoMemory();
  }
  Py_XDECREF(found);
  return room ? PRIVY_OK : number ? PRIVY_NO_MEMORY : PRIVY_VALIDATION;
}

/* The callback returns (offset, result), or None for a zone that does not exist. */
static privy_zone_result find_offset(void *context, const char *zone, int64_t local, int32_t *offset) {
  import_object *self = context;
  int result = PRIVY_ZONE_UNKNOWN;
  if (self->zone == Py_None || PyErr_Occurred()) return PRIVY_ZONE_UNKNOWN;
  PyObject *found = PyObject_CallFunction(self->zone, "sL", zone, (long long)local);
  if (found && found != Py_None) (void)PyArg_ParseTuple(found, "ii", offset, &result);
  Py_XDECREF(found);
  return (privy_zone_result)result;
}

/* ---- life ---- */

static bool open_import(import_object *self, privy_import_config *config) {
  privy_error error;
  privy_error_init(&error);
  config->phone = find_phone;
  config->zone_offset = find_offset;
  config->context = self;
  const privy_status status = privy_import_new(config, &self->import, &error);
  if (status != PRIVY_OK) errors_raise(self->state, status, &error);
  privy_error_clear(&error);
  return status == PRIVY_OK;
}

/* Import(operation, map, preset, country, currency, timezone, phone, zone, delimiter) */
static PyObject *import_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  privy_import_config config;
  const char *operation, *delimiter;
  Py_ssize_t map_length;
  PyObject *phone, *zone;
  privy_import_config_init(&config);
  if (!PyArg_ParseTuple(args, "sz#zzzzOOs", &operation, &config.map, &map_length, &config.preset, &config.country,
                        &config.currency, &config.timezone, &phone, &zone, &delimiter))
    return NULL;
  config.map_length = (size_t)map_length;
  config.operation = privy_operation_find(operation);
  if (!config.operation) return PyErr_Format(PyExc_ValueError, "there is no operation %s", operation);
  import_object *self = (import_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  self->state = state_of_type(type);
  self->phone = Py_NewRef(phone);
  self->zone = Py_NewRef(zone);
  self->delimiter = self->found = delimiter[0];
  self->at_header = true;
  if (!open_import(self, &config)) Py_CLEAR(self);
  return (PyObject *)self;
}

static void import_dealloc(PyObject *object) {
  import_object *self = (import_object *)object;
  privy_import_free(self->import);
  privy_lines_free(self->lines);
  Py_XDECREF(self->phone);
  Py_XDECREF(self->zone);
  state_free_object(object);
}

static bool enter(import_object *self) {
  return busy_enter(&self->busy, "the import is in use: another thread or a callback uses it");
}

/* Raises the error of the core, unless a callback has raised an exception. Returns whether there is neither. */
static bool leave(import_object *self, privy_status status, privy_error *error) {
  busy_leave(&self->busy);
  if (status != PRIVY_OK) errors_raise(self->state, status, error);
  privy_error_clear(error);
  return !PyErr_Occurred();
}

/* ---- rows ---- */

static PyObject *list_of_lines(const privy_import_row *row) {
  PyObject *list = PyList_New((Py_ssize_t)row->line_count);
  for (size_t i = 0; list && i < row->line_count; i++) {
    const privy_import_source *line = &row->lines[i];
    PyObject *pair = Py_BuildValue("(KN)", (unsigned long long)line->number, text_of(line->csv));
    if (!pair || PyList_SetItem(list, (Py_ssize_t)i, pair) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *list_of_changes(const privy_import_row *row) {
  PyObject *list = PyList_New((Py_ssize_t)row->change_count);
  for (size_t i = 0; list && i < row->change_count; i++) {
    const privy_import_change *change = &row->changes[i];
    PyObject *tuple = Py_BuildValue("(KNNNs)", (unsigned long long)change->line, text_of(change->column),
                                    text_of(change->before), text_of(change->after), change->rule);
    if (!tuple || PyList_SetItem(list, (Py_ssize_t)i, tuple) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *list_of_faults(const privy_import_row *row) {
  PyObject *list = PyList_New((Py_ssize_t)row->fault_count);
  for (size_t i = 0; list && i < row->fault_count; i++) {
    const privy_import_fault *fault = &row->faults[i];
    PyObject *tuple = Py_BuildValue("(KNNNNs)", (unsigned long long)fault->line, text_of(fault->column),
                                    text_of(fault->field), text_of(fault->value), text_of(fault->message), fault->code);
    if (!tuple || PyList_SetItem(list, (Py_ssize_t)i, tuple) < 0) Py_CLEAR(list);
  }
  return list;
}

/* (state, key, fields as JSON, reason, lines, changes, faults) */
static PyObject *tuple_of(const privy_import_row *row) {
  static const char *const states[] = {"ready", "refused", "skipped"};
  return Py_BuildValue("(sNNNNNN)", states[row->state], text_of(row->key), text_of(row->fields), text_of(row->reason),
                       list_of_lines(row), list_of_changes(row), list_of_faults(row));
}

/* All rows that are complete. */
static PyObject *take_rows(import_object *self) {
  PyObject *list = PyList_New(0);
  for (const privy_import_row *row; list && (row = privy_import_take(self->import));) {
    PyObject *tuple = tuple_of(row);
    if (!tuple || PyList_Append(list, tuple) < 0) Py_CLEAR(list);
    Py_XDECREF(tuple);
  }
  return list;
}

/* ---- cells ---- */

typedef struct cell_list {
  privy_span *cells;
  privy_line line;
} cell_list;

/* Reads a sequence of str and None. The cells point into the objects. */
static bool read_cells(PyObject *sequence, unsigned long long number, cell_list *out) {
  const Py_ssize_t count = PySequence_Size(sequence);
  out->cells = count < 0 ? NULL : privy_alloc(((size_t)count + 1) * sizeof *out->cells);
  if (!out->cells) {
    if (count >= 0) PyErr_NoMemory();
    return false;
  }
  for (Py_ssize_t i = 0; i < count; i++) {
    PyObject *cell = PySequence_GetItem(sequence, i);
    Py_ssize_t length = 0;
    const char *text = cell == Py_None ? "" : cell ? PyUnicode_AsUTF8AndSize(cell, &length) : NULL;
    Py_XDECREF(cell); /* the sequence keeps it */
    if (!text) return false;
    out->cells[i] = (privy_span){text, (size_t)length};
  }
  out->line = (privy_line){number, out->cells, (size_t)count};
  return true;
}

typedef enum reading { READING_SURVEY, READING_ADD } reading;

static privy_status use_line(import_object *self, const privy_line *line, reading kind, privy_error *error) {
  if (!self->at_header) return (kind == READING_SURVEY ? privy_import_survey : privy_import_add)(self->import, line);
  self->at_header = false;
  const privy_status status = self->has_header ? PRIVY_OK : privy_import_columns(self->import, line, error);
  self->has_header = true;
  return status;
}

/* Uses one line of cells. False with an exception. */
static bool use_cells(import_object *self, PyObject *args, reading kind) {
  unsigned long long number;
  PyObject *sequence;
  cell_list list = {0};
  privy_error error;
  if (!PyArg_ParseTuple(args, "KO", &number, &sequence) || !enter(self)) return false;
  privy_error_init(&error);
  privy_status status = PRIVY_OK;
  if (read_cells(sequence, number, &list)) status = use_line(self, &list.line, kind, &error);
  privy_free(list.cells);
  return leave(self, status, &error);
}

static PyObject *import_header(PyObject *object, PyObject *names) {
  import_object *self = (import_object *)object;
  self->at_header = true;
  PyObject *args = Py_BuildValue("(iO)", 1, names);
  const bool done = args && use_cells(self, args, READING_SURVEY);
  Py_XDECREF(args);
  return done ? Py_NewRef(Py_None) : NULL;
}

static PyObject *import_survey_cells(PyObject *object, PyObject *args) {
  return use_cells((import_object *)object, args, READING_SURVEY) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *import_add_cells(PyObject *object, PyObject *args) {
  return use_cells((import_object *)object, args, READING_ADD) ? take_rows((import_object *)object) : NULL;
}

/* ---- bytes ---- */

static privy_status use_lines(import_object *self, reading kind, privy_error *error) {
  const privy_line *line;
  privy_status status = privy_lines_next(self->lines, &line, error);
  while (status == PRIVY_OK && line) {
    status = use_line(self, line, kind, error);
    if (status == PRIVY_OK && PyErr_Occurred()) break;
    if (status == PRIVY_OK) status = privy_lines_next(self->lines, &line, error);
  }
  return status;
}

static privy_status begin_lines(import_object *self) {
  if (self->lines) return PRIVY_OK;
  self->at_header = true;
  return privy_lines_new(self->delimiter, &self->lines);
}

static bool feed(import_object *self, PyObject *bytes, reading kind) {
  char *data;
  Py_ssize_t length;
  privy_error error;
  if (PyBytes_AsStringAndSize(bytes, &data, &length) < 0 || !enter(self)) return false;
  privy_error_init(&error);
  privy_status status = begin_lines(self);
  if (status == PRIVY_OK) status = privy_lines_feed(self->lines, data, (size_t)length);
  if (status == PRIVY_OK) status = use_lines(self, kind, &error);
  return leave(self, status, &error);
}

/* Ends a reading: the next bytes are those of the beginning of the file. */
static bool end(import_object *self, reading kind) {
  privy_error error;
  privy_status status = PRIVY_OK;
  if (!enter(self)) return false;
  privy_error_init(&error);
  if (self->lines) {
    status = privy_lines_end(self->lines);
    if (status == PRIVY_OK) status = use_lines(self, kind, &error);
    self->encoding = privy_lines_encoding(self->lines);
    self->found = privy_lines_delimiter(self->lines);
    privy_lines_free(self->lines);
    self->lines = NULL;
  }
  if (status == PRIVY_OK && kind == READING_ADD && !PyErr_Occurred()) status = privy_import_end(self->import);
  return leave(self, status, &error);
}

static PyObject *import_survey(PyObject *object, PyObject *bytes) {
  return feed((import_object *)object, bytes, READING_SURVEY) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *import_end_survey(PyObject *object, PyObject *unused) {
  (void)unused;
  return end((import_object *)object, READING_SURVEY) ? Py_NewRef(Py_None) : NULL;
}

static PyObject *import_feed(PyObject *object, PyObject *bytes) {
  return feed((import_object *)object, bytes, READING_ADD) ? take_rows((import_object *)object) : NULL;
}

static PyObject *import_finish(PyObject *object, PyObject *unused) {
  (void)unused;
  return end((import_object *)object, READING_ADD) ? take_rows((import_object *)object) : NULL;
}

/* ---- what was found ---- */

static PyObject *import_preset(PyObject *object, void *unused) {
  (void)unused;
  return c_text(privy_import_preset(((import_object *)object)->import));
}

static PyObject *import_timezone(PyObject *object, void *unused) {
  (void)unused;
  return c_text(privy_import_timezone(((import_object *)object)->import));
}

static PyObject *import_encoding(PyObject *object, void *unused) {
  (void)unused;
  return c_text(((import_object *)object)->encoding);
}

static PyObject *import_delimiter(PyObject *object, void *unused) {
  (void)unused;
  const char *found = &((import_object *)object)->found;
  return *found ? PyUnicode_FromStringAndSize(found, 1) : Py_NewRef(Py_None);
}

static PyObject *import_surveyed(PyObject *object, void *unused) {
  (void)unused;
  return PyLong_FromUnsignedLongLong(privy_import_surveyed(((import_object *)object)->import));
}

static PyObject *list_names(bool (*next)(const privy_import *, size_t, privy_span *), const privy_import *import) {
  PyObject *list = PyList_New(0);
  privy_span name;
  for (size_t i = 0; list && next(import, i, &name); i++) {
    PyObject *text = text_of(name);
    if (!text || PyList_Append(list, text) < 0) Py_CLEAR(list);
    Py_XDECREF(text);
  }
  return list;
}

static PyObject *import_columns(PyObject *object, void *unused) {
  (void)unused;
  return list_names(privy_import_column, ((import_object *)object)->import);
}

static PyObject *import_rejects_header(PyObject *object, PyObject *unused) {
  (void)unused;
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  const bool fits = privy_import_rejects_header(((import_object *)object)->import, &out);
  PyObject *text = fits ? text_of((privy_span){out.data, out.length}) : PyErr_NoMemory();
  privy_buffer_clear(&out);
  return text;
}

static PyObject *import_unused(PyObject *object, void *unused) {
  (void)unused;
  return list_names(privy_import_unused, ((import_object *)object)->import);
}

/* ---- the type ---- */

static PyMethodDef import_methods[] = {
    {"header", import_header, METH_O, "The names of the columns."},
    {"survey_cells", import_survey_cells, METH_VARARGS, "Reads (line, cells) for the first time."},
    {"add_cells", import_add_cells, METH_VARARGS, "Adds (line, cells); the rows that are complete."},
    {"survey", import_survey, METH_O, "Reads bytes of the file for the first time."},
    {"end_survey", import_end_survey, METH_NOARGS, "Ends the first reading."},
    {"feed", import_feed, METH_O, "Reads bytes of the file; the rows that are complete."},
    {"finish", import_finish, METH_NOARGS, "Ends the second reading; the last rows."},
    {"rejects_header", import_rejects_header, METH_NOARGS, "The first line of a file of rejects."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef import_attributes[] = {
    {"preset", import_preset, NULL, "The name of the preset that is used, or None.", NULL},
    {"timezone", import_timezone, NULL, "The zone of times without an offset, or None.", NULL},
    {"encoding", import_encoding, NULL, "The encoding that was found, or None.", NULL},
    {"delimiter", import_delimiter, NULL, "The delimiter that was given or found, or None.", NULL},
    {"surveyed", import_surveyed, NULL, "How many rows the first reading found.", NULL},
    {"columns", import_columns, NULL, "The names of the columns.", NULL},
    {"unused", import_unused, NULL, "The names of the columns that no field uses.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot import_slots[] = {
    {Py_tp_doc, "An import: rows of an operation from the lines of a file."},
    {Py_tp_new, import_new},
    {Py_tp_methods, import_methods},
    {Py_tp_getset, import_attributes},
    {Py_tp_dealloc, import_dealloc},
    {0, NULL},
};

static PyType_Spec import_spec = {
    .name = "privy._core.Import",
    .basicsize = sizeof(import_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = import_slots,
};

int import_add(PyObject *module) {
  return state_add_own_type(module, &import_spec);
}

PyObject *import_tables(PyObject *module, PyObject *unused) {
  (void)module;
  (void)unused;
  PyObject *presets = PyList_New(0), *conversions = PyList_New(0);
  bool done = presets && conversions;
  const privy_import_preset_info *preset;
  for (size_t i = 0; done && (preset = privy_import_preset_at(i)); i++) {
    PyObject *tuple = Py_BuildValue("(sss)", preset->name, preset->operation, preset->doc);
    done = tuple && PyList_Append(presets, tuple) == 0;
    Py_XDECREF(tuple);
  }
  const privy_import_conversion_info *conversion;
  for (size_t i = 0; done && (conversion = privy_import_conversion_at(i)); i++) {
    PyObject *tuple = Py_BuildValue("(ss)", conversion->name, conversion->doc);
    done = tuple && PyList_Append(conversions, tuple) == 0;
    Py_XDECREF(tuple);
  }
  if (done) return Py_BuildValue("(NN)", presets, conversions);
  Py_XDECREF(presets);
  Py_XDECREF(conversions);
  return NULL;
}

PyObject *import_toml(PyObject *module, PyObject *bytes) {
  privy_buffer out = PRIVY_BUFFER_EMPTY;
  privy_error error;
  char *text;
  Py_ssize_t length;
  if (PyBytes_AsStringAndSize(bytes, &text, &length) < 0) return NULL;
  privy_error_init(&error);
  const privy_status status = privy_import_read_toml(text, (size_t)length, &out, &error);
  if (status != PRIVY_OK) errors_raise(state_of_module(module), status, &error);
  PyObject *json = status == PRIVY_OK ? text_of((privy_span){out.data, out.length}) : NULL;
  privy_buffer_clear(&out);
  privy_error_clear(&error);
  return json;
}
