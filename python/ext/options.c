#include "options.h"

#include <math.h>

#include "errors.h"

double options_number(PyObject *value) {
  if (PyUnicode_Check(value)) {
    Py_ssize_t length;
    const char *text = PyUnicode_AsUTF8AndSize(value, &length);
    if (text) return privy_setting_number(text, (size_t)length);
    PyErr_Clear();
    return NAN;
  }
  if (PyBool_Check(value)) return NAN;
  double number = PyFloat_AsDouble(value);
  if (number == -1.0 && PyErr_Occurred()) {
    PyErr_Clear();
    return NAN;
  }
  return number;
}

/* Raises the error of an invalid setting, and clears it. 0, or -1 with an exception. */
static int raise_if_invalid(core_state *state, privy_status status, privy_error *error) {
  if (status != PRIVY_OK) errors_raise(state, status, error);
  privy_error_clear(error);
  return status == PRIVY_OK ? 0 : -1;
}

int options_read(core_state *state, PyObject *const *values, privy_options *options) {
  privy_error error;
  privy_error_init(&error);
  for (int option = 0; option < PRIVY_OPTION_COUNT; option++) {
    if (values[option] == Py_None) continue;
    privy_status status = privy_options_set(options, (privy_setting)option, options_number(values[option]), &error);
    if (raise_if_invalid(state, status, &error) < 0) return -1;
  }
  return 0;
}

int options_read_reserve(core_state *state, PyObject *value, privy_options *options) {
  if (value == Py_None) return 0;
  privy_error error;
  privy_error_init(&error);
  return raise_if_invalid(state, privy_options_set(options, PRIVY_SETTING_RESERVE, options_number(value), &error),
                          &error);
}

int options_read_config(core_state *state, PyObject *const *values, privy_config *config) {
  privy_error error;
  privy_error_init(&error);
  for (int setting = 0; setting < CONFIG_COUNT; setting++) {
    if (values[setting] == Py_None) continue;
    privy_status status = privy_config_set(config, (privy_setting)setting, options_number(values[setting]), &error);
    if (raise_if_invalid(state, status, &error) < 0) return -1;
  }
  return 0;
}

int options_read_text(core_state *state, const char *name, PyObject *value, const char **out) {
  *out = NULL;
  if (value == Py_None) return 0;
  Py_ssize_t length = 0;
  const char *text = PyUnicode_Check(value) ? PyUnicode_AsUTF8AndSize(value, &length) : NULL;
  PyErr_Clear();
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_setting_check_text(name, text, (size_t)length, &error);
  if (status == PRIVY_OK) *out = text;
  return raise_if_invalid(state, status, &error);
}

int options_read_flag(core_state *state, const char *name, PyObject *value, int *out) {
  if (value == Py_None) return 0;
  *out = value == Py_True;
  if (PyBool_Check(value)) return 0;
  privy_error error;
  privy_error_init(&error);
  return raise_if_invalid(state, privy_setting_refuse_flag(name, &error), &error);
}

int options_read_concurrency(core_state *state, PyObject *value, privy_bulk_config *config) {
  if (value == Py_None) return 0;
  privy_error error;
  privy_error_init(&error);
  return raise_if_invalid(state, privy_bulk_config_concurrency(config, options_number(value), &error), &error);
}

int options_read_run(PyObject *settings, privy_bulk_config *config) {
  PyObject *path;
  int resume, on_spent_day;
  char *text;
  if (!PyArg_ParseTuple(settings, "Oiid", &path, &resume, &on_spent_day, &config->until)) return -1;
  config->resume = (privy_resume)resume;
  config->on_spent_day = (privy_spent_day)on_spent_day;
  if (path == Py_None) return 0;
  if (PyBytes_AsStringAndSize(path, &text, NULL) < 0) return -1;
  config->journal = text;
  return 0;
}
