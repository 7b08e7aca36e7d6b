/* Journals of bulk runs, to be read: privy._core.Journal and the iterators of its entries. */
#include <errno.h>
#include <string.h>

#include "errors.h"
#include "privy_jobs.h"
#include "scalars.h"
#include "types.h"

typedef struct journal_object {
  PyObject_HEAD core_state *state;
  privy_journal_view *view; /* NULL: closed, and not in use */
  size_t used;              /* by methods that run, and by iterators */
  bool closed;
} journal_object;

typedef struct entries_object {
  PyObject_HEAD journal_object *journal;
  privy_journal_entries *entries;
  privy_entries_kind kind;
  bool running; /* a thread reads the next entry */
} entries_object;

/* ---- use of the view ---- */

/* The view, which stays open until journal_leave; NULL with an exception if the journal is closed. */
static privy_journal_view *journal_enter(journal_object *self) {
  privy_journal_view *view = NULL;
  CRITICAL_SECTION_BEGIN(self);
  if (!self->closed) {
    view = self->view;
    self->used++;
  }
  CRITICAL_SECTION_END();
  if (!view) PyErr_SetString(PyExc_ValueError, "the journal is closed");
  return view;
}

static void free_unused(journal_object *self, size_t left) {
  privy_journal_view *done = NULL;
  CRITICAL_SECTION_BEGIN(self);
  self->used -= left;
  if (self->closed && self->used == 0) {
    done = self->view;
    self->view = NULL;
  }
  CRITICAL_SECTION_END();
  privy_journal_view_free(done);
}

static void journal_leave(journal_object *self) {
  free_unused(self, 1);
}

/* Raises the error, if there is one, and clears it. */
static bool is_done(journal_object *self, privy_status status, privy_error *error) {
  if (status != PRIVY_OK) errors_raise(self->state, status, error);
  privy_error_clear(error);
  return status == PRIVY_OK;
}

/* ---- the summary ---- */

static PyObject *counts_of(const privy_journal_summary *summary) {
  PyObject *counts = PyDict_New();
  for (int state = 0; counts && state < PRIVY_JOURNAL_STATE_COUNT; state++)
    if (!state_set_item(counts, privy_journal_state_name((privy_journal_state)state),
                        PyLong_FromUnsignedLongLong(summary->counts[state])))
      Py_CLEAR(counts);
  return counts;
}

#define NUMBERS(X) X(total) X(succeeded) X(failed) X(unsent) X(in_doubt) X(details) X(runs) X(killed) X(requests)

static bool add_numbers(PyObject *dict, const privy_journal_summary *summary) {
  bool done = true;
#define X(name) done = done && state_set_item(dict, #name, PyLong_FromUnsignedLongLong(summary->name));
  NUMBERS(X)
#undef X
  return done;
}

static PyObject *summary_dict(const privy_journal_summary *summary) {
  const char *stopped = *summary->stopped ? summary->stopped : NULL;
  PyObject *dict = Py_BuildValue("{sNsNsNsdsNsdsdsNsN}", "operation", scalar_c_string(summary->operation), "server",
                                 scalar_c_string(summary->server), "account_known",
                                 PyBool_FromLong(summary->account_known), "began", summary->began, "counts",
                                 counts_of(summary), "seconds", summary->seconds, "waited", summary->waited, "finished",
                                 PyBool_FromLong(summary->finished), "stopped", scalar_c_string(stopped));
  if (dict && !add_numbers(dict, summary)) Py_CLEAR(dict);
  return dict;
}

/* summary(): a dict */
static PyObject *journal_summary(PyObject *object, PyObject *unused) {
  (void)unused;
  journal_object *self = (journal_object *)object;
  privy_journal_summary summary;
  privy_error error;
  privy_journal_view *view = journal_enter(self);
  if (!view) return NULL;
  privy_error_init(&error);
  PyThreadState *thread = PyEval_SaveThread();
  const privy_status status = privy_journal_view_summary(view, &summary, &error);
  PyEval_RestoreThread(thread);
  PyObject *dict = is_done(self, status, &error) ? summary_dict(&summary) : NULL;
  journal_leave(self);
  return dict;
}

/* ---- entries ---- */

