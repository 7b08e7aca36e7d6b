#include "request.h"

#include "encode.h"
#include "errors.h"
#include "page.h"
#include "record.h"
#include "values.h"

bool request_right_count(Py_ssize_t given, Py_ssize_t wanted) {
  if (given == wanted) return true;
  PyErr_Format(PyExc_TypeError, "%zd arguments are needed, not %zd", wanted, given);
  return false;
}

static int check_mapping(core_state *state, const char *name, PyObject *value) {
  if (value == Py_None || PyDict_Check(value) || PyObject_HasAttr(value, state->names[NAME_ITEMS])) return 0;
  PyErr_Format(PyExc_TypeError, "%s must be a dict or None, not %R", name, Py_TYPE(value));
  return -1;
}

/* ---- operations ---- */

static const privy_operation *find(PyObject *name) {
  const char *text = PyUnicode_AsUTF8AndSize(name, NULL);
  const privy_operation *operation = text ? privy_operation_find(text) : NULL;
  if (text && !operation) PyErr_Format(PyExc_ValueError, "unknown operation %R", name);
  return operation;
}

const privy_operation *request_operation(PyObject *name, Py_ssize_t level) {
  const privy_operation *operation = find(name);
  const char *deprecation = operation ? privy_operation_deprecation(operation) : NULL;
  if (deprecation && PyErr_WarnEx(PyExc_DeprecationWarning, deprecation, level) < 0) return NULL;
  return operation;
}

static int encode_part(core_state *state, privy_request *request, PyObject *mapping,
                       void (*begin)(privy_request *request)) {
  if (mapping == Py_None) return 0;
  begin(request);
  return encode_members(state, request, mapping);
}

privy_request *request_new_row(core_state *state, const privy_operation *operation, PyObject *params, PyObject *extra,
                               PyObject *headers, bool omits_nulls) {
  privy_request *request = NULL;
  if (check_mapping(state, "extra", extra) < 0 || check_mapping(state, "extra_headers", headers) < 0) return NULL;
  if (privy_request_new(operation, &request) != PRIVY_OK) {
    PyErr_NoMemory();
    return NULL;
  }
  if (omits_nulls) privy_request_omit_nulls(request);
  int result = encode_params(state, request, params);
  if (result == 0) result = encode_part(state, request, extra, privy_request_extra);
  if (result == 0) result = encode_part(state, request, headers, privy_request_header);
  if (result == 0) return request;
  privy_request_free(request);
  return NULL;
}

privy_request *request_new(core_state *state, const privy_operation *operation, PyObject *params, PyObject *extra,
                           PyObject *headers) {
  return request_new_row(state, operation, params, extra, headers, false);
}

bool request_check_headers(core_state *state, const privy_operation *operation, PyObject *headers) {
  privy_request *request = NULL;
  privy_error error;
  if (headers == Py_None) return true;
  if (check_mapping(state, "extra_headers", headers) < 0) return false;
  if (privy_request_new(operation, &request) != PRIVY_OK) {
    PyErr_NoMemory();
    return false;
  }
  privy_error_init(&error);
  bool checked = encode_part(state, request, headers, privy_request_header) == 0;
  privy_status status = checked ? privy_request_check_headers(request, &error) : PRIVY_OK;
  if (status != PRIVY_OK) errors_raise(state, status, &error);
  privy_error_clear(&error);
  privy_request_free(request);
  return checked && status == PRIVY_OK;
}

/* ---- raw requests ---- */

/* The bytes of a str. A lone surrogate becomes a backslash escape, which the core refuses. */
static PyObject *bytes_of(const char *name, PyObject *text) {
  if (!PyUnicode_Check(text)) return PyErr_Format(PyExc_TypeError, "%s must be a str, not %R", name, Py_TYPE(text));
  return PyUnicode_AsEncodedString(text, "utf-8", "backslashreplace");
}

static privy_request *start_raw(PyObject *const *values) {
  PyObject *method = bytes_of("method", values[0]);
  PyObject *path = method ? bytes_of("path", values[1]) : NULL;
  privy_request *request = NULL;
  if (path && privy_request_new_raw(PyBytes_AsString(method), (size_t)PyBytes_Size(method), PyBytes_AsString(path),
                                    (size_t)PyBytes_Size(path), &request) != PRIVY_OK) {
    PyErr_NoMemory();
  }
  Py_XDECREF(method);
  Py_XDECREF(path);
  return request;
}

