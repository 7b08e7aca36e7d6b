/*
 * The public interface of what is bigger than a call: bulk runs and their journals. It completes privy.h, and follows
 * its rules on ownership and threads.
 */
#ifndef PRIVY_JOBS_H
#define PRIVY_JOBS_H

#include "privy.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- bulk runs --------------------------------------------------------------------------------------------------- */

/*
 * A bulk run makes one operation for many rows. The caller builds a request for each row and drives the group. The run
 * decides
 *   - when it takes a row: while fewer than `concurrency` calls are in flight. Rows that wait for their key do not
 *     count, nor do up to `concurrency` rows that back off after a failure. It holds at most PRIVY_BULK_LOOKAHEAD rows;
 *   - when the call of a row starts: rows with the same order_id, e-mail address, phone number or Idempotency-Key run
 *     one after the other, and their results come in that order;
 *   - when it ends: after all rows, or when a rate limit is reached for longer than a call may wait (max_wait). A row
 *     that fails does not end it.
 * The run keeps a result until it is acknowledged. At any time each row is acknowledged, unsent, or in doubt.
 *
 *   privy_bulk_new(group, &config, &bulk, &error);
 *   for (;;) switch (privy_bulk_next(bulk)) {
 *     case PRIVY_BULK_ROW:    …read a row… privy_bulk_add, _refuse or _fail; after the last one privy_bulk_end_rows
 *     case PRIVY_BULK_RESULT: privy_bulk_result(bulk, &result); …use it… privy_bulk_acknowledge(bulk);
 *     case PRIVY_BULK_WAIT:   privy_group_wait(group, seconds), or return to the event loop
 *     case PRIVY_BULK_END:    …privy_bulk_error is the reason if it ended early…
 *   }
 *   privy_bulk_free(bulk);
 */
typedef struct privy_bulk privy_bulk;

/* Rows without an acknowledged result that a run holds at most. */
#define PRIVY_BULK_LOOKAHEAD 1000

/* What a run does with a journal that exists. */
typedef enum privy_resume {
  PRIVY_RESUME_AUTO,   /* continues it, or begins a new one */
  PRIVY_RESUME_ONLY,   /* continues it; a missing journal is an error */
  PRIVY_RESUME_RESTART /* forgets what it holds, and sends all rows */
} privy_resume;

/* What a run does when the account's requests of a day are used up. */
typedef enum privy_spent_day {
  PRIVY_SPENT_DAY_STOPS, /* ends early with PRIVY_RATE_LIMIT */
  PRIVY_SPENT_DAY_WAITS  /* waits for the next day, and continues */
} privy_spent_day;

typedef struct privy_bulk_config {
  int64_t concurrency;          /* calls at once, 1 or more; default 8 */
  int64_t total;                /* rows in all; negative (default): unknown */
  privy_options options;        /* of each call; defaults: the settings of the client, but max_wait 3600 s */
  privy_spent_day on_spent_day; /* default PRIVY_SPENT_DAY_STOPS */
  /*
   * The path of a file that keeps what becomes of each row, or NULL (default). A run with the same journal continues
   * where the last one ended, even if that was killed: rows that are done are skipped, rows whose result was lost are
   * sent again with their idempotency key, and rows that have changed are sent again. An event whose result was lost
   * more than a day ago fails with the api_code "in_doubt_too_long", and is not sent. The file is SQLite's, and holds
   * the rows that have not succeeded, so it contains personal data; only its owner can read it.
   */
  const char *journal;
  const privy_operation *operation; /* of all rows; needed with a journal */
  privy_resume resume;              /* default PRIVY_RESUME_AUTO */
} privy_bulk_config;
PRIVY_API void privy_bulk_config_init(privy_bulk_config *config);
/* Sets `concurrency`. Returns as privy_setting_check does. */
PRIVY_API PRIVY_NODISCARD privy_status privy_bulk_config_concurrency(privy_bulk_config *config, double value,
                                                                     privy_error *error);

/*
 * Creates a run; free it with privy_bulk_free. The group must have no other calls, serve this run only, and outlive it.
 * Returns PRIVY_OK, PRIVY_CONFIG_ERROR for an invalid configuration, or PRIVY_NO_MEMORY. A journal that cannot be used
 * is a PRIVY_CONFIG_ERROR whose api_code says why, such as "journal_locked" while another run uses it.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_bulk_new(privy_group *group, const privy_bulk_config *config,
                                                      privy_bulk **out, privy_error *error);
/* Closes the run and frees it. In the child of a fork it leaves the calls to the parent. */
PRIVY_API void privy_bulk_free(privy_bulk *bulk);

