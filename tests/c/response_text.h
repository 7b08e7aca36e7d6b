/* Helpers for responses: responses from text, values of records as text. */
#ifndef ANSWER_TEXT_H
#define ANSWER_TEXT_H

#include "message_text.h"

#include "message/response.h"

/* Parses a response; `operation` NULL: to a raw request. */
static inline privy_status parse_response(const char *operation, int status, const char *headers, const char *body,
                                          privy_response **out, privy_error *error) {
  privy_buffer bytes = PRIVY_BUFFER_EMPTY;
  const privy_operation *found = operation ? privy_operation_find(operation) : NULL;
  assert_int_equal(found != NULL, operation != NULL);
  if (!privy_buffer_text(&bytes, body)) {
    privy_buffer_clear(&bytes);
    return PRIVY_NO_MEMORY;
  }
  privy_status result = privy_response_parse(found, status, headers, strlen(headers), &bytes, out, error);
  assert_null(bytes.data);
  assert_int_equal(bytes.length, 0);
  return result;
}

/* The text of a value in the response; "-" for an absent one. */
static inline void assert_value(privy_value value, const char *expected) {
  if (value.type == PRIVY_ABSENT)
    assert_string_equal("-", expected);
  else
    assert_text(value.text, value.length, expected);
}

#endif
