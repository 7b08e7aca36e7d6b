/*
 * The public interface of what is bigger than a call: bulk runs and their journals, sweeps, exports and plans. It
 * completes privy.h, and follows its rules on ownership and threads.
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
 *   - when it ends: after all rows, at the instant `until`, when a rate limit is reached for longer than a call may
 *     wait (max_wait), or when the server does not accept the token. A row that fails does not end it.
 * The run keeps a result until it is acknowledged. At any time each row is acknowledged, unsent, or in doubt. A row
 * whose request the server has refused for what ends the run (429, 401, 403) is unsent.
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
  double until;                 /* seconds since 1970, by the client's clock: from then on the run sends no request, and
                                   ends early with PRIVY_DEADLINE if rows are left. Default 0: no such instant */
  /*
   * The path of a file that keeps what becomes of each row, or NULL (default). A run with the same journal continues
   * where the last one ended, even if that was killed: rows that are done are skipped, rows whose result was lost are
   * sent again with their idempotency key, and rows that have changed are sent again. An event whose result was lost
   * more than a day ago fails with the api_code "in_doubt_too_long", and is not sent. The file is SQLite's, and holds
   * the rows that have not succeeded, so it contains personal data; only its owner can read it.
   */
  const char *journal;
  const privy_operation *operation; /* of all rows; needed with a journal */
  const char *journal_operation;    /* what the journal names the operation; NULL (default): by its name */
  privy_resume resume;              /* default PRIVY_RESUME_AUTO */
} privy_bulk_config;
PRIVY_API void privy_bulk_config_init(privy_bulk_config *config);
/* Sets `concurrency`. Returns as privy_setting_check does. */
PRIVY_API PRIVY_NODISCARD privy_status privy_bulk_config_concurrency(privy_bulk_config *config, double value,
                                                                     privy_error *error);

/*
 * Creates a run; free it with privy_bulk_free. The group must have no other calls, serve this run only, and outlive it.
 * Returns PRIVY_OK, PRIVY_CONFIG_ERROR for an invalid configuration, or PRIVY_NO_MEMORY. A journal that cannot be used
 * is PRIVY_JOURNAL, whose api_code says why, such as "journal_locked" while another run uses it.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_bulk_new(privy_group *group, const privy_bulk_config *config,
                                                      privy_bulk **out, privy_error *error);
/* Closes the run and frees it. In the child of a fork it leaves the calls to the parent. */
PRIVY_API void privy_bulk_free(privy_bulk *bulk);

typedef enum privy_bulk_step { PRIVY_BULK_ROW, PRIVY_BULK_RESULT, PRIVY_BULK_WAIT, PRIVY_BULK_END } privy_bulk_step;
/* Takes the completions of the group, starts calls, and returns what the caller does next. Results come before rows,
 * because reading a row may take long. */
PRIVY_API privy_bulk_step privy_bulk_next(privy_bulk *bulk);
/* Whether the next privy_bulk_next waits for the disk, to make the journal durable: for bindings that hold a lock. */
PRIVY_API bool privy_bulk_will_sync(const privy_bulk *bulk);

/* Rows of contacts.upsert that are added later subscribe only contacts that they create: the update of a contact that
 * exists leaves out a consent that would subscribe it. A file is older than what the contact may have decided since. */
PRIVY_API void privy_bulk_keep_consents(privy_bulk *bulk);
/* Adds the row that PRIVY_BULK_ROW asked for; rows are numbered from 0. Takes over the finished request. When memory
 * runs out, the row is unsent and the run takes no more rows. False if an earlier run has the row's outcome in the
 * journal: it is skipped and has no result, so that the caller can forget it. */
PRIVY_API bool privy_bulk_add(privy_bulk *bulk, privy_request *request);
/* Adds the row with an error as its result, because its request is invalid. Takes over `request`, the request that
 * could not be finished, or NULL; a journal keeps its content. Takes over the contents of `error`. */
PRIVY_API void privy_bulk_refuse(privy_bulk *bulk, privy_request *request, privy_error *error);
/* Adds the row as unsent and takes no more rows, because the caller failed for another reason than the row. */
PRIVY_API void privy_bulk_fail(privy_bulk *bulk);
/* Takes no more rows, because the source failed. */
PRIVY_API void privy_bulk_fail_rows(privy_bulk *bulk);
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
  uint64_t skipped;         /* an earlier run has their outcome in the journal; they have no result in this one */
  uint64_t skipped_refused; /* of those, the ones that the server has refused */
  int64_t total;            /* negative: unknown */
  uint64_t requests;        /* sent, those of calls in progress included */
  double seconds;           /* since the run was created */
  double waited;            /* seconds in which all calls waited for budget or a retry */
  double waiting_until;     /* when they continue, in seconds since 1970; 0: they do not wait */
  double eta; /* seconds until the end, by the speed so far, the requests that a row takes, and the rate limit
                 of the minute. Negative: unknown, because total or the first result is missing, or because
                 the limit of the day does not allow all rows */
} privy_bulk_progress;
PRIVY_API void privy_bulk_get_progress(privy_bulk *bulk, privy_bulk_progress *out);
/* The same, if since it last returned true a row was done, a wait began or ended, many rows were skipped, or the last
 * row was skipped; otherwise false. */
