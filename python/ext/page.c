#include "page.h"

#include "convert.h"
#include "record.h"

/* The table whose fields are the attributes of a page. */
#define PAGE_TABLE "Pagination"

typedef struct page_object {
  PyObject_HEAD privy_response *response;
  const privy_record *place;
  PyObject *records;
} page_object;

static PyObject *page_read(PyObject *object, void *closure) {
  page_object *self = (page_object *)object;
  const record_slot *slot = closure;
  if (!self->place) return Py_NewRef(Py_None);
  return convert_field(state_of_object(object), &slot->info, privy_record_get(self->place, slot->index));
}

static PyObject *page_extra(PyObject *object, void *unused) {
  (void)unused;
  page_object *self = (page_object *)object;
  if (self->place) return record_unknown(state_of_object(object), self->place);
  PyObject *nothing = PyDict_New();
  PyObject *proxy = nothing ? PyDictProxy_New(nothing) : NULL;
  Py_XDECREF(nothing);
  return proxy;
}

static Py_ssize_t page_length(PyObject *self) {
  return PyTuple_Size(((page_object *)self)->records);
}

static PyObject *page_item(PyObject *self, PyObject *index) {
  return PyObject_GetItem(((page_object *)self)->records, index);
}

static PyObject *page_at(PyObject *self, Py_ssize_t index) {
  return PySequence_GetItem(((page_object *)self)->records, index);
}

static PyObject *page_iterate(PyObject *self) {
  return PyObject_GetIter(((page_object *)self)->records);
}

static int page_contains(PyObject *self, PyObject *value) {
  return PySequence_Contains(((page_object *)self)->records, value);
}

static PyObject *page_call(PyObject *self, state_name method, PyObject *args) {
  PyObject *bound = PyObject_GetAttr(((page_object *)self)->records, state_of_object(self)->names[method]);
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

static PyObject *page_place_bytes(const page_object *self) {
  return self->place ? record_bytes(self->place) : Py_NewRef(Py_None);
}

static PyObject *page_reduce(PyObject *object, PyObject *unused) {
  (void)unused;
  page_object *self = (page_object *)object;
  PyObject *load = PyObject_GetAttr(PyType_GetModule(Py_TYPE(object)), state_of_object(object)->names[NAME_LOAD_PAGE]);
  PyObject *place = load ? page_place_bytes(self) : NULL;
  PyObject *result = place ? Py_BuildValue("O(OO)", load, self->records, place) : NULL;
  Py_XDECREF(load);
  Py_XDECREF(place);
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
  PyObject *parts = PyList_New(0);
  PyObject *comma = PyUnicode_FromString(", ");
  PyObject *inside = parts && comma && page_show(object, parts) == 0 ? PyUnicode_Join(comma, parts) : NULL;
  Py_XDECREF(parts);
  Py_XDECREF(comma);
  if (!inside) return NULL;
  PyObject *text = PyUnicode_FromFormat("Page(%U, records=%R)", inside, ((page_object *)object)->records);
  Py_DECREF(inside);
  return text;
}

static int page_traverse(PyObject *object, visitproc visit, void *arg) {
  Py_VISIT(Py_TYPE(object));
  Py_VISIT(((page_object *)object)->records);
  return 0;
}

static void page_dealloc(PyObject *object) {
  page_object *self = (page_object *)object;
  PyObject_GC_UnTrack(object);
  Py_CLEAR(self->records);
  privy_response_release(self->response);
  state_free_object(object);
}

static PyObject *page_make(core_state *state, PyObject *records, privy_response *response, const privy_record *place) {
  page_object *self = (page_object *)PyType_GenericAlloc(state->page_type, 0);
  if (!self) return NULL;
  self->records = Py_NewRef(records);
  self->response = response ? privy_response_retain(response) : NULL;
  self->place = place;
  return (PyObject *)self;
}

PyObject *page_new(core_state *state, privy_response *response) {
  size_t count = privy_response_count(response);
  PyObject *records = PyTuple_New((Py_ssize_t)count);
  for (size_t i = 0; records && i < count; i++) {
    PyObject *record = record_new(state, response, i);
    if (!record || PyTuple_SetItem(records, (Py_ssize_t)i, record) < 0) Py_CLEAR(records);
  }
  if (!records) return NULL;
  PyObject *page = page_make(state, records, response, privy_response_pagination(response));
  Py_DECREF(records);
  return page;
}

PyObject *page_records(core_state *state, PyObject *object, const privy_response **response) {
  page_object *self = (page_object *)object;
  if (Py_IS_TYPE(object, state->page_type)) {
    *response = self->response;
    if (*response && privy_response_count(*response) == (size_t)PyTuple_Size(self->records)) return self->records;
  }
  PyErr_SetString(PyExc_TypeError, "page must be a Page that a call gave");
  return NULL;
}

static PyObject *page_load_place(core_state *state, PyObject *records, const char *text, Py_ssize_t length) {
  privy_error error;
  privy_error_init(&error);
  privy_response *response = NULL;
  PyObject *page = NULL;
  privy_status status = privy_response_load(privy_object_find(PAGE_TABLE), text, (size_t)length, &response, &error);
  if (status == PRIVY_OK) {
    page = page_make(state, records, response, privy_response_record(response, 0));
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
  return text ? page_load_place(state, records, text, length) : page_make(state, records, NULL, NULL);
}

static PyMethodDef page_methods[] = {
    {"index", page_index, METH_VARARGS, "Position of a record; ValueError when the page does not hold it."},
    {"count", page_count, METH_VARARGS, "How often the page holds a record."},
    {"__reduce__", page_reduce, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static const PyGetSetDef page_more[] = {
    {"extra", page_extra, NULL, "What the answer tells of the page's place that this version does not know.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

int page_add(PyObject *module, core_state *state) {
  const privy_object *table = privy_object_find(PAGE_TABLE);
  if (!table) {
    PyErr_SetString(PyExc_SystemError, "privy: the tables have no page");
    return -1;
  }
  if (record_describe(table, page_read, page_more, &state->page_slots, &state->page_attributes) < 0) return -1;
  PyType_Slot slots[] = {
      {Py_tp_doc, "One page of records: an immutable sequence that also tells its place among all pages."},
      {Py_tp_getset, state->page_attributes},
      {Py_tp_methods, page_methods},
      {Py_tp_repr, page_repr},
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
      .basicsize = sizeof(page_object),
      .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION,
      .slots = slots,
  };
  state->page_type = state_add_type(module, &spec);
  return state->page_type ? 0 : -1;
}

void page_forget(core_state *state) {
  PyMem_Free(state->page_slots);
  PyMem_Free(state->page_attributes);
}
