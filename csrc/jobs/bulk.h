/* The contents of the privy_bulk of privy.h. */
#ifndef PRIVY_JOBS_BULK_H
#define PRIVY_JOBS_BULK_H

#include "client/group.h"
#include "jobs/journal.h"
#include "jobs/lanes.h"
#include "jobs/row_keys.h"
#include "privy_jobs.h"

typedef enum bulk_state {
  BULK_QUEUED, /* waits for its lanes or for a free place among `concurrency` calls */
  BULK_ACTIVE, /* has a call */
  BULK_ENDED,  /* has a result that is not acknowledged */
  BULK_OPEN    /* has no result and will get none */
} bulk_state;

typedef struct bulk_row {
  uint64_t index;
  bulk_state state;
  privy_request *request; /* until its call starts; owned */
  const privy_call *call; /* BULK_ACTIVE; owned by the group */
  privy_lane_entry lane_entries[PRIVY_MAX_ROW_KEYS];
  char generated_key[40];
  char *given_key; /* the Idempotency-Key of the request; NULL: none */
  int attempts;    /* of its calls that have ended; 0 if the server has acted on none of them */
  int64_t journal_id;
  double first_sent;  /* of a row in doubt, by the server's clock; 0: it is not one */
  char first_key[40]; /* the key that was made for that request; "": none */
  bool looks_up;      /* its contact is looked up before its request is sent */
  size_t looked_up;   /* identifiers by which no contact was found */
  privy_bulk_change change;
  bool updates;                     /* its request can only update a contact */
  bool counted;                     /* privy_bulk_next has returned PRIVY_BULK_RESULT for it */
  privy_completion completion;      /* BULK_ENDED */
  struct bulk_row *next, *previous; /* of all rows held, in order */
  struct bulk_row *next_in_queue;   /* startable or results */
} bulk_row;

typedef struct bulk_queue {
  bulk_row *first, *last;
  size_t count;
} bulk_queue;

struct privy_bulk {
  privy_group *group;
  privy_options options;
  size_t concurrency;
  privy_lanes lanes;
  bulk_row *first, *last; /* all rows held */
  bulk_row *spare;        /* allocated for the next row, so that adding it cannot fail */
  size_t held, active;
  bulk_queue startable, results;
  bool ends;                  /* takes no more rows */
  bool finishes;              /* starts no more calls */
  bool keeps_consents;        /* contacts that exist are not subscribed */
  bool source_failed, closed; /* why, if the source has more */
  privy_error error;
  privy_bulk_progress progress;   /* its counts; `requests` without those of calls in progress */
  double started_at, measured_at; /* by the client's clock */
  uint64_t ended;                 /* rows with a result */
  bool idle;                      /* all calls waited when privy_bulk_next last returned PRIVY_BULK_WAIT */
  uint64_t reported_done;         /* by the last privy_bulk_take_progress */
  uint64_t reported_skipped;      /* likewise */
  double reported_wait;
  privy_journal *journal; /* NULL: none, or closed */
  double server_ahead;    /* seconds that the server's clock is ahead of the wall clock, by the last response */
  /* Called once, when the run is at its end, closed or freed, for what was kept open for it; NULL: nothing was. */
  void (*release)(void *context);
  void *release_context;
};

/* Requests sent, those of calls in progress included. */
uint64_t privy_bulk_count_requests(const privy_bulk *bulk);
/* Adds the time since the last measurement to `waited`, if all calls waited during it. */
void privy_bulk_measure_wait(privy_bulk *bulk);

/* Ends the run early; calls in flight continue to their results. Takes over the contents of `error`. */
void privy_bulk_abort(privy_bulk *bulk, privy_error *error);
/* privy_bulk_fail, with the error as the reason of the end. Takes over its contents. */
void privy_bulk_fail_with(privy_bulk *bulk, privy_error *error);

#endif
