#include "client.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "call_event.h"
#include "client_object.h"
#include "errors.h"
#include "options.h"
#include "privy_sandbox.h"
#include "request.h"
#include "sandbox.h"
#include "scalars.h"
#include "stand_in.h"
#include "types.h"

/* The number of string settings. */
#define TEXT_COUNT 9

/* ---- for groups ---- */

bool client_open(core_state *state, PyObject *object) {
  static const char *const refusals[USE_COUNT] = {
      [USE_REPLACED] = "a sandbox is active, and this list or run belongs to the client as it was before: "
                       "make it again while the sandbox is active",
      [USE_ENDED] = "the sandbox of this client is no longer active: make the client after the sandbox has ended, "
                    "or use it while one is active"};
  client_object *self = client_as(state, object);
  if (!self) return false;
  const char *refusal = owner_of(self)->closed ? "the client is closed" : refusals[owner_of(self)->use];
  if (!refusal) return true;
  errors_refuse(state, refusal);
  return false;
}

privy_client *client_acquire(core_state *state, PyObject *object) {
  if (!client_open(state, object)) return NULL;
  privy_client *client = owner_acquire(owner_of((client_object *)object));
  if (!client) (void)client_open(state, object); /* closed meanwhile */
  return client;
}

void client_release(PyObject *object) {
  owner_release(owner_of((client_object *)object), 1);
}

/* Creates the Watch, or stores that this fails. */
static void create_watch(core_state *state, client_object *owner) {
  privy_client *client = owner_acquire(owner);
  if (!client) return;
  if (!lazy_set(&owner->watch, event_new_watch(state, client))) owner->may_watch = false;
  owner_release(owner, 1);
}

static PyObject *watch_of(core_state *state, client_object *owner) {
  PyObject *watch = lazy_get(&owner->watch);
  if (watch || !owner->may_watch || event_is_reporting() || !event_uses_otel(state)) return watch;
  create_watch(state, owner);
  return lazy_get(&owner->watch);
}

event_receivers client_receivers(core_state *state, PyObject *object) {
  client_object *self = (client_object *)object;
  return (event_receivers){self->on_event, watch_of(state, owner_of(self))};
}

bool client_is_watched(PyObject *object) {
  return lazy_get(&owner_of((client_object *)object)->watch);
}

int client_finish(core_state *state, PyObject *object, privy_request *request, int64_t row, privy_error *refusal) {
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_request_finish(request, &error);
  if (status != PRIVY_OK) {
    errors_raise(state, status, &error);
    privy_client *client = client_acquire(state, object);
    if (client) {
      event_report_refusal(state, client_receivers(state, object), client, request, &error, row);
      client_release(object);
    }
  }
  if (refusal)
    *refusal = error;
  else
    privy_error_clear(&error);
  return status == PRIVY_OK ? 0 : -1;
}

bool client_of_sandbox(PyObject *object) {
  return owner_of((client_object *)object)->is_sandbox;
}

bool client_is_same(core_state *state, PyObject *one, PyObject *other) {
  client_object *first = client_as(state, one), *second = client_as(state, other);
  return first && second && owner_of(first) == owner_of(second);
}

int client_options(core_state *state, PyObject *object, PyObject *const *given, privy_options *options) {
  *options = ((client_object *)object)->options;
  return options_read(state, given, options);
}

int client_run_options(core_state *state, PyObject *object, PyObject *const *given, privy_options *options) {
  const double longest = options->max_wait;
  if (client_options(state, object, given, options) < 0) return -1;
  if (given[PRIVY_SETTING_MAX_WAIT] != Py_None) return 0;
  options->max_wait = longest;
  options->given |= PRIVY_GIVEN(MAX_WAIT);
  return 0;
}

int client_call_options(core_state *state, PyObject *object, PyObject *const *given, privy_options *options) {
  PyObject *in_job = lazy_get(&state->in_job), *inside = in_job ? PyObject_CallNoArgs(in_job) : Py_NewRef(Py_False);
  const int defers = inside ? PyObject_IsTrue(inside) : -1;
  Py_XDECREF(inside);
  if (defers < 0) return -1;
  *options = ((client_object *)object)->options;
  if (defers) privy_options_defer(options);
  return options_read(state, given, options);
}

