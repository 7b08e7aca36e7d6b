/* The Python type Plan, as the bulk run that applies it uses it. */
#ifndef PRIVY_PYTHON_PLAN_H
#define PRIVY_PYTHON_PLAN_H

#include "privy_jobs.h"
#include "state.h"

/* The core's plan of a Plan; NULL without an exception if the object is not one. It lives as long as the object. */
privy_plan *plan_of(core_state *state, PyObject *object);

#endif