PRIVY_API bool privy_bulk_take_progress(privy_bulk *bulk, privy_bulk_progress *out);

/* Why the run ended early: PRIVY_RATE_LIMIT, PRIVY_DEADLINE, PRIVY_AUTHENTICATION, PRIVY_PERMISSION_DENIED,
 * PRIVY_NO_MEMORY, or PRIVY_JOURNAL if its journal cannot be written. NULL if it did not. Owned by the run. */
PRIVY_API const privy_error *privy_bulk_error(const privy_bulk *bulk);

/* A row without an acknowledged result. */
typedef struct privy_bulk_row {
  uint64_t index;
  bool in_doubt;               /* the server may have acted on its request; otherwise it is unsent */
  const char *idempotency_key; /* of its request, NULL if it has none; valid until the next call of the run */
} privy_bulk_row;
/* Copies the first `capacity` rows without an acknowledged result, in order. Returns how many there are in all. */
PRIVY_API size_t privy_bulk_open_rows(const privy_bulk *bulk, privy_bulk_row *out, size_t capacity);
/* Takes no more rows and starts no more calls. Calls that have sent nothing are cancelled, and their rows are unsent;
 * the others end, and privy_bulk_next returns their results; a row that would have ended the run is unsent.
 * privy_bulk_error stays NULL. */
PRIVY_API void privy_bulk_finish(privy_bulk *bulk);
/* Cancels the calls and takes no more rows. Rows without an acknowledged result remain in privy_bulk_open_rows. */
PRIVY_API void privy_bulk_close(privy_bulk *bulk);

/* ---- sweeps: all contacts of a list ------------------------------------------------------------------------------ */

/*
 * A sweep reads all contacts that match the filters of a list, in pages of at most 100, one request at a time. Contacts
 * may be created, changed and deleted meanwhile: no contact that matches from the first request to the last is missed,
 * as long as the list keeps its order. docs/internals/sweep.md has the reasons. A contact may be on several pages: its
 * later state counts.
 *
 *   privy_sweep_new(group, list, &config, &sweep, &error);
 *   for (;;) switch (privy_sweep_next(sweep)) {
 *     case PRIVY_SWEEP_PAGE: …use privy_sweep_page(sweep)…
 *     case PRIVY_SWEEP_WAIT: privy_group_wait(group, seconds), or return to the event loop
 *     case PRIVY_SWEEP_END:  …privy_sweep_error is the reason if not all contacts were read…
 *   }
 *   privy_sweep_free(sweep);
 */
typedef struct privy_sweep privy_sweep;

typedef struct privy_sweep_config {
  privy_options options;        /* of each request; defaults as in privy_bulk_config */
  privy_spent_day on_spent_day; /* default PRIVY_SPENT_DAY_STOPS */
} privy_sweep_config;
PRIVY_API void privy_sweep_config_init(privy_sweep_config *config);

/*
 * Creates a sweep; free it with privy_sweep_free. Takes over the finished contacts.list request, also on failure; its
 * page and per_page are ignored. The group must have no other calls, serve this sweep only, and outlive it. Returns
 * PRIVY_OK, PRIVY_CONFIG_ERROR (options, or a request of another operation), or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_sweep_new(privy_group *group, privy_request *list,
                                                       const privy_sweep_config *config, privy_sweep **out,
                                                       privy_error *error);
/* Closes the sweep and frees it. In the child of a fork it leaves the call to the parent. */
PRIVY_API void privy_sweep_free(privy_sweep *sweep);

typedef enum privy_sweep_step { PRIVY_SWEEP_PAGE, PRIVY_SWEEP_WAIT, PRIVY_SWEEP_END } privy_sweep_step;
/* Takes the completion of a request, starts the next one, and returns what the caller does next. */
PRIVY_API privy_sweep_step privy_sweep_next(privy_sweep *sweep);
/* The page of PRIVY_SWEEP_PAGE. Owned by the sweep until the next privy_sweep_next. */
PRIVY_API const privy_response *privy_sweep_page(const privy_sweep *sweep);
/* Why the sweep ended early: the error of a request, PRIVY_NO_MEMORY, or PRIVY_API_STATUS with the api_code
 * "list_unstable" if the order of the list changes so much that contacts may be missing. NULL if it did not: all
 * contacts were read. Owned by the sweep. */
PRIVY_API const privy_error *privy_sweep_error(const privy_sweep *sweep);
/* Cancels the request. The sweep is then at its end, with the error PRIVY_INTERRUPTED unless it had ended before. */
PRIVY_API void privy_sweep_close(privy_sweep *sweep);

