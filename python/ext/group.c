#include "group.h"

#include <unistd.h>

#include "call_event.h"
#include "client.h"
#include "contexts.h"
#include "errors.h"
#include "group_object.h"
#include "options.h"
#include "request.h"
#include "types.h"

/* Seconds of a wait before signal handlers run. */
#define SLICE 0.05

/* ---- starting and stopping ---- */

static bool read_id(PyObject *value, uint64_t *id) {
  *id = PyLong_AsUnsignedLongLong(value);
  return !PyErr_Occurred();
}

/* Stores the operation of a call, unless a call of this id is in flight. */
static bool store_operation(group_object *self, PyObject *id, const privy_operation *operation) {
  int known = PyDict_Contains(self->calls, id);
  if (known > 0) PyErr_SetString(PyExc_ValueError, "a call of this id is in flight");
  if (known) return false;
  PyObject *pointer = PyLong_FromVoidPtr((void *)(uintptr_t)operation);
  bool kept = pointer && PyDict_SetItem(self->calls, id, pointer) == 0;
  Py_XDECREF(pointer);
  return kept;
}

static void observe(group_object *self, privy_level least) {
  self->least = least;
  privy_group_observe(self->group, least);
}

static bool start_locked(group_object *self, PyObject *client, PyObject *number, privy_request *request,
                         const privy_options *options, const privy_operation *operation) {
  uint64_t id;
  privy_error error;
  privy_error_init(&error);
  if (!client_open(state_of_object((PyObject *)self), client) || !read_id(number, &id) ||
      !store_operation(self, number, operation)) {
    privy_request_free(request);
    return false;
  }
  if (!group_keep_context((PyObject *)self, id))
    PyErr_Clear(); /* its events are then reported in the current context */
  privy_status status = privy_group_start(self->group, request, options, id, &error);
  if (status != PRIVY_OK) {
    (void)PyDict_DelItem(self->calls, number);
    contexts_forget(self->contexts, id);
    errors_raise(state_of_object((PyObject *)self), status, &error);
  }
  privy_error_clear(&error);
  return status == PRIVY_OK;
}

/* Takes over the request, which may be NULL with an exception. `client` is the client of the group, with its own
 * options. */
static PyObject *start_call(group_object *self, PyObject *client, PyObject *number, privy_request *request,
                            PyObject *const *given, const privy_operation *operation) {
  core_state *state = state_of_object((PyObject *)self);
  privy_options options;
  if (!request) return NULL;
  privy_level least;
  bool ready = event_wanted(state, client_receivers(state, self->client), &least) &&
               client_call_options(state, client, given, &options) == 0 &&
               client_finish(state, client, request, -1, NULL) == 0 && group_enter(self);
  if (!ready) {
    privy_request_free(request);
    return NULL;
  }
  observe(self, least);
  bool started = start_locked(self, client, number, request, &options, operation);
  group_leave(self);
  if (!started) return NULL;
  Py_RETURN_NONE;
}

static bool own_client(group_object *self, PyObject *client) {
  if (client_is_same(state_of_object((PyObject *)self), self->client, client)) return true;
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_ValueError, "the group belongs to another client");
  return false;
}

/* start(client, id, operation, params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries) */
static PyObject *group_start(PyObject *object, PyObject *const *args, Py_ssize_t count) {
  group_object *self = (group_object *)object;
  core_state *state = state_of_object(object);
  if (!request_right_count(count, 6 + OPTIONS_COUNT) || !own_client(self, args[0])) return NULL;
  const privy_operation *operation = request_operation(args[2], 4);
  privy_request *request = operation ? request_new(state, operation, args[3], args[4], args[5]) : NULL;
  return start_call(self, args[0], args[1], request, args + 6, operation);
}

