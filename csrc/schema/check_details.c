/* The details that a check collects, each with the path of its field. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/visible.h"
#include "schema/check.h"

/* The current key; its text is NULL if there is none. */
static privy_slice key_of(const privy_check *check, const privy_check_frame *frame) {
  if (frame->field) return (privy_slice){frame->field->name, frame->field->name_length};
  if (frame->key_length == PRIVY_CHECK_NO_KEY) return (privy_slice){NULL, 0};
  return (privy_slice){frame->key_length ? check->keys.data + frame->key_start : "", frame->key_length};
}

/* Path of the current value: keys joined by dots, positions in brackets, keys with invisible characters in quotes. */
static bool path_of(privy_check *check, privy_buffer *out) {
  for (size_t i = 0; i < check->depth; i++) {
    const privy_check_frame *frame = privy_check_frame_of(check, i);
    bool done;
    if (frame->array) {
      done = privy_buffer_format(out, "[%u]", frame->index - 1);
    } else {
      const privy_slice key = key_of(check, frame);
      done = !key.text ||
             ((out->length == 0 || privy_buffer_byte(out, '.')) && privy_buffer_name(out, key.text, key.length));
    }
    if (!done) return false;
  }
  return true;
}

static privy_slice slice_of(const char *text) {
  return (privy_slice){text, strlen(text)};
}

static void add(privy_check *check, privy_slice field, const char *message, privy_detail_code code, int64_t limit) {
  if (!privy_details_add(&check->details, field, slice_of(message), slice_of(privy_detail_code_text(code)), limit))
    check->no_memory = true;
}

void privy_check_refuse_limit(privy_check *check, privy_detail_code code, int64_t limit, const char *message) {
  privy_buffer path = PRIVY_BUFFER_EMPTY;
  if (path_of(check, &path))
    add(check, path.length ? (privy_slice){path.data, path.length} : slice_of("base"), message, code, limit);
  else
    check->no_memory = true;
  privy_buffer_clear(&path);
}

void privy_check_refuse(privy_check *check, privy_detail_code code, const char *message) {
  privy_check_refuse_limit(check, code, PRIVY_NO_LIMIT, message);
}

void privy_check_add_detail(privy_check *check, const char *name, privy_detail_code code, const char *format, ...) {
  char message[256];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  if (length < 0)
    check->no_memory = true;
  else
    add(check, slice_of(name), message, code, PRIVY_NO_LIMIT);
}