typedef struct privy_sweep_progress {
  uint64_t pages;       /* returned by privy_sweep_page */
  uint64_t contacts;    /* different ones read */
  int64_t total;        /* contacts that the list has by the last response; negative: unknown */
  uint64_t requests;    /* sent, that in progress included */
  uint64_t repeated;    /* requests whose page was not used, because the list had moved */
  double seconds;       /* since the sweep was created */
  double waited;        /* seconds in which it waited for budget or a retry */
  double waiting_until; /* when it continues, in seconds since 1970; 0: it does not wait */
  double eta;           /* seconds until the end, by the speed so far and the rate limit of the minute. Negative:
                           unknown, because there is no response yet, or because the limit of the day does not allow
                           all requests */
  double began_at;      /* when the first page was read, by the server's clock, in seconds since 1970; 0: not yet */
  double read_at;       /* when the last page was read */
} privy_sweep_progress;
PRIVY_API void privy_sweep_get_progress(privy_sweep *sweep, privy_sweep_progress *out);
/* The same, if a page came or a wait began or ended since it last returned true; otherwise false. */
PRIVY_API bool privy_sweep_take_progress(privy_sweep *sweep, privy_sweep_progress *out);

/* ---- snapshots: the contacts of a sweep in a file ---------------------------------------------------------------- */

/*
 * A snapshot is a SQLite file with the contacts that a sweep has read, and how far it has come: a sweep that was
 * interrupted, also by a killed process, continues from its last page. It holds personal data; only its owner can read
 * it. One process uses it at a time.
 *
 *   privy_snapshot_open(client, &config, &snapshot, &error);
 *   privy_snapshot_sweep(snapshot, group, list, &sweep_config, &sweep, &error);
 *   for (;;) switch (privy_sweep_next(sweep)) {
 *     case PRIVY_SWEEP_PAGE: privy_snapshot_take(snapshot, sweep, &error);
 *     case PRIVY_SWEEP_WAIT: privy_group_wait(group, seconds), or return to the event loop
 *     case PRIVY_SWEEP_END:  if (!privy_sweep_error(sweep)) privy_snapshot_complete(snapshot, sweep, &error);
 *   }
 *   privy_snapshot_close(snapshot);
 *
 * A function that can fail returns PRIVY_OK, PRIVY_NO_MEMORY, PRIVY_CONFIG_ERROR without SQLite, or PRIVY_SNAPSHOT with
 * a code that says why, such as "snapshot_locked"; after it nothing is written any more.
 */
typedef struct privy_snapshot privy_snapshot;

typedef struct privy_snapshot_config {
  const char *path;          /* its folder exists */
  const privy_request *list; /* a finished contacts.list request: its filters. The snapshot does not keep it */
  privy_resume resume; /* default PRIVY_RESUME_AUTO. PRIVY_RESUME_ONLY: a missing file is an error. _RESTART: forgets
                          all contacts */
  double longest; /* seconds, 0: no limit (default). A sweep that began longer ago is not continued, but begun again */
} privy_snapshot_config;
/* Opens or creates the file for this client's account. Another account, server or filter is an error. */
PRIVY_API PRIVY_NODISCARD privy_status privy_snapshot_open(privy_client *client, const privy_snapshot_config *config,
                                                           privy_snapshot **out, privy_error *error);
/* In the child of a fork it leaves the file to the parent. */
PRIVY_API void privy_snapshot_close(privy_snapshot *snapshot);

/* Instants are those of the server's clock, in seconds since 1970. */
typedef struct privy_snapshot_info {
  double began_at;     /* when the last complete sweep began; 0: none was completed */
  double completed_at; /* when it read its last page */
  bool in_progress;    /* a later sweep has begun, and is not complete */
  bool resumed;        /* it was begun before the file was opened */
} privy_snapshot_info;
PRIVY_API void privy_snapshot_get_info(const privy_snapshot *snapshot, privy_snapshot_info *out);

/* Creates the sweep that fills the snapshot: one that continues where the last one stopped, or a new one after a sweep
 * that was completed. Takes over `list`, whose filters are those of the snapshot. Returns as privy_sweep_new does. */
PRIVY_API PRIVY_NODISCARD privy_status privy_snapshot_sweep(privy_snapshot *snapshot, privy_group *group,
                                                            privy_request *list, const privy_sweep_config *config,
                                                            privy_sweep **out, privy_error *error);
/* Stores the page of PRIVY_SWEEP_PAGE and the state of the sweep. When it returns PRIVY_OK they survive a crash. */
PRIVY_API PRIVY_NODISCARD privy_status privy_snapshot_take(privy_snapshot *snapshot, const privy_sweep *sweep,
                                                           privy_error *error);
/* Completes the snapshot after a sweep that has read all contacts: those that it did not find have vanished. */
PRIVY_API PRIVY_NODISCARD privy_status privy_snapshot_complete(privy_snapshot *snapshot, const privy_sweep *sweep,
                                                               privy_error *error);

/* Stores a contact that another response has returned, `read_at` by the server's clock. */
PRIVY_API PRIVY_NODISCARD privy_status privy_snapshot_put(privy_snapshot *snapshot, const privy_record *contact,
                                                          double read_at, privy_error *error);
/* The next contacts, in the order in which they were first read, without those that have vanished. `*position` is 0 at
 * first. `*page` is a response that the caller releases; NULL after the last one. */
PRIVY_API PRIVY_NODISCARD privy_status privy_snapshot_read(privy_snapshot *snapshot, int64_t *position,
                                                           privy_response **page, privy_error *error);
/* Called with each contact, which is valid until it returns. False ends the reading. */
typedef bool privy_snapshot_function(void *context, const privy_record *contact);
PRIVY_API PRIVY_NODISCARD privy_status privy_snapshot_each(privy_snapshot *snapshot, privy_snapshot_function *function,
                                                           void *context, privy_error *error);