/* request(client, id, method, path, params, body, headers, timeout, connect_timeout, max_wait, max_retries) */
static PyObject *group_request(PyObject *object, PyObject *const *args, Py_ssize_t count) {
  group_object *self = (group_object *)object;
  core_state *state = state_of_object(object);
  if (!request_right_count(count, 2 + REQUEST_RAW_COUNT + OPTIONS_COUNT) || !own_client(self, args[0])) return NULL;
  privy_request *request = request_new_raw(state, args + 2);
  return start_call(self, args[0], args[1], request, args + 2 + REQUEST_RAW_COUNT, NULL);
}

static PyObject *group_cancel(PyObject *object, PyObject *number) {
  group_object *self = (group_object *)object;
  uint64_t id;
  if (!read_id(number, &id) || !group_enter(self)) return NULL;
  bool found = privy_group_cancel(self->group, id);
  bool failed = found && PyDict_DelItem(self->calls, number) < 0;
  group_leave(self);
  if (failed || !group_report((PyObject *)self)) return NULL;
  contexts_forget(self->contexts, id);
  return PyBool_FromLong(found);
}

/* ---- completed calls ---- */

/* Removes a completed call. Returns its id, and its operation in `*operation`. NULL with an exception. */
static PyObject *remove_call(group_object *self, uint64_t id, const privy_operation **operation) {
  PyObject *number = PyLong_FromUnsignedLongLong(id);
  PyObject *pointer = number ? state_item(self->calls, number) : NULL;
  if (pointer) *operation = PyLong_AsVoidPtr(pointer);
  Py_XDECREF(pointer);
  if (number && PyDict_DelItem(self->calls, number) < 0) PyErr_Clear();
  contexts_forget(self->contexts, id);
  return number;
}

static PyObject *value_of(core_state *state, const privy_operation *operation, privy_completion *completion) {
  if (completion->status == PRIVY_OK) return request_result(state, operation, completion->response);
  errors_raise(state, completion->status, &completion->error);
  return NULL;
}

/* next_completed(): (id, value, exception or None) of a completed call; None if there is none. */
static PyObject *group_next_completed(PyObject *object, PyObject *unused) {
  (void)unused;
  group_object *self = (group_object *)object;
  privy_completion completion;
  const privy_operation *operation = NULL;
  if (!group_enter(self)) return NULL;
  bool found = privy_group_next_completed(self->group, &completion);
  PyObject *number = found ? remove_call(self, completion.id, &operation) : NULL;
  group_leave(self);
  if (!found) Py_RETURN_NONE;
  PyObject *value = number ? value_of(state_of_object(object), operation, &completion) : NULL;
  PyObject *exception = value ? Py_NewRef(Py_None) : errors_caught();
  privy_completion_clear(&completion);
  if (!value) value = Py_NewRef(Py_None);
  return Py_BuildValue("(NNN)", number ? number : Py_NewRef(Py_None), value, exception);
}

static Py_ssize_t group_length(PyObject *object) {
  return PyDict_Size(((group_object *)object)->calls);
}

/* set_prefetch(on) */
static PyObject *group_set_prefetch(PyObject *object, PyObject *on) {
  group_object *self = (group_object *)object;
  int truth = PyObject_IsTrue(on);
  if (truth < 0 || !group_enter(self)) return NULL;
  privy_group_set_prefetch(self->group, truth > 0);
  group_leave(self);
  Py_RETURN_NONE;
}

static PyObject *group_waiting_until(PyObject *object, PyObject *unused) {
  (void)unused;
  group_object *self = (group_object *)object;
  if (!group_enter(self)) return NULL;
  double until = privy_group_waiting_until(self->group);
  group_leave(self);
  return until > 0 ? PyFloat_FromDouble(until) : Py_NewRef(Py_None);
}

/* ---- driven by waiting ---- */

