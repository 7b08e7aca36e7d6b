/* What a call may take, as users give it. */
#ifndef PRIVY_PYTHON_OPTIONS_H
#define PRIVY_PYTHON_OPTIONS_H

#include "state.h"

/* How many Python values make up privy_options: timeout, connect_timeout, max_wait, max_retries. */
#define OPTIONS_COUNT 4

/*
 * Sets those of `options` whose value is not None; `values` holds OPTIONS_COUNT of them. 0, or -1 with TypeError for
 * what is no number, or the root error class for a number that cannot be used.
 */
int options_read(core_state *state, PyObject *const *values, privy_options *options);

#endif
