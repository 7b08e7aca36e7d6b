#include "schema.h"

#include "privy.h"
#include "request.h"

static const char *kind_name(privy_kind kind) {
  switch (kind) {
  case PRIVY_KIND_STRING: return "string";
  case PRIVY_KIND_INTEGER: return "integer";
  case PRIVY_KIND_MONEY: return "money";
  case PRIVY_KIND_BOOLEAN: return "boolean";
  case PRIVY_KIND_TIME: return "time";
  case PRIVY_KIND_ENUM: return "enum";
  case PRIVY_KIND_STRINGS: return "strings";
  case PRIVY_KIND_FLAT: return "flat";
  case PRIVY_KIND_ANY: return "any";
  case PRIVY_KIND_OBJECT: return "object";
  case PRIVY_KIND_OBJECTS: return "objects";
  case PRIVY_KIND_ORDER_ID: return "order id";
  }
  return "";
}

static int append(PyObject *list, PyObject *item) {
  int result = item ? PyList_Append(list, item) : -1;
  Py_XDECREF(item);
  return result;
}

static PyObject *object_fields(const privy_object *object);

static PyObject *field_row(const privy_field_info *info) {
  return Py_BuildValue("{s:s,s:s,s:s,s:z,s:z,s:N,s:N,s:N,s:N,s:N}", "name", info->name, "doc", info->doc, "kind",
                       kind_name(info->kind), "choices", info->enum_values ? privy_enum_name(info->enum_values) : NULL,
                       "object", info->object ? privy_object_name(info->object) : NULL, "required",
                       PyBool_FromLong(info->required), "nullable", PyBool_FromLong(info->nullable), "members",
                       info->object ? object_fields(info->object) : Py_NewRef(Py_None), "row_key",
                       PyBool_FromLong(info->row_key), "personal", PyBool_FromLong(info->personal));
}