/* Finds a contact by a value of its field `name`: "email", which ignores the case of A to Z, "phone_number" or "id".
 * `*contact` is a response of one record that the caller releases; NULL if there is none. */
PRIVY_API PRIVY_NODISCARD privy_status privy_snapshot_find(privy_snapshot *snapshot, const char *name,
                                                           const char *value, size_t length, privy_response **contact,
                                                           privy_error *error);

/* ---- exports: the contacts of a sweep as a file ------------------------------------------------------------------ */

/*
 * An export reads all contacts of a list and writes them to a file. It keeps what it has read in a snapshot,
 * "PATH.partial": an export that was interrupted, also by a killed process, continues from its last page. The file gets
 * its name when it is complete; PATH.partial is then deleted. Both files are created with the mode 0600; a file that is
 * replaced keeps its mode.
 *
 *   privy_export_new(group, list, &config, &export, &error);
 *   for (;;) switch (privy_export_next(export)) {
 *     case PRIVY_EXPORT_WAIT:    privy_group_wait(group, seconds), or return to the event loop
 *     case PRIVY_EXPORT_AGAIN:   …check for signals…
 *     case PRIVY_EXPORT_COLUMNS: …write the pages of privy_export_pages to privy_export_output… privy_export_written
 *     case PRIVY_EXPORT_END:     …privy_export_error is the reason if there is no file…
 *   }
 *   privy_export_free(export);
 */
typedef struct privy_export privy_export;

/* The formats: X(constant, name, what the file holds) */
#define PRIVY_EXPORT_FORMATS(X)                                                                                        \
  X(CSV, "csv", "RFC 4180, UTF-8, with a header. Tags and custom fields are JSON.")                                    \
  X(JSONL, "jsonl", "An object in each line, with all fields as received.")                                            \
  X(DATABASE, "db", "SQLite, the table contacts. Tags and custom fields are JSON.")                                    \
  X(PARQUET, "parquet", "Columns as in data frames; the caller writes it.")

typedef enum privy_export_format {
#define X(constant, name, doc) PRIVY_EXPORT_##constant,
  PRIVY_EXPORT_FORMATS(X)
#undef X
      PRIVY_EXPORT_FORMAT_COUNT
} privy_export_format;
/* Sets the format from its name, or if that is NULL from the end of the path: .csv, .jsonl, .ndjson, .db, .sqlite,
 * .sqlite3, .parquet. PRIVY_OK, PRIVY_CONFIG_ERROR with the formats in its message, or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_export_format_read(const char *name, const char *path,
                                                                privy_export_format *out, privy_error *error);

typedef struct privy_export_config {
  const char *path;             /* its folder exists */
  privy_export_format format;   /* default PRIVY_EXPORT_CSV */
  privy_resume resume;          /* of PATH.partial; default PRIVY_RESUME_AUTO */
  privy_options options;        /* of each request; defaults as in privy_bulk_config */
  privy_spent_day on_spent_day; /* default PRIVY_SPENT_DAY_STOPS */
} privy_export_config;
PRIVY_API void privy_export_config_init(privy_export_config *config);

/*
 * Creates an export; free it with privy_export_free. Takes over the finished contacts.list request, also on failure.
 * The group must have no other calls, serve this export only, and outlive it. Returns as privy_snapshot_open and
 * privy_sweep_new do, or PRIVY_SNAPSHOT if the file cannot be written.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_export_new(privy_group *group, privy_request *list,
                                                        const privy_export_config *config, privy_export **out,
                                                        privy_error *error);
/* Closes the export and frees it. PATH.partial remains unless the file is complete. */
PRIVY_API void privy_export_free(privy_export *export);

typedef enum privy_export_step {
  PRIVY_EXPORT_WAIT,
  PRIVY_EXPORT_AGAIN,
  PRIVY_EXPORT_COLUMNS,
  PRIVY_EXPORT_END
} privy_export_step;
/* Takes the completion of a request, starts the next one, or writes some contacts, and returns what is next. */
PRIVY_API privy_export_step privy_export_next(privy_export *export);
/* At PRIVY_EXPORT_COLUMNS: where to write the columns, and the pages for privy_columns_stream, which must be released
 * before the export is used again. */
PRIVY_API const char *privy_export_output(const privy_export *export);
PRIVY_API privy_page_source privy_export_pages(privy_export *export);
/* The output is complete. */
PRIVY_API void privy_export_written(privy_export *export);
/* Why the export ended early: as privy_sweep_error, or PRIVY_SNAPSHOT if a file cannot be written. NULL if it did not:
 * the file is complete. Owned by the export. */
PRIVY_API const privy_error *privy_export_error(const privy_export *export);
/* Cancels the request. The export is then at its end, with the error PRIVY_INTERRUPTED unless it had ended before. */
PRIVY_API void privy_export_close(privy_export *export);

