/* Settings and options from Python values. The core checks them. */
#ifndef PRIVY_PYTHON_OPTIONS_H
#define PRIVY_PYTHON_OPTIONS_H

#include "privy_jobs.h"
#include "state.h"

/* The number of Python values in privy_options, and of numbers in the settings of a client, in the order of
 * privy_setting. */
#define OPTIONS_COUNT PRIVY_OPTION_COUNT
#define CONFIG_COUNT PRIVY_SETTING_CONCURRENCY

/* The value of a number, or of a string that holds one; NaN for anything else. */
double options_number(PyObject *value);
/* Sets the options whose value is not None; `values` has OPTIONS_COUNT elements. 0, or -1 with PrivyError for an
 * invalid value. */
int options_read(core_state *state, PyObject *const *values, privy_options *options);
/* The same for `reserve`, which methods of single calls do not take. */
int options_read_reserve(core_state *state, PyObject *value, privy_options *options);
/* The same for the settings of a client, of CONFIG_COUNT values. */
int options_read_config(core_state *state, PyObject *const *values, privy_config *config);
/* A string setting; NULL for None. The str owns the text. 0, or -1 likewise. */
int options_read_text(core_state *state, const char *name, PyObject *value, const char **out);
/* A boolean setting; None keeps `*out`. 0, or -1 likewise. */
int options_read_flag(core_state *state, const char *name, PyObject *value, int *out);
/* The number of concurrent calls of a bulk run; None keeps the default. 0, or -1 likewise. */
/* Reads (path as bytes or None, position of resume, position of on_spent_day, seconds since 1970 or 0) into the
 * configuration of a bulk run, which uses the path as long as the tuple. 0, or -1 with an exception. */
int options_read_run(PyObject *settings, privy_bulk_config *config);
int options_read_concurrency(core_state *state, PyObject *value, privy_bulk_config *config);

#endif
