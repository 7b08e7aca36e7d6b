#include "client/pending.h"

#include <math.h>

#include "base/memory.h"

privy_pending *privy_pending_new(uint64_t id) {
  privy_pending *pending = privy_calloc(1, sizeof *pending);
  if (!pending) return NULL;
  pending->id = id;
  privy_error_init(&pending->error);
  privy_sandbox_response_init(&pending->sandbox_response);
  return pending;
}

void privy_pending_free(privy_pending *pending) {
  privy_queue_remove(pending);
  privy_call_clear(&pending->call);
  privy_error_clear(&pending->error);
  privy_wire_response_clear(&pending->wire_response);
  privy_sandbox_response_clear(&pending->sandbox_response);
  privy_request_free(pending->owned_request);
  privy_free(pending);
}

void privy_queue_remove(privy_pending *pending) {
  privy_queue *queue = pending->queue;
  if (!queue) return;
  if (pending->previous)
    pending->previous->next = pending->next;
  else
    queue->first = pending->next;
  if (pending->next)
    pending->next->previous = pending->previous;
  else
    queue->last = pending->previous;
  queue->count--;
  pending->queue = NULL;
}

void privy_queue_push(privy_queue *queue, privy_pending *pending) {
  privy_queue_remove(pending);
  pending->queue = queue;
  pending->next = NULL;
  pending->previous = queue->last;
  if (queue->last)
    queue->last->next = pending;
  else
    queue->first = pending;
  queue->last = pending;
  queue->count++;
}

privy_pending *privy_queue_find(const privy_queue *queue, uint64_t id) {
  for (privy_pending *pending = queue->first; pending; pending = pending->next)
    if (pending->id == id) return pending;
  return NULL;
}

double privy_queue_earliest_due(const privy_queue *queue, double earliest) {
  for (const privy_pending *pending = queue->first; pending; pending = pending->next)
    earliest = fmin(earliest, pending->due);
  return earliest;
}

double privy_queue_earliest_until(const privy_queue *queue, double earliest) {
  for (const privy_pending *pending = queue->first; pending; pending = pending->next)
    earliest = fmin(earliest, pending->call.until);
  return earliest;
}
