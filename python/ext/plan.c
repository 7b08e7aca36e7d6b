#include "plan.h"

#include "client.h"
#include "errors.h"
#include "group.h"
#include "options.h"
#include "reading.h"
#include "request.h"
#include "scalars.h"
#include "types.h"

/* Seconds of a wait before the plan checks for progress to report. */
#define TURN 1.0

/* The core's plan with its group. The group is closed when the reading ends. */
typedef struct plan_object {
  reading_object reading;           /* its report is called with (done, expected, waiting_until, eta) */
  PyObject *headers;                /* extra headers of each request, or None */
  const privy_operation *operation; /* of the rows */
  privy_plan *plan;
} plan_object;

privy_plan *plan_of(core_state *state, PyObject *object) {
  return Py_IS_TYPE(object, state->plan_type) ? ((plan_object *)object)->plan : NULL;
}

static bool lock(plan_object *self) {
  return busy_enter(&self->reading.busy, "the plan is in use by another thread");
}

static void unlock(plan_object *self) {
  busy_leave(&self->reading.busy);
}

/* ---- rows ---- */

/* Adds a row that is invalid. Returns its details; NULL with an exception. */
static PyObject *refuse(plan_object *self, const privy_error *error) {
  privy_plan_refuse(self->plan, error);
  return errors_details(&error->details);
}

/* add(params, extra, omits_nulls): adds a row. Returns the details of an invalid one, which is refused, or None. */
static PyObject *plan_add_row(PyObject *object, PyObject *args) {
  plan_object *self = (plan_object *)object;
  PyObject *params, *extra;
  int omits_nulls;
  if (!PyArg_ParseTuple(args, "OOp", &params, &extra, &omits_nulls)) return NULL;
  privy_request *request =
      request_new_row(self->reading.state, self->operation, params, extra, self->headers, omits_nulls);
  if (!request) return NULL;
  privy_error error;
  privy_error_init(&error);
  const privy_status status = privy_request_finish(request, &error);
  if (status == PRIVY_OK)
    privy_plan_add(self->plan, request);
  else
    privy_request_free(request);
  PyObject *details = status == PRIVY_VALIDATION  ? refuse(self, &error)
                      : status == PRIVY_NO_MEMORY ? PyErr_NoMemory()
                                                  : Py_NewRef(Py_None);
  privy_error_clear(&error);
  return details;
}

static bool add_detail(plan_object *self, PyObject *tuple) {
  const char *field, *message, *code;
  PyObject *count;
  if (!PyArg_ParseTuple(tuple, "sssO", &field, &message, &code, &count)) return false;
  const int64_t limit = count == Py_None ? -1 : PyLong_AsLongLong(count);
  if (PyErr_Occurred()) return false;
  privy_plan_refuse_detail(self->plan, field, message, code, limit);
  return true;
}

/* refuse([(field, message, code, count or None), …]): adds a row that is invalid. */
static PyObject *plan_refuse(PyObject *object, PyObject *details) {
  plan_object *self = (plan_object *)object;
  if (!PyList_Check(details)) return PyErr_Format(PyExc_TypeError, "details must be a list");
  privy_plan_refuse_row(self->plan);
  for (Py_ssize_t i = 0; i < PyList_Size(details); i++)
    if (!add_detail(self, PyList_GetItem(details, i))) return NULL;
  Py_RETURN_NONE;
}

static PyObject *plan_end_rows(PyObject *object, PyObject *unused) {
  (void)unused;
  plan_object *self = (plan_object *)object;
  privy_group *group = group_lock(self->reading.group);
  if (!group) return NULL;
  privy_plan_end_rows(self->plan);
  group_unlock(self->reading.group);
  Py_RETURN_NONE;
}

/* ---- the reading ---- */

