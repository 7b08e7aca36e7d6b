#include "schema/reason.h"

#include <inttypes.h>

#include "base/visible.h"
#include "schema/format.h"

bool privy_reason_enum_value(privy_buffer *out, const privy_operation *operation, const privy_field *field,
                             int position) {
  const privy_operations asked = 1u << operation->id;
  const privy_enum *enum_values = field->enum_values;
  if (position >= 0 && *enum_values->values[position].reason)
    return privy_buffer_format(out, "%s %s", enum_values->values[position].name, enum_values->values[position].reason);
  bool done = privy_buffer_text(out, "must be one of ");
  const char *comma = "";
  for (size_t i = 0; i < enum_values->count; i++) {
    if (!(enum_values->values[i].accepted_by & asked)) continue;
    done = done && privy_buffer_format(out, "%s%s", comma, enum_values->values[i].name);
    comma = ", ";
  }
  return done;
}

privy_detail_code privy_reason_enum_code(const privy_field *field, int position) {
  return position < 0 ? PRIVY_CODE_INCLUSION : field->enum_values->values[position].code;
}

static const char *type_message(const privy_field *field) {
  switch ((privy_kind)field->kind) {
  case PRIVY_KIND_STRING: return "must be a string";
  case PRIVY_KIND_INTEGER: return "must be an integer";
  case PRIVY_KIND_MONEY: return PRIVY_REASON_MONEY;
  case PRIVY_KIND_BOOLEAN: return "must be true or false";
  case PRIVY_KIND_TIME:
  case PRIVY_KIND_ORDER_ID: return privy_format_check((privy_format)field->format, "", 0);
  case PRIVY_KIND_STRINGS: return "must be an array of strings";
  case PRIVY_KIND_FLAT: return "must be an object without nested values";
  case PRIVY_KIND_ANY:
  case PRIVY_KIND_OBJECT: return "must be an object";
  case PRIVY_KIND_OBJECTS: return "must be an array of objects";
  case PRIVY_KIND_ENUM: break;
  }
  return "";
}

bool privy_reason_type(privy_buffer *out, const privy_operation *operation, const privy_field *field) {
  if (field->kind == PRIVY_KIND_ENUM) return privy_reason_enum_value(out, operation, field, -1);
  return privy_buffer_text(out, type_message(field));
}

privy_detail_code privy_reason_type_code(const privy_field *field) {
  switch ((privy_kind)field->kind) {
  case PRIVY_KIND_ENUM: return PRIVY_CODE_INCLUSION;
  case PRIVY_KIND_INTEGER: return PRIVY_CODE_NOT_AN_INTEGER;
  case PRIVY_KIND_MONEY: return PRIVY_CODE_NOT_A_NUMBER;
  case PRIVY_KIND_TIME:
  case PRIVY_KIND_ORDER_ID: return privy_format_code((privy_format)field->format);
  default: return PRIVY_CODE_WRONG_TYPE;
  }
}

static size_t after_sign(const char *text, size_t length) {
  return length > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
}

bool privy_reason_is_nan(const char *text, size_t length) {
  size_t at = after_sign(text, length);
  if (at < length && (text[at] | 0x20) == 's') at++; /* sNaN */
  return at < length && (text[at] | 0x20) == 'n';
}

const char *privy_reason_not_finite(const char *text, size_t length) {
  const size_t at = after_sign(text, length);
  if (privy_reason_is_nan(text, length)) return "is NaN" PRIVY_REASON_MISSING;
  return at < length && (text[at] | 0x20) == 'i' ? "is infinite: must be a finite number" : NULL;
}

bool privy_reason_format(privy_buffer *out, privy_format format, const char *message, const char *text, size_t length) {
  char name[PRIVY_CHARACTER_ROOM];
  const size_t odd = privy_format_odd(format, text, length);
  if (!privy_buffer_text(out, message)) return false;
  if (odd == length) return true;
  privy_name_character(privy_utf8_scalar(text + odd, privy_utf8_sequence(text + odd, length - odd)), name);
  return privy_buffer_format(out, "; it contains %s", name);
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
  return privy_buffer_format(out, "is not a parameter of %s; use extra to send it", operation->name);
}
