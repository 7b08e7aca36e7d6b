/* The Python type Bulk, a bulk run: shared by bulk.c and bulk_rows.c. */
#ifndef PRIVY_PYTHON_BULK_H
#define PRIVY_PYTHON_BULK_H

#include "privy_jobs.h"
#include "state.h"

/*
 * The core's bulk run with its Python objects: the rows by index, and the exceptions of invalid rows. `pending` is a
 * row that was taken when an unrelated exception was raised: it is taken again. `returned` is set while the result that
 * `take` returned last is not acknowledged: the next step does that, unless `put_back` was called. The end of the run
 * frees the core's run; `open_rows` and `progress` then hold its final state.
 */
typedef struct bulk_object {
  PyObject_HEAD PyObject *group;
  PyObject *client;
  PyObject *iterator;
  PyObject *plan;    /* the Plan that the run applies, or NULL: its rows are shown, and the core has their requests */
  PyObject *headers; /* extra headers of each request, or None */
  PyObject *rows;
  PyObject *refusals;
  PyObject *pending;
  PyObject *split;   /* (row) → (row to show, parameters, extra, omits nulls) */
  PyObject *success; /* (index, row, value) → result */
  PyObject *failure; /* (index, row, error) → result */
  PyObject *ending;  /* (error, taken, open rows): completes the error that ends the run */
  PyObject *report;  /* (done, failed, waiting_until, eta, skipped), or NULL */
  PyObject *stop;    /* the exception that ended the run */
  PyObject *last;    /* the result that was returned last */
  PyObject *open_rows;
  core_state *state;
  const privy_operation *operation;
  privy_bulk *bulk;             /* NULL: the run is over */
  privy_bulk_progress progress; /* after the last step; use it in critical sections only */
  uint64_t next_index;
  int skips; /* rows that were skipped since the last turn of other tasks */
  atomic_bool busy;
  atomic_bool closing; /* close() was called during a step */
  bool omits_nulls;    /* of rows that are dicts */
  bool starved;        /* the iterator has returned itself: it has no row yet */
  bool paused;         /* the last step ended because many rows were skipped */
  bool returned;
  bool raised;
  bool source_failed; /* `stop` is an exception of the iterable or of a row, not an error of the core */
  bool finalized;
} bulk_object;

/* Reads the arguments of the constructor and creates the core's run. False with an exception. */
bool bulk_initialize(bulk_object *self, PyObject *args);
/* Whether privy raises exceptions of this class. Signal handlers raise others. */
bool bulk_is_own(bulk_object *self, PyObject *exception);
/* Stores the exception of the rows that ends the run, unless another ended it. */
void bulk_set_stop(bulk_object *self, PyObject *exception);
/* Takes the next row: adds its request, its validation error, or the end of the rows; or becomes `starved`. False with
 * an unrelated exception, such as KeyboardInterrupt: the row is taken again. */
bool bulk_take_row(bulk_object *self);
/* A list of (index, row, in_doubt, key) of the rows without an acknowledged result. NULL with an exception. */
PyObject *bulk_list_open_rows(bulk_object *self);
/* The oldest result as an object. The core keeps the result until it is acknowledged. NULL with an exception. */
PyObject *bulk_current_result(bulk_object *self);
/* Releases the result that was returned last, if there is one. False with an exception. */
bool bulk_acknowledge(bulk_object *self);
/* Clears the exception that errors_raise has set and returns it. NULL for an unrelated exception, which stays set. */
PyObject *bulk_own_error(bulk_object *self);

#endif
