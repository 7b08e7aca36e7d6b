#include "copy.h"
#include "forward.h"
#include "state.h"
#include "types.h"
#include "values.h"

/* ---- methods of a mapping ---- */

static Py_ssize_t json_object_length(PyObject *self) {
  PyObject *dict = json_object_dict(self);
  return dict ? PyDict_Size(dict) : -1;
}

static PyObject *json_object_item(PyObject *self, PyObject *key) {
  PyObject *dict = json_object_dict(self);
  return dict ? PyObject_GetItem(dict, key) : NULL;
}

static int json_object_contains(PyObject *self, PyObject *key) {
  PyObject *dict = json_object_dict(self);
  return dict ? PyDict_Contains(dict, key) : -1;
}

static PyObject *json_object_iterate(PyObject *self) {
  PyObject *dict = json_object_dict(self);
  return dict ? PyObject_GetIter(dict) : NULL;
}

/* A copy of the dict, for code that may keep or change it. */
static PyObject *dict_copy(PyObject *self) {
  PyObject *dict = json_object_dict(self);
  return dict ? PyDict_Copy(dict) : NULL;
}

/* The dict of an operand that is a JSONObject; any other operand unchanged. Operators of other types may keep or change
 * their operands, so these get a copy of the dict. */
static PyObject *operand(const core_state *state, PyObject *value, PyObject *other) {
  if (!Py_IS_TYPE(value, state->json_object_type)) return Py_NewRef(value);
  bool safe = PyDict_CheckExact(other) || Py_IS_TYPE(other, state->json_object_type);
  return safe ? Py_XNewRef(json_object_dict(value)) : dict_copy(value);
}

static PyObject *json_object_compare(PyObject *left, PyObject *right, int operation) {
  const core_state *state = state_of_object(left);
  PyObject *first = operand(state, left, right);
  PyObject *second = first ? operand(state, right, left) : NULL;
  PyObject *result = second ? PyObject_RichCompare(first, second, operation) : NULL;
  Py_XDECREF(first);
  Py_XDECREF(second);
  return result;
}

static PyObject *json_object_or(PyObject *left, PyObject *right) {
  const bool ours = PyType_GetSlot(Py_TYPE(left), Py_nb_or) == (void *)json_object_or; /* otherwise `right` is ours */
  const core_state *state = state_of_object(ours ? left : right);
  PyObject *first = operand(state, left, right);
  PyObject *second = first ? operand(state, right, left) : NULL;
  PyObject *result = second ? PyNumber_Or(first, second) : NULL;
  Py_XDECREF(first);
  Py_XDECREF(second);
  return result;
}

static PyObject *json_object_repr(PyObject *self) {
  PyObject *masked = copy_masked(state_of_object(self), self);
  PyObject *text = masked ? PyUnicode_FromFormat("JSONObject(%R)", masked) : NULL;
  Py_XDECREF(masked);
  return text;
}

static PyObject *json_object_get(PyObject *self, PyObject *args) {
  PyObject *key, *otherwise = Py_None;
  PyObject *dict = PyArg_ParseTuple(args, "O|O:get", &key, &otherwise) ? json_object_dict(self) : NULL;
  PyObject *value = dict ? state_item(dict, key) : NULL;
  return value || PyErr_Occurred() ? value : Py_NewRef(otherwise);
}

/* A view of the dict: views do not change it, and the `mapping` of a view is read-only. */
static PyObject *view_of(PyObject *self, json_view view) {
  PyObject *dict = json_object_dict(self);
  return dict ? state_call(state_of_object(self)->views[view], dict) : NULL;
}

static PyObject *json_object_keys(PyObject *self, PyObject *unused) {
  (void)unused;
  return view_of(self, VIEW_KEYS);
}

static PyObject *json_object_values(PyObject *self, PyObject *unused) {
  (void)unused;
  return view_of(self, VIEW_VALUES);
}

static PyObject *json_object_items(PyObject *self, PyObject *unused) {
  (void)unused;
  return view_of(self, VIEW_ITEMS);
}

static PyObject *json_object_reversed(PyObject *self, PyObject *unused) {
  (void)unused;
  PyObject *dict = json_object_dict(self);
  return dict ? PyObject_CallMethodObjArgs(dict, state_of_object(self)->names[NAME_REVERSED], NULL) : NULL;
}

