/*
 * Growable bytes. Every function that appends returns false, and changes nothing, when memory runs out or the size
 * would overflow. A buffer is not NUL-terminated unless privy_buffer_terminate was the last thing called on it.
 */
#ifndef PRIVY_BASE_BUFFER_H
#define PRIVY_BASE_BUFFER_H

#include <string.h>

#include "privy.h"

/* Called by privy_buffer_reserve when the capacity is too small. */
PRIVY_NODISCARD bool privy_buffer_grow(privy_buffer *buffer, size_t extra);
/* Reserves space for `extra` more bytes after `length`. */
PRIVY_NODISCARD static inline bool privy_buffer_reserve(privy_buffer *buffer, size_t extra) {
  return extra <= buffer->capacity - buffer->length || privy_buffer_grow(buffer, extra);
}
PRIVY_NODISCARD bool privy_buffer_append(privy_buffer *buffer, const char *bytes, size_t length);
PRIVY_NODISCARD static inline bool privy_buffer_text(privy_buffer *buffer, const char *text) {
  return privy_buffer_append(buffer, text, strlen(text));
}
PRIVY_NODISCARD bool privy_buffer_byte(privy_buffer *buffer, char byte);
PRIVY_NODISCARD bool privy_buffer_format(privy_buffer *buffer, const char *format, ...) PRIVY_PRINTF(2, 3);
/* Appends the UTF-8 form of a Unicode scalar value. */
PRIVY_NODISCARD bool privy_buffer_scalar(privy_buffer *buffer, uint32_t scalar);
/* Appends `text` percent-encoded: everything but A-Z a-z 0-9 - . _ ~. */
PRIVY_NODISCARD bool privy_buffer_percent(privy_buffer *buffer, const char *text, size_t length);
/* Writes a NUL after the bytes without counting it, so that `data` can be read as a C string. */
PRIVY_NODISCARD bool privy_buffer_terminate(privy_buffer *buffer);

#endif
