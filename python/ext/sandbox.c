#include "sandbox.h"

#include <errno.h>

#include "errors.h"
#include "sandbox_object.h"
#include "types.h"

privy_sandbox *sandbox_of(core_state *state, PyObject *object) {
  if (Py_IS_TYPE(object, state->sandbox_type)) return sandbox_in(object);
  PyErr_SetString(PyExc_TypeError, "sandbox must be a Sandbox");
  return NULL;
}

static PyObject *done(privy_status status) {
  if (status == PRIVY_OK) Py_RETURN_NONE;
  return PyErr_NoMemory();
}

/* ---- requests ---- */

/* handle(method, target, headers, body): (HTTP status, [(name, value)], body, delay, cut) */
static PyObject *sandbox_handle(PyObject *self, PyObject *args) {
  const char *method, *target, *headers, *body;
  Py_ssize_t headers_length, body_length;
  if (!PyArg_ParseTuple(args, "ssy#y#", &method, &target, &headers, &headers_length, &body, &body_length)) return NULL;
  privy_sandbox_response response;
  privy_sandbox_response_init(&response);
  PyThreadState *thread = PyEval_SaveThread();
  privy_status status = privy_sandbox_handle(sandbox_in(self), method, target, headers, (size_t)headers_length, body,
                                             (size_t)body_length, &response);
  PyEval_RestoreThread(thread);
  PyObject *result;
  if (status == PRIVY_OK) {
    result = Py_BuildValue("(iNNdi)", response.http_status,
                           sandbox_header_pairs(response.headers.data, response.headers.length),
                           PyBytes_FromStringAndSize(response.body.data, (Py_ssize_t)response.body.length),
                           response.delay, (int)response.cut);
  } else {
    result = PyErr_NoMemory();
  }
  privy_sandbox_response_clear(&response);
  return result;
}

/* ---- credentials ---- */

static PyObject *sandbox_add_token(PyObject *self, PyObject *args) {
  const char *token, *scopes;
  if (!PyArg_ParseTuple(args, "sz", &token, &scopes)) return NULL;
  return done(privy_sandbox_add_token(sandbox_in(self), token, scopes));
}

static PyObject *sandbox_revoke_token(PyObject *self, PyObject *args) {
  const char *token;
  if (!PyArg_ParseTuple(args, "s", &token)) return NULL;
  return PyBool_FromLong(privy_sandbox_revoke_token(sandbox_in(self), token));
}

static PyObject *sandbox_add_client(PyObject *self, PyObject *args) {
  const char *client_id, *client_secret, *scopes;
  if (!PyArg_ParseTuple(args, "ssz", &client_id, &client_secret, &scopes)) return NULL;
  return done(privy_sandbox_add_client(sandbox_in(self), client_id, client_secret, scopes));
}

static PyObject *sandbox_add_integration(PyObject *self, PyObject *args) {
  const char *token;
  int active;
  if (!PyArg_ParseTuple(args, "sp", &token, &active)) return NULL;
  return done(privy_sandbox_add_integration(sandbox_in(self), token, active));
}

/* ---- settings ---- */

static PyObject *sandbox_set_consent(PyObject *self, PyObject *args) {
  const char *contact_id, *field, *value;
  if (!PyArg_ParseTuple(args, "sss", &contact_id, &field, &value)) return NULL;
  switch (privy_sandbox_set_consent(sandbox_in(self), contact_id, field, value)) {
  case PRIVY_OK: Py_RETURN_NONE;
  case PRIVY_NOT_FOUND: return PyErr_Format(PyExc_LookupError, "the sandbox has no contact %s", contact_id);
  case PRIVY_VALIDATION: return PyErr_Format(PyExc_ValueError, "%s cannot be set to %s", field, value);
  default: return PyErr_NoMemory();
  }
}

static PyObject *sandbox_set_sms_countries(PyObject *self, PyObject *args) {
  const char *prefixes;
  if (!PyArg_ParseTuple(args, "s", &prefixes)) return NULL;
  return done(privy_sandbox_set_sms_countries(sandbox_in(self), prefixes));
}

/* The nearest number that the core accepts; -1 with an exception for what is not an int. */
static int clamp(PyObject *given, uint32_t *out) {
  int overflow;
  const long long value = PyLong_AsLongLongAndOverflow(given, &overflow);
  if (value == -1 && PyErr_Occurred()) return -1;
  const bool below = overflow < 0 || (overflow == 0 && value < 0), above = overflow > 0 || value > UINT32_MAX;
  *out = below ? 0 : (above ? UINT32_MAX : (uint32_t)value);
  return 0;
}

