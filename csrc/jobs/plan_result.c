#include <math.h>
#include <string.h>

#include "jobs/plan.h"

void privy_plan_clear_results(privy_plan *plan) {
  privy_free(plan->requests.items);
  privy_free(plan->by_state);
}

/* A row whose changes a later row of its contact takes back changes nothing. */
static void settle_row(privy_plan *plan, plan_row *row) {
  if (row->state != PRIVY_PLAN_UPDATE || plan->contacts.items[row->contact].patch.length) return;
  row->state = PRIVY_PLAN_UNCHANGED;
  privy_buffer_clear(&row->changes);
}

static bool number_request(privy_plan *plan, size_t row) {
  plan_contact *contact = &plan->contacts.items[plan->rows.items[row].contact];
  size_t *grown;
  if (contact->request >= 0) return true;
  if (!PLAN_GROW(plan->requests, grown)) return false;
  contact->request = (int64_t)plan->requests.count;
  plan->requests.items[plan->requests.count++] = row;
  return true;
}

/* Sorts the rows by state, keeping their order. */
static void sort_rows(privy_plan *plan) {
  size_t at[PRIVY_PLAN_STATE_COUNT] = {0}, start = 0;
  for (size_t i = 0; i < PRIVY_PLAN_STATE_COUNT; i++) {
    at[i] = start;
    start += (size_t)plan->state_counts[i];
  }
  for (size_t i = 0; i < plan->rows.count; i++) plan->by_state[at[plan->rows.items[i].state]++] = i;
}

bool privy_plan_finish(privy_plan *plan) {
  for (size_t i = 0; i < plan->contacts.count; i++)
    if (!privy_plan_reduce(plan, &plan->contacts.items[i])) return false;
  plan->by_state = privy_calloc(plan->rows.count + 1, sizeof *plan->by_state);
  if (!plan->by_state) return false;
  for (size_t i = 0; i < plan->rows.count; i++) {
    plan_row *row = &plan->rows.items[i];
    settle_row(plan, row);
    plan->state_counts[row->state]++;
    if ((row->state == PRIVY_PLAN_CREATE || row->state == PRIVY_PLAN_UPDATE) && !number_request(plan, i)) return false;
  }
  sort_rows(plan);
  return true;
}

/* ---- what the caller reads ---- */

void privy_plan_count(const privy_plan *plan, privy_plan_counts *out) {
  *out =
      (privy_plan_counts){.total = plan->rows.count,
                          .requests = plan->requests.count,
                          .requests_read = privy_plan_requests_sent(plan),
                          .duration = privy_client_forecast(plan->client, &plan->options, (double)plan->requests.count),
                          .read_at = plan->read_at,
                          .from_snapshot = plan->from_snapshot};
  memcpy(out->rows, plan->state_counts, sizeof out->rows);
}

bool privy_plan_row_at(const privy_plan *plan, uint64_t index, privy_plan_row *out) {
  if (plan->phase != PLAN_COMPLETE || index >= plan->rows.count) return false;
  const plan_row *row = &plan->rows.items[index];
  const plan_contact *contact = row->contact == PLAN_NONE ? NULL : &plan->contacts.items[row->contact];
  const bool sends = row->state == PRIVY_PLAN_CREATE || row->state == PRIVY_PLAN_UPDATE;
  *out = (privy_plan_row){.index = index,
                          .state = (privy_plan_state)row->state,
                          .key = row->key ? row->key : "",
                          .contact_id = contact ? contact->id : NULL,
                          .request = contact && sends ? contact->request : -1,
                          .details = &row->details};
  if (row->changes.length)
    out->changes =
        (privy_value){.text = row->changes.data, .length = (uint32_t)row->changes.length, .type = PRIVY_OBJECT};
  return true;
}

bool privy_plan_row_of(const privy_plan *plan, privy_plan_state state, uint64_t nth, privy_plan_row *out) {
  if (plan->phase != PLAN_COMPLETE || nth >= plan->state_counts[state]) return false;
  uint64_t at = nth;
  for (size_t i = 0; i < (size_t)state; i++) at += plan->state_counts[i];
  return privy_plan_row_at(plan, plan->by_state[at], out);
}

uint64_t privy_plan_row_of_request(const privy_plan *plan, uint64_t request) {
  return plan->requests.items[request];
}