static PyObject *json_object_copy(PyObject *self, PyObject *unused) {
  (void)unused;
  return dict_copy(self);
}

static PyObject *json_object_plain(PyObject *self) {
  return copy_plain(state_of_object(self), self);
}

/* The text as received; a mapping created from a dict is encoded. */
static PyObject *json_object_to_json(PyObject *object, PyObject *unused) {
  (void)unused;
  const json_object *self = (json_object *)object;
  if (self->response) return PyUnicode_DecodeUTF8(self->json.text, (Py_ssize_t)self->json.length, "strict");
  PyObject *writer = state_json_writer(state_of_object(object));
  PyObject *plain = writer ? json_object_plain(object) : NULL;
  PyObject *text = plain ? PyObject_CallFunctionObjArgs(writer, plain, NULL) : NULL;
  Py_XDECREF(plain);
  return text;
}

/* to_dict(*, json=False) */
static PyObject *json_object_to_dict(PyObject *self, PyObject *args, PyObject *keywords) {
  static char *names[] = {"json", NULL};
  int json = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|$p:to_dict", names, &json)) return NULL;
  return json ? copy_from_json(state_of_object(self), json_object_to_json(self, NULL)) : json_object_plain(self);
}

/* Copies and pickles as a dict. */
static PyObject *json_object_reduce(PyObject *self, PyObject *unused) {
  (void)unused;
  PyObject *dict = dict_copy(self);
  return dict ? Py_BuildValue("O(N)", (PyObject *)&PyDict_Type, dict) : NULL;
}

/* ---- life ---- */

static void json_object_dealloc(PyObject *object) {
  json_object *self = (json_object *)object;
  Py_XDECREF(self->dict);
  privy_response_release(self->response);
  state_free_object(object);
}

static PyMethodDef json_object_methods[] = {
    {"get", json_object_get, METH_VARARGS,
     "get($self, name, default=None, /)\n--\n\n"
     "The value of a member; the second argument, or None, if there is no such member."},
    {"keys", json_object_keys, METH_NOARGS, "keys($self, /)\n--\n\nThe names of the members."},
    {"values", json_object_values, METH_NOARGS, "values($self, /)\n--\n\nThe values of the members."},
    {"items", json_object_items, METH_NOARGS, "items($self, /)\n--\n\nNames and values."},
    {"copy", json_object_copy, METH_NOARGS, "copy($self, /)\n--\n\nA dict of the members."},
    {"to_dict", (PyCFunction)(void (*)(void))json_object_to_dict, METH_VARARGS | METH_KEYWORDS, TO_DICT_DOC},
    {"to_json", json_object_to_json, METH_NOARGS, TO_JSON_DOC},
    {"__reversed__", json_object_reversed, METH_NOARGS, NULL},
    {"__reduce__", json_object_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* 0, or -1 with an exception. */
static int find_views(core_state *state) {
  static const state_name methods[VIEW_TOTAL] = {NAME_KEYS, NAME_VALUES, NAME_ITEMS};
  for (int i = 0; i < VIEW_TOTAL; i++) {
    state->views[i] = PyObject_GetAttr((PyObject *)&PyDict_Type, state->names[methods[i]]);
    if (!state->views[i]) return -1;
  }
  return 0;
}

int json_object_add(PyObject *module, core_state *state) {
  PyType_Slot slots[] = {
      {Py_tp_doc, "The members of a JSON object, read-only. They are converted on first use."},
      {Py_tp_methods, json_object_methods},
      {Py_tp_repr, json_object_repr},
      {Py_tp_hash, PyObject_HashNotImplemented},
      {Py_tp_richcompare, json_object_compare},
      {Py_tp_iter, json_object_iterate},
      {Py_sq_contains, json_object_contains},
      {Py_mp_length, json_object_length},
      {Py_mp_subscript, json_object_item},
      {Py_nb_or, json_object_or},
      {Py_tp_dealloc, json_object_dealloc},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = "privy._core.JSONObject",
      .basicsize = sizeof(json_object),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  state->json_object_type = state_add_type(module, &spec);
  return state->json_object_type ? find_views(state) : -1;
}