typedef struct privy_export_progress {
  privy_sweep_progress sweep; /* counts of this export's requests; `contacts` includes those of earlier ones */
  uint64_t written;           /* contacts written to the file */
  bool resumed;               /* it continues an earlier one */
  double began_at;            /* when the first contact was read, by the server's clock; 0: not yet */
} privy_export_progress;
PRIVY_API void privy_export_get_progress(privy_export *export, privy_export_progress *out);
/* The same, if there is something new to report since it last returned true; otherwise false. */
PRIVY_API bool privy_export_take_progress(privy_export *export, privy_export_progress *out);

/* ---- plans: what rows of contacts would change ------------------------------------------------------------------- */

/*
 * A plan compares rows, which are contacts.upsert requests, with the contacts of the account, and then sends only what
 * differs. It reads pages of 100 contacts, or looks up each row by its e-mail address or phone number, whichever takes
 * fewer requests. Nothing is changed before privy_plan_apply.
 *
 *   privy_plan_new(group, &config, &plan, &error);
 *   for each row: privy_plan_add(plan, request), or privy_plan_refuse(plan, &error) if its request is invalid
 *   privy_plan_end_rows(plan);
 *   for (;;) switch (privy_plan_next(plan)) {
 *     case PRIVY_PLAN_WAIT:  privy_group_wait(group, seconds), or return to the event loop
 *     case PRIVY_PLAN_AGAIN: …check for signals…
 *     case PRIVY_PLAN_END:   …privy_plan_error is the reason if it ended early…
 *   }
 *   …privy_plan_count, privy_plan_row_at, privy_plan_text…
 *   privy_plan_apply(plan, other_group, &bulk_config, &bulk, &error);   then drive the run as any bulk run
 *   privy_plan_free(plan);
 */
typedef struct privy_plan privy_plan;

/* What a plan does with tags and custom fields, which the API replaces completely. */
typedef enum privy_plan_mode {
  PRIVY_PLAN_REPLACE, /* a contact has those of the row afterwards */
  PRIVY_PLAN_MERGE /* …and those that it has: the union of the tags; a custom field of the row replaces the stored one
                      of its name, also with null */
} privy_plan_mode;
/* Sets a mode from its name, "replace" or "merge"; `name` is that of the setting. PRIVY_OK, PRIVY_CONFIG_ERROR or
 * PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_plan_mode_read(const char *name, const char *text, size_t length,
                                                            privy_plan_mode *out, privy_error *error);

typedef struct privy_plan_config {
  privy_plan_mode tags, fields; /* fields: the custom ones. Default PRIVY_PLAN_REPLACE */
  bool resubscribe;             /* rows may widen a consent that was withdrawn: see PRIVY_PLAN_BLOCKS. Default false */
  /* A file (privy_snapshot) that keeps the contacts that were read, or NULL (default). One that is complete, of this
   * account and not older than max_age replaces the reading. */
  const char *snapshot;
  double max_age;               /* seconds, 0 or more; default 0: a snapshot is written and never reused */
  int64_t concurrency;          /* requests at once, 1 or more; default 8 */
  privy_options options;        /* of each request; defaults as in privy_bulk_config */
  privy_spent_day on_spent_day; /* default PRIVY_SPENT_DAY_STOPS */
} privy_plan_config;
PRIVY_API void privy_plan_config_init(privy_plan_config *config);

/*
 * Creates a plan; free it with privy_plan_free. The group must have no other calls, serve this plan only, and outlive
 * its reading: after PRIVY_PLAN_END, or privy_plan_close, the plan does not use it any more. The client must outlive
 * the plan. Returns PRIVY_OK, PRIVY_CONFIG_ERROR for an invalid configuration, or PRIVY_NO_MEMORY.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_plan_new(privy_group *group, const privy_plan_config *config,
                                                      privy_plan **out, privy_error *error);
/* Closes the plan and frees it. In the child of a fork it leaves the calls to the parent. */
PRIVY_API void privy_plan_free(privy_plan *plan);

/* Adds a row, numbered from 0; takes over its finished contacts.upsert request. When memory runs out, privy_plan_next
 * returns PRIVY_PLAN_END and privy_plan_error reports it, here and in the next two functions. */
PRIVY_API void privy_plan_add(privy_plan *plan, privy_request *request);
/* Adds a row whose request is invalid; copies the details of the error, or its message if it has none. */
PRIVY_API void privy_plan_refuse(privy_plan *plan, const privy_error *error);
/* The same in single steps: adds a row that is refused, then each of its details. */
PRIVY_API void privy_plan_refuse_row(privy_plan *plan);
PRIVY_API void privy_plan_refuse_detail(privy_plan *plan, const char *field, const char *message, const char *code,
                                        int64_t count);
/* Reports that there are no more rows. */
PRIVY_API void privy_plan_end_rows(privy_plan *plan);

typedef enum privy_plan_step { PRIVY_PLAN_WAIT, PRIVY_PLAN_AGAIN, PRIVY_PLAN_END } privy_plan_step;
/* Takes the completions of the group, starts calls, compares some rows, and returns what the caller does next. */
PRIVY_API privy_plan_step privy_plan_next(privy_plan *plan);
/* Cancels the calls. The plan is then incomplete, unless it was complete before. */
PRIVY_API void privy_plan_close(privy_plan *plan);
/* Why the plan is incomplete: the error of a request or of the snapshot, PRIVY_INTERRUPTED if it was closed, or
 * PRIVY_NO_MEMORY. NULL if it is complete, or not ended. Owned by the plan. */
