/* The checker of parameters: names in both modes, rules over several fields, what is not judged. */
#include "harness.h"

#include <string.h>

#include "check_text.h"

static void names_in_strict_mode(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"contacts.create", "{\"email\":\"a@b\",\"id\":\"" CONTACT "\",\"created_at\":null,\"page\":1,\"Email\":1}",
       "id: is not a parameter of contacts.create; use extra to send it\ncreated_at: is read-only\n"
       "page: is not a parameter of contacts.create; use extra to send it\n"
       "Email: is not a parameter of contacts.create: did you mean email?"},
      {"orders.upsert", "{" ORDER ",\"created\":true,\"total_amount\":1}",
       "created: is read-only\ntotal_amount: is read-only"},
      /* older names are for reading only */
      {"contacts.create", "{\"email\":\"a@b\",\"email_permission\":\"subscribed\"}",
       "email_permission: is not a parameter of contacts.create: did you mean email_consent?"},
      {"contacts.create", "{\"email\":\"a@b\",\"email\":\"a@b\"}", "email: is given twice"},
      {"contacts.create", "{\"email\":\"a@b\",\"\":1}",
       "\"\": is not a parameter of contacts.create; use extra to send it"},
  };
  run_cases(cases, COUNT(cases), PRIVY_CHECK_STRICT);
}

static void names_in_lenient_mode(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"contacts.create",
       "{\"email\":\"a@b\",\"id\":1,\"created_at\":{\"x\":[[]]},\"bogus\":[{\"email\":1}],\"email\":\"c@d\"}", ""},
      {"contacts.create", "{\"email\":\"a@b\",\"email\":1,\"tags\":[1]}",
       "email: must be a string\ntags[0]: must be a string"},
      {"contacts.update", "{\"id\":\"" CONTACT "\",\"bogus\":1}", "base: at least one field to update is required"},
      {"contacts.create", "{\"na\\u006de\":1,\"ema\\u0069l\":\"a\\u0040b\",\"tags\":[\"\\u0000\",\"\\\"\"]}", ""},
  };
  run_cases(cases, COUNT(cases), PRIVY_CHECK_LENIENT);
}

static void rules_over_several_fields(void **state) {
  (void)state;
  static const check_case cases[] = {
      {"contacts.create", "{}", "base: at least one of email, phone_number is required"},
      {"contacts.create", "{\"email\":null}", "base: at least one of email, phone_number is required"},
      {"contacts.create", "{\"email\":null,\"phone_number\":\"+14155550171\"}", ""},
      /* what is wrong was given all the same */
      {"contacts.create", "{\"email\":\"x\"}",
       "email: must be an e-mail address: one @ between non-empty parts, no space or control character, at most 254 "
       "bytes"},
      {"contacts.create", "{\"email\":\"a@b\",\"sms_consent\":\"subscribed\"}",
       "base: sms_consent subscribed and single_opt_in need a phone_number"},
      {"contacts.upsert", "{\"email\":\"a@b\",\"sms_consent\":\"single_opt_in\",\"phone_number\":null}",
       "base: sms_consent subscribed and single_opt_in need a phone_number"},
      {"contacts.create", "{\"email\":\"a@b\",\"sms_consent\":\"never_subscribed\"}", ""},
      {"contacts.update", "{\"id\":\"" CONTACT "\",\"sms_consent\":\"subscribed\"}", ""},
      {"contacts.update", "{\"id\":\"" CONTACT "\"}", "base: at least one field to update is required"},
      {"contacts.update", "{\"id\":\"" CONTACT "\",\"first_name\":null}", ""},
      {"contacts.update", "{}", "id: is required\nbase: at least one field to update is required"},
      {"orders.upsert", "{\"email\":\"a@b\",\"accepts_sms_marketing\":true}",
       "order_id: is required\ntotal: is required\ncurrency: is required\norder_date: is required\n"
       "base: accepts_sms_marketing needs a phone"},
      {"orders.upsert", "{" ORDER ",\"accepts_sms_marketing\":false}", ""},
      {"events.ingest", "{\"event_type\":\"x\"}", "base: exactly one of email, phone, privy_id is required"},
      {"events.ingest", "{" EVENT ",\"phone\":\"+14155550171\"}",
       "base: exactly one of email, phone, privy_id is required"},
      {"events.ingest", "{\"event_type\":\"x\",\"privy_id\":\"" CONTACT "\"}", ""},
  };
  run_cases(cases, COUNT(cases), PRIVY_CHECK_STRICT);
}

