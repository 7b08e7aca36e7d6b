#include "bulk.h"

#include "busy.h"
#include "client.h"
#include "errors.h"
#include "group.h"
#include "scalars.h"
#include "types.h"

/* Seconds of a wait before the run checks for progress to report. */
#define TURN 1.0
/* Rows that are skipped before signal handlers and other tasks run: some milliseconds. */
#define SKIPS_IN_A_ROW 256

/* ---- one thread at a time ---- */

static bool lock(bulk_object *self) {
  return busy_enter(&self->busy, "the bulk run is in use: one thread at a time iterates it");
}

static void unlock(bulk_object *self) {
  busy_leave(&self->busy);
}

/* ---- the end of a run ---- */

/* Copies the progress for threads that read it. */
static void copy_progress(bulk_object *self) {
  privy_bulk_progress progress;
  privy_bulk_get_progress(self->bulk, &progress);
  CRITICAL_SECTION_BEGIN(self);
  self->progress = progress;
  CRITICAL_SECTION_END();
}

/* Cancels the calls in flight, stores the final state and releases the connections. False with an exception. */
static bool finish(bulk_object *self) {
  if (!self->bulk) return true;
  privy_group *group = group_lock(self->group);
  if (!group) return false;
  privy_bulk_close(self->bulk);
  copy_progress(self);
  self->open_rows = bulk_list_open_rows(self);
  bool stored = self->open_rows;
  if (stored) {
    privy_bulk_free(self->bulk);
    self->bulk = NULL;
    PyDict_Clear(self->rows);
  }
  group_unlock(self->group);
  return stored && group_shut(self->group);
}

/* ---- steps ---- */

/* Calls on_progress if the progress has changed. False with the exception that it raised. */
static bool report(bulk_object *self) {
  privy_bulk_progress progress;
  if (!self->report || !privy_bulk_take_progress(self->bulk, &progress)) return true;
  PyObject *result = PyObject_CallFunction(
      self->report, "KKNNK", (unsigned long long)progress.done, (unsigned long long)progress.failed,
      scalar_seconds(progress.waiting_until > 0, progress.waiting_until),
      scalar_seconds(progress.eta >= 0, progress.eta), (unsigned long long)progress.skipped);
  Py_XDECREF(result);
  return result;
}

/* Other threads run while the journal waits for the disk. Without that, a step is too short for it. */
static privy_bulk_step core_step(bulk_object *self) {
  privy_bulk_step step;
  if (!privy_bulk_will_sync(self->bulk)) return privy_bulk_next(self->bulk);
  Py_BEGIN_ALLOW_THREADS;
  step = privy_bulk_next(self->bulk);
  Py_END_ALLOW_THREADS;
  return step;
}

/* Asks the core for the next step. False with an exception. */
static bool next_step(bulk_object *self, privy_bulk_step *step) {
  if (!group_observe(self->group) || !group_lock(self->group)) return false;
  if (self->closing) privy_bulk_close(self->bulk);
  *step = core_step(self);
  if (*step != PRIVY_BULK_ROW) copy_progress(self);
  group_unlock(self->group);
  return true;
}

/* Lets signal handlers run and reports the progress. False with an exception. */
static bool breathe(bulk_object *self) {
  self->skips = 0;
  copy_progress(self);
  return PyErr_CheckSignals() == 0 && group_report(self->group) && report(self);
}

/* Takes rows and starts calls until there is another kind of step, or until many rows were skipped in an event loop.
 * `drives`: drives calls between the rows. */
static bool step(bulk_object *self, bool drives, privy_bulk_step *next) {
  if (!bulk_acknowledge(self)) return false;
  for (;;) {
    if (!next_step(self, next)) return false;
    if (*next != PRIVY_BULK_ROW && !(group_report(self->group) && report(self))) return false;
    if (*next == PRIVY_BULK_END || (*next != PRIVY_BULK_ROW && !self->closing)) return true;
    if (self->closing) continue;
    if (drives && PyDict_Size(self->rows) > 0 && !group_drive(self->group, -1)) return false;
    if (!bulk_take_row(self)) return false;
    if (!self->starved && self->skips < SKIPS_IN_A_ROW) continue;
    const bool returns = self->starved || !drives;
    self->paused = !self->starved;
    self->starved = false;
    if (!breathe(self)) return false;
    if (returns) return true;
  }
}

