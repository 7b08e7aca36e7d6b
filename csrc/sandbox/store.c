#include "sandbox/store.h"

#include <string.h>

#include "base/memory.h"
#include "json/reader.h"

const unsigned privy_key_fields[PRIVY_KEY_COUNT] = {PRIVY_FIELD_CONTACT_email, PRIVY_FIELD_CONTACT_phone_number};

privy_sandbox_counts privy_store_count(const privy_store *store, uint64_t requests) {
  return (privy_sandbox_counts){.requests = requests,
                                .contacts = store->live_count,
                                .orders = store->order_count,
                                .events = store->event_count,
                                .welcome_messages = store->message_count};
}

void privy_store_clear(privy_store *store) {
  for (size_t i = 0; i < store->contact_count; i++) privy_block_release(store->contacts[i].block);
  for (size_t i = 0; i < store->order_count; i++) privy_block_release(store->orders[i].block);
  for (size_t i = 0; i < store->event_count; i++) privy_block_release(store->events[i].block);
  privy_free(store->contacts);
  privy_free(store->live);
  privy_free(store->orders);
  for (size_t i = 0; i < store->message_count; i++) privy_block_release(store->messages[i].block);
  privy_free(store->events);
  privy_free(store->messages);
  privy_map_clear(&store->ids);
  for (size_t i = 0; i < PRIVY_KEY_COUNT; i++) privy_map_clear(&store->keys[i]);
  privy_map_clear(&store->order_keys);
  privy_map_clear(&store->event_ids);
  privy_map_clear(&store->event_keys);
  *store = (privy_store){.contact_serial = store->contact_serial, .event_serial = store->event_serial};
}

/* ---- values and keys --------------------------------------------------------------------------------------------- */

privy_value privy_store_string(const char *text) {
  return (privy_value){.text = text, .length = (uint32_t)strlen(text), .type = PRIVY_STRING};
}

privy_value privy_store_enum_value(const privy_enum *enum_values, unsigned index) {
  privy_value value = privy_store_string(enum_values->values[index].name);
  value.enum_value = (uint8_t)(index + 1);
  return value;
}

unsigned privy_store_enum_index(const privy_value *values, unsigned index) {
  return values[index].enum_value - 1u;
}

bool privy_store_key(privy_value string, privy_key key, privy_buffer *out) {
  const size_t before = out->length;
  if (string.type != PRIVY_STRING) return true;
  if (privy_value_decode(string, out) != PRIVY_OK) return false;
  if (key != PRIVY_KEY_EMAIL) return true;
  for (size_t i = before; i < out->length; i++) out->data[i] = privy_lower(out->data[i]);
  return true;
}

size_t privy_store_holder(const privy_store *store, privy_key key, privy_slice text) {
  return text.length ? privy_map_get(&store->keys[key], text.text, text.length) : PRIVY_STORE_NONE;
}

size_t privy_store_contact(const privy_store *store, privy_slice id) {
  const size_t index = privy_map_get(&store->ids, id.text, id.length);
  return index != PRIVY_STORE_NONE && store->contacts[index].deleted ? PRIVY_STORE_NONE : index;
}

const size_t *privy_store_live(privy_store *store) {
  if (!store->live_stale) return store->live;
  size_t count = 0;
  for (size_t i = 0; i < store->contact_count; i++) {
    if (!store->contacts[i].deleted) store->live[count++] = i;
  }
  store->live_stale = false;
  return store->live;
}

bool privy_document_new(privy_document *out, const char *text, size_t length) {
  *out = (privy_document){.block = privy_block_new(length), .length = length};
  if (out->block) memcpy(out->block->text, text, length);
  return out->block != NULL;
}

/* Copies the texts of all values into a block with `extra` bytes after them, and makes the values point there.
 * `*rest`: those bytes. NULL when memory runs out. */
static privy_block *pack(privy_value *values, size_t count, size_t extra, privy_buffer *rest) {
  size_t total = 0;
  for (size_t i = 0; i < count; i++) total += values[i].length;
  privy_block *block = privy_block_new(total + extra);
  if (!block) return NULL;
  char *end = block->text;
  for (size_t i = 0; i < count; i++) {
    if (values[i].length == 0) continue;
    memcpy(end, values[i].text, values[i].length);
    values[i].text = end;
    end += values[i].length;
  }
  *rest = (privy_buffer){end, 0, extra};
  return block;
}

/* ---- contacts ---------------------------------------------------------------------------------------------------- */

static bool pack_contact(privy_contact *contact, const privy_value *values) {
  privy_buffer rest;
  size_t extra = 0;
  *contact = (privy_contact){0};
  memcpy(contact->values, values, sizeof contact->values);
  for (size_t i = 0; i < PRIVY_KEY_COUNT; i++) extra += values[privy_key_fields[i]].length;
  contact->block = pack(contact->values, PRIVY_CONTACT_FIELDS, extra, &rest);
  if (!contact->block) return false;
  for (size_t i = 0; i < PRIVY_KEY_COUNT; i++) {
    const size_t start = rest.length;
    /* A key is at most as long as its value: the buffer does not grow. */
    const bool fits = privy_store_key(values[privy_key_fields[i]], (privy_key)i, &rest);
    contact->keys[i] = (privy_slice){rest.data + start, fits ? rest.length - start : 0};
  }
  return true;
}

