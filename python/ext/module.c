#include "arrow_rows.h"
#include "columns.h"
#include "copy.h"
#include "export.h"
#include "import.h"
#include "page.h"
#include "record.h"
#include "request.h"
#include "sandbox.h"
#include "schema.h"
#include "state.h"
#include "types.h"

static PyObject *fail_allocation(PyObject *module, PyObject *args) {
  (void)module;
  Py_ssize_t nth;
  if (!PyArg_ParseTuple(args, "n", &nth)) return NULL;
  privy_memory_fail_at(nth > 0 ? (size_t)nth : 0);
  Py_RETURN_NONE;
}

static PyObject *allocation_failed(PyObject *module, PyObject *unused) {
  (void)module;
  (void)unused;
  return PyBool_FromLong(privy_memory_failed());
}

static PyObject *mask(PyObject *module, PyObject *value) {
  return copy_masked(state_of_module(module), value);
}

static PyObject *set_in_job(PyObject *module, PyObject *function) {
  (void)lazy_set(&state_of_module(module)->in_job, Py_NewRef(function));
  Py_RETURN_NONE;
}

static PyObject *job_backoff(PyObject *module, PyObject *args) {
  (void)module;
  int failure;
  double random;
  if (!PyArg_ParseTuple(args, "di", &random, &failure)) return NULL;
  return PyFloat_FromDouble(privy_job_backoff(failure, random));
}

static PyMethodDef module_methods[] = {
    {"mask", mask, METH_O, "A copy for a repr: e-mail addresses and phone numbers in its strings are masked."},
    {"schema", schema_tables, METH_NOARGS, "The tables of the API as plain dicts and lists."},
    {"row_keys", schema_row_keys, METH_O, "The parameters of an operation that identify a row of a bulk run."},
    {"integer_params", schema_integer_params, METH_O, "The parameters of an operation that are integers."},
    {"probes", schema_probes, METH_NOARGS, "The requests that try a scope."},
    {"libraries", schema_libraries, METH_NOARGS, "The libraries that the core loads when it needs them."},
    {"ca_file_problem", schema_ca_file_problem, METH_O, "What is wrong with a file of trusted certificates."},
    {"is_local", served_is_local, METH_VARARGS, "Whether only this machine can reach a server on that address."},
    {"refuse_rows", request_refuse_rows, METH_VARARGS, "Raises ValidationError for rows that are not sent."},
    {"validate", request_validate, METH_VARARGS, "The error details of a request that is not sent."},
    {"check_columns", request_check_columns, METH_VARARGS, "Raises ValidationError for columns of no parameter."},
    {"arrow_stream", columns_stream, METH_VARARGS, "A capsule with a stream of Arrow arrays."},
    {"report_stream", columns_report, METH_VARARGS, "The same of what a report of a bulk run lists."},
    {"check_export_format", export_check_format, METH_VARARGS, "Raises if a file has no format of an export."},
    {"import_toml", import_toml, METH_O, "A map that is written in TOML, as JSON."},
    {"import_tables", import_tables, METH_NOARGS, "The presets of imports and the conversions of maps."},
    {"refuse_json", request_refuse_json, METH_VARARGS, "Raises for a response whose body is not JSON."},
    {"set_in_job", set_in_job, METH_O, "Sets the function that returns whether the caller is a job of a queue."},
    {"job_backoff", job_backoff, METH_VARARGS, "Seconds until a job runs again after its nth failure."},
    {"_load", record_load, METH_VARARGS, "Unpickles a record."},
    {"_load_page", page_load, METH_VARARGS, "Unpickles a page."},
    {"_fail_allocation", fail_allocation, METH_VARARGS, "For tests: makes this thread's nth allocation fail, once."},
    {"_allocation_failed", allocation_failed, METH_NOARGS, "For tests: whether that failure has happened."},
    {NULL, NULL, 0, NULL},
};

static int module_exec(PyObject *module) {
  core_state *state = state_of_module(module);
  if (state_intern_names(state) < 0) return -1;
  if (omit_add(module, state) < 0 || json_object_add(module, state) < 0) return -1;
  if (record_add_all(module, state) < 0 || page_add(module, state) < 0) return -1;
  if (client_add(module, state) < 0 || group_add(module, state) < 0 || pager_add(module) < 0) return -1;
  if (bulk_add(module) < 0 || arrow_rows_add(module) < 0 || import_add(module) < 0) return -1;
  if (journal_add(module, state) < 0 || plan_add(module, state) < 0 || export_add(module) < 0) return -1;
  if (sandbox_add(module, state) < 0 || served_add(module) < 0) return -1;
  return PyModule_AddStringConstant(module, "VERSION", PRIVY_VERSION);
}

