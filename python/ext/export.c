#include "export.h"

#include "client.h"
#include "columns.h"
#include "errors.h"
#include "group.h"
#include "options.h"
#include "privy_jobs.h"
#include "reading.h"
#include "request.h"
#include "scalars.h"
#include "types.h"

/* Seconds of a wait before the export checks for progress to report. */
#define TURN 1.0

/* The core's export with its group, which is closed at the end. */
typedef struct export_object {
  reading_object reading; /* its report is called with (contacts, total, waiting_until, eta) */
  privy_export *export;
} export_object;

static bool lock(export_object *self) {
  return busy_enter(&self->reading.busy, "the export is in use by another thread");
}

static void unlock(export_object *self) {
  busy_leave(&self->reading.busy);
}

/* ---- steps ---- */

/* Calls on_progress if the progress has changed. False with the exception that it raised. */
static bool report(export_object *self) {
  privy_export_progress progress;
  if (!self->reading.report || !privy_export_take_progress(self->export, &progress)) return true;
  const privy_sweep_progress *sweep = &progress.sweep;
  PyObject *total = sweep->total < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong((long long)sweep->total);
  PyObject *result = PyObject_CallFunction(self->reading.report, "KNNN", (unsigned long long)sweep->contacts, total,
                                           scalar_seconds(sweep->waiting_until > 0, sweep->waiting_until),
                                           scalar_seconds(sweep->eta >= 0, sweep->eta));
  Py_XDECREF(result);
  return result;
}

/* Closes the group at the end, and raises why there is no file. */
static bool end(export_object *self) {
  return reading_end(&self->reading, privy_export_error(self->export));
}

/* Asks the core for the next step, and reports. False with an exception. */
static bool step(export_object *self, privy_export_step *next) {
  *next = PRIVY_EXPORT_END;
  if (self->reading.shut) return end(self);
  if (!group_observe(self->reading.group) || !group_lock(self->reading.group)) return false;
  *next = privy_export_next(self->export);
  group_unlock(self->reading.group);
  if (!group_report(self->reading.group) || !report(self)) return false;
  return *next != PRIVY_EXPORT_END || end(self);
}

static PyObject *name_of(privy_export_step next) {
  static const char *const names[] = {"wait", "again", "columns", "end"};
  return PyUnicode_FromString(names[next]);
}

static PyObject *export_step(PyObject *object, PyObject *unused) {
  (void)unused;
  export_object *self = (export_object *)object;
  privy_export_step next;
  if (!lock(self)) return NULL;
  const bool went = step(self, &next);
  unlock(self);
  return went ? name_of(next) : NULL;
}

static bool drive(export_object *self, privy_export_step *next) {
  while (step(self, next)) {
    if (*next == PRIVY_EXPORT_END || *next == PRIVY_EXPORT_COLUMNS) return true;
    if (*next == PRIVY_EXPORT_AGAIN && PyErr_CheckSignals() < 0) return false;
    if (*next == PRIVY_EXPORT_WAIT && !group_drive(self->reading.group, TURN)) return false;
  }
  return false;
}

static PyObject *export_drive(PyObject *object, PyObject *unused) {
  (void)unused;
  export_object *self = (export_object *)object;
  privy_export_step next;
  if (!lock(self)) return NULL;
  const bool done = drive(self, &next);
  unlock(self);
  return done ? name_of(next) : NULL;
}

static PyObject *export_close(PyObject *object, PyObject *unused) {
  (void)unused;
  export_object *self = (export_object *)object;
  if (self->reading.shut) Py_RETURN_NONE;
  if (!group_lock(self->reading.group)) return NULL;
  privy_export_close(self->export);
  group_unlock(self->reading.group);
  return reading_shut(&self->reading) ? Py_NewRef(Py_None) : NULL;
}

/* ---- columns ---- */

/* The pages of an export, which they keep alive. */
typedef struct export_pages {
  PyObject *export;
  privy_page_source source;
} export_pages;

static privy_status next_page(void *context, privy_response **page, const bool **skip, privy_error *error) {
  const export_pages *pages = context;
  return pages->source.next(pages->source.context, page, skip, error);
}

/* Any thread may release a stream, also after the interpreter has ended: then nothing is left to free. */
static void release_pages(void *context) {
  export_pages *pages = context;
  if (!Py_IsInitialized()) return;
  PyGILState_STATE gil = PyGILState_Ensure();
  Py_DECREF(pages->export);
  privy_free(pages);
  PyGILState_Release(gil);
}

static PyObject *stream_of(export_object *self, const privy_object *object) {
  struct ArrowArrayStream stream;
  privy_columns_config config;
  privy_columns_config_init(&config);
  export_pages *pages = privy_alloc(sizeof *pages);
  if (!pages) return PyErr_NoMemory();
  *pages = (export_pages){Py_NewRef((PyObject *)self), privy_export_pages(self->export)};
  const privy_page_source source = {next_page, release_pages, pages};
  if (privy_columns_stream(object, &config, source, &stream) == PRIVY_OK) return columns_capsule(&stream);
  release_pages(pages);
  return PyErr_NoMemory();
}

static PyObject *export_stream(PyObject *object, PyObject *args) {
  const char *name;
  if (!PyArg_ParseTuple(args, "s", &name) || columns_check_interpreter() < 0) return NULL;
  const privy_object *table = privy_object_find(name);
  return table ? stream_of((export_object *)object, table) : PyErr_Format(PyExc_LookupError, "no table %s", name);
}

static PyObject *export_written(PyObject *object, PyObject *unused) {
  (void)unused;
  privy_export_written(((export_object *)object)->export);
  Py_RETURN_NONE;
}

static PyObject *export_output(PyObject *object, void *unused) {
  (void)unused;
  return PyUnicode_DecodeFSDefault(privy_export_output(((export_object *)object)->export));
}

