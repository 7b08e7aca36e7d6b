#include "options.h"

#include <limits.h>

#include "errors.h"

static int bad_type(const char *name, PyObject *value) {
  PyErr_Clear();
  PyErr_Format(PyExc_TypeError, "%s must be a number or None, not %R", name, Py_TYPE(value));
  return -1;
}

/* To the core a negative option is one that was not given. The other limits are its own. */
static int refuse(core_state *state, const char *name) {
  char message[64];
  PyOS_snprintf(message, sizeof message, "%s must be a number that is not negative", name);
  errors_refuse(state, message);
  return -1;
}

static int read_seconds(core_state *state, const char *name, PyObject *value, double *out) {
  if (value == Py_None) return 0;
  double seconds = PyFloat_AsDouble(value);
  if (seconds == -1.0 && PyErr_Occurred()) return bad_type(name, value);
  if (seconds < 0) return refuse(state, name);
  *out = seconds;
  return 0;
}

static int read_count(core_state *state, const char *name, PyObject *value, int *out) {
  if (value == Py_None) return 0;
  int overflow;
  long count = PyLong_AsLongAndOverflow(value, &overflow);
  if (count == -1 && !overflow && PyErr_Occurred()) return bad_type(name, value);
  if (overflow < 0 || (!overflow && count < 0)) return refuse(state, name);
  *out = overflow > 0 || count > INT_MAX ? INT_MAX : (int)count;
  return 0;
}

int options_read(core_state *state, PyObject *const *values, privy_options *options) {
  if (read_seconds(state, "timeout", values[0], &options->timeout) < 0) return -1;
  if (read_seconds(state, "connect_timeout", values[1], &options->connect_timeout) < 0) return -1;
  if (read_seconds(state, "max_wait", values[2], &options->max_wait) < 0) return -1;
  return read_count(state, "max_retries", values[3], &options->max_retries);
}