bool group_drive(PyObject *object, double seconds) {
  group_object *self = (group_object *)object;
  if (!group_enter(self)) return false;
  self->thread = PyEval_SaveThread();
  if (seconds < 0) privy_group_poll(self->group);
  if (seconds >= 0) privy_group_wait(self->group, seconds < SLICE ? seconds : SLICE);
  PyEval_RestoreThread(self->thread);
  self->thread = NULL;
  group_leave(self);
  return PyErr_CheckSignals() == 0 && group_report((PyObject *)self);
}

/* wait(seconds): for no longer than SLICE; the caller calls it again. */
static PyObject *group_wait(PyObject *object, PyObject *value) {
  double seconds = PyFloat_AsDouble(value);
  if (PyErr_Occurred() || !group_drive(object, seconds > 0 ? seconds : 0)) return NULL;
  Py_RETURN_NONE;
}

/* ---- life ---- */

/* False if the group is in use. */
static bool shut(group_object *self) {
  if (!group_try_lock(self)) return false;
  privy_group *group = self->group;
  self->group = NULL;
  if (group) {
    privy_group_free(group);
    PyDict_Clear(self->calls);
    PyDict_Clear(self->contexts);
  }
  group_leave(self);
  if (group) client_release(self->client);
  return true;
}

/* Nothing can receive the results any more: cancels the calls and reports their events. A bulk run cancels its calls
 * itself; they are not in `calls`. */
static void group_finalize(PyObject *object) {
  group_object *self = (group_object *)object;
  bool own = self->group && self->process == getpid();
  self->finalized = true;
  if (!own || PyDict_Size(self->calls) == 0 || !group_try_lock(self)) return;
  privy_group_cancel_all(self->group);
  group_leave(self);
  group_report_last(object);
}

static PyObject *group_close(PyObject *object, PyObject *unused) {
  (void)unused;
  group_object *self = (group_object *)object;
  static const char at_work[] = "the group is in use: it cannot be closed now";
  if (!group_try_lock(self)) return PyErr_Format(PyExc_RuntimeError, at_work);
  bool own = self->group && self->process == getpid();
  if (own) privy_group_cancel_all(self->group);
  group_leave(self);
  bool proceed = !own || group_report((PyObject *)self);
  if (!shut(self) && proceed) return PyErr_Format(PyExc_RuntimeError, at_work);
  if (!proceed) return NULL;
  Py_RETURN_NONE;
}

bool group_shut(PyObject *object) {
  PyObject *closed = group_close(object, NULL);
  Py_XDECREF(closed);
  return closed;
}

/* ---- for bulk runs ---- */

bool group_observe(PyObject *object) {
  group_object *self = (group_object *)object;
  privy_level least;
  core_state *state = state_of_object(object);
  if (!event_wanted(state, client_receivers(state, self->client), &least) || !group_enter(self)) return false;
  observe(self, least);
  group_leave(self);
  return true;
}

bool group_keep_context(PyObject *object, uint64_t id) {
  group_object *self = (group_object *)object;
  return self->least == PRIVY_LEVEL_OFF || contexts_keep(state_of_object(object), self->contexts, id);
}

void group_forget_context(PyObject *object, uint64_t id) {
  contexts_forget(((group_object *)object)->contexts, id);
}

void group_report_last(PyObject *object) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyObject *function = PySys_GetObject("is_finalizing"), *ending = function ? PyObject_CallNoArgs(function) : NULL;
  if (ending == Py_False && !event_is_reporting()) (void)group_report(object);
  if (PyErr_Occurred()) PyErr_WriteUnraisable(NULL);
  Py_XDECREF(ending);
  PyErr_Restore(type, value, trace);
}

/* A request is about to be sent, in group_drive or a socket action. */
static void on_send(void *context, const privy_trace_event *event, privy_send_headers *headers) {
  group_object *self = context;
  if (!client_is_watched(self->client)) return;
  PyThreadState *thread = self->thread;
  if (thread) PyEval_RestoreThread(thread);
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  core_state *state = state_of_object((PyObject *)self);
  PyObject *place = contexts_find(self->contexts, event->id);
  event_send(state, client_receivers(state, self->client), place, event, headers);
  Py_XDECREF(place);
  PyErr_Restore(type, value, trace);
  if (thread) self->thread = PyEval_SaveThread();
}

