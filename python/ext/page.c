#include "page.h"

#include <stddef.h>

#include "forward.h"
#include "html.h"
#include "record.h"
#include "types.h"
#include "values.h"

/* The table whose fields are the attributes of a page. */
#define PAGE_TABLE "Pagination"
#define JSON_MODULE "privy._json"

/* Records are created on first use: an index creates one in `cached`; iterating creates all, in `records`. */
typedef struct page_object {
  PyObject_VAR_HEAD privy_response *response;
  const privy_record *pagination;
  lazy_slot records;
  lazy_slot cached[];
} page_object;

/* A new reference. */
static PyObject *page_record(page_object *self, Py_ssize_t index) {
  PyObject *records = lazy_get(&self->records);
  if (records) return Py_NewRef(PyTuple_GetItem(records, index));
  lazy_slot *slot = &self->cached[index];
  PyObject *record = lazy_get(slot);
  if (!record) {
    record = lazy_set(slot, record_new(state_of_object((PyObject *)self), self->response, (size_t)index));
  }
  return Py_XNewRef(record);
}

/* The tuple of all records: borrowed, NULL with an exception. */
static PyObject *page_records(PyObject *object) {
  page_object *self = (page_object *)object;
  PyObject *records = lazy_get(&self->records);
  if (records) return records;
  Py_ssize_t count = Py_SIZE(object);
  records = PyTuple_New(count);
  for (Py_ssize_t i = 0; records && i < count; i++) {
    PyObject *record = page_record(self, i);
    if (record)
      state_set_element(records, i, record);
    else
      Py_CLEAR(records);
  }
  return lazy_set(&self->records, records);
}

static PyObject *page_read(PyObject *object, void *closure) {
  page_object *self = (page_object *)object;
  const record_slot *slot = closure;
  if (!self->pagination) return Py_NewRef(Py_None);
  return value_of_field(state_of_object(object), self->response, &slot->info,
                        privy_record_get(self->pagination, slot->index));
}

static PyObject *page_extra(PyObject *object, void *unused) {
  (void)unused;
  page_object *self = (page_object *)object;
  core_state *state = state_of_object(object);
  return self->pagination ? record_unknown(state, self->response, self->pagination)
                          : json_object_from_dict(state, PyDict_New());
}

static Py_ssize_t page_length(PyObject *self) {
  return Py_SIZE(self);
}

static PyObject *page_at(PyObject *self, Py_ssize_t index) {
  if (index >= 0 && index < Py_SIZE(self)) return page_record((page_object *)self, index);
  PyErr_SetString(PyExc_IndexError, "page index out of range");
  return NULL;
}

static PyObject *page_item(PyObject *self, PyObject *index) {
  if (PyIndex_Check(index)) {
    Py_ssize_t position = PyNumber_AsSsize_t(index, PyExc_IndexError);
    if (position == -1 && PyErr_Occurred()) return NULL;
    return page_at(self, position < 0 ? position + Py_SIZE(self) : position);
  }
  PyObject *records = page_records(self);
  return records ? PyObject_GetItem(records, index) : NULL;
}

static PyObject *page_iterate(PyObject *self) {
  PyObject *records = page_records(self);
  return records ? PyObject_GetIter(records) : NULL;
}

static int page_contains(PyObject *self, PyObject *value) {
  PyObject *records = page_records(self);
  return records ? PySequence_Contains(records, value) : -1;
}

static PyObject *page_call(PyObject *self, state_name method, PyObject *args) {
  PyObject *records = page_records(self);
  PyObject *bound = records ? PyObject_GetAttr(records, state_of_object(self)->names[method]) : NULL;
  PyObject *result = bound ? PyObject_CallObject(bound, args) : NULL;
  Py_XDECREF(bound);
  return result;
}

static PyObject *page_index(PyObject *self, PyObject *args) {
  return page_call(self, NAME_INDEX, args);
}

static PyObject *page_count(PyObject *self, PyObject *args) {
  return page_call(self, NAME_COUNT, args);
}

