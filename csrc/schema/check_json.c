/* The check of a JSON object: its members are checked as parameters. */
#include "schema/check.h"

static void check_scalar(privy_check *check, privy_value value, privy_buffer *decoded) {
  switch ((privy_type)value.type) {
  case PRIVY_NULL: privy_check_null(check); break;
  case PRIVY_TRUE: privy_check_boolean(check, true); break;
  case PRIVY_FALSE: privy_check_boolean(check, false); break;
  case PRIVY_NUMBER: privy_check_number(check, value.text, value.length); break;
  default:
    decoded->length = 0;
    if (value.escaped && privy_value_decode(value, decoded) != PRIVY_OK)
      check->no_memory = true;
    else if (value.escaped)
      privy_check_string(check, decoded->data ? decoded->data : "", decoded->length);
    else
      privy_check_string(check, value.text, value.length);
  }
}

static void check_name(privy_check *check, privy_value key, privy_buffer *decoded) {
  decoded->length = 0;
  if (key.escaped && privy_value_decode(key, decoded) != PRIVY_OK)
    check->no_memory = true;
  else if (key.escaped)
    privy_check_key(check, decoded->data ? decoded->data : "", decoded->length);
  else
    privy_check_key(check, key.text, key.length);
}

void privy_check_members(privy_check *check, privy_value object) {
  privy_cursor open[PRIVY_JSON_DEPTH + 1];
  size_t depth = 0;
  privy_buffer decoded = PRIVY_BUFFER_EMPTY;
  privy_value key, value;
  privy_cursor_init(&open[0], object);
  while (!check->no_memory) {
    if (!privy_cursor_next(&open[depth], &key, &value)) {
      if (depth == 0) break;
      depth--;
      privy_check_end(check);
      continue;
    }
    if (key.type == PRIVY_STRING) check_name(check, key, &decoded);
    if (value.type == PRIVY_ARRAY || value.type == PRIVY_OBJECT) {
      privy_check_begin(check, value.type == PRIVY_ARRAY);
      privy_cursor_init(&open[++depth], value);
    } else {
      check_scalar(check, value, &decoded);
    }
  }
  privy_buffer_clear(&decoded);
}