/* Calls on_progress if the progress has changed. False with the exception that it raised. */
static bool report(plan_object *self) {
  privy_plan_progress progress;
  if (!self->reading.report || !privy_plan_take_progress(self->plan, &progress)) return true;
  PyObject *expected = progress.expected < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong((long long)progress.expected);
  PyObject *result = PyObject_CallFunction(self->reading.report, "KNNN", (unsigned long long)progress.requests,
                                           expected, scalar_seconds(progress.waiting_until > 0, progress.waiting_until),
                                           scalar_seconds(progress.eta >= 0, progress.eta));
  Py_XDECREF(result);
  return result;
}

/* Closes the group at the end, and raises why the plan is incomplete. */
static bool end(plan_object *self) {
  return reading_end(&self->reading, privy_plan_error(self->plan));
}

/* Asks the core for the next step, and reports. False with an exception. */
static bool step(plan_object *self, privy_plan_step *next) {
  *next = PRIVY_PLAN_END;
  if (self->reading.shut) return end(self);
  if (!group_observe(self->reading.group) || !group_lock(self->reading.group)) return false;
  *next = privy_plan_next(self->plan);
  group_unlock(self->reading.group);
  if (!group_report(self->reading.group) || !report(self)) return false;
  return *next != PRIVY_PLAN_END || end(self);
}

/* step(): returns "wait", "again" or "end"; raises why the plan is incomplete. */
static PyObject *plan_step(PyObject *object, PyObject *unused) {
  (void)unused;
  static const char *const names[] = {"wait", "again", "end"};
  plan_object *self = (plan_object *)object;
  privy_plan_step next;
  if (!lock(self)) return NULL;
  const bool went = step(self, &next);
  unlock(self);
  return went ? PyUnicode_FromString(names[next]) : NULL;
}

static bool drive(plan_object *self) {
  privy_plan_step next;
  while (step(self, &next)) {
    if (next == PRIVY_PLAN_END) return true;
    if (next == PRIVY_PLAN_AGAIN && PyErr_CheckSignals() < 0) return false;
    if (next == PRIVY_PLAN_WAIT && !group_drive(self->reading.group, TURN)) return false;
  }
  return false;
}

/* drive(): reads and compares to the end. After an exception it can be called again. */
static PyObject *plan_drive(PyObject *object, PyObject *unused) {
  (void)unused;
  plan_object *self = (plan_object *)object;
  if (!lock(self)) return NULL;
  const bool done = drive(self);
  unlock(self);
  return done ? Py_NewRef(Py_None) : NULL;
}

/* close(): cancels the calls. */
static PyObject *plan_close(PyObject *object, PyObject *unused) {
  (void)unused;
  plan_object *self = (plan_object *)object;
  if (self->reading.shut) Py_RETURN_NONE;
  if (!group_lock(self->reading.group)) return NULL;
  privy_plan_close(self->plan);
  group_unlock(self->reading.group);
  return reading_shut(&self->reading) ? Py_NewRef(Py_None) : NULL;
}

/* ---- the result ---- */

/* counts(): ({state: rows}, requests, requests_read, duration or None, read_at, from_snapshot). */
static PyObject *plan_counts(PyObject *object, PyObject *unused) {
  (void)unused;
  plan_object *self = (plan_object *)object;
  privy_plan_counts counts;
  privy_plan_count(self->plan, &counts);
  PyObject *rows = PyDict_New();
  for (int i = 0; rows && i < PRIVY_PLAN_STATE_COUNT; i++)
    if (!state_set_item(rows, privy_plan_state_name((privy_plan_state)i), PyLong_FromUnsignedLongLong(counts.rows[i])))
      Py_CLEAR(rows);
  if (!rows) return NULL;
  return Py_BuildValue("(NKKNdN)", rows, (unsigned long long)counts.requests, (unsigned long long)counts.requests_read,
                       scalar_seconds(counts.duration >= 0, counts.duration), counts.read_at,
                       PyBool_FromLong(counts.from_snapshot));
}

static PyObject *row_tuple(const privy_plan_row *row) {
  PyObject *details = errors_details(row->details);
  if (!details) return NULL;
  return Py_BuildValue("(KszLs#N)", (unsigned long long)row->index, row->key, row->contact_id, (long long)row->request,
                       row->changes.text ? row->changes.text : "{}",
                       (Py_ssize_t)(row->changes.text ? row->changes.length : 2), details);
}

