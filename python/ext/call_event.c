#include "call_event.h"

#include "scalars.h"

/* The module of CallEvent and of the function that logs one. */
#define TRACE_MODULE "privy._trace"

/* Set while a callback runs. Calls that the callback makes report no events, to avoid endless recursion. */
static _Thread_local bool reporting;

bool event_is_reporting(void) {
  return reporting;
}

/* ---- receivers ---- */

/* The level in the logging module: DEBUG, INFO or WARNING. */
static long log_level(privy_level level) {
  return 10 * ((long)level + 1);
}

/* The logger, with a handler that does nothing: without one, logging prints warnings to stderr. */
static PyObject *silent_logger(PyObject *logging) {
  PyObject *logger = PyObject_CallMethod(logging, "getLogger", "s", "privy");
  PyObject *handler = logger ? PyObject_CallMethod(logging, "NullHandler", NULL) : NULL;
  PyObject *result = handler ? PyObject_CallMethod(logger, "addHandler", "O", handler) : NULL;
  if (!result) Py_CLEAR(logger);
  Py_XDECREF(handler);
  Py_XDECREF(result);
  return logger;
}

/* NULL without an exception while logging is still being imported. */
static PyObject *logger_of(core_state *state, PyObject *logging) {
  PyObject *cached = lazy_get(&state->logger);
  if (cached) return cached;
  PyObject *logger = silent_logger(logging);
  if (!logger && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
  return lazy_set(&state->logger, logger);
}

/* 1 or 0, or -1 with an exception. */
static int is_enabled(core_state *state, PyObject *logger, privy_level level) {
  PyObject *number = PyLong_FromLong(log_level(level));
  PyObject *response =
      number ? PyObject_CallMethodObjArgs(logger, state->names[NAME_IS_ENABLED_FOR], number, NULL) : NULL;
  int enabled = response ? PyObject_IsTrue(response) : -1;
  Py_XDECREF(response);
  Py_XDECREF(number);
  return enabled;
}

/* Borrowed. NULL without an exception while the program has not imported logging. */
static PyObject *current_logger(core_state *state) {
  PyObject *logging = state_item(PyImport_GetModuleDict(), state->names[NAME_LOGGING]);
  PyObject *logger = logging ? logger_of(state, logging) : NULL;
  Py_XDECREF(logging);
  return logger;
}

/* The lowest level that the logger wants. Warnings are rare, so the logger is not asked about them before a call. False
 * with an exception. */
static bool logged_from(core_state *state, privy_level *least) {
  PyObject *logger = current_logger(state);
  int enabled = logger ? is_enabled(state, logger, PRIVY_LEVEL_INFO) : 0;
  *least = !logger ? PRIVY_LEVEL_OFF : enabled > 0 ? PRIVY_LEVEL_INFO : PRIVY_LEVEL_WARNING;
  if (enabled > 0) enabled = is_enabled(state, logger, PRIVY_LEVEL_DEBUG);
  if (enabled > 0 && *least == PRIVY_LEVEL_INFO) *least = PRIVY_LEVEL_DEBUG;
  return !PyErr_Occurred();
}

/* 1 or 0, or -1 with an exception. */
static int is_logged(core_state *state, const privy_trace_event *event) {
  PyObject *logger = current_logger(state);
  return logger ? is_enabled(state, logger, privy_trace_level(event)) : PyErr_Occurred() ? -1 : 0;
}

/* Sends the exception of a place that cannot raise to sys.unraisablehook; a KeyboardInterrupt is raised later. */
static void put_off(PyObject *source) {
  if (!PyErr_Occurred()) return;
  if (PyErr_ExceptionMatches(PyExc_KeyboardInterrupt)) {
    PyErr_Clear();
    PyErr_SetInterrupt();
  } else {
    PyErr_WriteUnraisable(source);
  }
}

bool event_uses_otel(core_state *state) {
  return PyDict_Contains(PyImport_GetModuleDict(), state->names[NAME_OTEL_CONTEXT]) > 0;
}

PyObject *event_new_watch(core_state *state, const privy_client *client) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyObject *class = lazy_import(&state->watch_class, "privy._otel", "Watch"), *watch = NULL;
  if (class) watch = PyObject_CallFunction(class, "ss", privy_client_base_url(client), privy_client_token_url(client));
  if (!watch && PyErr_ExceptionMatches(PyExc_ImportError)) PyErr_Clear();
  put_off(class);
  PyErr_Restore(type, value, trace);
  return watch;
}

