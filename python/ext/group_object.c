#include "group_object.h"

#include <unistd.h>

#include "call_event.h"
#include "client.h"
#include "contexts.h"
#include "errors.h"
#include "group.h"

bool group_try_lock(group_object *self) {
  return !atomic_exchange_explicit(&self->busy, true, memory_order_acquire);
}

void group_leave(group_object *self) {
  atomic_store_explicit(&self->busy, false, memory_order_release);
}

bool group_enter(group_object *self) {
  if (!group_try_lock(self)) {
    PyErr_SetString(PyExc_RuntimeError, "the group is in use by another thread");
    return false;
  }
  bool open = self->group, own = self->process == getpid();
  if (open && own) return true;
  group_leave(self);
  errors_refuse(state_of_object((PyObject *)self),
                open ? "the group of calls belongs to the parent of this process" : "the group of calls is closed");
  return false;
}

static bool take_event(group_object *self, privy_trace_event *event) {
  if (!group_try_lock(self)) return false;
  bool found = self->group && privy_group_take_event(self->group, event);
  group_leave(self);
  return found;
}

/* Reports all recorded events, even if a callback raises an exception that must stop the calls. */
bool group_report(PyObject *object) {
  group_object *self = (group_object *)object;
  core_state *state = state_of_object(object);
  PyObject *type = NULL, *value = NULL, *trace = NULL;
  privy_trace_event event;
  while (take_event(self, &event)) {
    PyObject *context = contexts_find(self->contexts, event.id);
    bool proceed = event_report(state, client_receivers(state, self->client), context, &event);
    Py_XDECREF(context);
    if (proceed) continue;
    if (type)
      PyErr_Clear();
    else
      PyErr_Fetch(&type, &value, &trace);
  }
  if (!type) return true;
  PyErr_Restore(type, value, trace);
  return false;
}

privy_group *group_lock(PyObject *object) {
  group_object *self = (group_object *)object;
  return group_enter(self) ? self->group : NULL;
}

void group_unlock(PyObject *object) {
  group_leave((group_object *)object);
}