/* ---- calls ---- */

typedef struct waiting {
  core_state *state;
  event_receivers receivers;
  PyThreadState *thread;
  bool asked;
  bool stopped;
} waiting;

/* Runs signal handlers while a call waits. Skips the first time: the interpreter has just run them. */
static bool signal_raised(void *context) {
  waiting *state = context;
  if (state->stopped || !state->asked) {
    state->asked = true;
    return state->stopped;
  }
  PyEval_RestoreThread(state->thread);
  state->stopped = PyErr_CheckSignals() < 0;
  state->thread = PyEval_SaveThread();
  return state->stopped;
}

/* Reports an event. An exception that stops the call stays set. */
static void observe(void *context, const privy_trace_event *event) {
  waiting *wait = context;
  PyObject *type, *value, *trace;
  PyEval_RestoreThread(wait->thread);
  PyErr_Fetch(&type, &value, &trace);
  if (!event_report(wait->state, wait->receivers, NULL, event)) {
    if (!wait->stopped) PyErr_Fetch(&type, &value, &trace);
    wait->stopped = true;
  }
  PyErr_Restore(type, value, trace);
  wait->thread = PyEval_SaveThread();
}

static void announce(void *context, const privy_trace_event *event, privy_send_headers *headers) {
  waiting *wait = context;
  PyObject *type, *value, *trace;
  PyEval_RestoreThread(wait->thread);
  PyErr_Fetch(&type, &value, &trace);
  event_send(wait->state, wait->receivers, NULL, event, headers);
  PyErr_Restore(type, value, trace);
  wait->thread = PyEval_SaveThread();
}

/* Makes the call without the GIL, on an acquired client. NULL with an exception. */
static privy_response *run(core_state *state, privy_client *client, event_receivers receivers,
                           const privy_request *request, const privy_options *options) {
  waiting wait = {.state = state, .receivers = receivers};
  privy_level least;
  if (!event_wanted(state, receivers, &least)) return NULL;
  bool wanted = least != PRIVY_LEVEL_OFF;
  const privy_hooks hooks = {.stop = signal_raised,
                             .observe = wanted ? observe : NULL,
                             .send = receivers.watch ? announce : NULL,
                             .min_level = least,
                             .context = &wait};
  privy_error error;
  privy_error_init(&error);
  privy_response *response = NULL;
  wait.thread = PyEval_SaveThread();
  privy_status status = privy_client_call(client, request, options, &hooks, &response, &error);
  PyEval_RestoreThread(wait.thread);
  if (status != PRIVY_OK || wait.stopped) {
    errors_raise(state, wait.stopped ? PRIVY_INTERRUPTED : status, &error);
    privy_response_release(response);
    response = NULL;
  }
  privy_error_clear(&error);
  return response;
}

/* Makes the call with the options at `given`. Takes over the request. */
static privy_response *send(core_state *state, client_object *self, privy_request *request, PyObject *const *given) {
  privy_options options;
  privy_client *client = NULL;
  if (client_call_options(state, (PyObject *)self, given, &options) == 0 &&
      client_finish(state, (PyObject *)self, request, -1, NULL) == 0) {
    client = client_acquire(state, (PyObject *)self);
  }
  privy_response *response = NULL;
  if (client) {
    response = run(state, client, client_receivers(state, (PyObject *)self), request, &options);
    client_release((PyObject *)self);
  }
  privy_request_free(request);
  return response;
}

/* call(operation, params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries) */
static PyObject *client_call(PyObject *object, PyObject *const *args, Py_ssize_t count) {
  core_state *state = state_of_object(object);
  if (!request_right_count(count, 4 + OPTIONS_COUNT)) return NULL;
  const privy_operation *operation = request_operation(args[0], 2);
  privy_request *request = operation ? request_new(state, operation, args[1], args[2], args[3]) : NULL;
  privy_response *response = request ? send(state, (client_object *)object, request, args + 4) : NULL;
  if (!response) return NULL;
  PyObject *result = request_result(state, operation, response);
  privy_response_release(response);
  return result;
}