PRIVY_API const privy_error *privy_plan_error(const privy_plan *plan);

typedef struct privy_plan_progress {
  uint64_t rows;        /* rows added */
  uint64_t requests;    /* sent */
  int64_t expected;     /* requests in all; negative: unknown before the first response */
  double seconds;       /* since the plan was created */
  double waiting_until; /* when calls that wait for budget or a retry continue, in seconds since 1970; 0: none waits */
  double eta;           /* seconds until the end, by the rate limits; negative: unknown */
} privy_plan_progress;
PRIVY_API void privy_plan_get_progress(privy_plan *plan, privy_plan_progress *out);
/* The same, if a response came or a wait began or ended since it last returned true; otherwise false. */
PRIVY_API bool privy_plan_take_progress(privy_plan *plan, privy_plan_progress *out);

/* What would become of a row: X(constant, name, what it means) */
#define PRIVY_PLAN_STATES(X)                                                                                           \
  X(CREATE, "create", "No contact has its e-mail address or phone number: one is created.")                            \
  X(UPDATE, "update", "A contact differs from it: the fields that differ are sent.")                                   \
  X(UNCHANGED, "unchanged", "A contact has all that it says: nothing is sent.")                                        \
  X(BLOCKED, "blocked", "It must not or cannot be applied: nothing is sent.")                                          \
  X(REFUSED, "refused", "It is invalid: nothing is sent.")

typedef enum privy_plan_state {
#define X(constant, name, doc) PRIVY_PLAN_##constant,
  PRIVY_PLAN_STATES(X)
#undef X
      PRIVY_PLAN_STATE_COUNT
} privy_plan_state;
/* The static name of a state, which is below PRIVY_PLAN_STATE_COUNT. */
PRIVY_API const char *privy_plan_state_name(privy_plan_state state);

/* Why a row is blocked: X(constant, code of the detail, what it means) */
#define PRIVY_PLAN_BLOCKS(X)                                                                                           \
  X(RESUBSCRIBES, "resubscribes", "It widens a consent that the person or the shop withdrew, without `resubscribe`.")  \
  X(COMPLIANCE, "compliance_suppressed", "The contact is under compliance suppression: the API refuses each write.")   \
  X(IMMUTABLE, "immutable", "The contact has another e-mail address or phone number, which cannot change.")            \
  X(TWO_CONTACTS, "two_contacts", "Its e-mail address and its phone number belong to two contacts.")                   \
  X(TRANSITION, "transition", "The API does not accept this change of the consent to SMS.")                            \
  X(NEEDS_PHONE, "phone_required", "This consent to SMS needs a phone number.")                                        \
  X(NO_ID, "no_id", "The API's response has no id of the contact.")

typedef struct privy_plan_counts {
  uint64_t total;                        /* rows */
  uint64_t rows[PRIVY_PLAN_STATE_COUNT]; /* rows of each state */
  uint64_t requests;                     /* that privy_plan_apply sends. Rows of one contact share a request */
  uint64_t requests_read;                /* that the reading has sent */
  double duration; /* seconds that `requests` take by the rate limits; negative: longer than the day's limit allows */
  double read_at;  /* when the contacts were read, in seconds since 1970 */
  bool from_snapshot; /* they come from the snapshot */
} privy_plan_counts;
/* Of a complete plan. */
PRIVY_API void privy_plan_count(const privy_plan *plan, privy_plan_counts *out);

/* A row of a complete plan, valid as long as the plan. */
typedef struct privy_plan_row {
  uint64_t index;
  privy_plan_state state;
  const char *key;        /* the e-mail address, or else the phone number, or ""; not masked */
  const char *contact_id; /* of the contact that it is about; NULL: none yet */
  int64_t request;        /* number of its request among those of privy_plan_apply, from 0; negative: none */
  /* An object with a member for each field that changes: an array of the old value and the new one. A field that the
   * contact does not have yet has null as its old value. PRIVY_ABSENT if nothing changes. */
  privy_value changes;
  /* Of BLOCKED: why, with a code of PRIVY_PLAN_BLOCKS; `changes` has what is not sent. Of REFUSED: the errors. */
  const privy_details *details;
} privy_plan_row;
/* The row at `index`; false past the end. */
PRIVY_API bool privy_plan_row_at(const privy_plan *plan, uint64_t index, privy_plan_row *out);
/* The row number `nth`, from 0, of those of a state, in order; false past the end. */
PRIVY_API bool privy_plan_row_of(const privy_plan *plan, privy_plan_state state, uint64_t nth, privy_plan_row *out);

/* Appends the plan as text of several lines: the counts, what applying takes, and the first `most` rows of each state
 * but UNCHANGED, with e-mail addresses and phone numbers masked. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_plan_text(const privy_plan *plan, size_t most, privy_buffer *out);
/* Appends a row as one line of that text: its number, key, and what changes or why nothing is sent. */
PRIVY_API PRIVY_NODISCARD privy_status privy_plan_row_text(const privy_plan_row *row, privy_buffer *out);
/* Appends the first line of that text: the counts. */
PRIVY_API PRIVY_NODISCARD privy_status privy_plan_summary(const privy_plan *plan, privy_buffer *out);

