#include "record.h"

#include <stddef.h>
#include <structmember.h>

#include "copy.h"
#include "forward.h"
#include "html.h"
#include "scalars.h"
#include "types.h"
#include "values.h"

/*
 * Creating a record converts all known fields into plain slots, which Python reads as fast as __slots__. A record never
 * refers back to itself, so it takes no part in garbage collection.
 */
typedef struct record_object {
  PyObject_HEAD privy_response *response;
  const privy_record *record;
  const record_type *table;
  lazy_slot extra;
  _Atomic(Py_hash_t) hash; /* 0: not computed yet */
  PyObject *values[];
} record_object;

/* ---- values ---- */

static PyObject *record_value(const record_object *self, size_t index) {
  return Py_NewRef(self->values[index]);
}

static int add_unknown(core_state *state, privy_response *response, PyObject *members, PyObject *name,
                       privy_value value) {
  PyObject *inner = value_of_json(state, response, value);
  int result = inner ? PyDict_SetItem(members, name, inner) : -1;
  Py_XDECREF(inner);
  return result;
}

/* 1 if the table has the field, 0 if not, -1 with an exception. */
static int is_known(const privy_object *object, PyObject *name) {
  Py_ssize_t length;
  const char *text = PyUnicode_AsUTF8AndSize(name, &length);
  if (!text) return -1;
  return privy_object_index(object, text, (size_t)length) >= 0;
}

PyObject *record_unknown(core_state *state, privy_response *response, const privy_record *record) {
  PyObject *members = PyDict_New();
  if (!members) return NULL;
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, privy_record_json(record));
  while (privy_cursor_next(&cursor, &key, &value)) {
    PyObject *name = scalar_text(key);
    int known = name ? is_known(privy_record_object(record), name) : -1;
    int failed = known == 0 ? add_unknown(state, response, members, name, value) : known < 0 ? -1 : 0;
    Py_XDECREF(name);
    if (failed) {
      Py_DECREF(members);
      return NULL;
    }
  }
  return json_object_from_dict(state, members);
}

static PyObject *record_extra(PyObject *object, void *unused) {
  (void)unused;
  record_object *self = (record_object *)object;
  PyObject *extra = lazy_get(&self->extra);
  if (!extra) {
    extra = lazy_set(&self->extra, record_unknown(state_of_object(object), self->response, self->record));
  }
  return Py_XNewRef(extra);
}

/* ---- reading by key ---- */

static int key_index(const record_object *self, PyObject *key) {
  if (!PyUnicode_Check(key)) return -1;
  Py_ssize_t length;
  const char *text = PyUnicode_AsUTF8AndSize(key, &length);
  if (!text) {
    PyErr_Clear();
    return -1;
  }
  return privy_object_index(self->table->object, text, (size_t)length);
}

static PyObject *record_subscript(PyObject *object, PyObject *key) {
  record_object *self = (record_object *)object;
  int index = key_index(self, key);
  if (index >= 0) return record_value(self, (size_t)index);
  PyObject *extra = record_extra(object, NULL);
  if (!extra) return NULL;
  PyObject *value = PyObject_GetItem(extra, key);
  Py_DECREF(extra);
  return value;
}

static int record_contains(PyObject *object, PyObject *key) {
  record_object *self = (record_object *)object;
  int index = key_index(self, key);
  if (index >= 0) return privy_record_get(self->record, (size_t)index).type != PRIVY_ABSENT;
  PyObject *extra = record_extra(object, NULL);
  if (!extra) return -1;
  int result = PySequence_Contains(extra, key);
  Py_DECREF(extra);
  return result;
}

/* ---- comparing ---- */

static int same_parts(PyObject *left, PyObject *right) {
  int same = left && right ? PyObject_RichCompareBool(left, right, Py_EQ) : -1;
  Py_XDECREF(left);
  Py_XDECREF(right);
  return same;
}

static int records_equal(record_object *left, record_object *right) {
  if (left == right || left->record == right->record) return 1;
  for (size_t i = 0; i < left->table->count; i++) {
    int same = same_parts(record_value(left, i), record_value(right, i));
    if (same <= 0) return same;
  }
  return same_parts(record_extra((PyObject *)left, NULL), record_extra((PyObject *)right, NULL));
}

