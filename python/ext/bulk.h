/* A bulk run of the core as a Python object: what its two files share. */
#ifndef PRIVY_PYTHON_BULK_H
#define PRIVY_PYTHON_BULK_H

#include "state.h"

/*
 * The core's bulk run, and what Python knows of its rows: the rows by index, and the exceptions of those that no
 * request could be made of. `pending` is a row that was taken while an exception arrived from elsewhere: it is tried
 * again. `handed` is the index + 1 of the result that `take` returned last: it is acknowledged by the next step, unless
 * `put_back` was called. When the run is over the core's run is freed, and `open_rows` and `seen` keep what it said.
 */
typedef struct bulk_object {
  PyObject_HEAD PyObject *group;
  PyObject *client;
  PyObject *iterator;
  PyObject *rows;
  PyObject *refusals;
  PyObject *pending;
  PyObject *split;   /* (row) → (parameters, extra) */
  PyObject *success; /* (index, row, value) → result */
  PyObject *failure; /* (index, row, error) → result */
  PyObject *ending;  /* (error, taken, open rows): completes what ends the run */
  PyObject *report;  /* (done, failed, waiting_until, eta), or NULL */
  PyObject *stop;    /* what ended the rows: an exception */
  PyObject *open_rows;
  core_state *state;
  const privy_operation *operation;
  privy_bulk *bulk;         /* NULL: the run is over */
  privy_bulk_progress seen; /* as of the last step; read and written in critical sections */
  uint64_t next_index;
  atomic_bool busy;
  atomic_bool closing; /* close() was called during a step */
  bool handed;
  bool raised;
  bool finalized;
} bulk_object;

/* Whether an exception is one that privy itself raises for a call, and not one that a signal handler raised meanwhile.
 */
bool bulk_is_own(bulk_object *self, PyObject *exception);
/* Keeps the first exception that ends the run. */
void bulk_keep_stop(bulk_object *self, PyObject *exception);
/* Takes the row that the core asked for: adds its request, its refusal, or the end of the rows. False with an
 * exception from elsewhere, such as KeyboardInterrupt: the row is taken again. */
bool bulk_take_row(bulk_object *self);

#endif