static bool open_group(core_state *state, group_object *self, PyObject *object) {
  privy_client *client = client_acquire(state, object);
  if (!client) return false;
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_group_new(client, &self->group, &error);
  if (status == PRIVY_OK) {
    self->client = Py_NewRef(object);
    privy_group_set_send_callback(self->group, on_send, self);
  } else {
    client_release(object);
    errors_raise(state, status, &error);
  }
  privy_error_clear(&error);
  return status == PRIVY_OK;
}

/* Group(client) */
static PyObject *group_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  PyObject *client;
  if (!PyArg_ParseTuple(args, "O", &client)) return NULL;
  group_object *self = (group_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  self->process = getpid();
  self->calls = PyDict_New();
  self->contexts = PyDict_New();
  self->least = PRIVY_LEVEL_OFF;
  if (!self->calls || !self->contexts || !open_group(state_of_type(type), self, client)) Py_CLEAR(self);
  return (PyObject *)self;
}

static int group_traverse(PyObject *object, visitproc visit, void *arg) {
  group_object *self = (group_object *)object;
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(self->client);
  Py_VISIT(self->calls);
  Py_VISIT(self->contexts);
  Py_VISIT(self->socket_callback);
  return 0;
}

static int group_clear(PyObject *object) {
  group_object *self = (group_object *)object;
  Py_CLEAR(self->socket_callback);
  return 0;
}

static void group_dealloc(PyObject *object) {
  group_object *self = (group_object *)object;
  PyObject_GC_UnTrack(object);
  Py_CLEAR(self->socket_callback);
  if (!self->finalized) group_finalize(object);
  shut(self);
  Py_XDECREF(self->client);
  Py_XDECREF(self->calls);
  Py_XDECREF(self->contexts);
  state_free_object(object);
}

static PyMethodDef group_methods[] = {
    {"start", (PyCFunction)(void (*)(void))group_start, METH_FASTCALL, "Starts a call of an operation."},
    {"request", (PyCFunction)(void (*)(void))group_request, METH_FASTCALL, "Starts a call of any endpoint."},
    {"cancel", group_cancel, METH_O, "Cancels a call; whether it was in flight."},
    {"next_completed", group_next_completed, METH_NOARGS, "The result of a completed call."},
    {"set_prefetch", group_set_prefetch, METH_O, "Whether its calls are made early."},
    {"waiting_until", group_waiting_until, METH_NOARGS, "Until when waiting calls wait."},
    {"wait", group_wait, METH_O, "Drives calls, and waits a moment for one to complete."},
    {"set_socket_callback", group_set_socket_callback, METH_O, "Lets an event loop drive the group."},
    {"timeout", group_timeout, METH_NOARGS, "Seconds until socket_action(-1, 0) is due."},
    {"socket_action", group_socket_action, METH_VARARGS, "Advances calls: a socket is ready, or time has passed."},
    {"close", group_close, METH_NOARGS, "Cancels all calls."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot group_slots[] = {
    {Py_tp_doc, "The core's group of calls."},
    {Py_tp_new, group_new},
    {Py_tp_methods, group_methods},
    {Py_sq_length, group_length},
    {Py_tp_traverse, group_traverse},
    {Py_tp_clear, group_clear},
    {Py_tp_finalize, group_finalize},
    {Py_tp_dealloc, group_dealloc},
    {0, NULL},
};

static PyType_Spec group_spec = {
    .name = "privy._core.Group",
    .basicsize = sizeof(group_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = group_slots,
};

int group_add(PyObject *module, core_state *state) {
  state->group_type = state_add_type(module, &group_spec);
  return state->group_type ? 0 : -1;
}
