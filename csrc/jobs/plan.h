/*
 * The contents of the privy_plan of privy_jobs.h, and the steps of its making:
 *
 *   plan.c          rows, steps, progress; plan_end.c: an early end
 *   plan_contacts.c which row is about which contact
 *   plan_read.c     pages, look-ups (plan_lookup.c) or a snapshot (plan_snapshot.c)
 *   plan_compare.c  what a row changes; plan_consents.c: what it must not change
 *   plan_result.c   requests and counts; plan_text.c: the plan as text
 *   plan_apply.c    the bulk run
 */
#ifndef PRIVY_JOBS_PLAN_H
#define PRIVY_JOBS_PLAN_H

#include "base/buffer.h"
#include "base/map.h"
#include "base/memory.h"
#include "client/group.h"
#include "jobs/row_keys.h"
#include "privy_jobs.h"

#define PLAN_NONE SIZE_MAX

typedef enum plan_phase {
  PLAN_TAKES_ROWS,
  PLAN_READS,
  PLAN_COMPARES,
  PLAN_COMPLETE,
  PLAN_ENDED /* early, with the error */
} plan_phase;

/* An e-mail address or phone number of a row. */
typedef struct plan_key {
  const privy_field *field;
  size_t row;     /* the first that has it */
  size_t contact; /* that has it, after the rows that were compared; PLAN_NONE: none */
  bool known;     /* it is known which contact has it */
} plan_key;

/* A contact that rows are about. */
typedef struct plan_contact {
  char *id;                      /* NULL: the contact is to be created, or the response has none */
  privy_buffer base;             /* the record that was read, as JSON; empty: there is no such contact */
  privy_buffer patch;            /* an object of what is sent; empty: nothing */
  size_t rows;                   /* that change it */
  int64_t request;               /* its number; negative: none */
  bool keys[PRIVY_MAX_ROW_KEYS]; /* the record has an e-mail address, a phone number */
} plan_contact;

typedef struct plan_row {
  char *body; /* of its request; NULL: the row is refused */
  uint32_t length;
  uint8_t key_count;
  uint8_t state; /* a privy_plan_state */
  size_t keys[PRIVY_MAX_ROW_KEYS];
  char *key; /* that is shown; NULL: none */
  size_t contact;
  privy_buffer changes; /* see privy_plan_row.changes; empty: none */
  privy_details details;
} plan_row;

/* A growing array. */
#define PLAN_LIST(type)                                                                                                \
  struct {                                                                                                             \
    type *items;                                                                                                       \
    size_t count, capacity;                                                                                            \
  }

/* Makes room for one more item. Not a pointer if memory ran out: then nothing has changed. */
#define PLAN_GROW(list, grown)                                                                                         \
  ((grown) = privy_grow((list).items, (list).count, &(list).capacity, sizeof *(list).items),                           \
   (grown) ? ((list).items = (grown), true) : false)

typedef struct plan_read plan_read;

struct privy_plan {
  privy_group *group;   /* NULL after the reading */
  privy_client *client; /* of the group */
  privy_plan_config config;
  char *snapshot_path;
  privy_snapshot *snapshot; /* while the plan is read and applied */
  privy_bulk *run;          /* that applies it; NULL: none */
  privy_options options;
  plan_phase phase;
  privy_error error;
  PLAN_LIST(plan_row) rows;
  PLAN_LIST(plan_key) keys;
  PLAN_LIST(plan_contact) contacts;
  privy_map key_numbers;     /* by the text of privy_row_keys */
  privy_map contact_numbers; /* by id */
  size_t keys_unknown;
  privy_request *headers;     /* the first row's request: it has the headers that the user gave */
  plan_read *read;            /* NULL: nothing is being read */
  size_t compared;            /* rows */
  PLAN_LIST(size_t) requests; /* by number: the first row */
  size_t *by_state;           /* rows, sorted by state */
  uint64_t state_counts[PRIVY_PLAN_STATE_COUNT];
  uint64_t requests_read;
  double started_at; /* by the client's clock */
  double read_at;    /* in seconds since 1970 */
  bool from_snapshot, applied;
  uint64_t fed; /* requests given to the run */
  uint64_t reported_requests;
  double reported_wait;
};

