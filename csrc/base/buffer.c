#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define SMALLEST 64

void privy_buffer_clear(privy_buffer *buffer) {
  if (!buffer) return;
  privy_free(buffer->data);
  *buffer = (privy_buffer)PRIVY_BUFFER_EMPTY;
}

bool privy_buffer_grow(privy_buffer *buffer, size_t extra) {
  if (extra >= SIZE_MAX - buffer->length) return false;
  size_t wanted = buffer->length + extra + 1; /* a NUL may follow */
  if (buffer->capacity <= SIZE_MAX / 2 && wanted < buffer->capacity * 2) wanted = buffer->capacity * 2;
  if (wanted < SMALLEST) wanted = SMALLEST;
  char *data = privy_realloc(buffer->data, wanted);
  if (!data) return false;
  buffer->data = data;
  buffer->capacity = wanted;
  return true;
}

bool privy_buffer_append(privy_buffer *buffer, const char *bytes, size_t length) {
  if (length == 0) return true;
  if (!privy_buffer_reserve(buffer, length)) return false;
  memcpy(buffer->data + buffer->length, bytes, length);
  buffer->length += length;
  return true;
}

bool privy_buffer_byte(privy_buffer *buffer, char byte) {
  if (!privy_buffer_reserve(buffer, 1)) return false;
  buffer->data[buffer->length++] = byte;
  return true;
}

bool privy_buffer_format(privy_buffer *buffer, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (length < 0 || !privy_buffer_reserve(buffer, (size_t)length + 1)) return false;
  va_start(arguments, format);
  vsnprintf(buffer->data + buffer->length, (size_t)length + 1, format, arguments);
  va_end(arguments);
  buffer->length += (size_t)length;
  return true;
}

bool privy_buffer_scalar(privy_buffer *buffer, uint32_t scalar) {
  if (scalar > 0x10FFFF || (scalar >= 0xD800 && scalar <= 0xDFFF)) scalar = 0xFFFD;
  char bytes[4];
  size_t length = 0;
  if (scalar < 0x80) {
    bytes[length++] = (char)scalar;
  } else if (scalar < 0x800) {
    bytes[length++] = (char)(0xC0 | scalar >> 6);
  } else if (scalar < 0x10000) {
    bytes[length++] = (char)(0xE0 | scalar >> 12);
    bytes[length++] = (char)(0x80 | (scalar >> 6 & 0x3F));
  } else {
    bytes[length++] = (char)(0xF0 | scalar >> 18);
    bytes[length++] = (char)(0x80 | (scalar >> 12 & 0x3F));
    bytes[length++] = (char)(0x80 | (scalar >> 6 & 0x3F));
  }
  if (scalar >= 0x80) bytes[length++] = (char)(0x80 | (scalar & 0x3F));
  return privy_buffer_append(buffer, bytes, length);
}

static bool is_unreserved(char byte) {
  return privy_is_alnum(byte) || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

bool privy_buffer_percent(privy_buffer *buffer, const char *text, size_t length) {
  static const char digits[] = "0123456789ABCDEF";
  if (length == 0) return true;
  if (length > SIZE_MAX / 3 || !privy_buffer_reserve(buffer, length * 3)) return false;
  char *out = buffer->data + buffer->length;
  for (size_t i = 0; i < length; i++) {
    if (is_unreserved(text[i])) {
      *out++ = text[i];
      continue;
    }
    const unsigned char byte = (unsigned char)text[i];
    *out++ = '%';
    *out++ = digits[byte >> 4];
    *out++ = digits[byte & 15];
  }
  buffer->length = (size_t)(out - buffer->data);
  return true;
}

bool privy_buffer_terminate(privy_buffer *buffer) {
  if (!privy_buffer_reserve(buffer, 1)) return false;
  buffer->data[buffer->length] = '\0';
  return true;
}
