#include "event.h"

#include "convert.h"

/* Where Event and the function that logs one are spelled out. */
#define EVENTS_MODULE "privy._events"

/* What a callable does while it is told of a step is not told in its turn: that would never end. */
static _Thread_local bool telling;

/* logging.DEBUG */
#define LOG_LEVEL 10

/* ---- who wants to know ---- */

/* NULL without an exception while logging is still being imported. */
static PyObject *logger_of(core_state *state, PyObject *logging) {
  PyObject *kept = state_kept(&state->logger);
  if (kept) return kept;
  PyObject *logger = PyObject_CallMethod(logging, "getLogger", "s", "privy");
  if (!logger && PyErr_ExceptionMatches(PyExc_AttributeError)) PyErr_Clear();
  return state_keep(&state->logger, logger);
}

/* 1 or 0, or -1 with an exception. Programs that do not log need not import what logs. */
static int is_logged(core_state *state) {
  PyObject *logging = state_item(PyImport_GetModuleDict(), state->names[NAME_LOGGING]);
  PyObject *logger = logging ? logger_of(state, logging) : NULL;
  Py_XDECREF(logging);
  if (!logger) return PyErr_Occurred() ? -1 : 0;
  PyObject *level = PyLong_FromLong(LOG_LEVEL);
  PyObject *answer = level ? PyObject_CallMethodObjArgs(logger, state->names[NAME_IS_ENABLED_FOR], level, NULL) : NULL;
  int logged = answer ? PyObject_IsTrue(answer) : -1;
  Py_XDECREF(answer);
  Py_XDECREF(level);
  return logged;
}

int event_wanted(core_state *state, PyObject *on_event) {
  if (telling) return 0;
  return on_event ? 1 : is_logged(state);
}

/* ---- telling ---- */

static PyObject *seconds_if(bool known, double seconds) {
  return known ? PyFloat_FromDouble(seconds) : Py_NewRef(Py_None);
}

static PyObject *number_if(bool known, int64_t number) {
  return known ? PyLong_FromLongLong(number) : Py_NewRef(Py_None);
}

static PyObject *words_if(const char *words) {
  return convert_words(words && *words ? words : NULL);
}

static PyObject *build(core_state *state, const privy_event *event) {
  bool ended = event->kind == PRIVY_EVENT_RESPONSE || event->kind == PRIVY_EVENT_FAILURE;
  bool lasts = !ended && event->kind != PRIVY_EVENT_REQUEST;
  PyObject *type = state_import(&state->event_class, EVENTS_MODULE, "Event");
  if (!type) return NULL;
  return PyObject_CallFunction(
      type, "sKNNiNNNNNNNNNNNNNNN", privy_event_name(event->kind), (unsigned long long)event->call,
      words_if(event->method), words_if(event->path), event->attempt,
      number_if(event->http_status != 0, event->http_status), words_if(privy_error_describe(event->failure)->name),
      words_if(event->reason), words_if(event->request_id), seconds_if(lasts, event->seconds),
      seconds_if(ended, event->lookup), seconds_if(ended, event->connect), seconds_if(ended, event->tls),
      seconds_if(ended, event->first_byte), seconds_if(ended, event->total),
      number_if(ended, (int64_t)event->bytes_sent), number_if(ended, (int64_t)event->bytes_received),
      ended ? PyBool_FromLong(event->reused) : Py_NewRef(Py_None),
      number_if(event->minute_left >= 0, event->minute_left), number_if(event->day_left >= 0, event->day_left));
}

/* What is raised here must not break the call, unless it is no Exception (KeyboardInterrupt, SystemExit). */
static bool reported(PyObject *source) {
  if (!PyErr_ExceptionMatches(PyExc_Exception)) return false;
  PyErr_WriteUnraisable(source);
  return true;
}

static bool hand(PyObject *receiver, PyObject *event) {
  PyObject *result = PyObject_CallFunctionObjArgs(receiver, event, NULL);
  Py_XDECREF(result);
  return result || reported(receiver);
}

bool event_tell(core_state *state, PyObject *on_event, const privy_event *step) {
  bool before = telling;
  telling = true;
  int logged = is_logged(state);
  PyObject *event = logged < 0 ? NULL : build(state, step);
  PyObject *log = event && logged ? state_import(&state->event_log, EVENTS_MODULE, "log") : NULL;
  bool goes_on = !PyErr_Occurred() || reported(NULL);
  if (log) goes_on = hand(log, event);
  if (event && on_event && goes_on) goes_on = hand(on_event, event);
  Py_XDECREF(event);
  telling = before;
  return goes_on;
}