static PyObject *sandbox_set_limits(PyObject *self, PyObject *args) {
  PyObject *given[3];
  uint32_t limits[3];
  if (!PyArg_ParseTuple(args, "OOO", &given[0], &given[1], &given[2])) return NULL;
  for (int i = 0; i < 3; i++) {
    if (clamp(given[i], &limits[i]) < 0) return NULL;
  }
  if (privy_sandbox_set_limits(sandbox_in(self), limits[0], limits[1], limits[2]) == PRIVY_OK) Py_RETURN_NONE;
  return PyErr_Format(PyExc_ValueError, "window must be 1 to %d seconds", PRIVY_SANDBOX_WINDOW);
}

static PyObject *sandbox_set_clock(PyObject *self, PyObject *args) {
  double seconds;
  if (!PyArg_ParseTuple(args, "d", &seconds)) return NULL;
  privy_sandbox_set_clock(sandbox_in(self), seconds);
  Py_RETURN_NONE;
}

static PyObject *sandbox_advance(PyObject *self, PyObject *args) {
  double seconds;
  if (!PyArg_ParseTuple(args, "d", &seconds)) return NULL;
  privy_sandbox_advance(sandbox_in(self), seconds);
  Py_RETURN_NONE;
}

static PyObject *sandbox_set_skipping(PyObject *self, PyObject *on) {
  const int skips = PyObject_IsTrue(on);
  if (skips < 0) return NULL;
  privy_sandbox_set_skipping(sandbox_in(self), skips);
  Py_RETURN_NONE;
}

static PyObject *sandbox_now(PyObject *self, PyObject *unused) {
  (void)unused;
  return PyFloat_FromDouble(privy_sandbox_now(sandbox_in(self)));
}

/* ---- injected faults and counts ---- */

/* add_fault(HTTP status or 0, body or None, retry_after or -1, delay, cut, skip, count, operation or None) */
static PyObject *sandbox_add_fault(PyObject *self, PyObject *args) {
  privy_sandbox_fault fault = {0};
  int cut;
  unsigned int skip, count;
  if (!PyArg_ParseTuple(args, "izddiIIz", &fault.http_status, &fault.body, &fault.retry_after, &fault.delay, &cut,
                        &skip, &count, &fault.operation))
    return NULL;
  fault.cut = (privy_cut)cut;
  fault.skip = skip;
  fault.count = count;
  const privy_status status = privy_sandbox_add_fault(sandbox_in(self), &fault);
  if (status != PRIVY_VALIDATION) return done(status);
  return PyErr_Format(PyExc_ValueError, "there is no operation %s", fault.operation);
}

static PyObject *sandbox_clear_faults(PyObject *self, PyObject *unused) {
  (void)unused;
  privy_sandbox_clear_faults(sandbox_in(self));
  Py_RETURN_NONE;
}

static PyObject *counts_tuple(privy_sandbox_counts counts) {
  return Py_BuildValue("(KKKKK)", (unsigned long long)counts.requests, (unsigned long long)counts.contacts,
                       (unsigned long long)counts.orders, (unsigned long long)counts.events,
                       (unsigned long long)counts.welcome_messages);
}

static PyObject *sandbox_counts(PyObject *self, PyObject *unused) {
  (void)unused;
  return counts_tuple(privy_sandbox_count(sandbox_in(self)));
}

/* ---- snapshots ---- */

static const char snapshot_name[] = "privy.sandbox.SandboxSnapshot";

static void free_snapshot(PyObject *capsule) {
  privy_sandbox_snapshot_free(PyCapsule_GetPointer(capsule, snapshot_name));
}

/* snapshot(): a capsule, and its counts */
static PyObject *sandbox_snapshot(PyObject *self, PyObject *unused) {
  (void)unused;
  privy_sandbox_snapshot *snapshot;
  if (privy_sandbox_snapshot_new(sandbox_in(self), &snapshot) != PRIVY_OK) return PyErr_NoMemory();
  PyObject *capsule = PyCapsule_New(snapshot, snapshot_name, free_snapshot);
  if (!capsule) {
    privy_sandbox_snapshot_free(snapshot);
    return NULL;
  }
  return Py_BuildValue("(NN)", capsule, counts_tuple(privy_sandbox_snapshot_count(snapshot)));
}

static PyObject *sandbox_restore(PyObject *self, PyObject *args) {
  PyObject *capsule;
  if (!PyArg_ParseTuple(args, "O", &capsule)) return NULL;
  const privy_sandbox_snapshot *snapshot = PyCapsule_GetPointer(capsule, snapshot_name);
  return snapshot ? done(privy_sandbox_restore(sandbox_in(self), snapshot)) : NULL;
}

/* Raises ValueError with the text, which is cleared. */
static PyObject *refused(privy_buffer *problem) {
  PyObject *text = PyUnicode_DecodeUTF8(problem->data, (Py_ssize_t)problem->length, "replace");
  privy_buffer_clear(problem);
  if (text) PyErr_SetObject(PyExc_ValueError, text);
  Py_XDECREF(text);
  return NULL;
}

