#include "sandbox/archive.h"

#include <string.h>

const char *const privy_archive_names[PRIVY_ARCHIVE_KINDS] = {"contact", "order", "event", "message"};
const char *const privy_archive_plurals[PRIVY_ARCHIVE_KINDS] = {"contacts", "orders", "events", "messages"};

static void write_key(privy_writer *writer, const char *key) {
  privy_writer_key(writer, key, strlen(key));
}

static void write_count(privy_writer *writer, const char *key, uint64_t count) {
  write_key(writer, key);
  privy_writer_integer(writer, (int64_t)count);
}

static void begin_line(privy_writer *writer) {
  writer->comma = false;
  privy_writer_begin_object(writer);
}

static void end_line(privy_writer *writer) {
  privy_writer_end_object(writer);
  writer->comma = false;
  privy_writer_raw(writer, "\n", 1);
}

static void write_first_line(privy_writer *writer, const privy_store *store) {
  const size_t counts[PRIVY_ARCHIVE_KINDS] = {store->contact_count, store->order_count, store->event_count,
                                              store->message_count};
  begin_line(writer);
  write_count(writer, "privy_sandbox", PRIVY_ARCHIVE_FORMAT);
  for (size_t i = 0; i < PRIVY_ARCHIVE_KINDS; i++) write_count(writer, privy_archive_plurals[i], counts[i]);
  write_count(writer, "contact_serial", store->contact_serial);
  write_count(writer, "event_serial", store->event_serial);
  end_line(writer);
}

/* The given values. A field that is sent as a header may hold a secret. */
static void write_values(privy_writer *writer, privy_archive_kind kind, const privy_object *object,
                         const privy_value *values) {
  write_key(writer, privy_archive_names[kind]);
  privy_writer_begin_object(writer);
  for (size_t i = 0; i < object->field_count; i++) {
    const privy_field *field = &object->fields[i];
    if (values[i].type == PRIVY_ABSENT || (field->flags & PRIVY_FIELD_HEADER)) continue;
    privy_writer_key(writer, field->name, field->name_length);
    privy_writer_value(writer, values[i]);
  }
  privy_writer_end_object(writer);
}

static bool has_released(const privy_store *store, size_t index, privy_key key) {
  const privy_slice text = store->contacts[index].keys[key];
  return text.length && privy_store_holder(store, key, text) != index;
}

static void write_released(privy_writer *writer, const privy_store *store, size_t index) {
  bool any = false;
  for (unsigned key = 0; key < PRIVY_KEY_COUNT; key++) any = any || has_released(store, index, (privy_key)key);
  if (!any) return;
  write_key(writer, "released");
  privy_writer_begin_array(writer);
  for (unsigned key = 0; key < PRIVY_KEY_COUNT; key++) {
    const privy_field *field = &privy_object_contact.fields[privy_key_fields[key]];
    if (has_released(store, index, (privy_key)key)) privy_writer_string(writer, field->name, field->name_length);
  }
  privy_writer_end_array(writer);
}

static void write_contact(privy_writer *writer, const privy_store *store, size_t index) {
  const privy_contact *contact = &store->contacts[index];
  begin_line(writer);
  write_values(writer, PRIVY_ARCHIVE_CONTACT, &privy_object_contact, contact->values);
  if (contact->deleted) {
    write_key(writer, "deleted");
    privy_writer_boolean(writer, true);
  }
  write_released(writer, store, index);
  end_line(writer);
}

static void write_order(privy_writer *writer, const privy_store *store, const privy_order *order) {
  begin_line(writer);
  write_values(writer, PRIVY_ARCHIVE_ORDER, &privy_object_order, order->values);
  write_key(writer, "contact_id");
  privy_writer_value(writer, store->contacts[order->contact].values[PRIVY_FIELD_CONTACT_id]);
  end_line(writer);
}

static void write_document(privy_writer *writer, privy_archive_kind kind, const privy_document *document) {
  begin_line(writer);
  write_key(writer, privy_archive_names[kind]);
  privy_writer_raw(writer, document->block->text, document->length);
  if (document->serial) write_count(writer, "serial", document->serial);
  end_line(writer);
}

bool privy_archive_write(const privy_store *store, privy_buffer *out) {
  privy_writer writer;
  privy_writer_init(&writer, out);
  write_first_line(&writer, store);
  for (size_t i = 0; i < store->contact_count; i++) write_contact(&writer, store, i);
  for (size_t i = 0; i < store->order_count; i++) write_order(&writer, store, &store->orders[i]);
  for (size_t i = 0; i < store->event_count; i++) write_document(&writer, PRIVY_ARCHIVE_EVENT, &store->events[i]);
  for (size_t i = 0; i < store->message_count; i++) write_document(&writer, PRIVY_ARCHIVE_MESSAGE, &store->messages[i]);
  return !writer.failed;
}