/* ---- comparing and copying ---- */

static int same_values(PyObject *left, PyObject *right) {
  int same = left && right ? PyObject_RichCompareBool(left, right, Py_EQ) : -1;
  Py_XDECREF(left);
  Py_XDECREF(right);
  return same;
}

static int pages_equal(PyObject *left, PyObject *right) {
  if (left == right) return 1;
  int same = same_values(Py_XNewRef(page_records(left)), Py_XNewRef(page_records(right)));
  for (record_slot *slot = state_of_object(left)->page_slots; same == 1 && slot->info.name; slot++) {
    same = same_values(page_read(left, slot), page_read(right, slot));
  }
  return same == 1 ? same_values(page_extra(left, NULL), page_extra(right, NULL)) : same;
}

static PyObject *page_compare(PyObject *left, PyObject *right, int operation) {
  if ((operation != Py_EQ && operation != Py_NE) || Py_TYPE(left) != Py_TYPE(right)) {
    return Py_NewRef(Py_NotImplemented);
  }
  int same = pages_equal(left, right);
  return same < 0 ? NULL : PyBool_FromLong(operation == Py_EQ ? same : !same);
}

static Py_hash_t page_hash(PyObject *self) {
  PyObject *records = page_records(self);
  return records ? PyObject_Hash(records) : -1;
}

static PyObject *page_copy(PyObject *self, PyObject *unused) {
  (void)unused;
  return Py_NewRef(self);
}

static PyObject *pagination_bytes(const page_object *self) {
  return self->pagination ? record_bytes(self->pagination) : Py_NewRef(Py_None);
}

static PyObject *page_reduce(PyObject *object, PyObject *unused) {
  (void)unused;
  page_object *self = (page_object *)object;
  PyObject *records = page_records(object);
  if (!records) return NULL;
  PyObject *load = PyObject_GetAttr(PyType_GetModule(Py_TYPE(object)), state_of_object(object)->names[NAME_LOAD_PAGE]);
  PyObject *pagination = load ? pagination_bytes(self) : NULL;
  PyObject *result = pagination ? Py_BuildValue("O(OO)", load, records, pagination) : NULL;
  Py_XDECREF(load);
  Py_XDECREF(pagination);
  return result;
}

static int page_show(PyObject *object, PyObject *parts) {
  record_slot *slots = state_of_object(object)->page_slots;
  for (record_slot *slot = slots; slot->info.name; slot++) {
    PyObject *value = page_read(object, slot);
    PyObject *text = value ? PyUnicode_FromFormat("%s=%R", slot->info.name, value) : NULL;
    int result = text ? PyList_Append(parts, text) : -1;
    Py_XDECREF(value);
    Py_XDECREF(text);
    if (result < 0) return -1;
  }
  return 0;
}

static PyObject *page_repr(PyObject *object) {
  PyObject *records = page_records(object);
  if (!records) return NULL;
  PyObject *parts = PyList_New(0);
  PyObject *comma = PyUnicode_FromString(", ");
  PyObject *inside = parts && comma && page_show(object, parts) == 0 ? PyUnicode_Join(comma, parts) : NULL;
  Py_XDECREF(parts);
  Py_XDECREF(comma);
  if (!inside) return NULL;
  PyObject *text = PyUnicode_FromFormat("Page(%U, records=%R)", inside, records);
  Py_DECREF(inside);
  return text;
}

static int page_traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  page_object *self = (page_object *)object;
  Py_VISIT(self->records);
  for (Py_ssize_t i = 0; i < Py_SIZE(object); i++) Py_VISIT(self->cached[i]);
  return 0;
}

static void page_dealloc(PyObject *object) {
  page_object *self = (page_object *)object;
  PyObject_GC_UnTrack(object);
  Py_XDECREF(self->records);
  for (Py_ssize_t i = 0; i < Py_SIZE(object); i++) Py_XDECREF(self->cached[i]);
  privy_response_release(self->response);
  state_free_object(object);
}

