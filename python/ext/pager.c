#include "client.h"
#include "page.h"

/* A walk over the pages of a list. */
typedef struct walk_object {
  PyObject_HEAD privy_pager *walk;
} walk_object;

/* The records that were not seen before: all of them are the page itself, whose records are made when looked at. */
static PyObject *fresh_of(PyObject *page, const bool *repeated, size_t count) {
  size_t left = 0;
  for (size_t i = 0; i < count; i++) left += !repeated[i];
  if (left == count) return Py_NewRef(page);
  PyObject *fresh = PyTuple_New((Py_ssize_t)left);
  for (size_t i = count; fresh && i-- > 0;) {
    if (repeated[i]) continue;
    PyObject *record = PySequence_GetItem(page, (Py_ssize_t)i);
    if (!record || PyTuple_SetItem(fresh, (Py_ssize_t)--left, record) < 0) Py_CLEAR(fresh);
  }
  return fresh;
}

/* take(page): (the records that no earlier page held, number of the page to ask for next or 0) */
static PyObject *list_take(PyObject *object, PyObject *page) {
  const privy_response *response = page_response(state_of_object(object), page);
  if (!response) return NULL;
  int64_t next;
  PyObject *fresh = NULL;
  size_t count = privy_response_count(response);
  bool *repeated = privy_alloc(count + 1);
  privy_status status = PRIVY_NO_MEMORY;
  CRITICAL_SECTION_BEGIN(object);
  if (repeated) status = privy_pager_take(((walk_object *)object)->walk, response, repeated, &next);
  STATE_STEP_DONE();
  if (status == PRIVY_OK) {
    fresh = fresh_of(page, repeated, count);
  } else {
    PyErr_NoMemory();
  }
  privy_free(repeated);
  return fresh ? Py_BuildValue("(NL)", fresh, (long long)next) : NULL;
}

/* may_prefetch(client, read) */
static PyObject *list_may_prefetch(PyObject *object, PyObject *args) {
  PyObject *client_object;
  Py_ssize_t read;
  if (!PyArg_ParseTuple(args, "On", &client_object, &read)) return NULL;
  privy_client *client = client_hold(state_of_object(object), client_object);
  if (!client) return NULL;
  const privy_pager *walk = ((walk_object *)object)->walk;
  bool may = privy_client_may_prefetch(client, walk, read < 0 ? 0 : (size_t)read);
  client_release(client_object);
  return PyBool_FromLong(may);
}

static PyObject *list_stride(PyObject *object, void *unused) {
  (void)unused;
  return PyLong_FromSize_t(privy_pager_stride(((walk_object *)object)->walk));
}

/* Walk(first, size) */
static PyObject *list_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  long long first, size;
  if (!PyArg_ParseTuple(args, "LL", &first, &size)) return NULL;
  walk_object *self = (walk_object *)PyType_GenericAlloc(type, 0);
  if (self && privy_pager_new(first, size, &self->walk) != PRIVY_OK) {
    PyErr_NoMemory();
    Py_CLEAR(self);
  }
  return (PyObject *)self;
}

static void list_dealloc(PyObject *object) {
  privy_pager_free(((walk_object *)object)->walk);
  state_free_object(object);
}

static PyMethodDef list_methods[] = {
    {"take", list_take, METH_O, "Takes note of a page: its records that are new, and the number of the next page."},
    {"may_prefetch", list_may_prefetch, METH_VARARGS, "Whether the next page may be asked for early."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef list_getset[] = {
    {"stride", list_stride, NULL, "Records between two looks at the next page.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot list_slots[] = {
    {Py_tp_doc, "The core's walk over the pages of a list."},
    {Py_tp_new, list_new},
    {Py_tp_methods, list_methods},
    {Py_tp_getset, list_getset},
    {Py_tp_dealloc, list_dealloc},
    {0, NULL},
};

static PyType_Spec list_spec = {
    .name = "privy._core.Walk",
    .basicsize = sizeof(walk_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = list_slots,
};

int list_add(PyObject *module) {
  PyTypeObject *type = state_add_type(module, &list_spec);
  Py_XDECREF((PyObject *)type);
  return type ? 0 : -1;
}