/* Raises, once, the exception that ended the run early. */
static PyObject *end(bulk_object *self) {
  const privy_error *error = self->bulk ? privy_bulk_error(self->bulk) : NULL;
  if (error && !self->stop) {
    errors_raise(self->state, error->code, error);
    PyObject *exception = bulk_own_error(self);
    if (!exception) return NULL;
    self->stop = exception;
  }
  if (!finish(self) || !self->stop || self->raised) return NULL;
  PyObject *done =
      PyObject_CallFunction(self->ending, "OKO", self->stop, (unsigned long long)self->next_index, self->open_rows);
  if (!done) return NULL;
  Py_DECREF(done);
  self->raised = true;
  PyErr_SetObject((PyObject *)Py_TYPE(self->stop), self->stop);
  return NULL;
}

/* ---- iterated by a thread ---- */

static PyObject *next_result(bulk_object *self) {
  privy_bulk_step next;
  if (!self->bulk) return end(self);
  while (step(self, true, &next)) {
    if (next == PRIVY_BULK_END) return end(self);
    if (next == PRIVY_BULK_RESULT) {
      PyObject *made = bulk_current_result(self);
      if (made && bulk_acknowledge(self)) return made;
      Py_XDECREF(made);
      return NULL;
    }
    if (!group_drive(self->group, TURN)) return NULL;
  }
  return NULL;
}

static PyObject *bulk_iternext(PyObject *object) {
  bulk_object *self = (bulk_object *)object;
  if (!lock(self)) return NULL;
  PyObject *result = next_result(self);
  unlock(self);
  return result;
}

/* ---- iterated by an event loop ---- */

/* step(): takes rows and starts calls. Returns "result", "wait", "end", "row" if the iterator has no row yet, or "skip"
 * after many rows that the journal has; raises, once, the exception that ended the run. */
static PyObject *bulk_step(PyObject *object, PyObject *unused) {
  (void)unused;
  static const char *const names[] = {"row", "result", "wait", "end"};
  bulk_object *self = (bulk_object *)object;
  privy_bulk_step next = PRIVY_BULK_END;
  if (!lock(self)) return NULL;
  bool went = !self->bulk || step(self, false, &next);
  if (went && next == PRIVY_BULK_END) (void)end(self);
  const char *name = next == PRIVY_BULK_ROW && self->paused ? "skip" : names[next];
  unlock(self);
  return went && !PyErr_Occurred() ? PyUnicode_FromString(name) : NULL;
}

/* take(): the oldest result. The next step acknowledges it. */
static PyObject *bulk_take(PyObject *object, PyObject *unused) {
  (void)unused;
  bulk_object *self = (bulk_object *)object;
  if (!lock(self)) return NULL;
  PyObject *result = NULL;
  if (!self->bulk)
    PyErr_SetString(PyExc_RuntimeError, "the bulk run is over");
  else if (bulk_acknowledge(self))
    result = bulk_current_result(self);
  unlock(self);
  return result;
}

/* put_back(): the next take returns the last result again. */
static PyObject *bulk_put_back(PyObject *object, PyObject *unused) {
  (void)unused;
  ((bulk_object *)object)->returned = false;
  Py_RETURN_NONE;
}

/* ---- state ---- */

/* close(): cancels all calls; during a step (in a callback or another thread), when that step is done. */
static PyObject *bulk_close(PyObject *object, PyObject *unused) {
  (void)unused;
  bulk_object *self = (bulk_object *)object;
  if (!lock(self)) {
    PyErr_Clear();
    self->closing = true;
    Py_RETURN_NONE;
  }
  bool done = !self->bulk || (bulk_acknowledge(self) && finish(self));
  unlock(self);
  if (!done) return NULL;
  Py_RETURN_NONE;
}

/* finish(): starts no more calls. */
static PyObject *bulk_end_soon(PyObject *object, PyObject *unused) {
  (void)unused;
  bulk_object *self = (bulk_object *)object;
  if (!lock(self)) return NULL;
  privy_group *group = self->bulk ? group_lock(self->group) : NULL;
  if (group) privy_bulk_finish(self->bulk);
  if (group) group_unlock(self->group);
  const bool done = group || !self->bulk;
  unlock(self);
  return done ? Py_NewRef(Py_None) : NULL;
}

