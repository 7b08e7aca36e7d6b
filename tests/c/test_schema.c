/* The tables: their rows are consistent, and the bindings read them. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "privy.h"
#include "schema/schema.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const privy_object *const parts[] = {&privy_object_address, &privy_object_line_item, &privy_object_discount,
                                            &privy_object_tax_line};
static const privy_enum *const enums[] = {&privy_enum_email_consent, &privy_enum_sms_consent};

static bool is_name(const char *text) {
  for (const char *at = text; *at; at++)
    if (!(*at >= 'a' && *at <= 'z') && *at != '_') return false;
  return *text != '\0';
}

/* A line of documentation: text with a full stop. */
static void assert_doc(const char *owner, const char *name, const char *doc) {
  const size_t length = strlen(doc);
  if (length < 4 || doc[length - 1] != '.') fail_msg("%s.%s is documented as \"%s\"", owner, name, doc);
}

/* ---- rows -------------------------------------------------------------------------------------------------------- */

static void assert_row(const privy_object *object, const privy_field *row) {
  assert_true(is_name(row->name));
  assert_int_equal(row->name_length, strlen(row->name));
  assert_doc(object->name, row->name, row->doc);
  assert_true(row->kind <= PRIVY_KIND_ORDER_ID);
  assert_true(row->format < PRIVY_FORMAT_COUNT);
  assert_int_equal(row->kind == PRIVY_KIND_ENUM, row->enum_values != NULL);
  assert_int_equal(row->kind == PRIVY_KIND_OBJECT || row->kind == PRIVY_KIND_OBJECTS, row->object != NULL);
  assert_int_equal((row->flags & PRIVY_FIELD_HEADER) != 0, row->header != NULL);
  assert_true(row->accepted_by < 1u << PRIVY_OP_COUNT);
  assert_int_equal(row->nullable_in & ~row->accepted_by, 0);
  assert_non_null(row->aliases);
  if (row->flags & PRIVY_FIELD_NULLABLE) assert_int_not_equal(row->response_index, PRIVY_NO_INDEX);
  /* A field that no operation accepts must be in responses. */
  if (row->accepted_by == 0) assert_int_not_equal(row->response_index, PRIVY_NO_INDEX);
  if (row->kind == PRIVY_KIND_ORDER_ID) assert_int_equal(row->format, PRIVY_FORMAT_ORDER_ID);
  if (row->kind == PRIVY_KIND_TIME && row->accepted_by) assert_int_not_equal(row->format, PRIVY_FORMAT_NONE);
  if (row->kind == PRIVY_KIND_ANY) assert_true(row->max > 0);
}

static void rows_are_sane(void **state) {
  (void)state;
  const privy_object *object;
  for (size_t i = 0; (object = privy_object_at(i)); i++) {
    assert_doc("objects", object->name, object->doc);
    assert_in_range(object->field_count, 1, PRIVY_MAX_FIELDS);
    for (size_t row = 0; row < object->field_count; row++) {
      assert_row(object, &object->fields[row]);
      assert_ptr_equal(privy_object_lookup(object, object->fields[row].name, object->fields[row].name_length),
                       &object->fields[row]);
      for (size_t last = 0; last < object->field_count; last++)
        assert_ptr_equal(privy_object_lookup_after(object, &object->fields[last], object->fields[row].name,
                                                   object->fields[row].name_length),
                         &object->fields[row]);
      assert_null(privy_object_lookup_after(object, &object->fields[row], "no_such", 7));
    }
    assert_ptr_equal(privy_object_lookup_after(object, NULL, object->fields[0].name, object->fields[0].name_length),
                     object->fields);
  }
  assert_null(privy_object_lookup(&privy_object_contact, "emai", 4));
  assert_null(privy_object_lookup(&privy_object_contact, "emails", 6));
  assert_null(privy_object_lookup(&privy_object_contact, "", 0));
}