static PyObject *object_fields(const privy_object *object) {
  PyObject *list = PyList_New(0);
  privy_field_info info;
  for (size_t i = 0; list && privy_object_field(object, i, &info); i++) {
    if (append(list, field_row(&info)) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *operation_params(const privy_operation *operation) {
  PyObject *list = PyList_New(0);
  privy_field_info info;
  for (size_t i = 0; list && privy_operation_param(operation, i, &info); i++) {
    if (append(list, field_row(&info)) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *operation_row(const privy_operation *operation) {
  const privy_object *object = privy_operation_object(operation);
  return Py_BuildValue("{s:s,s:s,s:s,s:s,s:s,s:z,s:z,s:N,s:N}", "name", privy_operation_name(operation), "method",
                       privy_operation_method(operation), "path", privy_operation_path(operation), "scope",
                       privy_operation_scope(operation), "doc", privy_operation_doc(operation), "deprecation",
                       privy_operation_deprecation(operation), "object", object ? privy_object_name(object) : NULL,
                       "paged", PyBool_FromLong(privy_operation_paged(operation)), "params",
                       operation_params(operation));
}

static PyObject *operations(void) {
  PyObject *list = PyList_New(0);
  const privy_operation *operation;
  for (size_t i = 0; list && (operation = privy_operation_at(i)); i++) {
    if (append(list, operation_row(operation)) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *objects(void) {
  PyObject *list = PyList_New(0);
  const privy_object *object;
  for (size_t i = 0; list && (object = privy_object_at(i)); i++) {
    PyObject *row = Py_BuildValue("{s:s,s:s,s:N}", "name", privy_object_name(object), "doc", privy_object_doc(object),
                                  "fields", object_fields(object));
    if (append(list, row) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *errors(void) {
  PyObject *list = PyList_New(0);
  for (int i = PRIVY_OK + 1; list && i < PRIVY_STATUS_COUNT; i++) {
    const privy_error_info *info = privy_error_describe((privy_status)i);
    const char *parent = info->parent == PRIVY_OK ? NULL : privy_error_describe(info->parent)->name;
    if (!info->name || !*info->name) continue;
    PyObject *row = Py_BuildValue("{s:s,s:z,s:i,s:s}", "name", info->name, "parent", parent, "http_status",
                                  info->http_status, "doc", info->doc);
    if (append(list, row) < 0) Py_CLEAR(list);
  }
  return list;
}

static PyObject *enum_row(const privy_enum *enum_values) {
  PyObject *values = PyList_New(0);
  for (size_t i = 0; values && i < privy_enum_count(enum_values); i++) {
    if (append(values, PyUnicode_FromString(privy_enum_value(enum_values, i))) < 0) Py_CLEAR(values);
  }
  return Py_BuildValue("{s:s,s:N}", "name", privy_enum_name(enum_values), "values", values);
}

static int has_enum(PyObject *list, const privy_enum *enum_values) {
  for (Py_ssize_t i = 0; i < PyList_Size(list); i++) {
    PyObject *name = PyDict_GetItemString(PyList_GetItem(list, i), "name");
    if (name && PyUnicode_CompareWithASCIIString(name, privy_enum_name(enum_values)) == 0) return 1;
  }
  return 0;
}

/* There is no table of enumerations: collects those that fields use. */
static PyObject *enums(void) {
  PyObject *list = PyList_New(0);
  const privy_operation *operation;
  privy_field_info info;
  for (size_t i = 0; list && (operation = privy_operation_at(i)); i++) {
    for (size_t j = 0; list && privy_operation_param(operation, j, &info); j++) {
      if (!info.enum_values || has_enum(list, info.enum_values)) continue;
      if (append(list, enum_row(info.enum_values)) < 0) Py_CLEAR(list);
    }
  }
  return list;
}

static PyObject *codes(void) {
  PyObject *list = PyList_New(0);
  const privy_detail_code_info *info;
  for (size_t i = 0; list && (info = privy_detail_code_at(i)); i++) {
    PyObject *row =
        Py_BuildValue("{s:s,s:N,s:s}", "code", info->code, "counts", PyBool_FromLong(info->counts), "doc", info->doc);
    if (append(list, row) < 0) Py_CLEAR(list);
  }
  return list;
}

PyObject *schema_tables(PyObject *module, PyObject *unused) {
  (void)module;
  (void)unused;
  return Py_BuildValue("{s:N,s:N,s:N,s:N,s:N}", "operations", operations(), "objects", objects(), "errors", errors(),
                       "enums", enums(), "codes", codes());
}

static bool is_row_key(const privy_field_info *info) {
  return info->row_key;
}

static bool is_integer(const privy_field_info *info) {
  return info->kind == PRIVY_KIND_INTEGER || info->kind == PRIVY_KIND_ORDER_ID;
}

/* The names of the parameters that are wanted. */
static PyObject *params_that(PyObject *name, bool (*wanted)(const privy_field_info *info)) {
  const privy_operation *operation = request_operation(name, 2);
  PyObject *list = operation ? PyList_New(0) : NULL;
  privy_field_info info;
  for (size_t i = 0; list && privy_operation_param(operation, i, &info); i++) {
    if (wanted(&info) && append(list, PyUnicode_FromString(info.name)) < 0) Py_CLEAR(list);
  }
  PyObject *names = list ? PyList_AsTuple(list) : NULL;
  Py_XDECREF(list);
  return names;
}

PyObject *schema_row_keys(PyObject *module, PyObject *name) {
  (void)module;
  return params_that(name, is_row_key);
}

PyObject *schema_integer_params(PyObject *module, PyObject *name) {
  (void)module;
  return params_that(name, is_integer);
}

PyObject *schema_probes(PyObject *module, PyObject *unused) {
  (void)module;
  (void)unused;
  PyObject *list = PyList_New(0);
  privy_probe probe;
  for (size_t i = 0; list && privy_probe_at(i, &probe); i++) {
    PyObject *row =
        Py_BuildValue("(ssssN)", probe.scope, probe.method, probe.path, probe.query, PyBool_FromLong(probe.has_body));
    if (append(list, row) < 0) Py_CLEAR(list);
  }
  return list;
}

/* The values of a library, or the text that says why it cannot be used. */
static PyObject *loaded_network(void) {
  privy_network_library library;
  privy_error error;
  privy_error_init(&error);
  const bool usable = privy_network_library_load(&library, &error) == PRIVY_OK;
  PyObject *found = usable ? Py_BuildValue("(sszzs)", library.version, library.tls ? library.tls : "", library.ca_file,
                                           library.ca_folder, library.encodings)
                           : PyUnicode_FromString(error.message);
  privy_error_clear(&error);
  return found;
}

static PyObject *loaded_database(void) {
  const char *version;
  privy_error error;
  privy_error_init(&error);
  const bool usable = privy_journal_library_load(&version, &error) == PRIVY_OK;
  PyObject *found = usable ? Py_BuildValue("(s)", version) : PyUnicode_FromString(error.message);
  privy_error_clear(&error);
  return found;
}

PyObject *schema_libraries(PyObject *module, PyObject *unused) {
  (void)module;
  (void)unused;
  return Py_BuildValue("{s:N,s:N}", "libcurl", loaded_network(), "sqlite", loaded_database());
}

PyObject *schema_ca_file_problem(PyObject *module, PyObject *path) {
  (void)module;
  PyObject *bytes = NULL;
  if (!PyUnicode_FSConverter(path, &bytes)) return NULL;
  const char *problem = privy_ca_file_problem(PyBytes_AsString(bytes));
  PyObject *text = problem ? PyUnicode_FromString(problem) : Py_NewRef(Py_None);
  Py_DECREF(bytes);
  return text;
}