/* Whether OpenTelemetry wants the next call. */
static bool is_watched(core_state *state, PyObject *watch) {
  PyObject *active = watch ? PyObject_CallMethodObjArgs(watch, state->names[NAME_ACTIVE], NULL) : NULL;
  put_off(watch);
  Py_XDECREF(active);
  return active == Py_True;
}

bool event_wanted(core_state *state, event_receivers receivers, privy_level *least) {
  *least = reporting ? PRIVY_LEVEL_OFF : PRIVY_LEVEL_DEBUG;
  return reporting || receivers.on_event || is_watched(state, receivers.watch) ? true : logged_from(state, least);
}

/* ---- the event as an object ---- */

static PyObject *value_of(const privy_trace_attribute *attribute) {
  switch (attribute->type) {
  case PRIVY_TRACE_WORD:
  case PRIVY_TRACE_TEXT: return scalar_c_string(attribute->text);
  case PRIVY_TRACE_ERROR: return scalar_c_string(privy_error_describe((privy_status)attribute->number)->name);
  case PRIVY_TRACE_NUMBER: return PyLong_FromLongLong(attribute->number);
  case PRIVY_TRACE_SECONDS: return PyFloat_FromDouble(attribute->seconds);
  case PRIVY_TRACE_FLAG: return PyBool_FromLong((long)attribute->number);
  default: return Py_NewRef(Py_None);
  }
}

static PyObject *attributes_of(const privy_trace_event *event) {
  char line[PRIVY_TRACE_LINE];
  privy_trace_attribute all[PRIVY_TRACE_ATTRIBUTES];
  privy_trace_attributes(event, all);
  privy_trace_line(event, line);
  PyObject *attributes = PyDict_New();
  bool done = attributes && state_set_item(attributes, "message", scalar_c_string(line));
  for (size_t i = 0; done && i < PRIVY_TRACE_ATTRIBUTES; i++)
    done = state_set_item(attributes, all[i].name, value_of(&all[i]));
  if (!done) Py_CLEAR(attributes);
  return attributes;
}

static PyObject *build(core_state *state, const privy_trace_event *event) {
  PyObject *type = lazy_import(&state->event_class, TRACE_MODULE, "CallEvent");
  PyObject *attributes = type ? attributes_of(event) : NULL;
  PyObject *nothing = attributes ? PyTuple_New(0) : NULL;
  PyObject *object = nothing ? PyObject_Call(type, nothing, attributes) : NULL;
  Py_XDECREF(nothing);
  Py_XDECREF(attributes);
  return object;
}

/* ---- reporting ---- */

/* Sends an Exception to sys.unraisablehook. False for any other exception (KeyboardInterrupt, SystemExit), which stays
 * set. */
static bool reported(PyObject *source) {
  if (!PyErr_ExceptionMatches(PyExc_Exception)) return false;
  PyErr_WriteUnraisable(source);
  return true;
}

static bool deliver(core_state *state, PyObject *receiver, PyObject *context, PyObject *event) {
  PyObject *run = state->names[NAME_RUN];
  PyObject *result = context ? PyObject_CallMethodObjArgs(context, run, receiver, event, NULL)
                             : PyObject_CallFunctionObjArgs(receiver, event, NULL);
  Py_XDECREF(result);
  return result || reported(receiver);
}

/* A context cannot be entered twice: a report inside a report runs in a copy. */
static PyObject *enterable(core_state *state, PyObject *context, bool inside) {
  if (!context || !inside) return Py_XNewRef(context);
  PyObject *copy = PyObject_CallMethodObjArgs(context, state->names[NAME_COPY], NULL);
  if (!copy) PyErr_Clear();
  return copy;
}