static void rows_of_operations_are_their_object_s(void **state) {
  (void)state;
  const privy_object *object;
  for (size_t i = 0; (object = privy_object_at(i)); i++) {
    privy_operations own = 0, taken = 0;
    const privy_operation *operation;
    for (size_t at = 0; (operation = privy_operation_at(at)); at++)
      if (operation->object == object) own |= 1u << operation->id;
    for (size_t row = 0; row < object->field_count; row++) taken |= object->fields[row].accepted_by;
    /* Every operation has a parameter. */
    assert_int_equal(taken, own);
  }
}

static void parts_are_sane(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(parts); i++) {
    const privy_object *part = parts[i];
    privy_field_info info;
    assert_doc("parts", part->name, part->doc);
    assert_int_equal(privy_object_count(part), part->field_count);
    assert_true(part->field_count > 0);
    for (size_t row = 0; row < part->field_count; row++) {
      const privy_field *field = &part->fields[row];
      assert_true(is_name(field->name));
      assert_int_equal(field->name_length, strlen(field->name));
      assert_doc(part->name, field->name, field->doc);
      assert_int_equal(field->nullable_in, PRIVY_OP_BIT(ORDER));
      assert_ptr_equal(privy_object_lookup(part, field->name, field->name_length), field);
      assert_true(privy_object_field(part, row, &info));
      assert_string_equal(info.name, field->name);
    }
    assert_false(privy_object_field(part, part->field_count, &info));
    assert_null(privy_object_find(part->name));
  }
}

/* ---- slots ------------------------------------------------------------------------------------------------------- */

static void response_indexes_lead_to_fields_and_back(void **state) {
  (void)state;
  const privy_object *object;
  for (size_t i = 0; (object = privy_object_at(i)); i++) {
    size_t readable = 0;
    for (size_t row = 0; row < object->field_count; row++) {
      const privy_field *field = &object->fields[row];
      if (field->response_index == PRIVY_NO_INDEX) continue;
      readable++;
      assert_true(field->response_index < object->response_field_count);
      assert_int_equal(object->response_fields[field->response_index], row);
      assert_int_equal(privy_object_index(object, field->name, field->name_length), field->response_index);
    }
    assert_int_equal(readable, object->response_field_count);
    assert_int_equal(privy_object_count(object), object->response_field_count);
  }
}

static void names_are_unique(void **state) {
  (void)state;
  const privy_object *object, *other;
  for (size_t i = 0; (object = privy_object_at(i)); i++) {
    assert_ptr_equal(privy_object_find(object->name), object);
    for (size_t j = 0; j < i; j++) {
      other = privy_object_at(j);
      assert_string_not_equal(object->name, other->name);
    }
    for (size_t a = 0; a < object->field_count; a++)
      for (size_t b = 0; b < a; b++) assert_string_not_equal(object->fields[a].name, object->fields[b].name);
  }
  assert_null(privy_object_find("contact"));
  assert_null(privy_object_find(""));
}

/* No older name is a present one, nor an older name of another row. */
static void aliases_lead_to_one_field(void **state) {
  (void)state;
  const privy_object *object;
  size_t found = 0;
  for (size_t i = 0; (object = privy_object_at(i)); i++) {
    for (size_t row = 0; row < object->field_count; row++) {
      const privy_field *field = &object->fields[row];
      privy_slice list = {field->aliases, strlen(field->aliases)}, word;
      while (privy_next_word(&list, '|', &word)) {
        found++;
        assert_null(privy_object_lookup(object, word.text, word.length));
        assert_int_equal(privy_object_index(object, word.text, word.length), field->response_index);
        for (size_t other = 0; other < object->field_count; other++)
          assert_int_equal(privy_aliases_have(object->fields[other].aliases, word.text, word.length), other == row);
      }
    }
  }
  assert_int_equal(found, 3);
  assert_int_equal(privy_object_index(&privy_object_contact, "email_permission", 16),
                   PRIVY_INDEX_CONTACT_email_consent);
  assert_int_equal(privy_object_index(&privy_object_contact, "phone_permission", 16), PRIVY_INDEX_CONTACT_sms_consent);
  assert_int_equal(privy_object_index(&privy_object_contact, "contact_phone_permission", 24),
                   PRIVY_INDEX_CONTACT_sms_consent);
  assert_int_equal(privy_object_index(&privy_object_contact, "permission", 10), -1);
  /* A field that is only sent is in no response. */
  assert_int_equal(privy_object_index(&privy_object_contact, "send_welcome_sms", 16), -1);
  assert_int_equal(privy_object_index(&privy_object_page, "", 0), -1);
}