static void what_is_exempt_need_not_be_there(void **state) {
  (void)state;
  privy_check check;
  const uint64_t id = UINT64_C(1) << PRIVY_FIELD_CONTACT_id;
  bool complete = check_text(&check, "contacts.update", PRIVY_CHECK_LENIENT, "{\"first_name\":\"J\"}", id);
  if (complete) assert_details(&check.details, "");
  privy_check_clear(&check);
  CHECK_MEMORY(complete);
  complete = check_text(&check, "contacts.update", PRIVY_CHECK_LENIENT, "{\"first_name\":\"J\"}", 0);
  if (complete) assert_details(&check.details, "id: is required");
  privy_check_clear(&check);
  CHECK_MEMORY(complete);
done:
  return;
}

static void extra_is_not_judged_but_counts(void **state) {
  (void)state;
  privy_check check;
  privy_check_init(&check, privy_operation_find("contacts.create"), PRIVY_CHECK_STRICT);
  privy_check_key(&check, "first_name", 10);
  privy_check_null(&check);
  check.lenient = true;
  privy_check_key(&check, "email", 5);
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_number(&check, "5", 1), PRIVY_VERDICT_PASSED);
  privy_check_key(&check, "created_at", 10);
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_begin(&check, false), PRIVY_VERDICT_PASSED);
  privy_check_key(&check, "tags", 4);
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_boolean(&check, true), PRIVY_VERDICT_PASSED);
  privy_check_end(&check);
  /* Text must be text, and a number one, even so. */
  privy_check_key(&check, "a", 1);
  CHECK_MEMORY(!check.no_memory);
  assert_int_equal(privy_check_number(&check, "NaN", 3), PRIVY_VERDICT_REFUSED);
  privy_check_key(&check, "first_name", 10);
  privy_check_null(&check);
  privy_check_finish(&check, 0);
  CHECK_MEMORY(!check.no_memory);
  assert_details(&check.details, "a: is NaN: omit a field that has no value\nfirst_name: is given twice");
done:
  privy_check_clear(&check);
}

static void an_unknown_extra_is_something_to_update(void **state) {
  (void)state;
  privy_check check;
  privy_check_init(&check, privy_operation_find("contacts.update"), PRIVY_CHECK_STRICT);
  privy_check_key(&check, "id", 2);
  privy_check_string(&check, CONTACT, 20);
  check.lenient = true;
  privy_check_key(&check, "nickname", 8);
  privy_check_string(&check, "JD", 2);
  privy_check_finish(&check, 0);
  CHECK_MEMORY(!check.no_memory);
  assert_details(&check.details, "");
done:
  privy_check_clear(&check);
}

static void every_field_but_the_id_is_something_to_update(void **state) {
  (void)state;
  privy_check check;
  for (size_t i = 0; i < privy_object_contact.field_count; i++) {
    const privy_field *field = &privy_object_contact.fields[i];
    if (!(field->accepted_by & PRIVY_OP_BIT(UPDATE))) continue;
    privy_check_init(&check, privy_operation_find("contacts.update"), PRIVY_CHECK_LENIENT);
    check.lenient = true;
    privy_check_key(&check, field->name, field->name_length);
    privy_check_null(&check);
    privy_check_finish(&check, UINT64_C(1) << PRIVY_FIELD_CONTACT_id);
    CHECK_MEMORY(!check.no_memory);
    assert_details(&check.details, i == PRIVY_FIELD_CONTACT_id ? "base: at least one field to update is required" : "");
    privy_check_clear(&check);
  }
  return;
done:
  privy_check_clear(&check);
}

int main(void) {
  static harness_test tests[] = {
      TEST(names_in_strict_mode),
      TEST(names_in_lenient_mode),
      TEST(rules_over_several_fields),
      TEST(what_is_exempt_need_not_be_there),
      TEST(extra_is_not_judged_but_counts),
      TEST(an_unknown_extra_is_something_to_update),
      TEST(every_field_but_the_id_is_something_to_update),
  };
  return HARNESS_RUN(tests);
}
