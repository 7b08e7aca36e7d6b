#include "convert.h"
#include "errors.h"
#include "options.h"
#include "page.h"
#include "record.h"
#include "sandbox.h"
#include "walk.h"

/*
 * A client, or a view of one with options of its own. Views keep the client that they were made of alive in `root`;
 * the others own the core's client. `running` counts calls, because the core's client may not be freed under one.
 */
typedef struct client_object {
  PyObject_HEAD struct client_object *root;
  privy_client *client;
  size_t running;
  bool closed;
  privy_options options;
} client_object;

static client_object *owner_of(client_object *self) {
  return self->root ? self->root : self;
}

/* ---- calls ---- */

typedef struct waiting {
  PyThreadState *thread;
  bool stopped;
} waiting;

/* Takes the GIL for a moment, so that signal handlers run while a call waits. */
static bool signal_raised(void *context) {
  waiting *state = context;
  if (state->stopped) return true;
  PyEval_RestoreThread(state->thread);
  state->stopped = PyErr_CheckSignals() < 0;
  state->thread = PyEval_SaveThread();
  return state->stopped;
}

/* Makes the call without the GIL. NULL with an exception when it failed. */
static privy_response *run(core_state *state, client_object *self, const privy_request *request,
                           const privy_options *options) {
  client_object *owner = owner_of(self);
  privy_error error;
  privy_error_init(&error);
  privy_response *response = NULL;
  waiting wait = {NULL, false};
  owner->running++;
  wait.thread = PyEval_SaveThread();
  privy_status status =
      privy_client_call(owner->client, request, options, NULL, signal_raised, &wait, &response, &error);
  PyEval_RestoreThread(wait.thread);
  owner->running--;
  if (owner->closed && owner->running == 0) {
    privy_client_free(owner->client);
    owner->client = NULL;
  }
  if (status != PRIVY_OK || wait.stopped) {
    errors_raise(state, wait.stopped ? PRIVY_INTERRUPTED : status, &error);
    privy_response_release(response);
    response = NULL;
  }
  privy_error_clear(&error);
  return response;
}

static int finish(core_state *state, privy_request *request) {
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_request_finish(request, &error);
  if (status != PRIVY_OK) errors_raise(state, status, &error);
  privy_error_clear(&error);
  return status == PRIVY_OK ? 0 : -1;
}

/* Finishes the request, frees it and makes the call with the options at `given`. */
static privy_response *send(core_state *state, client_object *self, privy_request *request, PyObject *const *given) {
  privy_options options = self->options;
  privy_response *response = NULL;
  if (options_read(state, given, &options) == 0 && finish(state, request) == 0) {
    if (owner_of(self)->closed) {
      errors_refuse(state, "the client is closed");
    } else {
      response = run(state, self, request, &options);
    }
  }
  privy_request_free(request);
  return response;
}

static PyObject *result_of(core_state *state, const privy_operation *operation, privy_response *response) {
  if (privy_operation_paged(operation)) return page_new(state, response);
  if (privy_response_count(response) == 0) return Py_NewRef(Py_None);
  return record_new(state, response, 0);
}

static bool right_count(Py_ssize_t given, Py_ssize_t wanted) {
  if (given == wanted) return true;
  PyErr_Format(PyExc_TypeError, "%zd arguments are needed, not %zd", wanted, given);
  return false;
}

static int check_mapping(core_state *state, const char *name, PyObject *value) {
  if (value == Py_None || PyDict_Check(value) || PyObject_HasAttr(value, state->names[NAME_ITEMS])) return 0;
  PyErr_Format(PyExc_TypeError, "%s must be a dict or None, not %R", name, Py_TYPE(value));
  return -1;
}

static const privy_operation *operation_named(PyObject *name) {
  const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
  const privy_operation *operation = text ? privy_operation_find(text) : NULL;
  if (text && !operation) PyErr_Format(PyExc_ValueError, "no operation is called %s", text);
  return operation;
}

static privy_request *request_for(core_state *state, const privy_operation *operation, PyObject *params,
                                  PyObject *extra) {
  privy_request *request = NULL;
  if (privy_request_new(operation, &request) != PRIVY_OK) {
    PyErr_NoMemory();
    return NULL;
  }
  int result = walk_members(state, request, params);
  if (result == 0 && extra != Py_None) {
    privy_request_extra(request);
    result = walk_members(state, request, extra);
  }
  if (result == 0) return request;
  privy_request_free(request);
  return NULL;
}

