#include "bulk.h"
#include "client.h"
#include "errors.h"
#include "group.h"
#include "options.h"
#include "plan.h"
#include "request.h"

static bool configure(bulk_object *self, PyObject *const *options, PyObject *concurrency, PyObject *settings,
                      privy_bulk_config *config) {
  return options_read_concurrency(self->state, concurrency, config) == 0 && options_read_run(settings, config) == 0 &&
         client_run_options(self->state, self->client, options, &config->options) == 0;
}

static bool open_bulk(bulk_object *self, PyObject *const *options, PyObject *concurrency, long long total,
                      PyObject *settings) {
  privy_plan *plan = self->plan ? plan_of(self->state, self->plan) : NULL;
  privy_bulk_config config;
  privy_error error;
  privy_bulk_config_init(&config);
  config.total = total;
  config.operation = self->operation;
  if (!configure(self, options, concurrency, settings, &config)) return false;
  privy_group *group = group_lock(self->group);
  if (!group) return false;
  privy_error_init(&error);
  privy_status status;
  Py_BEGIN_ALLOW_THREADS; /* to open a journal may take a while */
  status = plan ? privy_plan_apply(plan, group, &config, &self->bulk, &error)
                : privy_bulk_new(group, &config, &self->bulk, &error);
  Py_END_ALLOW_THREADS;
  group_unlock(self->group);
  if (status != PRIVY_OK) errors_raise(self->state, status, &error);
  privy_error_clear(&error);
  return status == PRIVY_OK;
}

static core_state *state_of_group(PyObject *group) {
  core_state *state = PyType_GetModuleState(Py_TYPE(group));
  if (state && Py_IS_TYPE(group, state->group_type)) return state;
  if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "group must be a Group");
  return NULL;
}

/* The operation of that name, or the one of a plan. */
static const privy_operation *operation_of(bulk_object *self, PyObject *name) {
  const privy_plan *plan = plan_of(self->state, name);
  if (!plan) return request_operation(name, 4);
  self->plan = Py_NewRef(name);
  return privy_plan_operation(plan);
}

bool bulk_initialize(bulk_object *self, PyObject *args) {
  PyObject *group, *client, *name, *rows, *concurrency, *split, *success, *failure, *ending, *report, *settings,
      *headers, *options[OPTIONS_COUNT];
  long long total;
  int omits_nulls;
  if (!PyArg_ParseTuple(args, "OOOOOLOpOOOOOOOOOO", &group, &client, &name, &rows, &concurrency, &total, &split,
                        &omits_nulls, &success, &failure, &ending, &report, &settings, &headers, &options[0],
                        &options[1], &options[2], &options[3]))
    return false;
  self->omits_nulls = omits_nulls;
  self->state = state_of_group(group);
  self->operation = self->state ? operation_of(self, name) : NULL;
  if (!self->operation || !client_open(self->state, client) ||
      !request_check_headers(self->state, self->operation, headers))
    return false;
  self->group = Py_NewRef(group);
  self->client = Py_NewRef(client);
  self->split = Py_NewRef(split);
  self->success = Py_NewRef(success);
  self->failure = Py_NewRef(failure);
  self->ending = Py_NewRef(ending);
  self->headers = Py_NewRef(headers);
  self->report = report == Py_None ? NULL : Py_NewRef(report);
  self->rows = PyDict_New();
  self->refusals = self->rows ? PyDict_New() : NULL;
  self->iterator = self->refusals ? PyObject_GetIter(rows) : NULL;
  return self->iterator && open_bulk(self, options, concurrency, total, settings);
}