/* row(state, nth): (index, key, contact_id, request, changes as JSON, details) of the row number `nth` in the state of
 * that number; None past the end. */
static PyObject *plan_row_of(PyObject *object, PyObject *args) {
  plan_object *self = (plan_object *)object;
  int state;
  unsigned long long nth;
  privy_plan_row row;
  if (!PyArg_ParseTuple(args, "iK", &state, &nth)) return NULL;
  if (state < 0 || state >= PRIVY_PLAN_STATE_COUNT ||
      !privy_plan_row_of(self->plan, (privy_plan_state)state, nth, &row))
    Py_RETURN_NONE;
  return row_tuple(&row);
}

/* request_row(request): the index of the first row of a request. */
static PyObject *plan_request_row(PyObject *object, PyObject *number) {
  plan_object *self = (plan_object *)object;
  const unsigned long long request = PyLong_AsUnsignedLongLong(number);
  privy_plan_counts counts;
  if (PyErr_Occurred()) return NULL;
  privy_plan_count(self->plan, &counts);
  if (request >= counts.requests) return PyErr_Format(PyExc_IndexError, "the plan has fewer requests");
  return PyLong_FromUnsignedLongLong(privy_plan_row_of_request(self->plan, request));
}

static PyObject *text_of(privy_status status, privy_buffer *text) {
  PyObject *made =
      status == PRIVY_OK ? PyUnicode_DecodeUTF8(text->data, (Py_ssize_t)text->length, NULL) : PyErr_NoMemory();
  privy_buffer_clear(text);
  return made;
}

/* text(most): the plan with the first `most` rows of each state. */
static PyObject *plan_text(PyObject *object, PyObject *most) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const size_t rows = PyLong_AsSize_t(most);
  if (PyErr_Occurred()) return NULL;
  return text_of(privy_plan_text(((plan_object *)object)->plan, rows, &text), &text);
}

static PyObject *plan_summary(PyObject *object, PyObject *unused) {
  (void)unused;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  return text_of(privy_plan_summary(((plan_object *)object)->plan, &text), &text);
}

static PyObject *plan_is_sandbox(PyObject *object, void *unused) {
  (void)unused;
  return PyBool_FromLong(client_of_sandbox(((plan_object *)object)->reading.client));
}

/* ---- life ---- */

static bool read_mode(plan_object *self, const char *name, PyObject *value, privy_plan_mode *out) {
  Py_ssize_t length = 0;
  const char *text = PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, &length) : NULL;
  privy_error error;
  PyErr_Clear();
  privy_error_init(&error);
  const privy_status status = privy_plan_mode_read(name, text ? text : "", (size_t)length, out, &error);
  if (status != PRIVY_OK) errors_raise(self->reading.state, status, &error);
  privy_error_clear(&error);
  return status == PRIVY_OK;
}

static bool read_options(plan_object *self, PyObject *concurrency, PyObject *const *options,
                         privy_plan_config *config) {
  privy_bulk_config bulk;
  privy_bulk_config_init(&bulk);
  if (options_read_concurrency(self->reading.state, concurrency, &bulk) < 0) return false;
  config->concurrency = bulk.concurrency;
  return client_run_options(self->reading.state, self->reading.client, options, &config->options) == 0;
}

static bool open_plan(plan_object *self, const privy_plan_config *config) {
  privy_group *group = group_lock(self->reading.group);
  if (!group) return false;
  privy_error error;
  privy_error_init(&error);
  const privy_status status = privy_plan_new(group, config, &self->plan, &error);
  group_unlock(self->reading.group);
  if (status != PRIVY_OK) errors_raise(self->reading.state, status, &error);
  privy_error_clear(&error);
  return status == PRIVY_OK;
}