typedef enum privy_bulk_step { PRIVY_BULK_ROW, PRIVY_BULK_RESULT, PRIVY_BULK_WAIT, PRIVY_BULK_END } privy_bulk_step;
/* Takes the completions of the group, starts calls, and returns what the caller does next. Results come before rows,
 * because reading a row may take long. */
PRIVY_API privy_bulk_step privy_bulk_next(privy_bulk *bulk);

/* Adds the row that PRIVY_BULK_ROW asked for; rows are numbered from 0. Takes over the finished request. When memory
 * runs out, the row is unsent and the run takes no more rows. False if an earlier run has the row's outcome in the
 * journal: it is skipped and has no result, so that the caller can forget it. */
PRIVY_API bool privy_bulk_add(privy_bulk *bulk, privy_request *request);
/* Adds the row with an error as its result, because its request is invalid. Takes over the contents of `error`. */
PRIVY_API void privy_bulk_refuse(privy_bulk *bulk, privy_error *error);
/* Adds the row as unsent and takes no more rows, because the caller failed for another reason than the row. */
PRIVY_API void privy_bulk_fail(privy_bulk *bulk);
/* Reports that there are no more rows. */
PRIVY_API void privy_bulk_end_rows(privy_bulk *bulk);

typedef enum privy_bulk_change { PRIVY_BULK_UNCHANGED, PRIVY_BULK_CREATED, PRIVY_BULK_UPDATED } privy_bulk_change;
/* The result of a row. The run owns what it points to, until privy_bulk_acknowledge. */
typedef struct privy_bulk_result_view {
  uint64_t index; /* of the row */
  privy_status status;
  privy_response *response; /* PRIVY_OK */
  const privy_error *error; /* any other status */
  privy_bulk_change change; /* of the server's data; PRIVY_BULK_UNCHANGED for failures and events */
} privy_bulk_result_view;
/* Returns the oldest result; false if there is none. */
PRIVY_API bool privy_bulk_result(const privy_bulk *bulk, privy_bulk_result_view *out);
/* Removes the oldest result. */
PRIVY_API void privy_bulk_acknowledge(privy_bulk *bulk);

/* The progress of a run. A row is done when privy_bulk_next has returned PRIVY_BULK_RESULT for it. */
typedef struct privy_bulk_progress {
  uint64_t taken, done, failed, created, updated;
  uint64_t skipped;     /* an earlier run has their outcome in the journal; they have no result in this one */
  int64_t total;        /* negative: unknown */
  uint64_t requests;    /* sent, those of calls in progress included */
  double seconds;       /* since the run was created */
  double waited;        /* seconds in which all calls waited for budget or a retry */
  double waiting_until; /* when they continue, in seconds since 1970; 0: they do not wait */
  double eta;           /* seconds until the end, by the speed so far, the requests that a row takes, and the rate limit
                           of the minute. Negative: unknown, because total or the first result is missing, or because
                           the limit of the day does not allow all rows */
} privy_bulk_progress;
PRIVY_API void privy_bulk_get_progress(privy_bulk *bulk, privy_bulk_progress *out);
/* The same, if a row was done or a wait began or ended since it last returned true; otherwise false. */
PRIVY_API bool privy_bulk_take_progress(privy_bulk *bulk, privy_bulk_progress *out);

/* Why the run ended early: PRIVY_RATE_LIMIT, PRIVY_AUTHENTICATION, PRIVY_PERMISSION_DENIED, PRIVY_NO_MEMORY, or
 * PRIVY_CONFIG_ERROR with an api_code if its journal cannot be written. NULL if it did not. Owned by the run. */
PRIVY_API const privy_error *privy_bulk_error(const privy_bulk *bulk);

/* A row without an acknowledged result. */
typedef struct privy_bulk_row {
  uint64_t index;
  bool in_doubt;               /* a request was sent for it; otherwise it is unsent */
  const char *idempotency_key; /* of its request, NULL if it has none; valid until the next call of the run */
} privy_bulk_row;
/* Copies the first `capacity` rows without an acknowledged result, in order. Returns how many there are in all. */
PRIVY_API size_t privy_bulk_open_rows(const privy_bulk *bulk, privy_bulk_row *out, size_t capacity);
/* Cancels the calls and takes no more rows. Rows without an acknowledged result remain in privy_bulk_open_rows. */
PRIVY_API void privy_bulk_close(privy_bulk *bulk);

#ifdef __cplusplus
}
#endif

#endif