static page_object *page_make(core_state *state, size_t count, privy_response *response,
                              const privy_record *pagination) {
  page_object *self = (page_object *)PyType_GenericAlloc(state->page_type, (Py_ssize_t)count);
  if (!self) return NULL;
  self->response = response ? privy_response_retain(response) : NULL;
  self->pagination = pagination;
  return self;
}

PyObject *page_new(core_state *state, privy_response *response) {
  return (PyObject *)page_make(state, privy_response_count(response), response, privy_response_pagination(response));
}

/* A page of existing records. */
static PyObject *page_of(core_state *state, PyObject *records, privy_response *response,
                         const privy_record *pagination) {
  page_object *self = page_make(state, (size_t)PyTuple_Size(records), response, pagination);
  if (self) self->records = Py_NewRef(records);
  return (PyObject *)self;
}

/* The response that holds records and pagination; NULL for a page that was unpickled. */
static privy_response *complete_response(const page_object *self) {
  privy_response *response = self->response;
  return response && privy_response_pagination(response) == self->pagination &&
                 privy_response_count(response) == (size_t)Py_SIZE(self)
             ? response
             : NULL;
}

privy_response *page_response(core_state *state, PyObject *object) {
  privy_response *response = Py_IS_TYPE(object, state->page_type) ? complete_response((page_object *)object) : NULL;
  if (response) return response;
  PyErr_SetString(PyExc_TypeError, "page must be a Page returned by a call");
  return NULL;
}

static PyObject *load_with_pagination(core_state *state, PyObject *records, const char *text, Py_ssize_t length) {
  privy_error error;
  privy_error_init(&error);
  privy_response *response = NULL;
  PyObject *page = NULL;
  privy_status status = privy_response_load(privy_object_find(PAGE_TABLE), text, (size_t)length, &response, &error);
  if (status == PRIVY_OK) {
    page = page_of(state, records, response, privy_response_record(response, 0));
  } else if (status == PRIVY_NO_MEMORY) {
    PyErr_NoMemory();
  } else {
    PyErr_Format(PyExc_ValueError, "not a page: %s", error.message);
  }
  privy_response_release(response);
  privy_error_clear(&error);
  return page;
}

PyObject *page_load(PyObject *module, PyObject *args) {
  PyObject *records;
  const char *text;
  Py_ssize_t length;
  if (!PyArg_ParseTuple(args, "O!z#", &PyTuple_Type, &records, &text, &length)) return NULL;
  core_state *state = state_of_module(module);
  return text ? load_with_pagination(state, records, text, length) : page_of(state, records, NULL, NULL);
}

/* The table of the records: that of the operation that returns pages. */
static const privy_object *page_table(void) {
  const privy_operation *operation;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++)
    if (privy_operation_paged(operation)) break;
  return privy_operation_object(operation);
}

/* __arrow_c_stream__(requested_schema=None): the schema is a wish, which may be ignored. */
static PyObject *page_arrow_stream(PyObject *object, PyObject *args, PyObject *keywords) {
  static char *names[] = {"requested_schema", NULL};
  PyObject *ignored = NULL;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:__arrow_c_stream__", names, &ignored)) return NULL;
  PyObject *stream =
      PyObject_GetAttr(PyType_GetModule(Py_TYPE(object)), state_of_object(object)->names[NAME_ARROW_STREAM]);
  const char *table = privy_object_name(page_table());
  PyObject *result = stream ? PyObject_CallFunction(stream, "s(O)O", table, object, Py_False) : NULL;
  Py_XDECREF(stream);
  return result;
}

/* to_dict(*, json=False) */
static PyObject *page_to_dict(PyObject *object, PyObject *args, PyObject *keywords) {
  static char *names[] = {"json", NULL};
  int json = 0;
  if (!PyArg_ParseTupleAndKeywords(args, keywords, "|$p:to_dict", names, &json)) return NULL;
  return forward(JSON_MODULE, "page_to_dict", "(OO)", object, json ? Py_True : Py_False);
}