static void aliases_are_complete_words(void **state) {
  (void)state;
  assert_true(privy_aliases_have("a|bc", "a", 1));
  assert_true(privy_aliases_have("a|bc", "bc", 2));
  assert_false(privy_aliases_have("a|bc", "b", 1));
  assert_false(privy_aliases_have("a|bc", "a|bc", 4));
  assert_false(privy_aliases_have("a|bc", "", 0));
  assert_false(privy_aliases_have("", "", 0));
}

/* ---- enumerations ------------------------------------------------------------------------------------------------ */

static void enum_values_are_sane(void **state) {
  (void)state;
  for (size_t i = 0; i < COUNT(enums); i++) {
    const privy_enum *enum_values = enums[i];
    assert_true(is_name(privy_enum_name(enum_values)));
    assert_in_range(privy_enum_count(enum_values), 1, 32);
    assert_null(privy_enum_value(enum_values, privy_enum_count(enum_values)));
    for (size_t at = 0; at < enum_values->count; at++) {
      const privy_enum_entry *enum_value = &enum_values->values[at];
      assert_true(is_name(enum_value->name));
      assert_string_equal(privy_enum_value(enum_values, at), enum_value->name);
      assert_int_equal(privy_enum_index(enum_values, enum_value->name, strlen(enum_value->name), false), at);
      assert_true(enum_value->accepted_by < 1u << PRIVY_OP_COUNT);
      /* Every value can be filtered by. */
      assert_true(enum_value->accepted_by & PRIVY_OP_BIT(LIST));
      /* A value that an operation refuses has a reason. */
      assert_int_equal(*enum_value->reason == '\0', (enum_value->accepted_by & PRIVY_OP_BIT(CREATE)) != 0);
      privy_slice list = {enum_value->aliases, strlen(enum_value->aliases)}, word;
      while (privy_next_word(&list, '|', &word)) {
        assert_int_equal(privy_enum_index(enum_values, word.text, word.length, false), -1);
        assert_int_equal(privy_enum_index(enum_values, word.text, word.length, true), at);
      }
    }
  }
}

static void consents_are_those_of_the_contract(void **state) {
  (void)state;
  static const char *const email[] = {"subscribed", "unsubscribed", "never_subscribed", "suppressed",
                                      "compliance_suppressed"};
  static const char *const sms[] = {"subscribed", "unsubscribed", "never_subscribed", "single_opt_in", "pending"};
  assert_int_equal(privy_enum_count(&privy_enum_email_consent), COUNT(email));
  assert_int_equal(privy_enum_count(&privy_enum_sms_consent), COUNT(sms));
  for (size_t i = 0; i < COUNT(email); i++)
    assert_string_equal(privy_enum_value(&privy_enum_email_consent, i), email[i]);
  for (size_t i = 0; i < COUNT(sms); i++) assert_string_equal(privy_enum_value(&privy_enum_sms_consent, i), sms[i]);
  assert_int_equal(privy_enum_index(&privy_enum_email_consent, "non_subscribed", 14, true),
                   PRIVY_email_consent_never_subscribed);
  assert_int_equal(privy_enum_index(&privy_enum_sms_consent, "non_subscribed", 14, true),
                   PRIVY_sms_consent_never_subscribed);
  assert_int_equal(privy_enum_index(&privy_enum_sms_consent, "Subscribed", 10, true), -1);
  assert_int_equal(privy_enum_index(&privy_enum_sms_consent, "", 0, true), -1);
  /* Read-only values, and the one that a create cannot carry. */
  assert_int_equal(privy_enum_email_consent.values[PRIVY_email_consent_compliance_suppressed].accepted_by,
                   PRIVY_OP_BIT(LIST));
  assert_int_equal(privy_enum_sms_consent.values[PRIVY_sms_consent_pending].accepted_by, PRIVY_OP_BIT(LIST));
  assert_int_equal(privy_enum_sms_consent.values[PRIVY_sms_consent_unsubscribed].accepted_by,
                   PRIVY_OP_BIT(LIST) | PRIVY_OP_BIT(UPDATE));
}

