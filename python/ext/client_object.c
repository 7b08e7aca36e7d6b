#include "client_object.h"

#include "types.h"

privy_client *owner_acquire(client_object *owner) {
  privy_client *client;
  CRITICAL_SECTION_BEGIN(owner);
  client = owner->client;
  if (client) owner->running++;
  CRITICAL_SECTION_END();
  return client;
}

void owner_release(client_object *owner, size_t count) {
  privy_client *done = NULL;
  CRITICAL_SECTION_BEGIN(owner);
  owner->running -= count;
  if (owner->closed && owner->running == 0) {
    done = owner->client;
    owner->client = NULL;
    owner->sandbox = NULL;
  }
  CRITICAL_SECTION_END();
  privy_client_free(done);
}

client_object *client_as(core_state *state, PyObject *object) {
  if (Py_IS_TYPE(object, state->client_type)) return (client_object *)object;
  PyErr_SetString(PyExc_TypeError, "client must be a Client");
  return NULL;
}