/* keep_consents(): rows that are taken later subscribe only contacts that they create. */
static PyObject *bulk_keep_consents(PyObject *object, PyObject *unused) {
  (void)unused;
  bulk_object *self = (bulk_object *)object;
  if (!lock(self)) return NULL;
  if (self->bulk) privy_bulk_keep_consents(self->bulk);
  unlock(self);
  Py_RETURN_NONE;
}

/* open_rows(): (index, row, in_doubt, idempotency_key) of the rows whose result was not returned. */
static PyObject *bulk_open_rows(PyObject *object, PyObject *unused) {
  (void)unused;
  bulk_object *self = (bulk_object *)object;
  if (!self->bulk) return Py_NewRef(self->open_rows);
  if (!lock(self)) return NULL;
  PyObject *rows = bulk_acknowledge(self) ? bulk_list_open_rows(self) : NULL;
  unlock(self);
  return rows;
}

/* counts(): taken, done, failed, created, updated, requests, seconds, waited, skipped, skipped_refused. */
static PyObject *bulk_counts(PyObject *object, PyObject *unused) {
  (void)unused;
  bulk_object *self = (bulk_object *)object;
  privy_bulk_progress seen;
  CRITICAL_SECTION_BEGIN(self);
  seen = self->progress;
  CRITICAL_SECTION_END();
  return Py_BuildValue("(KKKKKKddKK)", (unsigned long long)self->next_index, (unsigned long long)seen.done,
                       (unsigned long long)seen.failed, (unsigned long long)seen.created,
                       (unsigned long long)seen.updated, (unsigned long long)seen.requests, seen.seconds, seen.waited,
                       (unsigned long long)seen.skipped, (unsigned long long)seen.skipped_refused);
}

static PyObject *bulk_source_failed(PyObject *object, void *unused) {
  (void)unused;
  return PyBool_FromLong(((bulk_object *)object)->source_failed);
}

static PyObject *bulk_stopped(PyObject *object, void *unused) {
  (void)unused;
  PyObject *stop = ((bulk_object *)object)->stop;
  return Py_NewRef(stop ? stop : Py_None);
}

static PyObject *bulk_last(PyObject *object, void *unused) {
  (void)unused;
  bulk_object *self = (bulk_object *)object;
  PyObject *last;
  CRITICAL_SECTION_BEGIN(self);
  last = Py_NewRef(self->last ? self->last : Py_None);
  CRITICAL_SECTION_END();
  return last;
}

static PyObject *bulk_over(PyObject *object, void *unused) {
  (void)unused;
  return PyBool_FromLong(!((bulk_object *)object)->bulk);
}

static PyObject *bulk_eta(PyObject *object, void *unused) {
  (void)unused;
  bulk_object *self = (bulk_object *)object;
  double eta;
  CRITICAL_SECTION_BEGIN(self);
  eta = self->progress.done > 0 ? self->progress.eta : -1; /* before the first step the progress is empty */
  CRITICAL_SECTION_END();
  return scalar_seconds(eta >= 0, eta);
}

static PyObject *bulk_is_sandbox(PyObject *object, void *unused) {
  (void)unused;
  return PyBool_FromLong(client_of_sandbox(((bulk_object *)object)->client));
}

/* ---- life ---- */

/* Bulk(group, client, operation, rows, concurrency, total, split, omits_nulls, success, failure, ending, report,
 * settings, extra_headers, timeout, connect_timeout, max_wait, max_retries); total -1: unknown; omits_nulls: of rows
 * that are dicts; settings: see options_read_run */
static PyObject *bulk_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  bulk_object *self = (bulk_object *)PyType_GenericAlloc(type, 0);
  if (self && !bulk_initialize(self, args)) Py_CLEAR(self);
  return (PyObject *)self;
}

static int bulk_traverse(PyObject *object, visitproc visit, void *arg) {
  bulk_object *self = (bulk_object *)object;
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->group);
  Py_VISIT(self->client);
  Py_VISIT(self->iterator);
  Py_VISIT(self->plan);
  Py_VISIT(self->headers);
  Py_VISIT(self->rows);
  Py_VISIT(self->refusals);
  Py_VISIT(self->pending);
  Py_VISIT(self->split);
  Py_VISIT(self->success);
  Py_VISIT(self->failure);
  Py_VISIT(self->ending);
  Py_VISIT(self->report);
  Py_VISIT(self->stop);
  Py_VISIT(self->last);
  Py_VISIT(self->open_rows);
  return 0;
}