/* The values of the event as a tuple, in the order of privy_trace_attributes. */
static PyObject *values_of(const privy_trace_event *event) {
  privy_trace_attribute all[PRIVY_TRACE_ATTRIBUTES];
  PyObject *values = PyTuple_New(PRIVY_TRACE_ATTRIBUTES);
  privy_trace_attributes(event, all);
  for (Py_ssize_t i = 0; values && i < PRIVY_TRACE_ATTRIBUTES; i++) {
    PyObject *value = value_of(&all[i]);
    if (!value || PyTuple_SetItem(values, i, value) < 0) Py_CLEAR(values);
  }
  return values;
}

/* Gives the values of the event to a method of the watch. NULL with an exception. */
static PyObject *call_watch(core_state *state, PyObject *watch, state_name name, PyObject *context,
                            const privy_trace_event *event) {
  PyObject *values = values_of(event), *result = NULL;
  PyObject *method = values ? PyObject_GetAttr(watch, state->names[name]) : NULL;
  if (method && context)
    result = PyObject_CallMethodObjArgs(context, state->names[NAME_RUN], method, values, NULL);
  else if (method)
    result = PyObject_CallFunctionObjArgs(method, values, NULL);
  Py_XDECREF(values);
  Py_XDECREF(method);
  return result;
}

/* event_send has reported requests. */
static bool watch_event(core_state *state, PyObject *watch, PyObject *context, const privy_trace_event *event) {
  if (!watch || event->kind == PRIVY_TRACE_REQUEST) return true;
  PyObject *result = call_watch(state, watch, NAME_EVENT, context, event);
  Py_XDECREF(result);
  return result || reported(watch);
}

static void add_headers(PyObject *given, privy_send_headers *headers) {
  PyObject *name, *value;
  Py_ssize_t at = 0, name_length, value_length;
  while (PyDict_Check(given) && PyDict_Next(given, &at, &name, &value)) {
    const char *key = PyUnicode_AsUTF8AndSize(name, &name_length);
    const char *text = key ? PyUnicode_AsUTF8AndSize(value, &value_length) : NULL;
    if (!text) return;
    (void)privy_send_headers_add(headers, key, (size_t)name_length, text, (size_t)value_length);
  }
}

void event_send(core_state *state, event_receivers receivers, PyObject *context, const privy_trace_event *event,
                privy_send_headers *headers) {
  bool before = reporting;
  reporting = true;
  PyObject *place = enterable(state, context, before);
  PyObject *given = call_watch(state, receivers.watch, NAME_SEND, place, event);
  if (given) add_headers(given, headers);
  put_off(receivers.watch);
  Py_XDECREF(given);
  Py_XDECREF(place);
  reporting = before;
}

bool event_report(core_state *state, event_receivers receivers, PyObject *context, const privy_trace_event *event) {
  PyObject *on_event = receivers.on_event;
  bool before = reporting;
  reporting = true;
  int logged = is_logged(state, event);
  PyObject *object = logged > 0 || (logged == 0 && on_event) ? build(state, event) : NULL;
  PyObject *log = object && logged ? lazy_import(&state->event_log, TRACE_MODULE, "log") : NULL;
  bool proceed = !PyErr_Occurred() || reported(NULL);
  PyObject *place = enterable(state, context, before);
  if (proceed) proceed = watch_event(state, receivers.watch, place, event);
  if (log && proceed) proceed = deliver(state, log, place, object);
  if (object && on_event && proceed) proceed = deliver(state, on_event, place, object);
  Py_XDECREF(place);
  Py_XDECREF(object);
  reporting = before;
  return proceed;
}

void event_report_refusal(core_state *state, event_receivers receivers, privy_client *client,
                          const privy_request *request, const privy_error *error, int64_t row) {
  privy_level least;
  privy_trace_event event;
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  bool proceed = event_wanted(state, receivers, &least);
  if (proceed && least != PRIVY_LEVEL_OFF && privy_client_refused(client, request, error, least, &event)) {
    event.row = row;
    proceed = event_report(state, receivers, NULL, &event);
  }
  if (proceed) {
    PyErr_Restore(type, value, trace);
    return;
  }
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(trace);
}