/* (contacts, requests, seconds, waited, resumed, began_at). */
static PyObject *export_counts(PyObject *object, void *unused) {
  (void)unused;
  privy_export_progress progress;
  privy_export_get_progress(((export_object *)object)->export, &progress);
  const privy_sweep_progress *sweep = &progress.sweep;
  return Py_BuildValue("(KKddNd)", (unsigned long long)progress.written, (unsigned long long)sweep->requests,
                       sweep->seconds, sweep->waited, PyBool_FromLong(progress.resumed), progress.began_at);
}

/* ---- life ---- */

/* Imports what writes columns, before a file is created or a request is sent. False with an exception. */
static bool prepare_columns(PyObject *prepare) {
  PyObject *result = PyObject_CallFunction(prepare, NULL);
  Py_XDECREF(result);
  return result;
}

static bool read_format(core_state *state, PyObject *name, const char *path, privy_export_format *format) {
  privy_error error;
  const char *text = NULL;
  if (name != Py_None && !(text = PyUnicode_AsUTF8AndSize(name, NULL))) return false;
  privy_error_init(&error);
  const privy_status status = privy_export_format_read(text, path, format, &error);
  if (status != PRIVY_OK) errors_raise(state, status, &error);
  privy_error_clear(&error);
  return status == PRIVY_OK;
}

PyObject *export_check_format(PyObject *module, PyObject *arguments) {
  const char *path;
  PyObject *name;
  privy_export_format format;
  if (!PyArg_ParseTuple(arguments, "yO:check_export_format", &path, &name)) return NULL;
  if (!read_format(state_of_module(module), name, path, &format)) return NULL;
  Py_RETURN_NONE;
}

/* Takes over the request. */
static bool open_export(export_object *self, privy_request *list, const privy_export_config *config) {
  privy_group *group = group_lock(self->reading.group);
  if (!group) {
    privy_request_free(list);
    return false;
  }
  privy_error error;
  privy_error_init(&error);
  const privy_status status = privy_export_new(group, list, config, &self->export, &error);
  group_unlock(self->reading.group);
  if (status != PRIVY_OK) errors_raise(self->reading.state, status, &error);
  privy_error_clear(&error);
  return status == PRIVY_OK;
}

static bool begin(export_object *self, PyObject *const *call, const privy_export_config *config) {
  const privy_operation *operation = request_operation(call[0], 4);
  privy_request *list = operation ? request_new(self->reading.state, operation, call[1], call[2], call[3]) : NULL;
  if (!list) return false;
  if (client_finish(self->reading.state, self->reading.client, list, -1, NULL) == 0)
    return open_export(self, list, config);
  privy_request_free(list);
  return false;
}

static bool initialize(reading_object *reading, PyObject *args) {
  export_object *self = (export_object *)reading;
  PyObject *group, *client, *call[4], *path, *format, *prepare, *report, *options[OPTIONS_COUNT];
  privy_export_config config;
  int resume, on_spent_day;
  privy_export_config_init(&config);
  if (!PyArg_ParseTuple(args, "OOOOOOSOOiiOOOOO", &group, &client, &call[0], &call[1], &call[2], &call[3], &path,
                        &format, &prepare, &resume, &on_spent_day, &report, &options[0], &options[1], &options[2],
                        &options[3]))
    return false;
  if (!reading_open(reading, group, client, report)) return false;
  config.path = PyBytes_AsString(path);
  config.resume = (privy_resume)resume;
  config.on_spent_day = (privy_spent_day)on_spent_day;
  if (!read_format(reading->state, format, config.path, &config.format) ||
      client_run_options(reading->state, client, options, &config.options) < 0)
    return false;
  if (config.format == PRIVY_EXPORT_PARQUET && !prepare_columns(prepare)) return false;
  return begin(self, call, &config);
}

/* Export(group, client, operation, params, extra, extra_headers, path, format, prepare, resume, on_spent_day, report,
 * timeout, connect_timeout, max_wait, max_retries): `prepare` is called if the caller is to write columns */
static PyObject *export_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  return reading_new(type, args, initialize);
}

static void export_dealloc(PyObject *object) {
  export_object *self = (export_object *)object;
  PyObject_GC_UnTrack(object);
  privy_export_free(self->export); /* before its group */
  reading_free(object);
}

static PyMethodDef export_methods[] = {
    {"step", export_step, METH_NOARGS, "step($self, /)\n--\n\nReads or writes some contacts; says what comes next."},
    {"drive", export_drive, METH_NOARGS, "drive($self, /)\n--\n\nReads and writes to the end, or to the columns."},
    {"close", export_close, METH_NOARGS, "close($self, /)\n--\n\nCancels the request."},
    {"stream", export_stream, METH_VARARGS, "stream($self, table, /)\n--\n\nThe contacts as an Arrow stream."},
    {"written", export_written, METH_NOARGS, "written($self, /)\n--\n\nThe output is complete."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef export_attributes[] = {
    {"output", export_output, NULL, "Where to write the columns.", NULL},
    {"counts", export_counts, NULL, "Contacts, requests, seconds, waited, resumed, began_at.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot export_slots[] = {
    {Py_tp_doc, "The contacts of a list as a file."},
    {Py_tp_new, export_new},
    {Py_tp_dealloc, export_dealloc},
    {Py_tp_traverse, reading_traverse},
    {Py_tp_clear, reading_clear},
    {Py_tp_methods, export_methods},
    {Py_tp_getset, export_attributes},
    {0, NULL},
};

static PyType_Spec export_spec = {
    .name = "privy._core.Export",
    .basicsize = sizeof(export_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = export_slots,
};

int export_add(PyObject *module) {
  return state_add_own_type(module, &export_spec);
}