/* ---- operations -------------------------------------------------------------------------------------------------- */

static const struct {
  const char *name, *method, *path, *scope, *object;
  bool paged, deprecated;
  size_t body_limit;
} contract[] = {
    {"contacts.list", "GET", "/contacts", "contacts_read", "Contact", true, false, 0},
    {"contacts.get", "GET", "/contacts/{id}", "contacts_read", "Contact", false, false, 0},
    {"contacts.create", "POST", "/contacts", "contacts_write", "Contact", false, false, 0},
    {"contacts.update", "PATCH", "/contacts/{id}", "contacts_write", "Contact", false, false, 0},
    {"contacts.upsert", "POST", "/contacts", "contacts_write", "Contact", false, false, 0},
    {"contacts.unsubscribe", "POST", "/contacts/{id}/unsubscribe", "contacts_write", "Contact", false, true, 0},
    {"contacts.delete", "DELETE", "/contacts/{id}", "contacts_write", "Contact", false, false, 0},
    {"orders.upsert", "POST", "/orders/placed", "orders_write", "Order", false, false, 0},
    {"events.ingest", "POST", "/events", "events_write", "EventReceipt", false, false, 262144},
};

static void operations_are_those_of_the_contract(void **state) {
  (void)state;
  assert_int_equal(COUNT(contract), PRIVY_OP_COUNT);
  assert_null(privy_operation_at(PRIVY_OP_COUNT));
  assert_null(privy_operation_find("contacts"));
  for (size_t i = 0; i < COUNT(contract); i++) {
    const privy_operation *operation = privy_operation_find(contract[i].name);
    assert_non_null(operation);
    assert_ptr_equal(privy_operation_get(operation->id), operation);
    assert_ptr_equal(privy_operation_at(operation->id), operation);
    assert_string_equal(privy_operation_name(operation), contract[i].name);
    assert_string_equal(privy_operation_method(operation), contract[i].method);
    assert_string_equal(privy_operation_path(operation), contract[i].path);
    assert_string_equal(privy_operation_scope(operation), contract[i].scope);
    assert_string_equal(privy_object_name(privy_operation_object(operation)), contract[i].object);
    assert_int_equal(privy_operation_paged(operation), contract[i].paged);
    assert_int_equal(privy_operation_deprecation(operation) != NULL, contract[i].deprecated);
    assert_int_equal(operation->body_limit, contract[i].body_limit);
    assert_doc("operations", operation->name, privy_operation_doc(operation));
  }
}

static void every_path_parameter_is_a_required_one(void **state) {
  (void)state;
  const privy_operation *operation;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++) {
    size_t in_path = 0;
    const char *brace = strchr(operation->path, '{');
    for (size_t row = 0; row < operation->object->field_count; row++) {
      const privy_field *field = &operation->object->fields[row];
      if (privy_field_location(operation, field) != PRIVY_LOCATION_PATH) continue;
      assert_non_null(brace);
      in_path++;
      assert_memory_equal(brace + 1, field->name, field->name_length);
      assert_int_equal(brace[1 + field->name_length], '}');
      assert_true(field->accepted_by & 1u << operation->id);
      assert_true(field->flags & PRIVY_FIELD_REQUIRED);
      assert_int_not_equal(field->format, PRIVY_FORMAT_NONE);
    }
    assert_int_equal(in_path, brace ? 1 : 0);
    if (brace) assert_null(strchr(brace + 1, '{'));
  }
}

