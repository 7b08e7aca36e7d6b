#include "errors.h"

#include "scalars.h"

/* The module of the exception classes and of the function that creates exceptions. */
#define ERRORS_MODULE "privy._errors"

static PyObject *detail_of(const privy_detail *detail) {
  PyObject *dict = Py_BuildValue("{sNsNsN}", "field", scalar_c_string(detail->field), "message",
                                 scalar_c_string(detail->message), "code", scalar_c_string(detail->code));
  if (dict && detail->count >= 0 && !state_set_item(dict, "count", PyLong_FromLongLong(detail->count))) Py_CLEAR(dict);
  return dict;
}

PyObject *errors_details(const privy_details *details) {
  PyObject *list = PyList_New((Py_ssize_t)details->count);
  for (size_t i = 0; list && i < details->count; i++) {
    PyObject *detail = detail_of(&details->items[i]);
    if (!detail || PyList_SetItem(list, (Py_ssize_t)i, detail) < 0) Py_CLEAR(list);
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
    PyObject *pair = Py_BuildValue("(NN)", scalar_c_string(name), scalar_c_string(value));
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

/* The fields that privy._errors.build takes: their names, and their values as new references. */
#define ERROR_FIELDS(X)                                                                                                \
  X(message, scalar_c_string(error->message))                                                                          \
  X(details, errors_details(&error->details))                                                                          \
  X(status, error->http_status ? PyLong_FromLong(error->http_status) : Py_NewRef(Py_None))                             \
  X(code, scalar_c_string(error->api_code))                                                                            \
  X(contact_id, scalar_c_string(error->contact_id))                                                                    \
  X(method, scalar_c_string(error->method))                                                                            \
  X(path, scalar_c_string(error->path))                                                                                \
  X(request_id, scalar_c_string(error->request_id))                                                                    \
  X(idempotency_key, scalar_c_string(error->idempotency_key))                                                          \
  X(retryable, PyBool_FromLong(error->retryable))                                                                      \
  X(may_have_succeeded, PyBool_FromLong(error->may_have_succeeded))                                                    \
  X(attempts, PyLong_FromLong(error->attempts))                                                                        \
  X(waited, PyFloat_FromDouble(error->waited))                                                                         \
  X(retry_after, scalar_seconds(error->retry_after >= 0, error->retry_after))                                          \
  X(retry_at, scalar_seconds(error->retry_at != 0, error->retry_at))                                                   \
  X(resets_at, scalar_seconds(error->resets_at != 0, error->resets_at))                                                \
  X(headers, error->response ? errors_headers(error->response) : Py_NewRef(Py_None))                                   \
  X(body, body_of(error))

static PyObject *fields_of(const privy_error *error) {
  PyObject *fields = PyDict_New();
  bool done = fields;
#define X(name, value) done = done && state_set_item(fields, #name, value);
  ERROR_FIELDS(X)
#undef X
  if (!done) Py_CLEAR(fields);
  return fields;
}

static PyObject *build(PyObject *builder, PyObject *type, const privy_error *error) {
  PyObject *fields = fields_of(error);
  PyObject *exception = fields ? PyObject_CallFunctionObjArgs(builder, type, fields, NULL) : NULL;
  Py_XDECREF(fields);
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
  PyObject *type = lazy_import(&state->errors[status], ERRORS_MODULE, privy_error_describe(status)->name);
  PyObject *builder = type ? lazy_import(&state->error_builder, ERRORS_MODULE, "build") : NULL;
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