/* request(method, path, params, body, headers, timeout, connect_timeout, max_wait, max_retries) */
static PyObject *client_request(PyObject *object, PyObject *const *args, Py_ssize_t count) {
  core_state *state = state_of_object(object);
  if (!request_right_count(count, REQUEST_RAW_COUNT + OPTIONS_COUNT)) return NULL;
  privy_request *request = request_new_raw(state, args);
  privy_response *response = request ? send(state, (client_object *)object, request, args + REQUEST_RAW_COUNT) : NULL;
  if (!response) return NULL;
  PyObject *result = request_result(state, NULL, response);
  privy_response_release(response);
  return result;
}

/* ---- rate limits ---- */

static PyObject *limit_of(const privy_rate_limit *limit) {
  if (!limit->known) return Py_NewRef(Py_None);
  return Py_BuildValue("(LLN)", (long long)limit->limit, (long long)limit->remaining,
                       scalar_seconds(limit->resets_at > 0, limit->resets_at));
}

static PyObject *client_rate_limits(PyObject *object, PyObject *unused) {
  (void)unused;
  core_state *state = state_of_object(object);
  privy_client *client = client_acquire(state, object);
  if (!client) return NULL;
  privy_rate_limit minute, day;
  privy_client_rate_limits(client, &minute, &day);
  client_release(object);
  return Py_BuildValue("(NN)", limit_of(&minute), limit_of(&day));
}

/* forecast(requests): seconds until the last of them can be sent; None if the limit of the day does not allow them. */
static PyObject *client_forecast(PyObject *object, PyObject *requests) {
  const double count = PyFloat_AsDouble(requests);
  if (PyErr_Occurred()) return NULL;
  privy_client *client = client_acquire(state_of_object(object), object);
  if (!client) return NULL;
  const double seconds = privy_client_forecast(client, &((client_object *)object)->options, count);
  client_release(object);
  return scalar_seconds(seconds >= 0, seconds);
}

/* duration(requests): seconds until the last of them can be sent, on later days too. */
static PyObject *client_duration(PyObject *object, PyObject *requests) {
  const double count = PyFloat_AsDouble(requests);
  if (PyErr_Occurred()) return NULL;
  privy_client *client = client_acquire(state_of_object(object), object);
  if (!client) return NULL;
  const double seconds = privy_client_duration(client, &((client_object *)object)->options, count);
  client_release(object);
  return PyFloat_FromDouble(seconds);
}

static PyObject *client_ca_file(PyObject *object, void *closure) {
  (void)closure;
  privy_client *client = client_acquire(state_of_object(object), object);
  if (!client) return NULL;
  const char *path = privy_client_ca_file(client);
  PyObject *text = path ? PyUnicode_DecodeFSDefault(path) : Py_NewRef(Py_None);
  client_release(object);
  return text;
}

