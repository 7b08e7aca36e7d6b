#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "json/reader.h"
#include "json/writer.h"

const fuzz_target fuzz_targets[6] = {{"json", fuzz_json},       {"response", fuzz_response}, {"request", fuzz_request},
                                     {"sandbox", fuzz_sandbox}, {"http", fuzz_http},         {"import", fuzz_import}};

/* ---- written again ----------------------------------------------------------------------------------------------- */

static void write_string(privy_writer *writer, privy_value string, bool key) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  HOLDS(privy_value_decode(string, &text) == PRIVY_OK);
  HOLDS(privy_utf8_valid(text.data, text.length) == text.length);
  HOLDS(string.escaped || text.length == string.length);
  if (key)
    privy_writer_key(writer, text.data, text.length);
  else
    privy_writer_string(writer, text.data, text.length);
  privy_buffer_clear(&text);
}

/* No deeper than the reader lets a text be. */
static void write_value(privy_writer *writer, privy_value value) {
  privy_cursor cursor;
  privy_value key, item;
  bool integral = false;
  switch ((privy_type)value.type) {
  case PRIVY_STRING: write_string(writer, value, false); return;
  case PRIVY_OBJECT:
  case PRIVY_ARRAY: break;
  default:
    HOLDS(value.type != PRIVY_ABSENT);
    HOLDS(privy_json_number(value.text, value.length, &integral) == (value.type == PRIVY_NUMBER));
    HOLDS(integral == value.integral);
    privy_writer_value(writer, value);
    return;
  }
  const bool object = value.type == PRIVY_OBJECT;
  (object ? privy_writer_begin_object : privy_writer_begin_array)(writer);
  privy_cursor_init(&cursor, value);
  while (privy_cursor_next(&cursor, &key, &item)) {
    HOLDS(key.type == (object ? PRIVY_STRING : PRIVY_ABSENT));
    if (object) write_string(writer, key, true);
    write_value(writer, item);
  }
  (object ? privy_writer_end_object : privy_writer_end_array)(writer);
}

void fuzz_rewrite(privy_value value, privy_buffer *out) {
  privy_writer writer;
  privy_writer_init(&writer, out);
  write_value(&writer, value);
  HOLDS(!writer.failed);
}

/* ---- pulled ------------------------------------------------------------------------------------------------------ */

/* The same from what the pulling reader sees, which ends at its first error. */
static void pull(privy_reader *reader, privy_writer *writer) {
  privy_value value;
  switch (privy_reader_peek(reader)) {
  case PRIVY_OBJECT:
    privy_writer_begin_object(writer);
    privy_reader_enter_object(reader);
    while (privy_reader_member(reader, &value)) {
      write_string(writer, value, true);
      pull(reader, writer);
    }
    privy_writer_end_object(writer);
    return;
  case PRIVY_ARRAY:
    privy_writer_begin_array(writer);
    privy_reader_enter_array(reader);
    while (privy_reader_element(reader)) pull(reader, writer);
    privy_writer_end_array(writer);
    return;
  default:
    if (privy_reader_value(reader, &value)) write_value(writer, value);
  }
}

static void compare_pulled(const char *text, size_t length, const privy_reader *whole, const privy_buffer *written) {
  privy_reader reader;
  privy_writer writer;
  privy_buffer pulled = PRIVY_BUFFER_EMPTY;
  privy_writer_init(&writer, &pulled);
  privy_reader_init(&reader, text, length);
  pull(&reader, &writer);
  HOLDS(privy_reader_end(&reader) == (whole->error == NULL));
  HOLDS(reader.position == whole->position);
  if (reader.error)
    HOLDS(strcmp(reader.error, whole->error) == 0);
  else
    HOLDS(pulled.length == written->length && memcmp(pulled.data, written->data, pulled.length) == 0);
  privy_buffer_clear(&pulled);
}

int fuzz_json(const uint8_t *data, size_t size) {
  const char *text = (const char *)data;
  privy_reader reader, again;
  privy_value value;
  privy_buffer once = PRIVY_BUFFER_EMPTY, twice = PRIVY_BUFFER_EMPTY;
  privy_reader_init(&reader, text, size);
  HOLDS(privy_reader_value(&reader, &value) == (reader.error == NULL));
  const bool accepted = privy_reader_end(&reader);
  HOLDS(accepted ? reader.error == NULL : reader.error != NULL && reader.position <= size);
  if (accepted) {
    fuzz_rewrite(value, &once);
    privy_reader_init(&again, once.data, once.length);
    HOLDS(privy_reader_value(&again, &value) && privy_reader_end(&again));
    fuzz_rewrite(value, &twice);
    HOLDS(once.length == twice.length && memcmp(once.data, twice.data, once.length) == 0);
  }
  compare_pulled(text, size, &reader, &once);
  privy_buffer_clear(&once);
  privy_buffer_clear(&twice);
  return 0;
}