/* seed(kind, contacts, days, seed modulo 2**64) */
static PyObject *sandbox_seed(PyObject *self, PyObject *args) {
  const char *kind;
  long long contacts, days;
  unsigned long long seed;
  privy_buffer problem = PRIVY_BUFFER_EMPTY;
  if (!PyArg_ParseTuple(args, "sLLK", &kind, &contacts, &days, &seed)) return NULL;
  PyThreadState *thread = PyEval_SaveThread();
  const privy_status status = privy_sandbox_seed(sandbox_in(self), kind, contacts, days, seed, &problem);
  PyEval_RestoreThread(thread);
  if (status == PRIVY_VALIDATION) return refused(&problem);
  privy_buffer_clear(&problem);
  return done(status);
}

/* ---- files ---- */

static PyObject *failed_at(int error, PyObject *path) {
  errno = error;
  return error == ENOMEM ? PyErr_NoMemory() : PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, path);
}

/* save(path) */
static PyObject *sandbox_save(PyObject *self, PyObject *args) {
  PyObject *path, *bytes;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  int error = 0;
  if (!PyArg_ParseTuple(args, "O", &path) || !PyUnicode_FSConverter(path, &bytes)) return NULL;
  PyThreadState *thread = PyEval_SaveThread();
  const privy_status status = privy_sandbox_write(sandbox_in(self), &text);
  if (status == PRIVY_OK) error = privy_file_write(PyBytes_AsString(bytes), text.data, text.length);
  PyEval_RestoreThread(thread);
  privy_buffer_clear(&text);
  Py_DECREF(bytes);
  return error ? failed_at(error, path) : done(status);
}

/* load(path): None, or what is wrong with the file */
static PyObject *sandbox_load(PyObject *self, PyObject *args) {
  PyObject *path, *bytes, *result;
  privy_buffer text = PRIVY_BUFFER_EMPTY, problem = PRIVY_BUFFER_EMPTY;
  privy_status status = PRIVY_OK;
  if (!PyArg_ParseTuple(args, "O", &path) || !PyUnicode_FSConverter(path, &bytes)) return NULL;
  PyThreadState *thread = PyEval_SaveThread();
  const int error = privy_file_read(PyBytes_AsString(bytes), &text);
  if (error == 0) status = privy_sandbox_read(sandbox_in(self), text.data, text.length, &problem);
  PyEval_RestoreThread(thread);
  if (error)
    result = failed_at(error, path);
  else if (status == PRIVY_VALIDATION)
    result = PyUnicode_DecodeUTF8(problem.data, (Py_ssize_t)problem.length, "replace");
  else
    result = done(status);
  privy_buffer_clear(&text);
  privy_buffer_clear(&problem);
  Py_DECREF(bytes);
  return result;
}

static PyObject *sandbox_reset(PyObject *self, PyObject *unused) {
  (void)unused;
  privy_sandbox_reset(sandbox_in(self));
  Py_RETURN_NONE;
}

/* ---- settings as texts ---- */

typedef privy_status text_reader(privy_sandbox *sandbox, const char *text, size_t length, privy_error *error);

static PyObject *read_text(PyObject *self, PyObject *text, text_reader *reader) {
  Py_ssize_t length;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
  if (!bytes) return NULL;
  privy_error error;
  privy_error_init(&error);
  PyThreadState *thread = PyEval_SaveThread();
  const privy_status status = reader(sandbox_in(self), bytes, (size_t)length, &error);
  PyEval_RestoreThread(thread);
  if (status != PRIVY_OK) errors_raise(state_of_object(self), status, &error);
  privy_error_clear(&error);
  if (status != PRIVY_OK) return NULL;
  Py_RETURN_NONE;
}

static PyObject *sandbox_read_limits(PyObject *self, PyObject *text) {
  return read_text(self, text, privy_sandbox_read_limits);
}

static PyObject *sandbox_read_seed(PyObject *self, PyObject *text) {
  return read_text(self, text, privy_sandbox_read_seed);
}

static PyObject *sandbox_read_fault(PyObject *self, PyObject *text) {
  return read_text(self, text, privy_sandbox_read_fault);
}

/* ---- life ---- */

static PyObject *sandbox_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  if (!PyArg_ParseTuple(args, "")) return NULL;
  sandbox_object *self = (sandbox_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  if (privy_sandbox_new(&self->sandbox) != PRIVY_OK) {
    Py_DECREF(self);
    return PyErr_NoMemory();
  }
  return (PyObject *)self;
}

static int sandbox_traverse(PyObject *self, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(self));
  return 0;
}