static PyObject *record_compare(PyObject *left, PyObject *right, int operation) {
  if ((operation != Py_EQ && operation != Py_NE) || Py_TYPE(left) != Py_TYPE(right)) {
    return Py_NewRef(Py_NotImplemented);
  }
  int same = records_equal((record_object *)left, (record_object *)right);
  if (same < 0) return NULL;
  return PyBool_FromLong(operation == Py_EQ ? same : !same);
}

/* The hash of a value; 0 for a mapping, which has none. */
static int hash_of(PyObject *value, Py_hash_t *out) {
  *out = PyObject_Hash(value);
  if (*out != -1) return 0;
  if (!PyErr_ExceptionMatches(PyExc_TypeError)) return -1;
  PyErr_Clear();
  *out = 0;
  return 0;
}

static Py_hash_t record_hash(PyObject *object) {
  record_object *self = (record_object *)object;
  Py_hash_t hash = atomic_load_explicit(&self->hash, memory_order_relaxed);
  if (hash) return hash;
  size_t mixed = 0x345678u;
  for (size_t i = 0; i < self->table->count; i++) {
    Py_hash_t part;
    if (hash_of(self->values[i], &part) < 0) return -1;
    mixed = (mixed ^ (size_t)part) * 1000003u;
  }
  hash = (Py_hash_t)mixed;
  if (hash == -1 || hash == 0) hash = -2;
  atomic_store_explicit(&self->hash, hash, memory_order_relaxed);
  return hash;
}

/* ---- copies ---- */

/* The names of the fields that the response holds: dict(record) calls it. */
static PyObject *record_keys(PyObject *object, PyObject *unused) {
  (void)unused;
  record_object *self = (record_object *)object;
  PyObject *extra = record_extra(object, NULL);
  PyObject *unknown = extra ? PySequence_List(extra) : NULL;
  PyObject *names = unknown ? PyList_New(0) : NULL;
  for (size_t i = 0; names && i < self->table->count; i++) {
    if (privy_record_get(self->record, i).type == PRIVY_ABSENT) continue;
    PyObject *name = PyUnicode_InternFromString(self->table->slots[i].info.name);
    if (!name || PyList_Append(names, name) < 0) Py_CLEAR(names);
    Py_XDECREF(name);
  }
  PyObject *keys = names ? PySequence_Concat(names, unknown) : NULL;
  Py_XDECREF(extra);
  Py_XDECREF(unknown);
  Py_XDECREF(names);
  return keys;
}

static int set_copy(const core_state *state, PyObject *members, PyObject *key, PyObject *value) {
  PyObject *plain = copy_plain(state, value);
  int result = plain ? PyDict_SetItem(members, key, plain) : -1;
  Py_XDECREF(plain);
  return result;
}

static int copy_known_fields(record_object *self, PyObject *members) {
  for (size_t i = 0; i < self->table->count; i++) {
    const record_slot *slot = &self->table->slots[i];
    if (privy_record_get(self->record, i).type == PRIVY_ABSENT) continue;
    PyObject *key = PyUnicode_InternFromString(slot->info.name);
    int result = key ? set_copy(state_of_object((PyObject *)self), members, key, self->values[i]) : -1;
    Py_XDECREF(key);
    if (result < 0) return -1;
  }
  return 0;
}

static PyObject *record_plain(PyObject *object) {
  PyObject *members = PyDict_New();
  PyObject *extra = members ? record_extra(object, NULL) : NULL;
  PyObject *plain = extra ? copy_plain(state_of_object(object), extra) : NULL;
  Py_XDECREF(extra);
  if (!plain || copy_known_fields((record_object *)object, members) < 0 || PyDict_Update(members, plain) < 0) {
    Py_CLEAR(members);
  }
  Py_XDECREF(plain);
  return members;
}

static PyObject *record_to_json(PyObject *object, PyObject *unused) {
  (void)unused;
  PyObject *bytes = record_bytes(((record_object *)object)->record);
  PyObject *text = bytes ? PyUnicode_FromEncodedObject(bytes, "utf-8", "strict") : NULL;
  Py_XDECREF(bytes);
  return text;
}

/* to_dict(*, json=False) */
static PyObject *record_to_dict(PyObject *object, PyObject *args, PyObject *keywords) {
  static char *names[] = {"json", NULL};
  int json = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|$p:to_dict", names, &json)) return NULL;
  if (!json) return record_plain(object);
  return copy_from_json(state_of_object(object), record_to_json(object, NULL));
}

