/* Copies of a store: they share texts, which never change, and have their own arrays and maps. */
#include <string.h>

#include "base/memory.h"
#include "sandbox/store.h"

/* A copy of the array with no room for more; NULL, with `*failed` set, when memory runs out. */
static void *copy_items(const void *items, size_t count, size_t size, size_t *capacity, bool *failed) {
  *capacity = count;
  if (count == 0) return NULL;
  void *copy = privy_calloc(count, size);
  if (copy)
    memcpy(copy, items, count * size);
  else
    *failed = true;
  return copy;
}

static void retain_documents(const privy_document *documents, size_t count) {
  for (size_t i = 0; i < count; i++) privy_block_retain(documents[i].block);
}

static void retain_texts(const privy_store *store) {
  for (size_t i = 0; i < store->contact_count; i++) privy_block_retain(store->contacts[i].block);
  for (size_t i = 0; i < store->order_count; i++) privy_block_retain(store->orders[i].block);
  retain_documents(store->events, store->event_count);
  retain_documents(store->messages, store->message_count);
}

static bool copy_maps(privy_store *out, const privy_store *from) {
  bool copied = privy_map_copy(&out->ids, &from->ids) && privy_map_copy(&out->order_keys, &from->order_keys) &&
                privy_map_copy(&out->event_ids, &from->event_ids) &&
                privy_map_copy(&out->event_keys, &from->event_keys);
  for (size_t i = 0; copied && i < PRIVY_KEY_COUNT; i++) copied = privy_map_copy(&out->keys[i], &from->keys[i]);
  return copied;
}

#define COPY(items, count, capacity)                                                                                   \
  out->items = copy_items(from->items, from->count, sizeof *from->items, &out->capacity, &failed)

bool privy_store_copy(privy_store *out, const privy_store *from) {
  bool failed = false;
  *out = (privy_store){.contact_serial = from->contact_serial, .event_serial = from->event_serial};
  COPY(contacts, contact_count, contact_capacity);
  COPY(orders, order_count, order_capacity);
  COPY(events, event_count, event_capacity);
  COPY(messages, message_count, message_capacity);
  out->live = privy_calloc(from->contact_count, sizeof *out->live);
  if (failed || !out->live) {
    privy_store_clear(out); /* the counts are 0 yet: frees the arrays only */
    return false;
  }
  out->live_capacity = from->contact_count;
  out->live_count = from->live_count;
  out->live_stale = true;
  out->contact_count = from->contact_count;
  out->order_count = from->order_count;
  out->event_count = from->event_count;
  out->message_count = from->message_count;
  retain_texts(out);
  if (copy_maps(out, from)) return true;
  privy_store_clear(out);
  return false;
}