static int module_traverse(PyObject *module, visitproc visit, void *arg) {
  core_state *state = state_of_module(module);
  if (!state) return 0;
  Py_VISIT((PyObject *)state->omit_type);
  Py_VISIT((PyObject *)state->client_type);
  Py_VISIT((PyObject *)state->group_type);
  Py_VISIT((PyObject *)state->plan_type);
  Py_VISIT((PyObject *)state->sandbox_type);
  Py_VISIT((PyObject *)state->journal_type);
  Py_VISIT((PyObject *)state->page_type);
  Py_VISIT((PyObject *)state->json_object_type);
  Py_VISIT(state->omit);
  for (size_t i = 0; i < state->record_count; i++) Py_VISIT((PyObject *)state->records[i].type);
  for (int i = 0; i < PRIVY_STATUS_COUNT; i++) Py_VISIT(state->errors[i]);
  Py_VISIT(state->error_builder);
  Py_VISIT(state->event_class);
  Py_VISIT(state->event_log);
  Py_VISIT(state->logger);
  Py_VISIT(state->decimal);
  Py_VISIT(state->datetime);
  Py_VISIT(state->timezone);
  Py_VISIT(state->utc);
  Py_VISIT(state->mapping);
  Py_VISIT(state->date);
  Py_VISIT(state->copy_context);
  Py_VISIT(state->values);
  Py_VISIT(state->json_reader);
  Py_VISIT(state->in_job);
  Py_VISIT(state->json_writer);
  Py_VISIT(state->empty);
  for (int i = 0; i < VIEW_TOTAL; i++) Py_VISIT(state->views[i]);
  for (int i = 0; i < NAME_TOTAL; i++) Py_VISIT(state->names[i]);
  for (int i = 0; i < LABEL_COUNT; i++) Py_VISIT(state->numbers[i].object);
  return 0;
}

static int module_clear(PyObject *module) {
  core_state *state = state_of_module(module);
  if (!state) return 0;
  Py_CLEAR(state->omit_type);
  Py_CLEAR(state->client_type);
  Py_CLEAR(state->group_type);
  Py_CLEAR(state->plan_type);
  Py_CLEAR(state->sandbox_type);
  Py_CLEAR(state->journal_type);
  Py_CLEAR(state->page_type);
  Py_CLEAR(state->json_object_type);
  Py_CLEAR(state->omit);
  for (size_t i = 0; i < state->record_count; i++) Py_CLEAR(state->records[i].type);
  for (int i = 0; i < PRIVY_STATUS_COUNT; i++) Py_CLEAR(state->errors[i]);
  Py_CLEAR(state->error_builder);
  Py_CLEAR(state->event_class);
  Py_CLEAR(state->event_log);
  Py_CLEAR(state->logger);
  Py_CLEAR(state->decimal);
  Py_CLEAR(state->datetime);
  Py_CLEAR(state->timezone);
  Py_CLEAR(state->utc);
  Py_CLEAR(state->mapping);
  Py_CLEAR(state->date);
  Py_CLEAR(state->copy_context);
  Py_CLEAR(state->values);
  Py_CLEAR(state->json_reader);
  Py_CLEAR(state->in_job);
  Py_CLEAR(state->json_writer);
  Py_CLEAR(state->empty);
  for (int i = 0; i < VIEW_TOTAL; i++) Py_CLEAR(state->views[i]);
  for (int i = 0; i < NAME_TOTAL; i++) Py_CLEAR(state->names[i]);
  labels_clear(state->numbers);
  return 0;
}

static void module_free(void *module) {
  core_state *state = state_of_module(module);
  if (!state) return;
  module_clear(module);
  record_free_tables(state);
  page_free_tables(state);
}

static PyModuleDef_Slot shared_slots[] = {
    {Py_mod_exec, module_exec},
    {0, NULL},
};

/*
 * Two imports share nothing, so interpreters with their own GIL may import the module. The slot that declares this
 * exists since Python 3.12; older versions refuse it, and the limited API of 3.10 lacks its name and value. Since 3.13
 * another slot declares that the module needs no GIL.
 */
#define MULTIPLE_INTERPRETERS 3
#define EACH_WITH_ITS_GIL ((void *)2)
#define SLOT_KNOWN_SINCE 0x030C0000

static PyModuleDef_Slot separate_slots[] = {
    {Py_mod_exec, module_exec},
    {MULTIPLE_INTERPRETERS, EACH_WITH_ITS_GIL},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

#define DEFINITION(slots)                                                                                              \
  {                                                                                                                    \
    PyModuleDef_HEAD_INIT, .m_name = "privy._core", .m_doc = "The C core of privy. Use the package, not this module.", \
                           .m_size = sizeof(core_state), .m_methods = module_methods, .m_slots = slots,                \
                           .m_traverse = module_traverse, .m_clear = module_clear, .m_free = module_free,              \
  }

static PyModuleDef shared_definition = DEFINITION(shared_slots);
static PyModuleDef separate_definition = DEFINITION(separate_slots);

PyMODINIT_FUNC PyInit__core(void);

PyMODINIT_FUNC PyInit__core(void) {
  PyObject *version = PySys_GetObject("hexversion");
  bool known = version && PyLong_AsLong(version) >= SLOT_KNOWN_SINCE;
  if (PyErr_Occurred()) return NULL;
  return PyModuleDef_Init(known ? &separate_definition : &shared_definition);
}
