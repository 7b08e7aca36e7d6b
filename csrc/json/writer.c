#include "json/writer.h"

#include <inttypes.h>
#include <string.h>

static void put(privy_writer *writer, const char *bytes, size_t length) {
  if (!writer->failed) writer->failed = !privy_buffer_append(writer->out, bytes, length);
}

/* Every value and every key passes here first. */
static void separate(privy_writer *writer) {
  if (writer->comma) put(writer, ",", 1);
  writer->comma = true;
}

static void begin(privy_writer *writer, const char *bracket) {
  separate(writer);
  put(writer, bracket, 1);
  writer->comma = false;
}

static void end(privy_writer *writer, const char *bracket) {
  put(writer, bracket, 1);
  writer->comma = true;
}

static bool needs_escape(char byte) {
  return (unsigned char)byte < 0x20 || byte == '"' || byte == '\\';
}

static void put_escape(privy_writer *writer, char byte) {
  static const char digits[] = "0123456789abcdef";
  static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
  const char *known = byte ? strchr(from, byte) : NULL;
  if (known) {
    const char pair[] = {'\\', to[known - from]};
    put(writer, pair, sizeof pair);
    return;
  }
  const char six[] = {'\\', 'u', '0', '0', digits[(unsigned char)byte >> 4], digits[byte & 15]};
  put(writer, six, sizeof six);
}

static void put_string(privy_writer *writer, const char *text, size_t length) {
  put(writer, "\"", 1);
  for (size_t at = 0; at < length;) {
    const size_t from = at;
    while (at < length && !needs_escape(text[at])) at++;
    put(writer, text + from, at - from);
    if (at < length) put_escape(writer, text[at++]);
  }
  put(writer, "\"", 1);
}

void privy_writer_init(privy_writer *writer, privy_buffer *out) {
  *writer = (privy_writer){.out = out};
}

void privy_writer_begin_object(privy_writer *writer) {
  begin(writer, "{");
}

void privy_writer_end_object(privy_writer *writer) {
  end(writer, "}");
}

void privy_writer_begin_array(privy_writer *writer) {
  begin(writer, "[");
}

void privy_writer_end_array(privy_writer *writer) {
  end(writer, "]");
}

void privy_writer_key(privy_writer *writer, const char *text, size_t length) {
  separate(writer);
  put_string(writer, text, length);
  put(writer, ":", 1);
  writer->comma = false;
}

void privy_writer_string(privy_writer *writer, const char *text, size_t length) {
  separate(writer);
  put_string(writer, text, length);
}

void privy_writer_raw(privy_writer *writer, const char *text, size_t length) {
  separate(writer);
  put(writer, text, length);
}

void privy_writer_value(privy_writer *writer, privy_value value) {
  if (value.type == PRIVY_ABSENT) {
    privy_writer_null(writer);
    return;
  }
  const char *quote = value.type == PRIVY_STRING ? "\"" : "";
  separate(writer);
  put(writer, quote, strlen(quote));
  put(writer, value.text, value.length);
  put(writer, quote, strlen(quote));
}

void privy_writer_integer(privy_writer *writer, int64_t value) {
  separate(writer);
  if (!writer->failed) writer->failed = !privy_buffer_format(writer->out, "%" PRId64, value);
}

void privy_writer_boolean(privy_writer *writer, bool value) {
  separate(writer);
  put(writer, value ? "true" : "false", value ? 4 : 5);
}

void privy_writer_null(privy_writer *writer) {
  separate(writer);
  put(writer, "null", 4);
}