static PyObject *record_copy(PyObject *self, PyObject *unused) {
  (void)unused;
  return Py_NewRef(self);
}

PyObject *record_bytes(const privy_record *record) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  PyObject *bytes;
  if (privy_record_write(record, &text) == PRIVY_OK) {
    bytes = PyBytes_FromStringAndSize(text.data, (Py_ssize_t)text.length);
  } else {
    bytes = PyErr_NoMemory();
  }
  privy_buffer_clear(&text);
  return bytes;
}

static PyObject *record_reduce(PyObject *object, PyObject *unused) {
  (void)unused;
  record_object *self = (record_object *)object;
  PyObject *load = PyObject_GetAttr(PyType_GetModule(Py_TYPE(object)), state_of_object(object)->names[NAME_LOAD]);
  PyObject *bytes = load ? record_bytes(self->record) : NULL;
  PyObject *result = bytes ? Py_BuildValue("O(sO)", load, privy_object_name(self->table->object), bytes) : NULL;
  Py_XDECREF(load);
  Py_XDECREF(bytes);
  return result;
}

/* ---- repr ---- */

static int append_text(PyObject *parts, PyObject *text) {
  int result = text ? PyList_Append(parts, text) : -1;
  Py_XDECREF(text);
  return result;
}

static int show_known(record_object *self, PyObject *parts) {
  for (size_t i = 0; i < self->table->count; i++) {
    const record_slot *slot = &self->table->slots[i];
    if (privy_record_get(self->record, i).type == PRIVY_ABSENT) continue;
    const core_state *state = state_of_object((PyObject *)self);
    PyObject *masked = slot->info.personal ? copy_masked(state, self->values[i]) : Py_NewRef(self->values[i]);
    int result = masked ? append_text(parts, PyUnicode_FromFormat("%s=%R", slot->info.name, masked)) : -1;
    Py_XDECREF(masked);
    if (result < 0) return -1;
  }
  return 0;
}

/* Shows only the names of unknown fields: their values may be personal data. */
static int show_extra(PyObject *self, PyObject *parts) {
  PyObject *extra = record_extra(self, NULL);
  PyObject *names = extra ? PySequence_List(extra) : NULL;
  Py_XDECREF(extra);
  if (!names) return -1;
  int result = PyList_Size(names) > 0 ? append_text(parts, PyUnicode_FromFormat("extra=%R", names)) : 0;
  Py_DECREF(names);
  return result;
}

static PyObject *record_repr(PyObject *object) {
  record_object *self = (record_object *)object;
  PyObject *parts = PyList_New(0);
  PyObject *comma = parts ? PyUnicode_FromString(", ") : NULL;
  PyObject *inside = NULL;
  if (comma && show_known(self, parts) == 0 && show_extra(object, parts) == 0) inside = PyUnicode_Join(comma, parts);
  Py_XDECREF(comma);
  Py_XDECREF(parts);
  if (!inside) return NULL;
  PyObject *text = PyUnicode_FromFormat("%s(%U)", privy_object_name(self->table->object), inside);
  Py_DECREF(inside);
  return text;
}

/* ---- life ---- */

static void record_dealloc(PyObject *object) {
  record_object *self = (record_object *)object;
  Py_XDECREF(self->extra);
  for (size_t i = 0; i < self->table->count; i++) Py_XDECREF(self->values[i]);
  privy_response_release(self->response);
  state_free_object(object);
}

PyObject *record_new(core_state *state, privy_response *response, size_t index) {
  const privy_record *record = privy_response_record(response, index);
  const record_type *table = record ? state_record_type(state, privy_record_object(record)) : NULL;
  if (!table) {
    PyErr_SetString(PyExc_SystemError, "privy: the record has no table");
    return NULL;
  }
  record_object *self = (record_object *)PyType_GenericAlloc(table->type, 0);
  if (!self) return NULL;
  self->response = privy_response_retain(response);
  self->record = record;
  self->table = table;
  for (size_t i = 0; i < table->count; i++) {
    self->values[i] = value_of_field(state, response, &table->slots[i].info, privy_record_get(record, i));
    if (self->values[i]) continue;
    Py_DECREF(self);
    return NULL;
  }
  return (PyObject *)self;
}