/* Ends the plan early. The first error is the reason. Takes over the contents of `error`. */
void privy_plan_stop(privy_plan *plan, privy_error *error);
void privy_plan_stop_without_memory(privy_plan *plan);

/* ---- plan_contacts.c ---- */

/* Adds the keys of a finished request to the row. False when memory runs out. */
PRIVY_NODISCARD bool privy_plan_add_keys(privy_plan *plan, plan_row *row, size_t number, const privy_request *request);
/* Keeps a contact that was read, if a row is about it, in place of an earlier state. False when memory runs out. */
PRIVY_NODISCARD bool privy_plan_keep_contact(privy_plan *plan, const privy_record *record);
/* Records that it is known which contact has the key: the one that was kept, or none. */
void privy_plan_settle_key(privy_plan *plan, size_t key);
/* The number of the contact that the row is about: a new one if it has none. `*conflict`: its keys belong to two.
 * PLAN_NONE when memory runs out. */
size_t privy_plan_find_contact(privy_plan *plan, const plan_row *row, bool *conflict);
/* Records that the contact has all keys of the row. */
void privy_plan_claim_keys(privy_plan *plan, const plan_row *row, size_t contact);
void privy_plan_clear_contact(plan_contact *contact);

/* ---- plan_read.c ---- */

/* Begins to read. Changes the phase when there is nothing to read. */
void privy_plan_begin_reading(privy_plan *plan);
/* Takes completions and starts calls. Changes the phase when all is read. */
void privy_plan_read_on(privy_plan *plan);
/* Cancels the calls and counts their requests. */
void privy_plan_end_reading(privy_plan *plan);
/* Requests sent so far, and in all; -1: unknown. */
uint64_t privy_plan_requests_sent(const privy_plan *plan);
int64_t privy_plan_requests_expected(const privy_plan *plan);

/* ---- plan_snapshot.c ---- */

/* Opens the snapshot of the configuration. Returns as privy_snapshot_open does. */
PRIVY_NODISCARD privy_status privy_plan_open_snapshot(privy_plan *plan, privy_error *error);
void privy_plan_close_snapshot(privy_plan *plan);
/* Whether the snapshot replaces the reading. */
bool privy_plan_has_fresh_snapshot(const privy_plan *plan);
/* Whether an earlier process has begun the sweep of the snapshot. */
bool privy_plan_resumes_snapshot(const privy_plan *plan);
/* Makes the instant of the reading that of the snapshot, which is complete. */
void privy_plan_date_by_snapshot(privy_plan *plan);
/* Keeps the next contacts of the snapshot. False after the last ones, and after an error, which ends the plan. */
PRIVY_NODISCARD bool privy_plan_load_page(privy_plan *plan);
/* Writes the contacts of a response to the snapshot, if there is one. */
PRIVY_NODISCARD privy_status privy_plan_put(privy_plan *plan, const privy_response *response, privy_error *error);
/* A finished request for all contacts; NULL when memory runs out. */
privy_request *privy_plan_new_list(void);

/* ---- plan_compare.c ---- */

/* Sets the row's state, changes and details, and changes its contact. False when memory runs out. */
PRIVY_NODISCARD bool privy_plan_compare_row(privy_plan *plan, size_t number);
/* Removes from what is sent to a contact, after several rows, what it has already. False when memory runs out. */
PRIVY_NODISCARD bool privy_plan_reduce(privy_plan *plan, plan_contact *contact);

/* ---- plan_result.c ---- */

/* Numbers the requests and sorts the rows by state. False when memory runs out. */
PRIVY_NODISCARD bool privy_plan_finish(privy_plan *plan);
void privy_plan_clear_results(privy_plan *plan);

#endif