static bool initialize(reading_object *reading, PyObject *args) {
  plan_object *self = (plan_object *)reading;
  PyObject *group, *client, *name, *tags, *custom, *snapshot, *concurrency, *report, *headers, *options[OPTIONS_COUNT];
  privy_plan_config config;
  int resubscribe, on_spent_day;
  const char *tags_name, *custom_name;
  privy_plan_config_init(&config);
  if (!PyArg_ParseTuple(args, "OOO(sO)(sO)pOdiOOOOOOO", &group, &client, &name, &tags_name, &tags, &custom_name,
                        &custom, &resubscribe, &snapshot, &config.max_age, &on_spent_day, &concurrency, &report,
                        &headers, &options[0], &options[1], &options[2], &options[3]))
    return false;
  if (snapshot != Py_None && !(config.snapshot = PyBytes_AsString(snapshot))) return false;
  self->operation = request_operation(name, 4);
  if (!self->operation || !reading_open(reading, group, client, report)) return false;
  self->headers = Py_NewRef(headers);
  config.resubscribe = resubscribe;
  config.on_spent_day = (privy_spent_day)on_spent_day;
  return request_check_headers(self->reading.state, self->operation, headers) &&
         read_mode(self, tags_name, tags, &config.tags) && read_mode(self, custom_name, custom, &config.fields) &&
         read_options(self, concurrency, options, &config) && open_plan(self, &config);
}

/* Plan(group, client, operation, (name, mode), (name, mode), resubscribe, snapshot, max_age, on_spent_day, concurrency,
 * report, extra_headers, timeout, connect_timeout, max_wait, max_retries): the modes of tags and of the fields of one's
 * own, with the names that errors show */
static PyObject *plan_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  return reading_new(type, args, initialize);
}

static int plan_traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(((plan_object *)object)->headers);
  return reading_traverse(object, visit, arg);
}

static void plan_dealloc(PyObject *object) {
  plan_object *self = (plan_object *)object;
  PyObject_GC_UnTrack(object);
  privy_plan_free(self->plan); /* before its group */
  Py_XDECREF(self->headers);
  reading_free(object);
}

static PyMethodDef plan_methods[] = {
    {"add", plan_add_row, METH_VARARGS, "add($self, params, extra, omits_nulls, /)\n--\n\nAdds a row."},
    {"refuse", plan_refuse, METH_O, "refuse($self, details, /)\n--\n\nAdds a row that is invalid."},
    {"end_rows", plan_end_rows, METH_NOARGS, "end_rows($self, /)\n--\n\nThere are no more rows."},
    {"step", plan_step, METH_NOARGS, "step($self, /)\n--\n\nStarts calls and compares rows; says what comes next."},
    {"drive", plan_drive, METH_NOARGS, "drive($self, /)\n--\n\nReads and compares to the end."},
    {"close", plan_close, METH_NOARGS, "close($self, /)\n--\n\nEnds all calls in flight."},
    {"counts", plan_counts, METH_NOARGS, "counts($self, /)\n--\n\nHow many rows and requests there are."},
    {"row", plan_row_of, METH_VARARGS, "row($self, state, nth, /)\n--\n\nA row of a state."},
    {"request_row", plan_request_row, METH_O, "request_row($self, request, /)\n--\n\nThe first row of a request."},
    {"text", plan_text, METH_O, "text($self, most, /)\n--\n\nThe plan as text."},
    {"summary", plan_summary, METH_NOARGS, "summary($self, /)\n--\n\nThe counts as text."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef plan_attributes[] = {
    {"is_sandbox", plan_is_sandbox, NULL, "Whether a sandbox handles the calls.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot plan_slots[] = {
    {Py_tp_doc, "What rows of contacts would change."},
    {Py_tp_new, plan_new},
    {Py_tp_dealloc, plan_dealloc},
    {Py_tp_traverse, plan_traverse},
    {Py_tp_clear, reading_clear},
    {Py_tp_methods, plan_methods},
    {Py_tp_getset, plan_attributes},
    {0, NULL},
};

static PyType_Spec plan_spec = {
    .name = "privy._core.Plan",
    .basicsize = sizeof(plan_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_BASETYPE,
    .slots = plan_slots,
};

int plan_add(PyObject *module, core_state *state) {
  return (state->plan_type = state_add_type(module, &plan_spec)) ? 0 : -1;
}