/* JSON text, None if there is none. A string is its text with the quotes around it. */
static PyObject *json_text(privy_value value) {
  if (value.type == PRIVY_ABSENT) return Py_NewRef(Py_None);
  const Py_ssize_t quote = value.type == PRIVY_STRING;
  return PyUnicode_DecodeUTF8(value.text - quote, (Py_ssize_t)value.length + 2 * quote, "strict");
}

static PyObject *number_or_none(bool known, int64_t number) {
  return known ? PyLong_FromLongLong(number) : Py_NewRef(Py_None);
}

/* (row, key, field, message, value, code, count, status, request) */
static PyObject *refused_tuple(const privy_journal_entry *entry) {
  return Py_BuildValue("(KNNNNNNNN)", (unsigned long long)entry->row, scalar_c_string(entry->key),
                       scalar_c_string(entry->field), scalar_c_string(entry->message), json_text(entry->value),
                       scalar_c_string(entry->code), number_or_none(entry->count >= 0, entry->count),
                       number_or_none(entry->http_status != 0, entry->http_status), json_text(entry->request));
}

/* (row, key, idempotency key, time of the first request, whether it is too old, whether it is decided, request) */
static PyObject *in_doubt_tuple(const privy_journal_entry *entry) {
  return Py_BuildValue("(KNNdNNN)", (unsigned long long)entry->row, scalar_c_string(entry->key),
                       scalar_c_string(entry->idempotency_key), entry->first_sent, PyBool_FromLong(entry->too_old),
                       PyBool_FromLong(entry->decided), json_text(entry->request));
}

/* Whether this thread reads the next entry; false with an exception if another one does. */
static bool start(entries_object *self) {
  bool free;
  CRITICAL_SECTION_BEGIN(self);
  free = !self->running;
  self->running = true;
  CRITICAL_SECTION_END();
  if (!free) PyErr_SetString(PyExc_ValueError, "another thread uses this iterator");
  return free;
}

static PyObject *entries_next(PyObject *object) {
  entries_object *self = (entries_object *)object;
  privy_journal_entry entry;
  privy_error error;
  bool found = false;
  if (!start(self)) return NULL;
  privy_error_init(&error);
  PyThreadState *thread = PyEval_SaveThread();
  const privy_status status = privy_journal_entries_next(self->entries, &entry, &found, &error);
  PyEval_RestoreThread(thread);
  PyObject *tuple = NULL;
  if (is_done(self->journal, status, &error) && found)
    tuple = self->kind == PRIVY_ENTRIES_REFUSED ? refused_tuple(&entry) : in_doubt_tuple(&entry);
  CRITICAL_SECTION_BEGIN(self);
  self->running = false;
  CRITICAL_SECTION_END();
  return tuple;
}

static void entries_dealloc(PyObject *object) {
  entries_object *self = (entries_object *)object;
  privy_journal_entries_free(self->entries);
  if (self->journal) {
    journal_leave(self->journal);
    Py_DECREF((PyObject *)self->journal);
  }
  state_free_object(object);
}

/* JournalEntries(journal, kind): kind is "refused" or "in_doubt" */
static PyObject *entries_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  PyObject *journal;
  const char *kind;
  if (!PyArg_ParseTuple(args, "O!s", state_of_type(type)->journal_type, &journal, &kind)) return NULL;
  entries_object *self = (entries_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  privy_journal_view *view = journal_enter((journal_object *)journal);
  if (view) {
    self->journal = (journal_object *)Py_NewRef(journal);
    self->kind = strcmp(kind, "refused") == 0 ? PRIVY_ENTRIES_REFUSED : PRIVY_ENTRIES_IN_DOUBT;
    if (privy_journal_entries_new(view, self->kind, &self->entries) != PRIVY_OK) PyErr_NoMemory();
  }
  if (!self->entries) Py_CLEAR(self);
  return (PyObject *)self;
}

static PyType_Slot entries_slots[] = {
    {Py_tp_doc, "The entries of a journal as tuples."},
    {Py_tp_new, entries_new},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, entries_next},
    {Py_tp_dealloc, entries_dealloc},
    {0, NULL},
};

