/* The end of a check: missing parameters, and rules over several fields. */
#include "schema/check.h"

static void check_required(privy_check *check, uint64_t exempt) {
  const privy_object *object = check->operation->object;
  for (size_t i = 0; i < object->field_count; i++) {
    if ((check->given | exempt) >> i & 1) continue;
    const privy_field *field = &object->fields[i];
    if ((field->flags & PRIVY_FIELD_REQUIRED) && (field->accepted_by & (1u << check->operation->id)))
      privy_check_add_detail(check, field->name, PRIVY_CODE_REQUIRED, "is required");
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
      privy_check_add_detail(check, "base", rule->code, "%s", rule->message);
}

void privy_check_finish_names(privy_check *check) {
  const privy_rule *rule;
  check_required(check, 0);
  for (size_t i = 0; (rule = privy_rule_at(i)); i++) {
    const bool one = rule->kind == PRIVY_RULE_AT_LEAST_ONE || rule->kind == PRIVY_RULE_EXACTLY_ONE;
    if (one && (rule->operations & (1u << check->operation->id)) && !(check->given & rule->fields))
      privy_check_add_detail(check, "base", rule->code, "%s", rule->message);
  }
}