static PyObject *read_record(core_state *state, const privy_object *object, const char *text, Py_ssize_t length) {
  privy_error error;
  privy_error_init(&error);
  privy_response *response = NULL;
  privy_status status = privy_response_load(object, text, (size_t)length, &response, &error);
  PyObject *record = NULL;
  if (status == PRIVY_OK) {
    record = record_new(state, response, 0);
  } else if (status == PRIVY_NO_MEMORY) {
    PyErr_NoMemory();
  } else {
    PyErr_Format(PyExc_ValueError, "not a record: %s", error.message);
  }
  privy_response_release(response);
  privy_error_clear(&error);
  return record;
}

privy_response *record_response(core_state *state, PyObject *object, const privy_record **record) {
  record_object *self = (record_object *)object;
  if (state_type_table(state, Py_TYPE(object))) return *record = self->record, self->response;
  PyErr_Format(PyExc_TypeError, "a row must be a record, not %R", (PyObject *)Py_TYPE(object));
  return NULL;
}

PyObject *record_load(PyObject *module, PyObject *args) {
  const char *name, *text;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "sy#", &name, &text, &length)) return NULL;
  core_state *state = state_of_module(module);
  const privy_object *object = privy_object_find(name);
  if (object && state_record_type(state, object)) return read_record(state, object, text, length);
  return PyErr_Format(PyExc_ValueError, "unknown record type %s", name);
}

static PyObject *record_from_json(PyObject *type, PyObject *json) {
  core_state *state = state_of_type((PyTypeObject *)type);
  PyObject *bytes = PyUnicode_Check(json) ? PyUnicode_AsUTF8String(json) : PyBytes_FromObject(json);
  const privy_object *object = state_type_table(state, (PyTypeObject *)type)->object;
  PyObject *record = bytes ? read_record(state, object, PyBytes_AsString(bytes), PyBytes_Size(bytes)) : NULL;
  Py_XDECREF(bytes);
  return record;
}

static PyMethodDef record_methods[] = {
    {"keys", record_keys, METH_NOARGS, "keys($self, /)\n--\n\nThe names of the fields that the response holds."},
    {"to_dict", (PyCFunction)(void (*)(void))record_to_dict, METH_VARARGS | METH_KEYWORDS, TO_DICT_DOC},
    {"to_json", record_to_json, METH_NOARGS, TO_JSON_DOC},
    {"from_json", record_from_json, METH_CLASS | METH_O,
     "from_json($type, json, /)\n--\n\nA record from the text of a JSON object, for tests."},
    {"_repr_html_", html_of_record, METH_NOARGS, NULL},
    {"__get_pydantic_core_schema__", forward_core_schema, METH_CLASS | METH_VARARGS, CORE_SCHEMA_DOC},
    {"__get_pydantic_json_schema__", forward_json_schema, METH_CLASS | METH_VARARGS, JSON_SCHEMA_DOC},
    {"__copy__", record_copy, METH_NOARGS, NULL},
    {"__deepcopy__", record_copy, METH_O, NULL},
    {"__reduce__", record_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef record_more[] = {
    {"extra", record_extra, NULL, "Fields of the response that this version does not know, read-only.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

PyTypeObject *record_make_type(PyObject *module, const record_type *table) {
  PyMemberDef *members = PyMem_Calloc(table->count + 1, sizeof *members);
  if (!members) return PyErr_NoMemory(), NULL;
  for (size_t i = 0; i < table->count; i++) {
    Py_ssize_t offset = (Py_ssize_t)(offsetof(record_object, values) + i * sizeof(PyObject *));
    const privy_field_info *info = &table->slots[i].info;
    members[i] = (PyMemberDef){info->name, T_OBJECT_EX, offset, READONLY, info->doc};
  }
  PyType_Slot slots[] = {
      {Py_tp_doc, (void *)privy_object_doc(table->object)},
      {Py_tp_members, members},
      {Py_tp_getset, record_more},
      {Py_tp_methods, record_methods},
      {Py_tp_repr, record_repr},
      {Py_tp_hash, record_hash},
      {Py_tp_richcompare, record_compare},
      {Py_mp_subscript, record_subscript},
      {Py_sq_contains, record_contains},
      {Py_tp_dealloc, record_dealloc},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = table->name,
      .basicsize = (int)(offsetof(record_object, values) + table->count * sizeof(PyObject *)),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  PyTypeObject *type = state_add_type(module, &spec);
  PyMem_Free(members);
  return type;
}
