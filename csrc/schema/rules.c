/* The end of a check (missing parameters, rules over several fields), and the check of a JSON object. */
#include "schema/check.h"

static void check_required(privy_check *check, uint64_t exempt) {
  const privy_object *object = check->operation->object;
  for (size_t i = 0; i < object->field_count; i++) {
    if ((check->given | exempt) >> i & 1) continue;
    const privy_field *field = &object->fields[i];
    if ((field->flags & PRIVY_FIELD_REQUIRED) && (field->accepted_by & (1u << check->operation->id)))
      privy_check_add_detail(check, field->name, "is required");
  }
}

/* The given fields but those in the path, which only name the record. */
static uint64_t given_values(const privy_check *check) {
  const privy_object *object = check->operation->object;
  uint64_t given = check->given;
  for (size_t i = 0; i < object->field_count; i++)
    if (object->fields[i].flags & PRIVY_FIELD_PATH) given &= ~(UINT64_C(1) << i);
  return given;
}

static bool breaks_rule(const privy_check *check, const privy_rule *rule) {
  uint64_t given = check->given & rule->fields;
  uint64_t present = given & ~check->nulls;
  switch (rule->kind) {
  case PRIVY_RULE_ANY_GIVEN: return given_values(check) == 0 && !check->unknown;
  case PRIVY_RULE_AT_LEAST_ONE: return present == 0;
  case PRIVY_RULE_EXACTLY_ONE: return present == 0 || (present & (present - 1)) != 0;
  case PRIVY_RULE_NEEDS:
    return (check->noted >> rule->when & 1) && (rule->when_values >> check->enum_values[rule->when] & 1) &&
           present != rule->fields;
  }
  return false;
}

void privy_check_finish(privy_check *check, uint64_t exempt) {
  const privy_rule *rule;
  if (!check->operation) return;
  check_required(check, exempt);
  for (size_t i = 0; (rule = privy_rule_at(i)); i++)
    if ((rule->operations & (1u << check->operation->id)) && breaks_rule(check, rule))
      privy_check_add_detail(check, "base", "%s", rule->message);
}

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