/* Reserves space for one more contact in both arrays. */
static bool make_room(privy_store *store) {
  privy_contact *contacts =
      privy_grow(store->contacts, store->contact_count, &store->contact_capacity, sizeof *store->contacts);
  if (!contacts) return false;
  store->contacts = contacts;
  size_t *live = privy_grow(store->live, store->contact_count, &store->live_capacity, sizeof *store->live);
  if (!live) return false;
  store->live = live;
  return true;
}

static bool claim_keys(privy_store *store, privy_contact_change *change) {
  for (size_t i = 0; i < PRIVY_KEY_COUNT; i++) {
    const privy_slice key = change->next.keys[i];
    change->before[i] = privy_store_holder(store, (privy_key)i, key);
    if (key.length == 0 || change->before[i] == change->index) continue;
    if (!privy_map_set(&store->keys[i], key.text, key.length, change->index)) return false;
    change->claimed[i] = true;
  }
  return true;
}

bool privy_contact_prepare(privy_store *store, privy_contact_change *change, size_t index, const privy_value *values) {
  *change = (privy_contact_change){.index = index, .fresh = index == PRIVY_STORE_NONE};
  if (change->fresh) change->index = store->contact_count;
  if (change->fresh && !make_room(store)) return false;
  if (!pack_contact(&change->next, values)) return false;
  change->prepared = true;
  const privy_value id = change->next.values[PRIVY_FIELD_CONTACT_id];
  if ((!change->fresh || privy_map_set(&store->ids, id.text, id.length, change->index)) && claim_keys(store, change))
    return true;
  privy_contact_abandon(store, change);
  return false;
}

void privy_contact_release_key(privy_store *store, privy_contact_change *change, privy_key i) {
  const privy_slice key = change->next.keys[i];
  if (!change->claimed[i]) return;
  change->claimed[i] = false;
  if (change->before[i] == PRIVY_STORE_NONE) {
    privy_map_remove(&store->keys[i], key.text, key.length);
    return;
  }
  /* The key is there: setting it needs no memory. */
  const bool returned = privy_map_set(&store->keys[i], key.text, key.length, change->before[i]);
  (void)returned;
}

void privy_contact_abandon(privy_store *store, privy_contact_change *change) {
  if (!change->prepared) return;
  for (unsigned i = 0; i < PRIVY_KEY_COUNT; i++) privy_contact_release_key(store, change, (privy_key)i);
  const privy_value id = change->next.values[PRIVY_FIELD_CONTACT_id];
  if (change->fresh) privy_map_remove(&store->ids, id.text, id.length);
  privy_block_release(change->next.block);
  *change = (privy_contact_change){0};
}

/* A restored contact may have lost the key that it had before. */
static void drop_old_keys(privy_store *store, const privy_contact *old, const privy_contact_change *change) {
  for (size_t i = 0; i < PRIVY_KEY_COUNT; i++) {
    const privy_slice key = old->keys[i], kept = change->next.keys[i];
    const bool same = key.length == kept.length && (key.length == 0 || memcmp(key.text, kept.text, key.length) == 0);
    if (same || privy_store_holder(store, (privy_key)i, key) != change->index) continue;
    privy_map_remove(&store->keys[i], key.text, key.length);
  }
}

static void append_contact(privy_store *store, const privy_contact *contact) {
  if (!store->live_stale) store->live[store->live_count] = store->contact_count;
  store->live_count++;
  store->contacts[store->contact_count++] = *contact;
  store->contact_serial++;
}

void privy_contact_commit(privy_store *store, privy_contact_change *change) {
  if (!change->prepared) return;
  if (change->fresh) {
    append_contact(store, &change->next);
  } else {
    privy_contact *contact = &store->contacts[change->index];
    if (contact->deleted) {
      store->live_count++;
      store->live_stale = true;
    }
    drop_old_keys(store, contact, change);
    privy_block_release(contact->block);
    *contact = change->next;
  }
  *change = (privy_contact_change){0};
}

void privy_contact_delete(privy_store *store, size_t index) {
  store->contacts[index].deleted = true;
  store->live_count--;
  store->live_stale = true;
}

/* ---- orders ------------------------------------------------------------------------------------------------------ */

bool privy_order_prepare(privy_store *store, privy_order_change *change, size_t index, privy_slice key,
                         const privy_value *values) {
  *change = (privy_order_change){.index = index, .key = key, .fresh = index == PRIVY_STORE_NONE};
  if (change->fresh) {
    privy_order *orders = privy_grow(store->orders, store->order_count, &store->order_capacity, sizeof *store->orders);
    if (!orders) return false;
    store->orders = orders;
    change->index = store->order_count;
  }
  privy_buffer rest;
  memcpy(change->next.values, values, sizeof change->next.values);
  change->next.block = pack(change->next.values, PRIVY_ORDER_FIELDS, 0, &rest);
  if (!change->next.block) return false;
  change->prepared = true;
  if (!change->fresh || privy_map_set(&store->order_keys, key.text, key.length, change->index)) return true;
  change->fresh = false;
  privy_order_abandon(store, change);
  return false;
}

void privy_order_abandon(privy_store *store, privy_order_change *change) {
  if (!change->prepared) return;
  if (change->fresh) privy_map_remove(&store->order_keys, change->key.text, change->key.length);
  privy_block_release(change->next.block);
  *change = (privy_order_change){0};
}

void privy_order_commit(privy_store *store, privy_order_change *change) {
  if (!change->prepared) return;
  privy_order *order = &store->orders[change->index];
  if (change->fresh) {
    store->order_count++;
  } else {
    privy_block_release(order->block);
  }
  *order = change->next;
  *change = (privy_order_change){0};
}
