/* The contents of the privy_sweep of privy_jobs.h, for the snapshot that keeps its state. */
#ifndef PRIVY_JOBS_SWEEP_H
#define PRIVY_JOBS_SWEEP_H

#include "client/group.h"
#include "jobs/coverage.h"
#include "privy_jobs.h"

struct privy_sweep {
  privy_group *group;
  privy_request *list; /* its filters and headers */
  privy_options options;
  privy_coverage coverage;
  const privy_call *call;   /* in progress; NULL: none. Owned by the group */
  privy_response *response; /* the page that the caller reads; NULL: none */
  bool ended;
  privy_error error;
  privy_sweep_progress progress;  /* its counts; `requests` without those of the call in progress */
  double started_at, measured_at; /* by the client's clock */
  double rests_until;             /* by the same: the request of the second reference comes no sooner */
  bool idle;                      /* the call waited when privy_sweep_next last returned PRIVY_SWEEP_WAIT */
  uint64_t reported_pages;        /* by the last privy_sweep_take_progress */
  double reported_wait;
};

/* Ends the sweep early. The first error is the reason. Takes over the contents of `error`. */
void privy_sweep_stop(privy_sweep *sweep, privy_error *error);
/* Adds the time since the last measurement to `waited`, if the call waited during it. */
void privy_sweep_measure_wait(privy_sweep *sweep);

#endif
