/* Functions that create the Python types, which module.c calls once. Each returns 0, or -1 with an exception. */
#ifndef PRIVY_PYTHON_TYPES_H
#define PRIVY_PYTHON_TYPES_H

#include "state.h"

int omit_add(PyObject *module, core_state *state);
int json_object_add(PyObject *module, core_state *state);
int record_add_all(PyObject *module, core_state *state);
int page_add(PyObject *module, core_state *state);
int client_add(PyObject *module, core_state *state);
int group_add(PyObject *module, core_state *state);
int sandbox_add(PyObject *module, core_state *state);
int journal_add(PyObject *module, core_state *state);
int pager_add(PyObject *module);
int bulk_add(PyObject *module);
int plan_add(PyObject *module, core_state *state);
int served_add(PyObject *module);

/* Free what record_add_all and page_add allocated. */
void record_free_tables(core_state *state);
void page_free_tables(core_state *state);

#endif
