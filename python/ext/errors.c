#include "errors.h"

#include "convert.h"

/* Where the classes and the function that fills them are spelled out. */
#define ERRORS_MODULE "privy._errors"

PyObject *errors_details(const privy_details *details) {
  PyObject *list = PyList_New((Py_ssize_t)details->count);
  for (size_t i = 0; list && i < details->count; i++) {
    const privy_detail *detail = &details->items[i];
    PyObject *pair =
        Py_BuildValue("{sNsN}", "field", convert_words(detail->field), "message", convert_words(detail->message));
    if (!pair || PyList_SetItem(list, (Py_ssize_t)i, pair) < 0) Py_CLEAR(list);
  }
  return list;
}

PyObject *errors_headers(const privy_response *response) {
  privy_buffer fields = PRIVY_BUFFER_EMPTY;
  PyObject *list = PyList_New(0);
  if (list && privy_response_fields(response, &fields) != PRIVY_OK) {
    PyErr_NoMemory();
    Py_CLEAR(list);
  }
  for (size_t at = 0; list && at < fields.length;) {
    const char *name = fields.data + at, *value = name + strlen(name) + 1;
    PyObject *pair = Py_BuildValue("(NN)", convert_words(name), convert_words(value));
    if (!pair || PyList_Append(list, pair) < 0) Py_CLEAR(list);
    Py_XDECREF(pair);
    at += strlen(name) + strlen(value) + 2;
  }
  privy_buffer_clear(&fields);
  return list;
}

static PyObject *body_of(const privy_error *error) {
  if (!error->response) return Py_NewRef(Py_None);
  privy_buffer beginning = PRIVY_BUFFER_EMPTY;
  PyObject *text = NULL;
  if (privy_response_excerpt(error->response, &beginning) == PRIVY_OK) {
    text = PyUnicode_DecodeUTF8(beginning.data ? beginning.data : "", (Py_ssize_t)beginning.length, "replace");
  } else {
    PyErr_NoMemory();
  }
  privy_buffer_clear(&beginning);
  return text;
}

static PyObject *number_or_none(bool known, double value) {
  return known ? PyFloat_FromDouble(value) : Py_NewRef(Py_None);
}

static PyObject *build(PyObject *builder, PyObject *type, const privy_error *error) {
  PyObject *headers = error->response ? errors_headers(error->response) : Py_NewRef(Py_None);
  PyObject *status = error->http_status ? PyLong_FromLong(error->http_status) : Py_NewRef(Py_None);
  PyObject *args = Py_BuildValue(
      "(ONNNNNNNNNNNidNNNNN)", type, convert_words(error->message), errors_details(&error->details), status,
      convert_words(error->api_code), convert_words(error->contact_id), convert_words(error->method),
      convert_words(error->path), convert_words(error->request_id), convert_words(error->idempotency_key),
      PyBool_FromLong(error->retryable), PyBool_FromLong(error->may_have_succeeded), error->attempts, error->waited,
      number_or_none(error->retry_after >= 0, error->retry_after),
      number_or_none(error->retry_at != 0, error->retry_at), number_or_none(error->resets_at != 0, error->resets_at),
      headers, body_of(error));
  PyObject *exception = args ? PyObject_CallObject(builder, args) : NULL;
  Py_XDECREF(args);
  return exception;
}

void errors_refuse(core_state *state, const char *message) {
  privy_error error;
  privy_error_init(&error);
  error.code = PRIVY_CONFIG_ERROR;
  error.message = (char *)message;
  errors_raise(state, PRIVY_CONFIG_ERROR, &error);
}

void errors_raise(core_state *state, privy_status status, const privy_error *error) {
  if (PyErr_Occurred()) return;
  if (status == PRIVY_NO_MEMORY) {
    PyErr_NoMemory();
    return;
  }
  if (status == PRIVY_INTERRUPTED || !error) {
    PyErr_SetNone(status == PRIVY_INTERRUPTED ? PyExc_KeyboardInterrupt : PyExc_SystemError);
    return;
  }
  PyObject *type = state_import(&state->errors[status], ERRORS_MODULE, privy_error_describe(status)->name);
  PyObject *builder = type ? state_import(&state->error_builder, ERRORS_MODULE, "build") : NULL;
  PyObject *exception = builder ? build(builder, type, error) : NULL;
  if (!exception) return;
  PyErr_SetObject(type, exception);
  Py_DECREF(exception);
}

PyObject *errors_caught(void) {
  PyObject *type, *value, *trace;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  if (trace) (void)PyException_SetTraceback(value, trace);
  Py_XDECREF(type);
  Py_XDECREF(trace);
  return value;
}
