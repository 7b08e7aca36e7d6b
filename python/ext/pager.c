#include "client.h"
#include "page.h"
#include "types.h"

/* The core's pager of a list. */
typedef struct pager_object {
  PyObject_HEAD privy_pager *pager;
} pager_object;

/* The records that are not repeated, as a tuple; the page itself if none is, because it creates its records lazily. */
static PyObject *new_records(PyObject *page, const bool *repeated, size_t count) {
  size_t left = 0;
  for (size_t i = 0; i < count; i++) left += !repeated[i];
  if (left == count) return Py_NewRef(page);
  PyObject *records = PyTuple_New((Py_ssize_t)left);
  for (size_t i = count; records && i-- > 0;) {
    if (repeated[i]) continue;
    PyObject *record = PySequence_GetItem(page, (Py_ssize_t)i);
    if (!record || PyTuple_SetItem(records, (Py_ssize_t)--left, record) < 0) Py_CLEAR(records);
  }
  return records;
}

/* take(page): (the records that no earlier page held, number of the next page or 0) */
static PyObject *pager_take(PyObject *object, PyObject *page) {
  const privy_response *response = page_response(state_of_object(object), page);
  if (!response) return NULL;
  int64_t next;
  PyObject *records = NULL;
  size_t count = privy_response_count(response);
  bool *repeated = privy_alloc(count + 1);
  privy_status status = PRIVY_NO_MEMORY;
  CRITICAL_SECTION_BEGIN(object);
  if (repeated) status = privy_pager_take(((pager_object *)object)->pager, response, repeated, &next);
  CRITICAL_SECTION_END();
  if (status == PRIVY_OK) {
    records = new_records(page, repeated, count);
  } else {
    PyErr_NoMemory();
  }
  privy_free(repeated);
  return records ? Py_BuildValue("(NL)", records, (long long)next) : NULL;
}

/* may_prefetch(client, read) */
static PyObject *pager_may_prefetch(PyObject *object, PyObject *args) {
  PyObject *client_object;
  Py_ssize_t read;
  if (!PyArg_ParseTuple(args, "On", &client_object, &read)) return NULL;
  privy_client *client = client_acquire(state_of_object(object), client_object);
  if (!client) return NULL;
  const privy_pager *pager = ((pager_object *)object)->pager;
  bool may = privy_client_may_prefetch(client, pager, read < 0 ? 0 : (size_t)read);
  client_release(client_object);
  return PyBool_FromLong(may);
}

/* rest(page, limit): (requests, records) */
static PyObject *pager_rest(PyObject *type, PyObject *args) {
  PyObject *page;
  long long limit;
  if (!PyArg_ParseTuple(args, "OL", &page, &limit)) return NULL;
  const privy_response *response = page_response(state_of_type((PyTypeObject *)type), page);
  int64_t requests, records;
  if (!response) return NULL;
  privy_page_rest(response, limit, &requests, &records);
  return Py_BuildValue("(LL)", (long long)requests, (long long)records);
}

static PyObject *pager_stride(PyObject *object, void *unused) {
  (void)unused;
  return PyLong_FromSize_t(privy_pager_stride(((pager_object *)object)->pager));
}

/* Pager(first, size) */
static PyObject *pager_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
  (void)keywords;
  long long first, size;
  if (!PyArg_ParseTuple(args, "LL", &first, &size)) return NULL;
  pager_object *self = (pager_object *)PyType_GenericAlloc(type, 0);
  if (self && privy_pager_new(first, size, &self->pager) != PRIVY_OK) {
    PyErr_NoMemory();
    Py_CLEAR(self);
  }
  return (PyObject *)self;
}

static void pager_dealloc(PyObject *object) {
  privy_pager_free(((pager_object *)object)->pager);
  state_free_object(object);
}

static PyMethodDef pager_methods[] = {
    {"take", pager_take, METH_O, "Registers a page: its records that are new, and the number of the next page."},
    {"may_prefetch", pager_may_prefetch, METH_VARARGS, "Whether the next page may be requested early."},
    {"rest", pager_rest, METH_VARARGS | METH_CLASS,
     "How many requests a list takes after the page, and how many records it returns."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef pager_getset[] = {
    {"stride", pager_stride, NULL, "Number of records to read between two calls of may_prefetch.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot pager_slots[] = {
    {Py_tp_doc, "The core's pager: which records of a page are new, and which page is next."},
    {Py_tp_new, pager_new},
    {Py_tp_methods, pager_methods},
    {Py_tp_getset, pager_getset},
    {Py_tp_dealloc, pager_dealloc},
    {0, NULL},
};

static PyType_Spec pager_spec = {
    .name = "privy._core.Pager",
    .basicsize = sizeof(pager_object),
    .flags = Py_TPFLAGS_DEFAULT,
    .slots = pager_slots,
};

int pager_add(PyObject *module) {
  return state_add_own_type(module, &pager_spec);
}
