/* What the tests of schema, message and client share: parameters given as JSON text, faults compared as lines. */
#ifndef MESSAGE_TEXT_H
#define MESSAGE_TEXT_H

#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "message/request.h"
#include "json/reader.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define CONTACT "cus_A1b2C3d4E5f6G7h8"

/* All faults, one a line: "field: message". */
static inline void assert_details(const privy_details *faults, const char *expected) {
  char lines[4096];
  size_t length = 0;
  lines[0] = '\0';
  for (size_t i = 0; i < faults->count; i++) {
    const privy_detail *fault = &faults->items[i];
    length += (size_t)snprintf(lines + length, sizeof lines - length, "%s%s: %s", i ? "\n" : "", fault->field,
                               fault->message);
    assert_true(length < sizeof lines);
  }
  assert_string_equal(lines, expected);
}

/* The value of a JSON text that is right. */
static inline privy_value json_of(const char *text) {
  privy_reader reader;
  privy_value value;
  privy_reader_init(&reader, text, strlen(text));
  privy_reader_value(&reader, &value);
  if (!privy_reader_end(&reader)) fail_msg("%s: %s at %zu", text, reader.error, reader.position);
  return value;
}

static inline void ask_value(privy_request *request, privy_value value);

static inline void ask_members(privy_request *request, privy_value container) {
  privy_cursor cursor;
  privy_value key, value;
  privy_cursor_init(&cursor, container);
  while (privy_cursor_next(&cursor, &key, &value)) {
    if (container.type == PRIVY_OBJECT) privy_request_key(request, key.text, key.length);
    ask_value(request, value);
  }
}

/* Texts are those between the quotes: the tests write no escapes. */
static inline void ask_value(privy_request *request, privy_value value) {
  switch ((privy_type)value.type) {
  case PRIVY_OBJECT:
    privy_request_begin_object(request);
    ask_members(request, value);
    privy_request_end_object(request);
    break;
  case PRIVY_ARRAY:
    privy_request_begin_array(request);
    ask_members(request, value);
    privy_request_end_array(request);
    break;
  case PRIVY_STRING: privy_request_string(request, value.text, value.length); break;
  case PRIVY_NUMBER: privy_request_number(request, value.text, value.length); break;
  case PRIVY_NULL: privy_request_null(request); break;
  default: privy_request_boolean(request, value.type == PRIVY_TRUE); break;
  }
}

/* Gives a request the members of a JSON object as its parameters. */
static inline void ask(privy_request *request, const char *json) {
  ask_members(request, json_of(json));
}

/* A finished request; NULL stays in `*out` when memory ran out. */
static inline privy_status ask_for(const char *operation, const char *json, privy_request **out, privy_error *error) {
  const privy_operation *found = privy_operation_find(operation);
  if (!found) fail_msg("no operation %s", operation);
  privy_status status = privy_request_new(found, out);
  if (status != PRIVY_OK) return status;
  ask(*out, json);
  return privy_request_finish(*out, error);
}

#endif