static void parameters_travel_where_they_belong(void **state) {
  (void)state;
  const privy_field *contact = privy_object_contact.fields;
  assert_int_equal(privy_field_location(privy_operation_get(PRIVY_OP_LIST), &contact[PRIVY_FIELD_CONTACT_email]),
                   PRIVY_LOCATION_QUERY);
  assert_int_equal(privy_field_location(privy_operation_get(PRIVY_OP_CREATE), &contact[PRIVY_FIELD_CONTACT_email]),
                   PRIVY_LOCATION_BODY);
  assert_int_equal(privy_field_location(privy_operation_get(PRIVY_OP_UPDATE), &contact[PRIVY_FIELD_CONTACT_id]),
                   PRIVY_LOCATION_PATH);
  assert_int_equal(privy_field_location(privy_operation_get(PRIVY_OP_CREATE), &contact[PRIVY_FIELD_CONTACT_id]),
                   PRIVY_LOCATION_BODY);
  assert_int_equal(privy_field_location(privy_operation_get(PRIVY_OP_EVENT),
                                        &privy_object_event.fields[PRIVY_FIELD_EVENT_idempotency_key]),
                   PRIVY_LOCATION_HEADER);
}

static void assert_parameters_follow_the_table(const privy_operation *operation) {
  const privy_object *object = operation->object;
  privy_field_info info;
  size_t count = 0;
  for (size_t i = 0; i < object->field_count; i++) {
    if (!(object->fields[i].accepted_by & 1u << operation->id)) continue;
    assert_true(privy_operation_param(operation, count++, &info));
    assert_string_equal(info.name, object->fields[i].name);
  }
  assert_int_equal(privy_operation_count(operation), count);
  assert_false(privy_operation_param(operation, count, &info));
  assert_false(privy_operation_param(operation, SIZE_MAX, &info));
}

static void parameters_are_listed_in_the_order_of_the_table(void **state) {
  (void)state;
  const privy_operation *operation;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++) assert_parameters_follow_the_table(operation);
}

static void parameters_say_whether_they_are_required_or_nullable(void **state) {
  (void)state;
  privy_field_info info;
  assert_true(privy_operation_param(privy_operation_find("contacts.create"), 0, &info));
  assert_string_equal(info.name, "email");
  assert_true(!info.required && info.nullable);
  const privy_operation *update = privy_operation_find("contacts.update");
  assert_true(privy_operation_param(update, 0, &info));
  assert_string_equal(info.name, "id");
  assert_true(info.required && !info.nullable);
  assert_true(privy_operation_param(update, 1, &info));
  assert_string_equal(info.name, "email");
  assert_true(!info.required && !info.nullable);
  assert_true(privy_object_field(&privy_object_contact, 0, &info));
  assert_false(info.required || info.nullable);
}

static void fields_of_responses_say_whether_they_may_be_null(void **state) {
  (void)state;
  privy_field_info info;
  assert_true(privy_object_field(&privy_object_contact, PRIVY_INDEX_CONTACT_email, &info));
  assert_true(info.nullable);
  assert_true(privy_object_field(&privy_object_contact, PRIVY_INDEX_CONTACT_email_consent, &info));
  assert_false(info.nullable);
  assert_true(privy_object_field(&privy_object_order, PRIVY_INDEX_ORDER_phone, &info));
  assert_true(info.nullable);
  assert_true(privy_object_field(&privy_object_order, PRIVY_INDEX_ORDER_total_amount, &info));
  assert_false(info.nullable);
}

static void every_parameter_can_be_listed(void **state) {
  (void)state;
  const privy_operation *operation;
  privy_field_info info;
  for (size_t i = 0; (operation = privy_operation_at(i)); i++) {
    const size_t count = privy_operation_count(operation);
    assert_true(count > 0);
    for (size_t at = 0; at < count; at++) {
      assert_true(privy_operation_param(operation, at, &info));
      const privy_field *row = privy_object_lookup(operation->object, info.name, strlen(info.name));
      assert_true(row->accepted_by & 1u << operation->id);
      assert_int_equal(info.required, (row->flags & PRIVY_FIELD_REQUIRED) != 0);
      assert_ptr_equal(info.enum_values, row->enum_values);
      assert_ptr_equal(info.object, row->object);
      assert_string_equal(info.doc, row->doc);
    }
  }
}

/* ---- rules, errors ----------------------------------------------------------------------------------------------- */

