#include "schema/reason.h"

#include <inttypes.h>

#include "base/visible.h"
#include "schema/format.h"

bool privy_reason_choice(privy_buffer *out, const privy_operation *operation, const privy_field *field, int position) {
  const privy_operations asked = 1u << operation->id;
  const privy_enum *choices = field->choices;
  if (position >= 0 && *choices->choices[position].why)
    return privy_buffer_format(out, "%s %s", choices->choices[position].name, choices->choices[position].why);
  bool done = privy_buffer_text(out, "must be one of ");
  const char *comma = "";
  for (size_t i = 0; i < choices->count; i++) {
    if (!(choices->choices[i].taken_by & asked)) continue;
    done = done && privy_buffer_format(out, "%s%s", comma, choices->choices[i].name);
    comma = ", ";
  }
  return done;
}

bool privy_reason_format(privy_buffer *out, privy_format format, const char *message, const char *text, size_t length) {
  char name[PRIVY_CHARACTER_ROOM];
  const size_t odd = privy_format_odd(format, text, length);
  if (!privy_buffer_text(out, message)) return false;
  if (odd == length) return true;
  privy_name_character(privy_utf8_scalar(text + odd, privy_utf8_sequence(text + odd, length - odd)), name);
  return privy_buffer_format(out, "; it holds %s", name);
}

bool privy_reason_integer(privy_buffer *out, const privy_field *field, bool large) {
  if (field->max != INT64_MAX)
    return privy_buffer_format(out, "must be from %" PRId64 " to %" PRId64, field->min, field->max);
  if (large) return privy_buffer_format(out, "must be at most %" PRId64, field->max);
  return privy_buffer_format(out, "must be at least %" PRId64, field->min);
}

bool privy_reason_name(privy_buffer *out, const privy_operation *operation, const char *name, size_t length) {
  const privy_field *meant = privy_suggest(operation, name, length);
  if (meant)
    return privy_buffer_format(out, "is not a parameter of %s: did you mean %s?", operation->name, meant->name);
  return privy_buffer_format(out, "is not a parameter of %s; extra can send it", operation->name);
}