/*
 * Creates the bulk run that sends what differs: for each contact that a row creates or changes one contacts.create, or
 * one contacts.update with the fields that differ. `operation` and `total` of the configuration are the plan's. A
 * journal has the operation "contacts.apply"; a plan of the same snapshot skips what it says was done. A plan is
 * applied once. Returns as privy_bulk_new does, and PRIVY_CONFIG_ERROR if the plan is incomplete or was applied. The
 * plan must outlive the run. A contact that was changed after the plan was read keeps what the plan does not change.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_plan_apply(privy_plan *plan, privy_group *group,
                                                        const privy_bulk_config *config, privy_bulk **out,
                                                        privy_error *error);
/* The operation of what that run sends: its responses are contacts. */
PRIVY_API const privy_operation *privy_plan_operation(const privy_plan *plan);
/* Does what PRIVY_BULK_ROW of that run asks for: adds a request, or ends the rows. Row n of the run is request n of the
 * plan. False if an earlier run has its outcome in the journal: it is skipped and has no result. */
PRIVY_API bool privy_plan_feed(privy_plan *plan, privy_bulk *bulk);
/* Keeps the result in the snapshot, if there is one: call it for each PRIVY_BULK_RESULT before
 * privy_bulk_acknowledge. */
PRIVY_API void privy_plan_keep(privy_plan *plan, const privy_bulk_result_view *result);
/* The first row of request `request`, which is below `requests`. */
PRIVY_API uint64_t privy_plan_row_of_request(const privy_plan *plan, uint64_t request);

/* ---- reading a journal ------------------------------------------------------------------------------------------- */

/*
 * What the journal of a bulk run holds, also while a run of another process writes it. Reading never changes the file.
 * Several threads may use one view. Each row is read when it is asked for, so that a journal of any size takes little
 * memory; a row that a run changes meanwhile is read as it is then.
 *
 *   privy_journal_view_open("orders.db", &view, &error);
 *   privy_journal_view_summary(view, &summary, &error);
 *   privy_journal_entries_new(view, PRIVY_ENTRIES_REFUSED, &entries);
 *   while (privy_journal_entries_next(entries, &entry, &found, &error) == PRIVY_OK && found) …use entry…
 *   privy_journal_entries_free(entries);
 *   privy_journal_view_free(view);
 *
 * Each function that can fail returns PRIVY_OK, PRIVY_NO_MEMORY, or the error of a journal that cannot be used, whose
 * api_code says why: "journal_missing" (no file, or no run has written to it yet), "not_a_journal", "journal_newer",
 * "journal_damaged", "journal_forked" (opened before a fork), "journal_locked", "journal_read_only",
 * "journal_unusable".
 */
typedef struct privy_journal_view privy_journal_view;

/* The state of a row: X(name, as the file spells it) */
#define PRIVY_JOURNAL_STATES(X)                                                                                        \
  X(PENDING, "pending")       /* not sent, or the server did not process it: the next run sends it */                  \
  X(SENT, "sent")             /* sent, and no outcome is known: it is in doubt if no run is in progress */             \
  X(DONE, "done")             /* the server accepted it */                                                             \
  X(CREATED, "created")       /* …and created the contact or order */                                                \
  X(UPDATED, "updated")       /* …and updated it */                                                                  \
  X(REFUSED, "refused")       /* the server refused it for what it contains */                                         \
  X(INVALID, "invalid")       /* found invalid before sending; the next run checks it again */                         \
  X(SUPERSEDED, "superseded") /* it has an outcome, but then an earlier row of its key was sent again: so is this one  \
                               */

typedef enum privy_journal_state {
#define X(name, text) PRIVY_JOURNAL_##name,
  PRIVY_JOURNAL_STATES(X)
#undef X
      PRIVY_JOURNAL_STATE_COUNT
} privy_journal_state;
/* The state as the file spells it. */
PRIVY_API const char *privy_journal_state_name(privy_journal_state state);

/* Opens a journal; free it with privy_journal_view_free. */
PRIVY_API PRIVY_NODISCARD privy_status privy_journal_view_open(const char *path, privy_journal_view **out,
                                                               privy_error *error);
/* Entries of the view must be freed before. In the child of a fork it leaves the file to the parent. */
PRIVY_API void privy_journal_view_free(privy_journal_view *view);

