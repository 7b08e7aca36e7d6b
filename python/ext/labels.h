/* Caches of short values that occur again and again: keys of JSON objects, enum values, tags, numbers. */
#ifndef PRIVY_PYTHON_LABELS_H
#define PRIVY_PYTHON_LABELS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "privy.h"

#define LABEL_COUNT 256

struct core_state;

/* Of a text: its first and its last eight bytes, which may overlap. `head` holds those of less than eight bytes: texts
 * of one length are equal if their ends are. */
typedef struct label_ends {
  uint64_t head, tail;
} label_ends;

/* One str or number of a cache. `bytes` is the UTF-8 of a str, which the str owns; NULL for a number. */
typedef struct label {
  PyObject *object;
  const char *bytes;
  Py_ssize_t length;
  label_ends ends;
#ifdef Py_GIL_DISABLED
  PyMutex mutex;
#endif
} label;

/* The str of a string value, from the cache of LABEL_COUNT labels if it is there. A new reference; NULL with an
 * exception. */
PyObject *label_text(label *labels, privy_value value);
/* What scalar_number() makes of a number in JSON, from the cache of LABEL_COUNT numbers if it is there. Numbers of more
 * than eight bytes seldom repeat, and are not cached. A new reference; NULL with an exception. */
PyObject *label_number(label *numbers, struct core_state *state, privy_value value);
/* Empties the cache. */
void labels_clear(label *labels);

#endif
