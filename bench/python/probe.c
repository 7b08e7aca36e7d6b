/*
 * The two halves of a call without the call between them, for measuring: a body of bytes into a page, parameters into a
 * body of bytes. It is compiled into a copy of the extension and uses what the extension's own calls use.
 */
#include <string.h>

#include "request.h"

/* page(module, operation, bytes): what a call of the operation returns for this response. */
static PyObject *probe_page(PyObject *self, PyObject *args) {
  (void)self;
  PyObject *module, *name;
  const char *text;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "OOy#", &module, &name, &text, &length)) return NULL;
  const privy_operation *operation = request_operation(name, 2);
  privy_buffer body = {privy_alloc((size_t)length + 1), (size_t)length, (size_t)length + 1};
  if (!operation || !body.data) return NULL;
  memcpy(body.data, text, (size_t)length);
  privy_response *response = NULL;
  privy_error error;
  privy_error_init(&error);
  privy_status status = privy_response_parse(operation, 200, "", 0, &body, &response, &error);
  PyObject *result = NULL;
  if (status == PRIVY_OK) {
    result = request_result(state_of_module(module), operation, response);
  } else {
    PyErr_SetString(PyExc_ValueError, error.message);
  }
  privy_response_release(response);
  privy_error_clear(&error);
  return result;
}

/* call(operation, params, extra, extra_headers, timeout, connect_timeout, max_wait, max_retries): what such a call
 * sends. */
static PyObject *probe_call(PyObject *module, PyObject *const *args, Py_ssize_t count) {
  if (!request_right_count(count, 8)) return NULL;
  core_state *state = state_of_module(module);
  const privy_operation *operation = request_operation(args[0], 2);
  privy_request *request = operation ? request_new(state, operation, args[1], args[2], args[3]) : NULL;
  PyObject *result = NULL;
  privy_error error;
  privy_error_init(&error);
  if (request && privy_request_finish(request, &error) == PRIVY_OK) {
    size_t length = 0;
    const char *text = privy_request_body(request, &length);
    result = PyBytes_FromStringAndSize(text, (Py_ssize_t)length);
  } else if (request) {
    PyErr_SetString(PyExc_ValueError, error.message);
  }
  privy_error_clear(&error);
  privy_request_free(request);
  return result;
}

static PyMethodDef caller = {"call", (PyCFunction)(void (*)(void))probe_call, METH_FASTCALL, "What a call sends."};

/* caller(module): the function that replaces a client's `call`. */
static PyObject *probe_caller(PyObject *self, PyObject *module) {
  (void)self;
  return PyCFunction_New(&caller, module);
}

static PyMethodDef probe_methods[] = {
    {"page", probe_page, METH_VARARGS, "What a call returns for this body of a response."},
    {"caller", probe_caller, METH_O, "Returns a function that reports what a call sends."},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef probe_definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "_probe",
    .m_methods = probe_methods,
};

PyMODINIT_FUNC PyInit__probe(void);

PyMODINIT_FUNC PyInit__probe(void) {
  return PyModule_Create(&probe_definition);
}
