#include "json_object.h"

#include "convert.h"

/* Nothing in it can lead back to it, as with records: the garbage collector need not know it. */
typedef struct members_object {
  PyObject_HEAD privy_response *response; /* NULL: made around a dict */
  const privy_object *table;
  privy_value json;
  state_place dict; /* NULL: nobody has looked yet */
} members_object;

/* ---- reading ---- */

static PyObject *member_name(core_state *state, const privy_object *table, privy_value key, privy_field_info *info,
                             bool *known) {
  *known = false;
  PyObject *text = convert_label(state, key);
  if (!text || !table) return text;
  Py_ssize_t length;
  const char *bytes = PyUnicode_AsUTF8AndSize(text, &length);
  int index = bytes ? privy_object_index(table, bytes, (size_t)length) : -1;
  *known = index >= 0 && privy_object_field(table, (size_t)index, info);
  if (bytes && !*known) return text;
  Py_DECREF(text);
  return bytes ? PyUnicode_InternFromString(info->name) : NULL;
}

static int read_member(const members_object *self, core_state *state, PyObject *dict, privy_value key,
                       privy_value item) {
  privy_field_info info;
  bool known;
  PyObject *name = member_name(state, self->table, key, &info, &known);
  PyObject *value = !name   ? NULL
                    : known ? convert_field(state, self->response, &info, item)
                            : convert_any(state, self->response, item);
  int result = value ? PyDict_SetItem(dict, name, value) : -1;
  Py_XDECREF(name);
  Py_XDECREF(value);
  return result;
}

static PyObject *read_members(const members_object *self, core_state *state) {
  PyObject *dict = PyDict_New();
  privy_cursor cursor;
  privy_value key, item;
  privy_cursor_init(&cursor, self->json);
  while (dict && privy_cursor_next(&cursor, &key, &item)) {
    if (read_member(self, state, dict, key, item) < 0) Py_CLEAR(dict);
  }
  return dict;
}

PyObject *members_dict(PyObject *object) {
  members_object *self = (members_object *)object;
  PyObject *kept = state_kept(&self->dict);
  return kept ? kept : state_keep(&self->dict, read_members(self, state_of_object(object)));
}

/* ---- what a mapping can do ---- */

static Py_ssize_t members_length(PyObject *self) {
  PyObject *dict = members_dict(self);
  return dict ? PyDict_Size(dict) : -1;
}

static PyObject *members_item(PyObject *self, PyObject *key) {
  PyObject *dict = members_dict(self);
  return dict ? PyObject_GetItem(dict, key) : NULL;
}

static int members_contains(PyObject *self, PyObject *key) {
  PyObject *dict = members_dict(self);
  return dict ? PyDict_Contains(dict, key) : -1;
}

static PyObject *members_iterate(PyObject *self) {
  PyObject *dict = members_dict(self);
  return dict ? PyObject_GetIter(dict) : NULL;
}

/* A dict that may be handed to code of any kind, since nobody else has it. */
static PyObject *dict_copy(PyObject *self) {
  PyObject *dict = members_dict(self);
  return dict ? PyDict_Copy(dict) : NULL;
}

/* An operand as a dict when it is such a mapping, otherwise as it is. The dict of the mapping itself meets only other
 * dicts, whose operators belong to Python; operators of other types may keep or change what they are given. */
static PyObject *operand(const core_state *state, PyObject *value, PyObject *other) {
  if (!Py_IS_TYPE(value, state->members_type)) return Py_NewRef(value);
  bool safe = PyDict_CheckExact(other) || Py_IS_TYPE(other, state->members_type);
  return safe ? Py_XNewRef(members_dict(value)) : dict_copy(value);
}

static PyObject *members_compare(PyObject *left, PyObject *right, int operation) {
  const core_state *state = state_of_object(left);
  PyObject *first = operand(state, left, right);
  PyObject *second = first ? operand(state, right, left) : NULL;
  PyObject *result = second ? PyObject_RichCompare(first, second, operation) : NULL;
  Py_XDECREF(first);
  Py_XDECREF(second);
  return result;
}

static PyObject *members_or(PyObject *left, PyObject *right) {
  const bool ours = PyType_GetSlot(Py_TYPE(left), Py_nb_or) == (void *)members_or; /* else the right one is */
  const core_state *state = state_of_object(ours ? left : right);
  PyObject *first = operand(state, left, right);
  PyObject *second = first ? operand(state, right, left) : NULL;
  PyObject *result = second ? PyNumber_Or(first, second) : NULL;
  Py_XDECREF(first);
  Py_XDECREF(second);
  return result;
}

static PyObject *members_repr(PyObject *self) {
  PyObject *masked = convert_mask(state_of_object(self), self);
  PyObject *text = masked ? PyUnicode_FromFormat("JSONObject(%R)", masked) : NULL;
  Py_XDECREF(masked);
  return text;
}

static PyObject *members_get(PyObject *self, PyObject *args) {
  PyObject *key, *otherwise = Py_None;
  PyObject *dict = PyArg_ParseTuple(args, "O|O:get", &key, &otherwise) ? members_dict(self) : NULL;
  PyObject *value = dict ? state_item(dict, key) : NULL;
  return value || PyErr_Occurred() ? value : Py_NewRef(otherwise);
}

