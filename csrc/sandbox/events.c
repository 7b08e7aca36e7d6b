#include <string.h>

#include "base/memory.h"
#include "sandbox/ids.h"
#include "sandbox/input.h"
#include "sandbox/respond.h"

#define FIELD(name) PRIVY_FIELD_EVENT_##name
#define TEXT_OF(string) (string), strlen(string)

/* The idempotency key, from the header or else from the body, escapes resolved into `out`; empty: none. */
PRIVY_NODISCARD static bool read_key(const privy_exchange *exchange, privy_buffer *out) {
  privy_slice header;
  const privy_value member = exchange->values[FIELD(idempotency_key)];
  if (privy_input_header(exchange, FIELD(idempotency_key), &header))
    return privy_buffer_append(out, header.text, header.length);
  return member.type != PRIVY_STRING || privy_value_decode(member, out) == PRIVY_OK;
}

static privy_status respond_receipt(privy_exchange *exchange, uint64_t serial, bool replay) {
  char id[PRIVY_ID_SIZE];
  privy_writer writer;
  privy_value values[PRIVY_EVENT_FIELDS] = {0};
  privy_make_id(id, "evt_", serial);
  values[FIELD(event_id)] = privy_store_string(id);
  values[FIELD(status)] = privy_store_string("accepted");
  if (replay) values[FIELD(idempotent_replay)] = (privy_value){.text = "true", .length = 4, .type = PRIVY_TRUE};
  privy_writer_init(&writer, &exchange->response->body);
  privy_respond_object(&writer, &privy_object_event, values);
  return privy_respond_end(exchange, 200, &writer);
}

/* Checks that the contact of that id exists. */
static privy_status check_contact(privy_exchange *exchange) {
  const privy_value id = exchange->values[FIELD(privy_id)];
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  if (id.type != PRIVY_STRING) return PRIVY_OK;
  privy_status status = privy_value_decode(id, &text);
  if (status == PRIVY_OK &&
      privy_store_contact(&exchange->sandbox->store, (privy_slice){text.data, text.length}) == PRIVY_STORE_NONE) {
    privy_input_refuse(exchange, FIELD(privy_id), "is not the id of a contact");
    status = exchange->check.no_memory ? PRIVY_NO_MEMORY : privy_respond_details(exchange);
  }
  privy_buffer_clear(&text);
  return status;
}

/* Finds or prepares the contact of an e-mail address or phone number; one of an id is there. */
PRIVY_NODISCARD static bool link_contact(privy_exchange *exchange, privy_contact_change *change) {
  privy_value values[PRIVY_CONTACT_FIELDS] = {0};
  size_t index;
  if (exchange->values[FIELD(privy_id)].type == PRIVY_STRING) return true;
  values[PRIVY_FIELD_CONTACT_email] = exchange->values[FIELD(email)];
  values[PRIVY_FIELD_CONTACT_phone_number] = exchange->values[FIELD(phone)];
  return privy_contact_link(exchange, values, change, &index);
}

/* ---- storing ----------------------------------------------------------------------------------------------------- */

static void write_field(privy_writer *writer, unsigned index, privy_value value) {
  const privy_field *field = &privy_object_event.fields[index];
  privy_writer_key(writer, field->name, field->name_length);
  privy_writer_value(writer, value);
}

/* The event as a JSON object: its id, what was sent, and when it was accepted. */
PRIVY_NODISCARD static bool write_event(const privy_exchange *exchange, privy_slice key, uint64_t serial,
                                        privy_buffer *out) {
  char id[PRIVY_ID_SIZE], now[PRIVY_TIME_TEXT_SIZE];
  privy_writer writer;
  privy_make_id(id, "evt_", serial);
  privy_now_text(now, exchange->now);
  privy_writer_init(&writer, out);
  privy_writer_begin_object(&writer);
  write_field(&writer, FIELD(event_id), privy_store_string(id));
  for (unsigned i = 0; i < PRIVY_EVENT_FIELDS; i++) {
    if (i != FIELD(idempotency_key) && exchange->values[i].type != PRIVY_ABSENT)
      write_field(&writer, i, exchange->values[i]);
  }
  if (key.length) {
    privy_writer_key(&writer, TEXT_OF(privy_object_event.fields[FIELD(idempotency_key)].name));
    privy_writer_string(&writer, key.text, key.length);
  }
  privy_writer_key(&writer, TEXT_OF("accepted_at"));
  privy_writer_value(&writer, privy_store_string(now));
  privy_writer_end_object(&writer);
  return !writer.failed;
}

/* Makes the event at `position` be found by its id, and by its key if it has one. */
PRIVY_NODISCARD static bool claim_keys(privy_store *store, privy_slice key, uint64_t serial, size_t position) {
  char id[PRIVY_ID_SIZE];
  privy_make_id(id, "evt_", serial);
  if (!privy_map_set(&store->event_ids, TEXT_OF(id), position)) return false;
  if (!key.length || privy_map_set(&store->event_keys, key.text, key.length, position)) return true;
  privy_map_remove(&store->event_ids, TEXT_OF(id));
  return false;
}

/* Does everything that may run out of memory: reserves space, writes the event, links the contact, writes the response
 * and claims the keys. */
static privy_status prepare(privy_exchange *exchange, privy_slice key, uint64_t serial, privy_document *event,
                            privy_contact_change *contact) {
  privy_store *store = &exchange->sandbox->store;
  privy_document *events = privy_grow(store->events, store->event_count, &store->event_capacity, sizeof *store->events);
  if (!events) return PRIVY_NO_MEMORY;
  store->events = events;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const bool made = write_event(exchange, key, serial, &text) && privy_document_new(event, text.data, text.length);
  privy_buffer_clear(&text);
  if (!made || !link_contact(exchange, contact)) return PRIVY_NO_MEMORY;
  const privy_status status = respond_receipt(exchange, serial, false);
  if (status != PRIVY_OK) return status;
  return claim_keys(store, key, serial, store->event_count) ? PRIVY_OK : PRIVY_NO_MEMORY;
}

static privy_status accept(privy_exchange *exchange, privy_slice key) {
  privy_store *store = &exchange->sandbox->store;
  privy_contact_change contact = {0};
  privy_document event = {0};
  const uint64_t serial = store->event_serial + 1;
  const privy_status status = prepare(exchange, key, serial, &event, &contact);
  if (status != PRIVY_OK) {
    privy_contact_abandon(store, &contact);
    privy_block_release(event.block);
    return status;
  }
  privy_contact_commit(store, &contact);
  store->event_serial = serial;
  event.serial = serial;
  store->events[store->event_count++] = event;
  return PRIVY_OK;
}

static privy_status ingest(privy_exchange *exchange, privy_slice key) {
  const privy_store *store = &exchange->sandbox->store;
  const size_t before = key.length ? privy_map_get(&store->event_keys, key.text, key.length) : PRIVY_MAP_NONE;
  if (before != PRIVY_MAP_NONE) return respond_receipt(exchange, store->events[before].serial, true);
  privy_status status = privy_input_check(exchange);
  if (status == PRIVY_OK && !privy_responded(exchange)) status = check_contact(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  return accept(exchange, key);
}

privy_status privy_events_ingest(privy_exchange *exchange) {
  privy_buffer key = PRIVY_BUFFER_EMPTY;
  privy_status status = privy_input_body(exchange);
  if (status != PRIVY_OK || privy_responded(exchange)) return status;
  status = read_key(exchange, &key) ? ingest(exchange, (privy_slice){key.data, key.length}) : PRIVY_NO_MEMORY;
  privy_buffer_clear(&key);
  return status;
}