static int bulk_clear(PyObject *object) {
  bulk_object *self = (bulk_object *)object;
  Py_CLEAR(self->iterator);
  Py_CLEAR(self->pending);
  Py_CLEAR(self->split);
  Py_CLEAR(self->success);
  Py_CLEAR(self->failure);
  Py_CLEAR(self->ending);
  Py_CLEAR(self->report);
  Py_CLEAR(self->stop);
  Py_CLEAR(self->last);
  return 0;
}

/* A run that is dropped ends its calls, and they report that. */
static void bulk_finalize(PyObject *object) {
  bulk_object *self = (bulk_object *)object;
  self->finalized = true;
  if (!self->bulk || self->busy) return;
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  bool entered = group_lock(self->group);
  if (entered) {
    privy_bulk_close(self->bulk);
    group_unlock(self->group);
    group_report_last(self->group);
  }
  PyErr_Clear();
  PyErr_Restore(type, value, trace);
}

static void bulk_dealloc(PyObject *object) {
  bulk_object *self = (bulk_object *)object;
  PyObject_GC_UnTrack(object);
  if (!self->finalized) bulk_finalize(object);
  privy_bulk_free(self->bulk); /* before its group */
  (void)bulk_clear(object);
  Py_XDECREF(self->plan);
  Py_XDECREF(self->group);
  Py_XDECREF(self->client);
  Py_XDECREF(self->headers);
  Py_XDECREF(self->rows);
  Py_XDECREF(self->refusals);
  Py_XDECREF(self->open_rows);
  state_free_object(object);
}

static PyMethodDef bulk_methods[] = {
    {"step", bulk_step, METH_NOARGS, "step($self, /)\n--\n\nTakes rows and starts calls; says what comes next."},
    {"take", bulk_take, METH_NOARGS, "take($self, /)\n--\n\nTakes the oldest result."},
    {"put_back", bulk_put_back, METH_NOARGS, "put_back($self, /)\n--\n\nGives back what take returned last."},
    {"open_rows", bulk_open_rows, METH_NOARGS, "open_rows($self, /)\n--\n\nThe rows without a result."},
    {"counts", bulk_counts, METH_NOARGS, "counts($self, /)\n--\n\nHow far the run has come."},
    {"keep_consents", bulk_keep_consents, METH_NOARGS,
     "keep_consents($self, /)\n--\n\nRows that are taken later subscribe only contacts that they create."},
    {"finish", bulk_end_soon, METH_NOARGS, "finish($self, /)\n--\n\nSends nothing more for rows without a request."},
    {"close", bulk_close, METH_NOARGS, "close($self, /)\n--\n\nEnds all calls in flight."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef bulk_attributes[] = {
    {"stopped", bulk_stopped, NULL, "What ended the run early, or None.", NULL},
    {"source_failed", bulk_source_failed, NULL, "Whether the iterable raised it.", NULL},
    {"last", bulk_last, NULL, "The result that was returned last, or None.", NULL},
    {"over", bulk_over, NULL, "Whether the run has ended.", NULL},
    {"eta", bulk_eta, NULL, "Seconds until the end, at the last step; None if unknown.", NULL},
    {"is_sandbox", bulk_is_sandbox, NULL, "Whether a sandbox handles the calls.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot bulk_slots[] = {
    {Py_tp_doc, "The core's bulk run."},
    {Py_tp_new, bulk_new},
    {Py_tp_methods, bulk_methods},
    {Py_tp_getset, bulk_attributes},
    {Py_tp_iter, PyObject_SelfIter},
    {Py_tp_iternext, bulk_iternext},
    {Py_tp_traverse, bulk_traverse},
    {Py_tp_clear, bulk_clear},
    {Py_tp_finalize, bulk_finalize},
    {Py_tp_dealloc, bulk_dealloc},
    {0, NULL},
};

static PyType_Spec bulk_spec = {
    .name = "privy._core.Bulk",
    .basicsize = sizeof(bulk_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = bulk_slots,
};

int bulk_add(PyObject *module) {
  return state_add_own_type(module, &bulk_spec);
}