/* call(operation, params, extra, timeout, connect_timeout, max_wait, max_retries) */
static PyObject *client_call(PyObject *object, PyObject *const *args, Py_ssize_t count) {
  core_state *state = state_of_object(object);
  if (!right_count(count, 3 + OPTIONS_COUNT) || check_mapping(state, "extra", args[2]) < 0) return NULL;
  const privy_operation *operation = operation_named(args[0]);
  if (!operation) return NULL;
  const char *deprecation = privy_operation_deprecation(operation);
  if (deprecation && PyErr_WarnEx(PyExc_DeprecationWarning, deprecation, 2) < 0) return NULL;
  privy_request *request = request_for(state, operation, args[1], args[2]);
  if (!request) return NULL;
  privy_response *response = send(state, (client_object *)object, request, args + 3);
  if (!response) return NULL;
  PyObject *result = result_of(state, operation, response);
  privy_response_release(response);
  return result;
}

/* ---- raw requests ---- */

static int walk_part(core_state *state, privy_request *request, PyObject *mapping,
                     void (*begin)(privy_request *request)) {
  if (mapping == Py_None) return 0;
  begin(request);
  return walk_members(state, request, mapping);
}

/*
 * The bytes of a str that the core takes as a NUL-terminated text. What has no place there (a NUL, a lone surrogate)
 * becomes a backslash, which the core refuses in its own words.
 */
static PyObject *plain_bytes(const char *name, PyObject *text) {
  if (!PyUnicode_Check(text)) return PyErr_Format(PyExc_TypeError, "%s must be a str, not %R", name, Py_TYPE(text));
  PyObject *bytes = PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
  if (!bytes) return NULL;
  char *data = PyBytes_AsString(bytes);
  for (Py_ssize_t i = 0; i < PyBytes_Size(bytes); i++) {
    if (!data[i]) data[i] = '\\';
  }
  return bytes;
}

static privy_request *start_raw(PyObject *const *args) {
  PyObject *method = plain_bytes("method", args[0]);
  PyObject *path = method ? plain_bytes("path", args[1]) : NULL;
  privy_request *request = NULL;
  if (path && privy_request_new_raw(PyBytes_AsString(method), PyBytes_AsString(path), &request) != PRIVY_OK) {
    PyErr_NoMemory();
  }
  Py_XDECREF(method);
  Py_XDECREF(path);
  return request;
}

/* args: method, path, params, body, headers */
static privy_request *raw_request(core_state *state, PyObject *const *args) {
  if (check_mapping(state, "params", args[2]) < 0 || check_mapping(state, "headers", args[4]) < 0) return NULL;
  privy_request *request = start_raw(args);
  if (!request) return NULL;
  int result = args[3] == state->omit ? 0 : walk_value(state, request, args[3]);
  if (result == 0) result = walk_part(state, request, args[2], privy_request_query);
  if (result == 0) result = walk_part(state, request, args[4], privy_request_header);
  if (result == 0) return request;
  privy_request_free(request);
  return NULL;
}

static PyObject *raw_result(core_state *state, const privy_response *response) {
  size_t length = 0;
  const char *body = privy_response_body(response, &length);
  return Py_BuildValue("(iNNN)", privy_response_status(response), errors_headers(response),
                       PyBytes_FromStringAndSize(body, (Py_ssize_t)length),
                       convert_any(state, privy_response_json(response)));
}

/* request(method, path, params, body, headers, timeout, connect_timeout, max_wait, max_retries) */
static PyObject *client_request(PyObject *object, PyObject *const *args, Py_ssize_t count) {
  core_state *state = state_of_object(object);
  if (!right_count(count, 5 + OPTIONS_COUNT)) return NULL;
  privy_request *request = raw_request(state, args);
  privy_response *response = request ? send(state, (client_object *)object, request, args + 5) : NULL;
  if (!response) return NULL;
  PyObject *result = raw_result(state, response);
  privy_response_release(response);
  return result;
}

/* ---- life ---- */

