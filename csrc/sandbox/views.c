/* What a sandbox stores, as JSON. */
#include "sandbox/messages.h"
#include "sandbox/state.h"
#include "json/writer.h"

/* ---- records ----------------------------------------------------------------------------------------------------- */

static void write_field(privy_writer *writer, const privy_field *field, privy_value value) {
  privy_writer_key(writer, field->name, field->name_length);
  privy_writer_value(writer, value);
}

/* The fields of a response, then the other fields that are stored. */
static void write_record(privy_writer *writer, const privy_object *object, const privy_value *values) {
  privy_writer_begin_object(writer);
  for (size_t i = 0; i < object->response_field_count; i++) {
    const size_t index = object->response_fields[i];
    if (!(object->fields[index].flags & PRIVY_FIELD_FROM_STATUS))
      write_field(writer, &object->fields[index], values[index]);
  }
  for (size_t i = 0; i < object->field_count; i++) {
    if (object->fields[i].response_index == PRIVY_NO_INDEX && values[i].type != PRIVY_ABSENT)
      write_field(writer, &object->fields[i], values[i]);
  }
  privy_writer_end_object(writer);
}

static void write_contacts(privy_writer *writer, privy_store *store) {
  const size_t *live = privy_store_live(store);
  for (size_t i = 0; i < store->live_count; i++)
    write_record(writer, &privy_object_contact, store->contacts[live[i]].values);
}

static void write_orders(privy_writer *writer, const privy_store *store) {
  for (size_t i = 0; i < store->order_count; i++) write_record(writer, &privy_object_order, store->orders[i].values);
}

static void write_documents(privy_writer *writer, const privy_document *documents, size_t count) {
  for (size_t i = 0; i < count; i++) privy_writer_raw(writer, documents[i].block->text, documents[i].length);
}

static void write_all(privy_writer *writer, privy_store *store, privy_sandbox_kind kind) {
  privy_writer_begin_array(writer);
  switch (kind) {
  case PRIVY_SANDBOX_CONTACTS: write_contacts(writer, store); break;
  case PRIVY_SANDBOX_ORDERS: write_orders(writer, store); break;
  case PRIVY_SANDBOX_EVENTS: write_documents(writer, store->events, store->event_count); break;
  case PRIVY_SANDBOX_MESSAGES: write_documents(writer, store->messages, store->message_count); break;
  }
  privy_writer_end_array(writer);
}

/* ---- keys -------------------------------------------------------------------------------------------------------- */

/* The contact of an id, e-mail address or phone number. `lower` is the key in lower case. */
static size_t contact_of(const privy_store *store, privy_slice key, privy_slice lower) {
  size_t index = privy_store_contact(store, key);
  for (unsigned i = 0; i < PRIVY_KEY_COUNT && index == PRIVY_STORE_NONE; i++) {
    index = privy_store_holder(store, (privy_key)i, i == PRIVY_KEY_EMAIL ? lower : key);
    if (index != PRIVY_STORE_NONE && store->contacts[index].deleted) index = PRIVY_STORE_NONE;
  }
  return index;
}

static privy_status write_contact(privy_writer *writer, const privy_store *store, privy_slice key) {
  privy_buffer lower = PRIVY_BUFFER_EMPTY;
  if (!privy_buffer_append(&lower, key.text, key.length)) return PRIVY_NO_MEMORY;
  for (size_t i = 0; i < lower.length; i++) lower.data[i] = privy_lower(lower.data[i]);
  const size_t index = contact_of(store, key, (privy_slice){lower.data, lower.length});
  privy_buffer_clear(&lower);
  if (index == PRIVY_STORE_NONE) return PRIVY_NOT_FOUND;
  write_record(writer, &privy_object_contact, store->contacts[index].values);
  return PRIVY_OK;
}

static privy_status write_order(privy_writer *writer, const privy_store *store, privy_slice key) {
  const size_t index = privy_map_get(&store->order_keys, key.text, key.length);
  if (index == PRIVY_MAP_NONE) return PRIVY_NOT_FOUND;
  write_record(writer, &privy_object_order, store->orders[index].values);
  return PRIVY_OK;
}

static privy_status write_event(privy_writer *writer, const privy_store *store, privy_slice key) {
  size_t index = privy_map_get(&store->event_ids, key.text, key.length);
  if (index == PRIVY_MAP_NONE) index = privy_map_get(&store->event_keys, key.text, key.length);
  if (index == PRIVY_MAP_NONE) return PRIVY_NOT_FOUND;
  write_documents(writer, &store->events[index], 1);
  return PRIVY_OK;
}

/* The newest message to the key. A search: a store has at most a few messages to a contact, and keeps no map of them.
 */
static privy_status write_message(privy_writer *writer, const privy_store *store, privy_slice key) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  privy_status status = PRIVY_NOT_FOUND;
  for (size_t i = store->message_count; status == PRIVY_NOT_FOUND && i > 0; i--) {
    status = privy_message_match(&store->messages[i - 1], key, &text);
    if (status == PRIVY_OK) write_documents(writer, &store->messages[i - 1], 1);
  }
  privy_buffer_clear(&text);
  return status;
}

static privy_status write_one(privy_writer *writer, const privy_store *store, privy_sandbox_kind kind,
                              privy_slice key) {
  switch (kind) {
  case PRIVY_SANDBOX_CONTACTS: return write_contact(writer, store, key);
  case PRIVY_SANDBOX_ORDERS: return write_order(writer, store, key);
  case PRIVY_SANDBOX_EVENTS: return write_event(writer, store, key);
  case PRIVY_SANDBOX_MESSAGES: break;
  }
  return write_message(writer, store, key);
}

/* ---- public functions -------------------------------------------------------------------------------------------- */

static privy_status end(privy_writer *writer, privy_status status, size_t before) {
  if (writer->failed) status = PRIVY_NO_MEMORY;
  if (status != PRIVY_OK) writer->out->length = before;
  return status;
}

privy_status privy_sandbox_find(privy_sandbox *sandbox, privy_sandbox_kind kind, const char *key, size_t length,
                                privy_buffer *out) {
  privy_writer writer;
  const size_t before = out->length;
  privy_writer_init(&writer, out);
  privy_sandbox_lock(sandbox);
  const privy_status status = write_one(&writer, &sandbox->store, kind, (privy_slice){key, length});
  privy_sandbox_unlock(sandbox);
  return end(&writer, status, before);
}

privy_status privy_sandbox_list(privy_sandbox *sandbox, privy_sandbox_kind kind, privy_buffer *out) {
  privy_writer writer;
  const size_t before = out->length;
  privy_writer_init(&writer, out);
  privy_sandbox_lock(sandbox);
  write_all(&writer, &sandbox->store, kind);
  privy_sandbox_unlock(sandbox);
  return end(&writer, PRIVY_OK, before);
}