static double machine_now(void) {
  struct timespec now;
  timespec_get(&now, TIME_UTC);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static PyObject *client_now(PyObject *object, PyObject *unused) {
  (void)unused;
  client_object *owner = owner_of((client_object *)object);
  bool simulated = false;
  double now = 0;
  CRITICAL_SECTION_BEGIN(owner);
  if (owner->sandbox) {
    now = privy_sandbox_now(owner->sandbox);
    simulated = true;
  }
  CRITICAL_SECTION_END();
  return PyFloat_FromDouble(simulated ? now : machine_now());
}

static PyObject *client_reserve(PyObject *object, void *unused) {
  (void)unused;
  return PyLong_FromLongLong(owner_of((client_object *)object)->reserve);
}

/* ---- life ---- */

static bool is_hook(PyObject *on_event) {
  if (on_event == Py_None || PyCallable_Check(on_event)) return true;
  PyErr_Format(PyExc_TypeError, "on_event must be callable or None, not %R", Py_TYPE(on_event));
  return false;
}

/* with_options(timeout, connect_timeout, max_wait, max_retries, reserve, on_event): None keeps an option. */
static PyObject *client_with_options(PyObject *object, PyObject *const *args, Py_ssize_t count) {
  client_object *self = (client_object *)object;
  core_state *state = state_of_object(object);
  if (!request_right_count(count, OPTIONS_COUNT + 2)) return NULL;
  privy_options options = self->options;
  PyObject *on_event = args[OPTIONS_COUNT + 1];
  if (options_read(state, args, &options) < 0 || options_read_reserve(state, args[OPTIONS_COUNT], &options) < 0 ||
      !is_hook(on_event))
    return NULL;
  client_object *copy = (client_object *)PyType_GenericAlloc(Py_TYPE(object), 0);
  if (!copy) return NULL;
  copy->root = (client_object *)Py_NewRef((PyObject *)owner_of(self));
  copy->options = options;
  copy->on_event = Py_XNewRef(on_event == Py_None ? self->on_event : on_event);
  return (PyObject *)copy;
}

static PyObject *client_close(PyObject *object, PyObject *unused) {
  (void)unused;
  client_object *owner = owner_of((client_object *)object);
  owner->closed = true;
  owner_release(owner, 0);
  Py_RETURN_NONE;
}

static PyObject *client_base_url(PyObject *object, void *unused) {
  (void)unused;
  client_object *owner = owner_of((client_object *)object);
  privy_client *client = owner_acquire(owner);
  if (!client) Py_RETURN_NONE;
  PyObject *url = scalar_c_string(privy_client_base_url(client));
  owner_release(owner, 1);
  return url;
}

static PyObject *client_closed(PyObject *object, void *unused) {
  (void)unused;
  return PyBool_FromLong(owner_of((client_object *)object)->closed);
}

static PyObject *client_is_sandbox(PyObject *object, void *unused) {
  (void)unused;
  return PyBool_FromLong(client_of_sandbox(object));
}

static int read_texts(core_state *state, PyObject *const *values, privy_config *config) {
  const struct {
    const char *name;
    const char **place;
  } texts[] = {
      {"token", &config->token},         {"client_id", &config->client_id}, {"client_secret", &config->client_secret},
      {"scopes", &config->scopes},       {"base_url", &config->base_url},   {"token_url", &config->token_url},
      {"ca_bundle", &config->ca_bundle}, {"proxy", &config->proxy},         {"user_agent", &config->user_agent}};
  for (size_t i = 0; i < TEXT_COUNT; i++) {
    if (options_read_text(state, texts[i].name, values[i], texts[i].place) < 0) return -1;
  }
  return 0;
}

static int read_config(core_state *state, PyObject *args, privy_config *config, PyObject **on_event) {
  PyObject *texts[TEXT_COUNT], *numbers[CONFIG_COUNT], *plain, *sandbox;
  int accepted = 0;
  if (!PyArg_ParseTuple(args, "OOOOOOOOOOOOOOOOOO|p", &texts[0], &texts[1], &texts[2], &texts[3], &texts[4], &texts[5],
                        &texts[6], &texts[7], &texts[8], &numbers[0], &numbers[1], &numbers[2], &numbers[3],
                        &numbers[4], &numbers[5], &plain, &sandbox, on_event, &accepted))
    return -1;
  if (!is_hook(*on_event)) return -1;
  if (read_texts(state, texts, config) < 0 || options_read_config(state, numbers, config) < 0) return -1;
  if (options_read_flag(state, "allow_plain_http", plain, &config->allow_plain_http) < 0) return -1;
  if (sandbox != Py_None) config->sandbox = sandbox_of(state, sandbox);
  config->accepted = accepted;
  return PyErr_Occurred() ? -1 : 0;
}

/* Client(token, client_id, client_secret, scopes, base_url, token_url, ca_bundle, proxy, user_agent, timeout,
 * connect_timeout, max_wait, max_retries, max_response, reserve, allow_plain_http, sandbox, on_event[, accepted]): None
 * for a setting that is not given. `accepted`: the sandbox accepts unknown credentials. */
static PyObject *client_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  core_state *state = state_of_type(type);
  PyObject *on_event;
  privy_config config;
  privy_config_init(&config);
  if (read_config(state, args, &config, &on_event) < 0) return NULL;
  client_object *self = (client_object *)PyType_GenericAlloc(type, 0);
  if (!self) return NULL;
  self->options = (privy_options){0};
  self->sandbox = config.sandbox;
  self->reserve = config.options.reserve;
  self->on_event = on_event == Py_None ? NULL : Py_NewRef(on_event);
  const char *otel = getenv("PRIVY_OTEL");
  self->may_watch = !otel || strcmp(otel, "0") != 0;
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_client_new(&config, &self->client, &error);
  if (status != PRIVY_OK) {
    errors_raise(state, status, &error);
    Py_CLEAR(self);
  }
  if (self) self->is_sandbox = privy_client_is_sandbox(self->client);
  privy_error_clear(&error);
  return (PyObject *)self;
}

