#include <string.h>

#include "sandbox_object.h"

/* ---- requests ---- */

static PyObject *header_pair(const char *line, const char *end) {
  const char *colon = memchr(line, ':', (size_t)(end - line));
  const char *value = colon ? colon + 1 : end;
  while (value < end && *value == ' ') value++;
  return Py_BuildValue("(NN)", PyUnicode_DecodeLatin1(line, (colon ? colon : end) - line, "strict"),
                       PyUnicode_DecodeLatin1(value, end - value, "strict"));
}

PyObject *sandbox_header_pairs(const char *block, size_t length) {
  PyObject *list = PyList_New(0);
  size_t start = 0;
  for (size_t i = 0; list && i + 1 < length; i++) {
    if (block[i] != '\r' || block[i + 1] != '\n') continue;
    PyObject *pair = header_pair(block + start, block + i);
    if (!pair || PyList_Append(list, pair) < 0) Py_CLEAR(list);
    Py_XDECREF(pair);
    start = i + 2;
  }
  return list;
}

static PyObject *clean_text(const char *text) {
  return text ? PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace") : Py_NewRef(Py_None);
}

static PyObject *request_tuple(const privy_sandbox_request *request) {
  PyObject *body =
      request->body ? PyBytes_FromStringAndSize(request->body, (Py_ssize_t)request->body_length) : Py_NewRef(Py_None);
  return Py_BuildValue("(NNNidNN)", clean_text(request->method), clean_text(request->target),
                       clean_text(request->operation), request->http_status, request->at,
                       sandbox_header_pairs(request->headers, request->headers_length), body);
}

/* Appends an item, which may be NULL with an exception. Clears the list if that fails. */
static void append(PyObject **list, PyObject *item) {
  if (!item || PyList_Append(*list, item) < 0) Py_CLEAR(*list);
  Py_XDECREF(item);
}

PyObject *sandbox_history(PyObject *self, PyObject *unused) {
  (void)unused;
  privy_sandbox_history *history;
  const privy_sandbox_request *request;
  if (privy_sandbox_history_new(sandbox_in(self), &history) != PRIVY_OK) return PyErr_NoMemory();
  PyObject *list = PyList_New(0);
  for (size_t i = 0; list && (request = privy_sandbox_history_at(history, i)); i++)
    append(&list, request_tuple(request));
  privy_sandbox_history_free(history);
  return list;
}

PyObject *sandbox_keep_history(PyObject *self, PyObject *args) {
  PyObject *most;
  if (!PyArg_ParseTuple(args, "O", &most)) return NULL;
  const size_t number = PyLong_AsSize_t(most);
  if (number == (size_t)-1 && PyErr_Occurred()) return NULL;
  privy_sandbox_keep_history(sandbox_in(self), number);
  Py_RETURN_NONE;
}

/* ---- records ---- */

static PyObject *elements(const privy_buffer *array) {
  privy_value value, key, item;
  privy_cursor cursor;
  privy_error error;
  privy_error_init(&error);
  const privy_status status = privy_value_parse(array->data, array->length, &value, &error);
  privy_error_clear(&error);
  if (status != PRIVY_OK) return PyErr_NoMemory();
  PyObject *list = PyList_New(0);
  privy_cursor_init(&cursor, value);
  while (list && privy_cursor_next(&cursor, &key, &item))
    append(&list, PyUnicode_DecodeUTF8(item.text, (Py_ssize_t)item.length, "strict"));
  return list;
}

PyObject *sandbox_stored(PyObject *self, PyObject *args) {
  int kind;
  if (!PyArg_ParseTuple(args, "i", &kind)) return NULL;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const privy_status status = privy_sandbox_list(sandbox_in(self), (privy_sandbox_kind)kind, &text);
  PyObject *list = status == PRIVY_OK ? elements(&text) : PyErr_NoMemory();
  privy_buffer_clear(&text);
  return list;
}

PyObject *sandbox_find(PyObject *self, PyObject *args) {
  int kind;
  const char *key;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "is#", &kind, &key, &length)) return NULL;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const privy_status status =
      privy_sandbox_find(sandbox_in(self), (privy_sandbox_kind)kind, key, (size_t)length, &text);
  PyObject *record = status == PRIVY_OK          ? PyUnicode_DecodeUTF8(text.data, (Py_ssize_t)text.length, "strict")
                     : status == PRIVY_NOT_FOUND ? Py_NewRef(Py_None)
                                                 : PyErr_NoMemory();
  privy_buffer_clear(&text);
  return record;
}
