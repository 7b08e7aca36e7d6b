/* What lies inside the privy_bulk of privy.h. */
#ifndef PRIVY_JOBS_BULK_H
#define PRIVY_JOBS_BULK_H

#include "client/group.h"
#include "jobs/lanes.h"
#include "jobs/row_keys.h"

typedef enum bulk_state {
  BULK_QUEUED, /* waits for its lanes or for a place */
  BULK_ACTIVE, /* its call is under way */
  BULK_ENDED,  /* has a result that waits to be acknowledged */
  BULK_OPEN    /* has no result and gets none */
} bulk_state;

typedef struct bulk_row {
  uint64_t index;
  bulk_state state;
  privy_request *request; /* until its call starts */
  const privy_call *call; /* ACTIVE */
  privy_lane_entry places[PRIVY_MAX_ROW_KEYS];
  char generated_key[40];
  char *given_key; /* the Idempotency-Key that the user gave */
  int attempts;    /* once its call has ended */
  privy_bulk_change change;
  bool counted;                   /* its result has been offered */
  privy_completion completion;    /* ENDED */
  struct bulk_row *next, *before; /* of all rows held, in their order */
  struct bulk_row *next_in_queue; /* of those that may start, or of the results */
} bulk_row;

typedef struct bulk_queue {
  bulk_row *first, *last;
  size_t count;
} bulk_queue;

struct privy_bulk {
  privy_group *group;
  const privy_operation *operation;
  privy_options options;
  size_t concurrency;
  privy_lanes lanes;
  bulk_row *first, *last; /* all rows held */
  bulk_row *spare;        /* for the next row, so that adding it cannot fail */
  size_t held, active;
  bulk_queue startable, results;
  bool ends; /* takes no more rows */
  privy_error error;
  privy_bulk_progress progress;   /* its counts; `requests` without calls under way */
  double started_at, measured_at; /* by the client's clock */
  uint64_t ended;                 /* rows that have a result, offered or not */
  bool idle;                      /* all calls waited when the caller was last asked to wait */
  uint64_t reported_done;         /* as of the last privy_bulk_take_progress */
  double reported_wait;
};

/* Notes the time that has passed since the last look. */
void privy_bulk_measure_wait(privy_bulk *bulk);

#endif