privy_request *request_new_raw(core_state *state, PyObject *const *values) {
  if (check_mapping(state, "params", values[2]) < 0 || check_mapping(state, "headers", values[4]) < 0) return NULL;
  privy_request *request = start_raw(values);
  if (!request) return NULL;
  int result = values[3] == state->omit ? 0 : encode_value(state, request, values[3]);
  if (result == 0) result = encode_part(state, request, values[2], privy_request_query);
  if (result == 0) result = encode_part(state, request, values[4], privy_request_header);
  if (result == 0) return request;
  privy_request_free(request);
  return NULL;
}

/* ---- responses ---- */

/* The value of the body; omit when the body is not JSON. */
static PyObject *json_of(core_state *state, privy_response *response) {
  privy_value json = privy_response_json(response);
  return json.type == PRIVY_ABSENT ? Py_NewRef(state->omit) : value_of_json(state, response, json);
}

static PyObject *raw_result(core_state *state, privy_response *response) {
  size_t length = 0;
  const char *body = privy_response_body(response, &length);
  return Py_BuildValue("(iNNN)", privy_response_status(response), errors_headers(response),
                       PyBytes_FromStringAndSize(body, (Py_ssize_t)length), json_of(state, response));
}

PyObject *request_result(core_state *state, const privy_operation *operation, privy_response *response) {
  if (!operation) return raw_result(state, response);
  if (privy_operation_paged(operation)) return page_new(state, response);
  if (privy_response_count(response) == 0) return Py_NewRef(Py_None);
  return record_new(state, response, 0);
}

PyObject *request_refuse_json(PyObject *module, PyObject *args) {
  int status;
  const char *body;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "iy#", &status, &body, &length)) return NULL;
  privy_error error;
  privy_error_init(&error);
  errors_raise(state_of_module(module), privy_json_refuse(status, body, (size_t)length, &error), &error);
  privy_error_clear(&error);
  return NULL;
}

PyObject *request_validate(PyObject *module, PyObject *args) {
  PyObject *name, *params, *extra;
  int omits_nulls = 0;
  if (!PyArg_ParseTuple(args, "UOO|p", &name, &params, &extra, &omits_nulls)) return NULL;
  core_state *state = state_of_module(module);
  const privy_operation *operation = find(name);
  privy_request *request = operation ? request_new_row(state, operation, params, extra, Py_None, omits_nulls) : NULL;
  if (!request) return NULL;
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_request_finish(request, &error);
  PyObject *details = status == PRIVY_NO_MEMORY ? PyErr_NoMemory() : errors_details(&error.details);
  privy_error_clear(&error);
  privy_request_free(request);
  return details;
}

PyObject *request_check_columns(PyObject *module, PyObject *args) {
  PyObject *name, *names;
  if (!PyArg_ParseTuple(args, "UO!", &name, &PyList_Type, &names)) return NULL;
  core_state *state = state_of_module(module);
  const privy_operation *operation = find(name);
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  if (!operation) return NULL;
  privy_status status = privy_request_new(operation, &request);
  int result = status == PRIVY_OK ? encode_keys(state, request, names) : 0;
  if (status == PRIVY_OK && result == 0) status = privy_request_finish_names(request, &error);
  if (status != PRIVY_OK) errors_raise(state, status, &error);
  privy_error_clear(&error);
  privy_request_free(request);
  return result < 0 || status != PRIVY_OK ? NULL : Py_NewRef(Py_None);
}

/* Adds (row, field, message, code, count); false with a Python exception, or with `status` not PRIVY_OK. */
static bool add_row(PyObject *tuple, privy_error *error, privy_status *status) {
  unsigned long long row;
  PyObject *count;
  const char *field, *message, *code;
  if (!PyArg_ParseTuple(tuple, "KsssO", &row, &field, &message, &code, &count)) return false;
  const int64_t limit = count == Py_None ? -1 : PyLong_AsLongLong(count);
  if (PyErr_Occurred()) return false;
  *status = privy_error_add_row(error, row, field, message, code, limit);
  return *status == PRIVY_OK;
}

PyObject *request_refuse_rows(PyObject *module, PyObject *args) {
  PyObject *details;
  unsigned long long total;
  if (!PyArg_ParseTuple(args, "O!K", &PyList_Type, &details, &total)) return NULL;
  privy_error error;
  privy_error_init(&error);
  privy_status status = PRIVY_OK;
  bool added = true;
  for (Py_ssize_t i = 0; added && i < PyList_Size(details); i++)
    added = add_row(PyList_GetItem(details, i), &error, &status);
  if (added) status = privy_error_refuse_rows(&error, total);
  if (status != PRIVY_OK) errors_raise(state_of_module(module), status, &error);
  privy_error_clear(&error);
  return NULL;
}