static PyObject *client_view(PyObject *object, PyObject *const *args, Py_ssize_t count) {
  client_object *self = (client_object *)object;
  if (!right_count(count, OPTIONS_COUNT)) return NULL;
  privy_options options = self->options;
  if (options_read(state_of_object(object), args, &options) < 0) return NULL;
  client_object *view = (client_object *)PyType_GenericAlloc(Py_TYPE(object), 0);
  if (!view) return NULL;
  view->root = (client_object *)Py_NewRef((PyObject *)owner_of(self));
  view->options = options;
  return (PyObject *)view;
}

static PyObject *client_close(PyObject *object, PyObject *unused) {
  (void)unused;
  client_object *owner = owner_of((client_object *)object);
  owner->closed = true;
  if (owner->running == 0) {
    privy_client_free(owner->client);
    owner->client = NULL;
  }
  Py_RETURN_NONE;
}

static PyObject *client_base_url(PyObject *object, void *unused) {
  (void)unused;
  const client_object *owner = owner_of((client_object *)object);
  return owner->client ? convert_words(privy_client_base_url(owner->client)) : Py_NewRef(Py_None);
}

static PyObject *client_closed(PyObject *object, void *unused) {
  (void)unused;
  return PyBool_FromLong(owner_of((client_object *)object)->closed);
}

static int read_config(core_state *state, PyObject *args, privy_config *config) {
  PyObject *options[OPTIONS_COUNT], *max_response, *sandbox;
  if (!PyArg_ParseTuple(args, "zzzzzzzzOOOOOO", &config->token, &config->client_id, &config->client_secret,
                        &config->scopes, &config->base_url, &config->token_url, &config->ca_bundle, &config->user_agent,
                        &options[0], &options[1], &options[2], &options[3], &max_response, &sandbox))
    return -1;
  if (options_read(state, options, &config->options) < 0) return -1;
  if (max_response != Py_None) config->max_response = PyLong_AsSize_t(max_response);
  if (PyErr_Occurred()) return -1;
  if (sandbox != Py_None) config->sandbox = sandbox_of(state, sandbox);
  return PyErr_Occurred() ? -1 : 0;
}

/* Client(token, client_id, client_secret, scopes, base_url, token_url, ca_bundle, user_agent, timeout, connect_timeout,
 * max_wait, max_retries, max_response, sandbox): None for what is not set. */
static PyObject *client_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  core_state *state = state_of_type(type);
  privy_config config;
  privy_config_init(&config);
  if (read_config(state, args, &config) < 0) return NULL;
  client_object *self = (client_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  self->options = (privy_options)PRIVY_OPTIONS_INHERIT;
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_client_new(&config, &self->client, &error);
  if (status != PRIVY_OK) {
    errors_raise(state, status, &error);
    Py_CLEAR(self);
  }
  privy_error_clear(&error);
  return (PyObject *)self;
}

static int client_traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT((PyObject *)((client_object *)object)->root);
  return 0;
}

static void client_dealloc(PyObject *object) {
  client_object *self = (client_object *)object;
  PyObject_GC_UnTrack(object);
  privy_client_free(self->client);
  Py_XDECREF((PyObject *)self->root);
  state_free_object(object);
}

static PyGetSetDef client_attributes[] = {
    {"base_url", client_base_url, NULL, "The URL that paths are below; None when closed.", NULL},
    {"closed", client_closed, NULL, "Whether the client has been closed.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef client_methods[] = {
    {"call", (PyCFunction)(void (*)(void))client_call, METH_FASTCALL, "Makes one call of an operation."},
    {"request", (PyCFunction)(void (*)(void))client_request, METH_FASTCALL, "Makes one call of any endpoint."},
    {"view", (PyCFunction)(void (*)(void))client_view, METH_FASTCALL, "The same client with other options."},
    {"close", client_close, METH_NOARGS, "Closes the connections once no call runs any more."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot client_slots[] = {
    {Py_tp_doc, "The core's client."},
    {Py_tp_new, client_new},
    {Py_tp_getset, client_attributes},
    {Py_tp_methods, client_methods},
    {Py_tp_traverse, client_traverse},
    {Py_tp_dealloc, client_dealloc},
    {0, NULL},
};

static PyType_Spec client_spec = {
    .name = "privy._core.Client",
    .basicsize = sizeof(client_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC,
    .slots = client_slots,
};

int client_add(PyObject *module, core_state *state) {
  state->client_type = state_add_type(module, &client_spec);
  return state->client_type ? 0 : -1;
}