static int client_traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT((PyObject *)((client_object *)object)->root);
  Py_VISIT(((client_object *)object)->on_event);
  PyObject *watch = lazy_get(&((client_object *)object)->watch);
  Py_VISIT(watch);
  return 0;
}

static int client_clear(PyObject *object) {
  Py_CLEAR(((client_object *)object)->on_event);
  return 0;
}

static void client_dealloc(PyObject *object) {
  client_object *self = (client_object *)object;
  PyObject_GC_UnTrack(object);
  privy_client_free(self->client);
  Py_XDECREF((PyObject *)self->root);
  Py_XDECREF(self->on_event);
  Py_XDECREF(lazy_get(&self->watch));
  state_free_object(object);
}

static PyGetSetDef client_attributes[] = {
    {"base_url", client_base_url, NULL, "The URL that paths are relative to; None when closed.", NULL},
    {"reserve", client_reserve, NULL, "Requests per minute that are reserved for other clients.", NULL},
    {"ca_file", client_ca_file, NULL, "The file of trusted certificates in place of the system's; or None.", NULL},
    {"closed", client_closed, NULL, "Whether the client has been closed.", NULL},
    {"is_sandbox", client_is_sandbox, NULL, "Whether a sandbox handles the calls.", NULL},
    {"root", client_root, NULL, "The client that with_options copied; the client itself if it is no copy.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef client_methods[] = {
    {"call", (PyCFunction)(void (*)(void))client_call, METH_FASTCALL, "Makes one call of an operation."},
    {"request", (PyCFunction)(void (*)(void))client_request, METH_FASTCALL, "Makes one call of any endpoint."},
    {"with_options", (PyCFunction)(void (*)(void))client_with_options, METH_FASTCALL,
     "The same client with other options."},
    {"rate_limits", client_rate_limits, METH_NOARGS, "The rate limits of the minute and of the day."},
    {"forecast", client_forecast, METH_O, "Seconds until the last of that many requests can be sent."},
    {"duration", client_duration, METH_O, "The same, where the following days count too."},
    {"now", client_now, METH_NOARGS, "The time of the client's clock, in seconds since 1970."},
    {"stand_in", client_stand_in, METH_VARARGS, "The same client with a sandbox in place of the network."},
    {"set_use", client_set_use, METH_O, "Sets whether the client may make calls."},
    {"close", client_close, METH_NOARGS, "Closes the connections once no call is in flight."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot client_slots[] = {
    {Py_tp_doc, "The core's client."}, {Py_tp_new, client_new},
    {Py_tp_getset, client_attributes}, {Py_tp_methods, client_methods},
    {Py_tp_traverse, client_traverse}, {Py_tp_clear, client_clear},
    {Py_tp_dealloc, client_dealloc},   {0, NULL},
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