/* What all runs of a journal have reached. A run that was killed counts with what it had written last. */
typedef struct privy_journal_summary {
  const char *operation; /* "orders.upsert", …; owned by the view */
  const char *server;    /* the base URL, or "sandbox"; owned by the view */
  bool account_known;    /* a run knew to which account it belongs */
  double began;          /* seconds since 1970 */
  uint64_t counts[PRIVY_JOURNAL_STATE_COUNT];
  uint64_t total;     /* rows: those that a run has taken from its source */
  uint64_t succeeded; /* DONE, CREATED and UPDATED */
  uint64_t failed;    /* REFUSED and INVALID */
  uint64_t unsent;    /* PENDING and SUPERSEDED: the next run sends them */
  uint64_t in_doubt;  /* SENT */
  uint64_t details;   /* entries of PRIVY_ENTRIES_REFUSED */
  uint64_t runs;      /* that were started; resume = PRIVY_RESUME_RESTART begins to count again */
  uint64_t killed;    /* of them: those that did not end; a run in progress is one of them */
  uint64_t requests;  /* of all runs. A run that was killed may have sent up to `concurrency` more */
  double seconds;     /* of all runs together */
  double waited;      /* in which all calls of a run waited for budget or a retry */
  bool finished;      /* the last run read its source to the end, and no row is unsent or in doubt */
  char stopped[256];  /* why the last run ended early; "": it did not, or has not ended */
} privy_journal_summary;
PRIVY_API PRIVY_NODISCARD privy_status privy_journal_view_summary(privy_journal_view *view, privy_journal_summary *out,
                                                                  privy_error *error);

typedef enum privy_entries_kind {
  PRIVY_ENTRIES_REFUSED, /* one entry for each error detail of each row that is REFUSED or INVALID */
  PRIVY_ENTRIES_IN_DOUBT /* one entry for each row that is SENT */
} privy_entries_kind;

/* Texts and values are valid until the next entry is read. */
typedef struct privy_journal_entry {
  uint64_t row;        /* index in the source of the run that sent or checked it last, from 0 */
  const char *key;     /* what identifies the row: "order_id=1001", "email=jane@example.com", or "content=" and a hash;
                          NULL: an invalid row without a key */
  privy_value request; /* the JSON object that was sent, or was to be sent; PRIVY_ABSENT: it is not known */
  int http_status;     /* of the last response; 0: none */
  /* of PRIVY_ENTRIES_REFUSED */
  const char *field, *message, *code;
  int64_t count;     /* the limit of the rule; -1: it has none */
  privy_value value; /* of the field, in the request; PRIVY_ABSENT: the request does not have it */
  /* of PRIVY_ENTRIES_IN_DOUBT */
  const char *idempotency_key; /* of the request; NULL: none */
  double first_sent;           /* seconds since 1970, by the server's clock */
  bool too_old; /* an event that was sent for the first time more than a day ago, by the clock of this machine: a run
                   does not send it again unless privy_journal_view_decide allows it */
  bool decided; /* the next run sends it again, as privy_journal_view_decide wrote */
} privy_journal_entry;

typedef struct privy_journal_entries privy_journal_entries;
/* Begins with the first entry, in the order in which the rows came to the journal. Free it with
 * privy_journal_entries_free, before the view. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_API PRIVY_NODISCARD privy_status privy_journal_entries_new(privy_journal_view *view, privy_entries_kind kind,
                                                                 privy_journal_entries **out);
/* Reads the next entry. `*found` is false at the end; rows that a run adds afterwards can then be read by another
 * call. */
PRIVY_API PRIVY_NODISCARD privy_status privy_journal_entries_next(privy_journal_entries *entries,
                                                                  privy_journal_entry *out, bool *found,
                                                                  privy_error *error);
PRIVY_API void privy_journal_entries_free(privy_journal_entries *entries);

typedef enum privy_rejects_format {
  PRIVY_REJECTS_CSV,  /* RFC 4180, UTF-8, with a line of names. A column for each field of the requests, in the order in
                         which they first occur; lists and objects are JSON. A cell is empty if the row does not have
                         the field or if it is null */
  PRIVY_REJECTS_LINES /* a line of JSON for each row: an object with the fields of the request */
} privy_rejects_format;
/*
 * Writes the rows that are REFUSED or INVALID to a file, a line for each row. The columns privy_field and privy_reason,
 * which come first, say what is wrong; several error details are separated by "; ". The file gets the mode 0600, and
 * its name when it is complete. Sets `*rows` (may be NULL) to the number of rows.
 *
 * Returns as above. If the file cannot be written it returns PRIVY_CONFIG_ERROR, with the system's error number in
 * `*number`, which is otherwise 0.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_journal_view_write_rejects(privy_journal_view *view, const char *path,
                                                                        privy_rejects_format format, uint64_t *rows,
                                                                        int *number, privy_error *error);

/* What is to become of a row in doubt. */
typedef enum privy_decision {
  PRIVY_DECISION_SEND, /* the next run sends it again, with the idempotency key of its first request. If the server no
                          longer remembers the key, an event is recorded twice */
  PRIVY_DECISION_SKIP  /* it counts as DONE: no run sends it again */
} privy_decision;
/*
 * Writes a decision about rows in doubt (SENT): those that have this key, or the one at index `row` of the source, or
 * both. `key`: NULL is any; `row`: -1 is any. Sets `*decided` (may be NULL) to their number. It writes the file, under
 * the lock that a run holds: while a run is in progress it returns "journal_locked". If there is no such row in doubt,
 * or if several rows have had this index and no key is given, it returns "journal_not_in_doubt" or "journal_ambiguous",
 * and changes nothing.
 */
PRIVY_API PRIVY_NODISCARD privy_status privy_journal_view_decide(privy_journal_view *view, const char *key, int64_t row,
                                                                 privy_decision decision, uint64_t *decided,
                                                                 privy_error *error);

#ifdef __cplusplus
}
#endif

#endif
