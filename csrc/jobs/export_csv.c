#include "jobs/export_csv.h"

#include "base/buffer.h"
#include "schema/schema.h"

static bool needs_quotes(const char *text, size_t length) {
  if (length == 0 || text[0] == ' ' || text[length - 1] == ' ') return true;
  for (size_t i = 0; i < length; i++)
    if (text[i] == '"' || text[i] == ',' || text[i] == '\n' || text[i] == '\r') return true;
  return false;
}

static bool write_quoted(const char *text, size_t length, privy_buffer *out) {
  const char *end = text + length, *quote;
  bool done = privy_buffer_byte(out, '"');
  while (done && length && (quote = memchr(text, '"', (size_t)(end - text)))) {
    done = privy_buffer_append(out, text, (size_t)(quote - text)) && privy_buffer_text(out, "\"\"");
    text = quote + 1;
  }
  return done && privy_buffer_append(out, text, (size_t)(end - text)) && privy_buffer_byte(out, '"');
}

static bool write_text(const char *text, size_t length, privy_buffer *out) {
  return needs_quotes(text, length) ? write_quoted(text, length, out) : privy_buffer_append(out, text, length);
}

bool privy_export_write_csv_header(privy_buffer *out) {
  const privy_object *contact = &privy_object_contact;
  privy_field_info field;
  bool done = true;
  for (size_t i = 0; done && privy_object_field(contact, i, &field); i++)
    done = (i == 0 || privy_buffer_byte(out, ',')) && privy_buffer_text(out, field.name);
  return done && privy_buffer_text(out, "\r\n");
}

bool privy_export_write_csv(const privy_record *contact, privy_buffer *out) {
  const size_t count = privy_object_count(&privy_object_contact);
  privy_buffer room = PRIVY_BUFFER_EMPTY;
  bool failed = false;
  for (size_t i = 0; !failed && i < count; i++) {
    size_t length;
    const char *text = privy_export_text(privy_record_get(contact, i), &room, &length, &failed);
    failed = failed || (i > 0 && !privy_buffer_byte(out, ',')) || (text && !write_text(text, length, out));
  }
  privy_buffer_clear(&room);
  return !failed && privy_buffer_text(out, "\r\n");
}
