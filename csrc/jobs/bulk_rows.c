#include "jobs/bulk_rows.h"

#include "base/memory.h"

/* ---- queues ---- */

void privy_bulk_push(bulk_queue *queue, bulk_row *row) {
  row->next_in_queue = NULL;
  if (queue->last)
    queue->last->next_in_queue = row;
  else
    queue->first = row;
  queue->last = row;
  queue->count++;
}

bulk_row *privy_bulk_pop(bulk_queue *queue) {
  bulk_row *row = queue->first;
  queue->first = row->next_in_queue;
  if (!queue->first) queue->last = NULL;
  queue->count--;
  return row;
}

/* ---- rows held ---- */

void privy_bulk_link_row(privy_bulk *bulk, bulk_row *row) {
  row->previous = bulk->last;
  if (bulk->last)
    bulk->last->next = row;
  else
    bulk->first = row;
  bulk->last = row;
  bulk->held++;
}

static void unlink_row(privy_bulk *bulk, bulk_row *row) {
  if (row->previous)
    row->previous->next = row->next;
  else
    bulk->first = row->next;
  if (row->next)
    row->next->previous = row->previous;
  else
    bulk->last = row->previous;
  bulk->held--;
}

void privy_bulk_free_row(privy_bulk *bulk, bulk_row *row) {
  for (size_t i = 0; i < PRIVY_MAX_ROW_KEYS; i++) (void)privy_lanes_leave(&bulk->lanes, &row->lane_entries[i]);
  unlink_row(bulk, row);
  privy_request_free(row->request);
  privy_completion_clear(&row->completion);
  privy_free(row->given_key);
  privy_free(row);
}

/* ---- lanes ---- */

bool privy_bulk_may_start(const bulk_row *row) {
  for (size_t i = 0; i < PRIVY_MAX_ROW_KEYS; i++)
    if (!privy_lanes_is_first(&row->lane_entries[i])) return false;
  return row->state == BULK_QUEUED;
}

void privy_bulk_leave_lanes(privy_bulk *bulk, bulk_row *row) {
  for (size_t i = 0; i < PRIVY_MAX_ROW_KEYS; i++) {
    bulk_row *next = privy_lanes_leave(&bulk->lanes, &row->lane_entries[i]);
    if (next && privy_bulk_may_start(next)) privy_bulk_push(&bulk->startable, next);
  }
}

bool privy_bulk_join_lanes(privy_bulk *bulk, bulk_row *row) {
  privy_row_keys keys = {0};
  bool joined = privy_row_keys_read(row->request, &keys);
  for (size_t i = 0; joined && i < keys.count; i++) {
    row->lane_entries[i].owner = row;
    joined = privy_lanes_join(&bulk->lanes, keys.texts[i].data, keys.texts[i].length, &row->lane_entries[i]);
  }
  privy_row_keys_clear(&keys);
  return joined;
}
