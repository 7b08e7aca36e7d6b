#include "sandbox/messages.h"

#include <string.h>

#include "base/memory.h"
#include "sandbox/ids.h"
#include "json/reader.h"
#include "json/writer.h"

static void write_text(privy_writer *writer, const char *key, privy_value value) {
  privy_writer_key(writer, key, strlen(key));
  privy_writer_value(writer, value);
}

static bool write_message(const privy_value *values, double now, privy_buffer *out) {
  char at[PRIVY_TIME_TEXT_SIZE];
  privy_writer writer;
  privy_now_text(at, now);
  privy_writer_init(&writer, out);
  privy_writer_begin_object(&writer);
  write_text(&writer, "contact_id", values[PRIVY_FIELD_CONTACT_id]);
  write_text(&writer, "phone_number", values[PRIVY_FIELD_CONTACT_phone_number]);
  write_text(&writer, "at", privy_store_string(at));
  privy_writer_end_object(&writer);
  return !writer.failed;
}

privy_status privy_message_match(const privy_document *message, privy_slice key, privy_buffer *text) {
  const privy_value all = {.type = PRIVY_OBJECT, .text = message->block->text, .length = (uint32_t)message->length};
  privy_cursor cursor;
  privy_value name, value;
  privy_cursor_init(&cursor, all);
  while (privy_cursor_next(&cursor, &name, &value)) {
    if (!privy_value_is(name, "contact_id") && !privy_value_is(name, "phone_number")) continue;
    text->length = 0;
    if (privy_value_decode(value, text) != PRIVY_OK) return PRIVY_NO_MEMORY;
    if (text->length == key.length && (!key.length || memcmp(text->data, key.text, key.length) == 0)) return PRIVY_OK;
  }
  return PRIVY_NOT_FOUND;
}

bool privy_message_prepare(privy_store *store, const privy_value *values, double now, privy_document *message) {
  privy_document *messages =
      privy_grow(store->messages, store->message_count, &store->message_capacity, sizeof *store->messages);
  if (!messages) return false;
  store->messages = messages;
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  const bool done = write_message(values, now, &text) && privy_document_new(message, text.data, text.length);
  privy_buffer_clear(&text);
  return done;
}

void privy_message_commit(privy_store *store, privy_document *message) {
  if (!message->block) return;
  store->messages[store->message_count++] = *message;
  *message = (privy_document){0};
}

void privy_message_abandon(privy_document *message) {
  privy_block_release(message->block);
  *message = (privy_document){0};
}
