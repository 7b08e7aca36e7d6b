/* What the types Plan and Export have in common: they read contacts with a group, and close it when the reading ends.
 */
#ifndef PRIVY_PYTHON_READING_H
#define PRIVY_PYTHON_READING_H

#include "busy.h"
#include "state.h"

/* The first member of an object of such a type. */
typedef struct reading_object {
  PyObject_HEAD PyObject *group;
  PyObject *client;
  PyObject *report; /* gets the progress; or NULL */
  core_state *state;
  bool acquired; /* the client */
  bool shut;     /* the group */
  atomic_bool busy;
} reading_object;

/* Creates an object and initializes it with the arguments. */
PyObject *reading_new(PyTypeObject *type, PyObject *args, bool (*initialize)(reading_object *self, PyObject *args));
/* Acquires the client, and keeps all three; `report` may be None. False with an exception. */
bool reading_open(reading_object *self, PyObject *group, PyObject *client, PyObject *report);
/* Closes the group, once. False with an exception. */
bool reading_shut(reading_object *self);
/* The same at the end of the reading. Raises the error, if there is one. */
bool reading_end(reading_object *self, const privy_error *error);

/* For the slots of a type. The function of Py_tp_dealloc untracks the object and frees the object of the core before
 * it calls reading_free. */
int reading_traverse(PyObject *object, visitproc visit, void *arg);
int reading_clear(PyObject *object);
void reading_free(PyObject *object);

#endif
