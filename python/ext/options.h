/* Settings and options as users give them: what they can be is the core's to say. */
#ifndef PRIVY_PYTHON_OPTIONS_H
#define PRIVY_PYTHON_OPTIONS_H

#include "state.h"

/* How many Python values make up privy_options, and how many numbers a client's settings: in the order of
 * privy_setting. */
#define OPTIONS_COUNT PRIVY_OPTION_COUNT
#define CONFIG_COUNT PRIVY_SETTING_CONCURRENCY

/* The number that a value is, also as text; NaN when it is none. */
double options_number(PyObject *value);
/* Sets those of `options` whose value is not None; `values` holds OPTIONS_COUNT of them. 0, or -1 with the root error
 * class for one that cannot be used. */
int options_read(core_state *state, PyObject *const *values, privy_options *options);
/* The same for the reserve, which the methods of single calls do not take. */
int options_read_reserve(core_state *state, PyObject *value, privy_options *options);
/* The same for a client's settings, of CONFIG_COUNT values. */
int options_read_config(core_state *state, PyObject *const *values, privy_config *config);
/* A setting that is text; NULL for None. It lives as long as the value. 0, or -1 likewise. */
int options_read_text(core_state *state, const char *name, PyObject *value, const char **out);
/* A setting that is true or false; None leaves it as it is. 0, or -1 likewise. */
int options_read_flag(core_state *state, const char *name, PyObject *value, int *out);
/* How many calls a bulk run makes at once; None leaves it as it is. 0, or -1 likewise. */
int options_read_concurrency(core_state *state, PyObject *value, privy_bulk_config *config);

#endif