static PyObject *page_to_json(PyObject *object, PyObject *unused) {
  (void)unused;
  return forward(JSON_MODULE, "page_to_json", "(O)", object);
}

static PyMethodDef page_methods[] = {
    {"__arrow_c_stream__", (PyCFunction)(void (*)(void))page_arrow_stream, METH_VARARGS | METH_KEYWORDS,
     "__arrow_c_stream__($self, /, requested_schema=None)\n--\n\n"
     "The records as a stream of Arrow arrays, in a capsule."},
    {"index", page_index, METH_VARARGS,
     "index($self, value, start=0, stop=sys.maxsize, /)\n--\n\n"
     "Position of a record; raises ValueError if the page does not hold it."},
    {"count", page_count, METH_VARARGS, "count($self, value, /)\n--\n\nHow often the page holds a record."},
    {"to_dict", (PyCFunction)(void (*)(void))page_to_dict, METH_VARARGS | METH_KEYWORDS, TO_DICT_DOC},
    {"to_json", page_to_json, METH_NOARGS, TO_JSON_DOC},
    {"_repr_html_", html_of_page, METH_NOARGS, NULL},
    {"__get_pydantic_core_schema__", forward_core_schema, METH_CLASS | METH_VARARGS, CORE_SCHEMA_DOC},
    {"__get_pydantic_json_schema__", forward_json_schema, METH_CLASS | METH_VARARGS, JSON_SCHEMA_DOC},
    {"__copy__", page_copy, METH_NOARGS, NULL},
    {"__deepcopy__", page_copy, METH_O, NULL},
    {"__reduce__", page_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

/* Creates the attributes: a property for each field of the pagination table, and `extra`. */
static int page_describe(core_state *state, const privy_object *table) {
  size_t count = privy_object_count(table);
  state->page_slots = record_slots(table);
  state->page_attributes = PyMem_Calloc(count + 2, sizeof *state->page_attributes);
  if (!state->page_slots || !state->page_attributes) return -1;
  for (size_t i = 0; i < count; i++) {
    record_slot *slot = &state->page_slots[i];
    state->page_attributes[i] = (PyGetSetDef){slot->info.name, page_read, NULL, slot->info.doc, slot};
  }
  state->page_attributes[count] = (PyGetSetDef){
      "extra", page_extra, NULL, "Fields of the pagination that this version does not know, read-only.", NULL};
  return 0;
}

int page_add(PyObject *module, core_state *state) {
  const privy_object *table = privy_object_find(PAGE_TABLE);
  if (!table) {
    PyErr_SetString(PyExc_SystemError, "privy: there is no pagination table");
    return -1;
  }
  if (page_describe(state, table) < 0) {
    PyErr_NoMemory();
    return -1;
  }
  PyType_Slot slots[] = {
      {Py_tp_doc, "One page of records: an immutable sequence with the numbers of its pagination."},
      {Py_tp_getset, state->page_attributes},
      {Py_tp_methods, page_methods},
      {Py_tp_repr, page_repr},
      {Py_tp_hash, page_hash},
      {Py_tp_richcompare, page_compare},
      {Py_tp_iter, page_iterate},
      {Py_sq_length, page_length},
      {Py_sq_item, page_at},
      {Py_sq_contains, page_contains},
      {Py_mp_length, page_length},
      {Py_mp_subscript, page_item},
      {Py_tp_traverse, page_traverse},
      {Py_tp_dealloc, page_dealloc},
      {0, NULL},
  };
  PyType_Spec spec = {
      .name = "privy.Page",
      .basicsize = offsetof(page_object, cached),
      .itemsize = sizeof(lazy_slot),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  state->page_type = state_add_type(module, &spec);
  return state->page_type ? 0 : -1;
}

void page_free_tables(core_state *state) {
  PyMem_Free(state->page_slots);
  PyMem_Free(state->page_attributes);
}