static void rules_speak_of_what_their_operations_take(void **state) {
  (void)state;
  const privy_rule *rule;
  size_t count = 0;
  for (size_t i = 0; (rule = privy_rule_at(i)); i++, count++) {
    assert_true(rule->operations != 0 && rule->operations < 1u << PRIVY_OP_COUNT);
    assert_int_equal(rule->fields == 0, rule->kind == PRIVY_RULE_ANY_GIVEN);
    assert_true(strlen(rule->message) > 10);
    for (unsigned id = 0; id < PRIVY_OP_COUNT; id++) {
      if (!(rule->operations & 1u << id)) continue;
      const privy_object *object = privy_operation_get((privy_operation_id)id)->object;
      for (size_t row = 0; row < 64; row++) {
        if (!(rule->fields >> row & 1)) continue;
        assert_true(row < object->field_count);
        assert_true(object->fields[row].accepted_by & 1u << id);
      }
      if (rule->kind != PRIVY_RULE_NEEDS) continue;
      const privy_field *when = &object->fields[rule->when];
      assert_true(when->accepted_by & 1u << id);
      assert_true(when->kind == PRIVY_KIND_ENUM || when->kind == PRIVY_KIND_BOOLEAN);
      assert_true(rule->when_values != 0);
      assert_true(when->enum_values ? rule->when_values < 1u << when->enum_values->count : rule->when_values < 4);
    }
  }
  assert_int_equal(count, 6);
}

static void errors_form_a_tree(void **state) {
  (void)state;
  for (int code = PRIVY_CONFIG_ERROR; code < PRIVY_STATUS_COUNT; code++) {
    const privy_error_info *info = privy_error_describe((privy_status)code);
    assert_int_equal(info->code, code);
    assert_non_null(info->name);
    assert_doc("errors", info->name, info->doc);
    assert_true((int)info->parent < code);
    if (info->parent != PRIVY_OK) assert_true(*privy_error_describe(info->parent)->name != '\0');
  }
  assert_string_equal(privy_error_describe(PRIVY_CONFLICT)->name, "ConflictError");
  assert_int_equal(privy_error_describe(PRIVY_CONFLICT)->http_status, 409);
  assert_int_equal(privy_error_describe(PRIVY_TIMEOUT)->parent, PRIVY_CONNECTION);
  assert_int_equal(privy_error_describe(PRIVY_OK)->code, PRIVY_OK);
}

static void each_scope_has_a_probe_of_an_operation_that_needs_it(void **state) {
  (void)state;
  privy_probe probe;
  size_t count = 0;
  while (privy_probe_at(count, &probe)) {
    assert_string_equal(probe.scope, privy_scope_name((privy_scope)count++));
    const privy_operation *operation = NULL;
    for (size_t i = 0; (operation = privy_operation_at(i)); i++)
      if (strcmp(operation->path, probe.path) == 0 && strcmp(operation->method, probe.method) == 0) break;
    assert_non_null(operation);
    assert_string_equal(privy_operation_scope(operation), probe.scope);
    assert_null(strchr(probe.path, '{'));
    assert_true(probe.has_body == (strcmp(probe.method, "GET") != 0));
  }
  assert_int_equal(count, PRIVY_SCOPE_COUNT);
}

int main(void) {
  static harness_test tests[] = {
      TEST(rows_are_sane),
      TEST(rows_of_operations_are_their_object_s),
      TEST(parts_are_sane),
      TEST(response_indexes_lead_to_fields_and_back),
      TEST(names_are_unique),
      TEST(aliases_lead_to_one_field),
      TEST(aliases_are_complete_words),
      TEST(enum_values_are_sane),
      TEST(consents_are_those_of_the_contract),
      TEST(operations_are_those_of_the_contract),
      TEST(every_path_parameter_is_a_required_one),
      TEST(parameters_travel_where_they_belong),
      TEST(parameters_are_listed_in_the_order_of_the_table),
      TEST(parameters_say_whether_they_are_required_or_nullable),
      TEST(fields_of_responses_say_whether_they_may_be_null),
      TEST(every_parameter_can_be_listed),
      TEST(rules_speak_of_what_their_operations_take),
      TEST(errors_form_a_tree),
      TEST(each_scope_has_a_probe_of_an_operation_that_needs_it),
  };
  return HARNESS_RUN(tests);
}
