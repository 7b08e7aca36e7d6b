/* The Python object Group, as group*.c use it. */
#ifndef PRIVY_PYTHON_GROUP_OBJECT_H
#define PRIVY_PYTHON_GROUP_OBJECT_H

#include <stdatomic.h>
#include <sys/types.h>

#include "state.h"

/*
 * Concurrent calls of a client. `calls` has the operation of each call in flight, by id. `busy` is the lock: it is not
 * waited for; a thread or callback that finds it taken gets an exception.
 */
typedef struct group_object {
  PyObject_HEAD PyObject *client;
  PyObject *calls;
  PyObject *contexts;
  PyObject *socket_callback;
  privy_group *group;    /* NULL: closed */
  privy_level least;     /* of the events that calls record */
  PyThreadState *thread; /* of the driver, while it has released the GIL */
  pid_t process;
  bool finalized;
  atomic_bool busy;
} group_object;

/* Locks the group if it is not in use; false otherwise. */
bool group_try_lock(group_object *self);
/* The same; false with an exception when it is in use, closed, or belongs to the parent process. */
bool group_enter(group_object *self);
/* Unlocks the group. */
void group_leave(group_object *self);

/* set_socket_callback(callback): callback(socket, events) is called with the sockets to watch. */
PyObject *group_set_socket_callback(PyObject *object, PyObject *socket_callback);
/* timeout(): seconds until socket_action(-1, 0) is due; None: nothing waits for time. */
PyObject *group_timeout(PyObject *object, PyObject *unused);
/* socket_action(socket, events): a socket is ready; socket -1: time has passed. */
PyObject *group_socket_action(PyObject *object, PyObject *args);

#endif
