#include "times.h"

#ifndef Py_LIMITED_API
#include <datetime.h>

/* The C interface of datetime; NULL without an exception in an interpreter that lacks it. */
static const PyDateTime_CAPI *interface_of(core_state *state) {
  (void)PyDateTimeAPI; /* the static variable of the header is shared by all interpreters: do not use it */
  if (!atomic_load_explicit(&state->times_asked, memory_order_acquire)) {
    const void *times = PyCapsule_Import(PyDateTime_CAPSULE_NAME, 0);
    if (!times) PyErr_Clear();
    atomic_store_explicit(&state->times, times, memory_order_relaxed);
    atomic_store_explicit(&state->times_asked, true, memory_order_release);
  }
  return atomic_load_explicit(&state->times, memory_order_relaxed);
}

static PyObject *make(core_state *state, const privy_time *at, int second) {
  const PyDateTime_CAPI *times = interface_of(state);
  if (!times) return NULL;
  return times->DateTime_FromDateAndTime((int)at->year, at->month, at->day, at->hour, at->minute, second,
                                         (int)(at->nanos / 1000), times->TimeZone_UTC, times->DateTimeType);
}

static char *put_digits(char *at, int number, int count) {
  for (int i = count; i > 0; number /= 10) at[--i] = (char)('0' + number % 10);
  return at + count;
}

static char *put_part(char *at, char before, int number) {
  *at++ = before;
  return put_digits(at, number, 2);
}

size_t times_write(core_state *state, PyObject *value, char text[TIMES_LENGTH]) {
  const PyDateTime_CAPI *times = interface_of(state);
  if (!times || !Py_IS_TYPE(value, times->DateTimeType)) return 0;
  if (PyDateTime_DATE_GET_TZINFO(value) != times->TimeZone_UTC) return 0;
  char *at = put_digits(text, PyDateTime_GET_YEAR(value), 4);
  at = put_part(at, '-', PyDateTime_GET_MONTH(value));
  at = put_part(at, '-', PyDateTime_GET_DAY(value));
  at = put_part(at, 'T', PyDateTime_DATE_GET_HOUR(value));
  at = put_part(at, ':', PyDateTime_DATE_GET_MINUTE(value));
  at = put_part(at, ':', PyDateTime_DATE_GET_SECOND(value));
  if (PyDateTime_DATE_GET_MICROSECOND(value)) {
    *at++ = '.';
    at = put_digits(at, PyDateTime_DATE_GET_MICROSECOND(value), 6);
  }
  *at++ = 'Z';
  return (size_t)(at - text);
}
#else
static PyObject *make(core_state *state, const privy_time *at, int second) {
  (void)state, (void)at, (void)second;
  return NULL;
}

size_t times_write(core_state *state, PyObject *value, char text[TIMES_LENGTH]) {
  (void)state, (void)value, (void)text;
  return 0;
}
#endif

PyObject *times_make(core_state *state, const privy_time *at) {
  int second = at->second > 59 ? 59 : at->second;
  PyObject *made = make(state, at, second);
  if (made || PyErr_Occurred()) return made;
  PyObject *type = state_datetime(state);
  PyObject *utc = state_utc(state);
  if (!type || !utc) return NULL;
  return PyObject_CallFunction(type, "iiiiiiiO", (int)at->year, at->month, at->day, at->hour, at->minute, second,
                               (int)(at->nanos / 1000), utc);
}