static void sandbox_dealloc(PyObject *self) {
  PyObject_GC_UnTrack(self);
  privy_sandbox_release(sandbox_in(self));
  state_free_object(self);
}

static PyMethodDef sandbox_methods[] = {
    {"handle", sandbox_handle, METH_VARARGS, "Handles one request."},
    {"add_token", sandbox_add_token, METH_VARARGS, "Adds a token with scopes, or None for all."},
    {"revoke_token", sandbox_revoke_token, METH_VARARGS, "Revokes a token; whether the sandbox knew it."},
    {"add_client", sandbox_add_client, METH_VARARGS, "Adds an OAuth client."},
    {"add_integration", sandbox_add_integration, METH_VARARGS, "Adds a Custom Integration."},
    {"set_consent", sandbox_set_consent, METH_VARARGS, "Sets a consent that no request can set."},
    {"set_sms_countries", sandbox_set_sms_countries, METH_VARARGS,
     "Sets the E.164 prefixes of supported SMS countries."},
    {"set_limits", sandbox_set_limits, METH_VARARGS,
     "Sets the rate limits of a minute and a day, and the seconds of a minute."},
    {"set_clock", sandbox_set_clock, METH_VARARGS, "Stops the clock at a time; a negative number restarts it."},
    {"advance", sandbox_advance, METH_VARARGS, "Advances the clock."},
    {"set_skipping", sandbox_set_skipping, METH_O, "Sets whether waits only move the clock."},
    {"now", sandbox_now, METH_NOARGS, "The time of the clock."},
    {"add_fault", sandbox_add_fault, METH_VARARGS, "Queues a fault."},
    {"read_limits", sandbox_read_limits, METH_O, "Sets the rate limits from a text."},
    {"read_seed", sandbox_read_seed, METH_O, "Adds the generated records of a text."},
    {"read_fault", sandbox_read_fault, METH_O, "Queues the fault of a text."},
    {"clear_faults", sandbox_clear_faults, METH_NOARGS, "Removes the queued faults."},
    {"history", sandbox_history, METH_NOARGS, "The newest requests and what became of them."},
    {"keep_history", sandbox_keep_history, METH_VARARGS, "Sets how many requests to keep."},
    {"stored", sandbox_stored, METH_VARARGS, "The JSON texts of all records of a kind."},
    {"find", sandbox_find, METH_VARARGS, "The JSON text of the record of a key, or None."},
    {"counts", sandbox_counts, METH_NOARGS, "Counts of requests and records."},
    {"snapshot", sandbox_snapshot, METH_NOARGS, "What the sandbox holds now, and its counts."},
    {"restore", sandbox_restore, METH_VARARGS, "Makes the sandbox hold what a snapshot holds."},
    {"save", sandbox_save, METH_VARARGS, "Writes what the sandbox holds into a file."},
    {"load", sandbox_load, METH_VARARGS, "Reads what the sandbox holds from a file."},
    {"seed", sandbox_seed, METH_VARARGS, "Adds generated records."},
    {"reset", sandbox_reset, METH_NOARGS, "Deletes records and counts."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot sandbox_slots[] = {
    {Py_tp_doc, "The core's in-memory Privy."}, {Py_tp_new, sandbox_new},         {Py_tp_methods, sandbox_methods},
    {Py_tp_traverse, sandbox_traverse},         {Py_tp_dealloc, sandbox_dealloc}, {0, NULL},
};

static PyType_Spec sandbox_spec = {
    .name = "privy._core.Sandbox",
    .basicsize = sizeof(sandbox_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = sandbox_slots,
};

int sandbox_add(PyObject *module, core_state *state) {
  state->sandbox_type = state_add_type(module, &sandbox_spec);
  if (!state->sandbox_type) return -1;
  if (PyModule_AddIntConstant(module, "SANDBOX_CONTACTS", PRIVY_SANDBOX_CONTACTS) < 0) return -1;
  if (PyModule_AddIntConstant(module, "SANDBOX_ORDERS", PRIVY_SANDBOX_ORDERS) < 0) return -1;
  if (PyModule_AddIntConstant(module, "SANDBOX_EVENTS", PRIVY_SANDBOX_EVENTS) < 0) return -1;
  if (PyModule_AddIntConstant(module, "SANDBOX_MESSAGES", PRIVY_SANDBOX_MESSAGES) < 0) return -1;
  if (PyModule_AddStringConstant(module, "SANDBOX_TOKEN", PRIVY_SANDBOX_TOKEN) < 0) return -1;
  if (PyModule_AddStringConstant(module, "SANDBOX_CLIENT_ID", PRIVY_SANDBOX_CLIENT_ID) < 0) return -1;
  return PyModule_AddStringConstant(module, "SANDBOX_CLIENT_SECRET", PRIVY_SANDBOX_CLIENT_SECRET);
}