/* Calls a method of a copy: a view leads back to its dict. */
static PyObject *members_call(PyObject *self, state_name method) {
  PyObject *dict = dict_copy(self);
  PyObject *result = dict ? PyObject_CallMethodObjArgs(dict, state_of_object(self)->names[method], NULL) : NULL;
  Py_XDECREF(dict);
  return result;
}

static PyObject *members_keys(PyObject *self, PyObject *unused) {
  (void)unused;
  return members_call(self, NAME_KEYS);
}

static PyObject *members_values(PyObject *self, PyObject *unused) {
  (void)unused;
  return members_call(self, NAME_VALUES);
}

static PyObject *members_items(PyObject *self, PyObject *unused) {
  (void)unused;
  return members_call(self, NAME_ITEMS);
}

static PyObject *members_reversed(PyObject *self, PyObject *unused) {
  (void)unused;
  return members_call(self, NAME_REVERSED);
}

static PyObject *members_copy(PyObject *self, PyObject *unused) {
  (void)unused;
  return dict_copy(self);
}

/* A copy as convert_thaw makes it, with the members of mappings inside in dicts too. */
static PyObject *members_plain(PyObject *self) {
  return convert_thaw(state_of_object(self), self);
}

/* The text as received; a mapping that was made around a dict is written. */
static PyObject *members_to_json(PyObject *object, PyObject *unused) {
  (void)unused;
  const members_object *self = (members_object *)object;
  if (self->response) return PyUnicode_DecodeUTF8(self->json.text, (Py_ssize_t)self->json.length, "strict");
  PyObject *writer = state_json_writer(state_of_object(object));
  PyObject *plain = writer ? members_plain(object) : NULL;
  PyObject *text = plain ? PyObject_CallFunctionObjArgs(writer, plain, NULL) : NULL;
  Py_XDECREF(plain);
  return text;
}

/* to_dict(*, json=False) */
static PyObject *members_to_dict(PyObject *self, PyObject *args, PyObject *keywords) {
  static char *names[] = {"json", NULL};
  int json = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|$p:to_dict", names, &json)) return NULL;
  return json ? convert_read_json(state_of_object(self), members_to_json(self, NULL)) : members_plain(self);
}

/* Copied and pickled as the dict that it stands for. */
static PyObject *members_reduce(PyObject *self, PyObject *unused) {
  (void)unused;
  PyObject *dict = dict_copy(self);
  return dict ? Py_BuildValue("O(N)", (PyObject *)&PyDict_Type, dict) : NULL;
}

/* ---- life ---- */

static void members_dealloc(PyObject *object) {
  members_object *self = (members_object *)object;
  Py_XDECREF(self->dict);
  privy_response_release(self->response);
  state_free_object(object);
}

PyObject *members_new(core_state *state, privy_response *response, privy_value json, const privy_object *table) {
  members_object *self = (members_object *)PyType_GenericAlloc(state->members_type, 0);
  if (!self) return NULL;
  self->response = privy_response_retain(response);
  self->table = table;
  self->json = json;
  return (PyObject *)self;
}

PyObject *members_of(core_state *state, PyObject *dict) {
  members_object *self = dict ? (members_object *)PyType_GenericAlloc(state->members_type, 0) : NULL;
  if (self) {
    self->dict = dict;
  } else {
    Py_XDECREF(dict);
  }
  return (PyObject *)self;
}

static PyMethodDef members_methods[] = {
    {"get", members_get, METH_VARARGS, "The value of a member; None, or the second argument, when there is none."},
    {"keys", members_keys, METH_NOARGS, "The names of the members."},
    {"values", members_values, METH_NOARGS, "The values of the members."},
    {"items", members_items, METH_NOARGS, "Names and values."},
    {"copy", members_copy, METH_NOARGS, "A dict of the members."},
    {"to_dict", (PyCFunction)(void (*)(void))members_to_dict, METH_VARARGS | METH_KEYWORDS,
     "The members as a new dict, with plain mutable dicts and lists inside; with json=True as JSON has them."},
    {"to_json", members_to_json, METH_NOARGS, "The members as the text of a JSON object."},
    {"__reversed__", members_reversed, METH_NOARGS, NULL},
    {"__reduce__", members_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int members_add(PyObject *module, core_state *state) {
  PyType_Slot slots[] = {
      {Py_tp_doc, "The members of a JSON object, read-only. They are made when they are first looked into."},
      {Py_tp_methods, members_methods},
      {Py_tp_repr, members_repr},
      {Py_tp_hash, PyObject_HashNotImplemented},
      {Py_tp_richcompare, members_compare},
      {Py_tp_iter, members_iterate},
      {Py_sq_contains, members_contains},
      {Py_mp_length, members_length},
      {Py_mp_subscript, members_item},
      {Py_nb_or, members_or},
      {Py_tp_dealloc, members_dealloc},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = "privy._core.JSONObject",
      .basicsize = sizeof(members_object),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  state->members_type = state_add_type(module, &spec);
  return state->members_type ? 0 : -1;
}