static PyType_Spec entries_spec = {
    .name = "privy._core.JournalEntries",
    .basicsize = sizeof(entries_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = entries_slots,
};

/* ---- what writes ---- */

/* decide(key or None, row or -1, sends): the number of rows */
static PyObject *journal_decide(PyObject *object, PyObject *args) {
  journal_object *self = (journal_object *)object;
  const char *key;
  long long row;
  int sends;
  uint64_t decided;
  privy_error error;
  if (!PyArg_ParseTuple(args, "zLp", &key, &row, &sends)) return NULL;
  privy_journal_view *view = journal_enter(self);
  if (!view) return NULL;
  privy_error_init(&error);
  PyThreadState *thread = PyEval_SaveThread();
  const privy_status status =
      privy_journal_view_decide(view, key, row, sends ? PRIVY_DECISION_SEND : PRIVY_DECISION_SKIP, &decided, &error);
  PyEval_RestoreThread(thread);
  journal_leave(self);
  return is_done(self, status, &error) ? PyLong_FromUnsignedLongLong(decided) : NULL;
}

/* The number of rows; NULL with an OSError if `number` is an error of the system. */
static PyObject *written(journal_object *self, privy_status status, int number, uint64_t rows, PyObject *path,
                         privy_error *error) {
  if (status == PRIVY_OK || number == 0) return is_done(self, status, error) ? PyLong_FromUnsignedLongLong(rows) : NULL;
  privy_error_clear(error);
  errno = number;
  return PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
}

/* write_rejects(path, as CSV): the number of rows */
static PyObject *journal_write_rejects(PyObject *object, PyObject *args) {
  journal_object *self = (journal_object *)object;
  PyObject *path, *bytes;
  int as_csv;
  privy_error error;
  uint64_t rows;
  int number;
  if (!PyArg_ParseTuple(args, "Op", &path, &as_csv) || !PyUnicode_FSConverter(path, &bytes)) return NULL;
  privy_journal_view *view = journal_enter(self);
  if (!view) {
    Py_DECREF(bytes);
    return NULL;
  }
  privy_error_init(&error);
  PyThreadState *thread = PyEval_SaveThread();
  const privy_status status = privy_journal_view_write_rejects(
      view, PyBytes_AsString(bytes), as_csv ? PRIVY_REJECTS_CSV : PRIVY_REJECTS_LINES, &rows, &number, &error);
  PyEval_RestoreThread(thread);
  journal_leave(self);
  Py_DECREF(bytes);
  return written(self, status, number, rows, path, &error);
}

/* ---- life ---- */

/* Journal(path) */
static PyObject *journal_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  PyObject *path, *bytes;
  privy_error error;
  if (!PyArg_ParseTuple(args, "O", &path) || !PyUnicode_FSConverter(path, &bytes)) return NULL;
  journal_object *self = (journal_object *)PyType_GenericAlloc(type, 0);
  if (self) {
    self->state = state_of_type(type);
    privy_error_init(&error);
    PyThreadState *thread = PyEval_SaveThread();
    const privy_status status = privy_journal_view_open(PyBytes_AsString(bytes), &self->view, &error);
    PyEval_RestoreThread(thread);
    if (!is_done(self, status, &error)) Py_CLEAR(self);
  }
  Py_DECREF(bytes);
  return (PyObject *)self;
}

/* close() */
static PyObject *journal_close(PyObject *object, PyObject *unused) {
  (void)unused;
  journal_object *self = (journal_object *)object;
  CRITICAL_SECTION_BEGIN(self);
  self->closed = true;
  CRITICAL_SECTION_END();
  free_unused(self, 0);
  Py_RETURN_NONE;
}

static void journal_dealloc(PyObject *object) {
  privy_journal_view_free(((journal_object *)object)->view);
  state_free_object(object);
}

static PyMethodDef journal_methods[] = {
    {"summary", journal_summary, METH_NOARGS, "What all runs have reached."},
    {"decide", journal_decide, METH_VARARGS, "Writes a decision about rows in doubt."},
    {"write_rejects", journal_write_rejects, METH_VARARGS, "Writes the refused rows to a file."},
    {"close", journal_close, METH_NOARGS, "Closes the file when its iterators are gone."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot journal_slots[] = {
    {Py_tp_doc, "The journal of bulk runs, to be read."},
    {Py_tp_new, journal_new},
    {Py_tp_methods, journal_methods},
    {Py_tp_dealloc, journal_dealloc},
    {0, NULL},
};

static PyType_Spec journal_spec = {
    .name = "privy._core.Journal",
    .basicsize = sizeof(journal_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = journal_slots,
};

int journal_add(PyObject *module, core_state *state) {
  state->journal_type = state_add_type(module, &journal_spec);
  if (!state->journal_type) return -1;
  return state_add_own_type(module, &entries_spec);
}
