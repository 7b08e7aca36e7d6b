/* Contacts in the sandbox: create, get, update, unsubscribe, delete, restore. */
#include "test_sandbox.h"

#define CONTACTS "/v1/contacts"

/* The response holds every field of a contact, in the order of the table. */
static void assert_fields_in_order(sandbox_kit *kit) {
  const privy_buffer *body = &kit->response.body;
  size_t at = 0;
  for (size_t i = 0; i < privy_object_contact.response_field_count; i++) {
    const privy_field *field = &privy_object_contact.fields[privy_object_contact.response_fields[i]];
    const size_t length = field->name_length + PRIVY_KEY_EXTRA;
    while (at + length <= body->length && memcmp(body->data + at, field->key, length) != 0) at++;
    if (at + length > body->length) fail_msg("%s is missing, or before an earlier field", field->name);
    at += length;
  }
}

static void creates_with_all_fields(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS,
      "{'email':'Jane@example.com','phone_number':'+14155550101','first_name':'Jane','last_name':null,"
      "'email_consent':'subscribed','sms_consent':'single_opt_in','tags':['vip','a\\'b'],"
      "'custom_fields':{'size':'M','n':1.50},'created_at':'1999','tomorrow':[1]}",
      201);
  assert_memory_equal(kit.id, "cus_", 4);
  assert_int_equal(strspn(kit.id + 4, "0123456789abcdef"), 16);
  assert_fields_in_order(&kit);
  assert_has(kit, "'email':'Jane@example.com'");
  assert_has(kit, "'phone_number':'+14155550101'");
  assert_has(kit, "'first_name':'Jane'");
  assert_has(kit, "'last_name':null");
  assert_has(kit, "'email_consent':'subscribed'");
  assert_has(kit, "'sms_consent':'single_opt_in'");
  assert_has(kit, "'tags':['vip','a\\'b']");
  assert_has(kit, "'custom_fields':{'size':'M','n':1.50}");
  assert_has(kit, "'created_at':'2026-05-12T10:00:00Z'");
  assert_has(kit, "'updated_at':'2026-05-12T10:00:00Z'");
  assert_lacks(kit, "tomorrow");
  assert_lacks(kit, "send_welcome_sms");
  assert_count(kit, contacts, 1);
done:
  kit_close(&kit);
}

/* Fields that were not given and may be null. */
static void assert_nulls(sandbox_kit *kit, size_t given) {
  char text[80];
  for (size_t i = 0; i < privy_object_contact.field_count; i++) {
    const privy_field *field = &privy_object_contact.fields[i];
    if (i == given || !(field->nullable_in & PRIVY_OP_BIT(CREATE))) continue;
    snprintf(text, sizeof text, "'%s':null", field->name);
    assert_has(*kit, text);
  }
}

static void creates_with_defaults(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", "/contacts", "{'email':'a@b.c','phone_number':null}", 201);
  assert_fields_in_order(&kit);
  assert_nulls(&kit, PRIVY_FIELD_CONTACT_email);
  assert_has(kit, "'email_consent':'never_subscribed'");
  assert_has(kit, "'sms_consent':'never_subscribed'");
  assert_has(kit, "'tags':[]");
  assert_has(kit, "'custom_fields':{}");
  ASK(kit, "POST", "/contacts", "{'phone_number':'+491701234567'}", 201);
  assert_nulls(&kit, PRIVY_FIELD_CONTACT_phone_number);
  assert_has(kit, "'phone_number':'+491701234567'");
done:
  kit_close(&kit);
}

static void refuses_what_is_wrong(void **state) {
  static const struct {
    const char *body, *detail;
  } cases[] = {
      {"{}", "{'field':'base','message':'at least one of email, phone_number is required'}"},
      {"{'email':null,'first_name':'J'}", "'field':'base'"},
      {"{'email':'no'}", "'field':'email'"},
      {"{'email':'a@b.c','phone_number':'415'}", "'field':'phone_number'"},
      {"{'email':'a@b.c','first_name':1}", "{'field':'first_name','message':'must be a string'}"},
      {"{'email':'a@b.c','email_consent':'maybe'}", "'field':'email_consent'"},
      {"{'email':'a@b.c','email_consent':'compliance_suppressed'}", "'field':'email_consent'"},
      {"{'email':'a@b.c','email_consent':null}", "{'field':'email_consent','message':'must not be null'}"},
      {"{'email':'a@b.c','tags':['x',1]}", "{'field':'tags[1]','message':'must be a string'}"},
      {"{'email':'a@b.c','custom_fields':{'a':{}}}", "'field':'custom_fields.a'"},
      {"{'email':'a@b.c','send_welcome_sms':'no'}", "'field':'send_welcome_sms'"},
  };
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ASK(kit, "POST", CONTACTS, cases[i].body, 422);
    assert_has(kit, "{'error':{'code':'validation_failed','message':'The request is not valid.','details':[{");
    assert_has(kit, cases[i].detail);
  }
  ASK(kit, "POST", CONTACTS, "{'email':5,'tags':'x'}", 422);
  assert_has(kit, "[{'field':'email','message':'must be a string'},"
                  "{'field':'tags','message':'must be an array of strings'}]");
  assert_count(kit, contacts, 0);
done:
  kit_close(&kit);
}

static void refuses_bodies_that_are_no_object(void **state) {
  static const char *const bodies[] = {"{bad", "[]", "'x'", "{'email':'a@b.c'} x", "{'email':'\xff@b.c'}"};
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof bodies / sizeof *bodies; i++) {
    ASK(kit, "POST", CONTACTS, bodies[i], 400);
    assert_has(kit, "{'error':{'code':'bad_request','message':'The body");
  }
  ASK(kit, "POST", CONTACTS, NULL, 422);
  assert_has(kit, "'field':'base'");
  kit.headers = "Content-Type: text/plain\r\n";
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
done:
  kit_close(&kit);
}

static void conflicts_name_the_contact(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char first[32], expected[64];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'Jane@Example.com'}", 201);
  memcpy(first, kit.id, sizeof first);
  snprintf(expected, sizeof expected, "'id':'%s'}}", first);
  ASK(kit, "POST", CONTACTS, "{'email':'jANE@example.COM'}", 409);
  assert_has(kit, "{'error':{'code':'conflict','message':");
  assert_has(kit, expected);
  ASK(kit, "POST", CONTACTS, "{'email':'jane@example.com','phone_number':'+14155550101'}", 409);
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550101'}", 201);
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550101'}", 409);
  snprintf(expected, sizeof expected, "'id':'%s'}}", kit.id);
  assert_has(kit, expected);
  ASK(kit, "POST", CONTACTS, "{'email':'x@y.z','phone_number':'\\u002b14155550101'}", 409);
  assert_has(kit, expected);
  assert_count(kit, contacts, 2);
done:
  kit_close(&kit);
}

static void gets_one(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  assert_has(kit, "{'data':{'id':'cus_");
  ASK(kit, "GET", kit_path(&kit, "?x=1"), NULL, 200);
  ASK(kit, "GET", "/v1/contacts/%63us_0000000000000000", NULL, 404);
  assert_body(kit, "{'error':{'code':'not_found','message':'Nothing is at this path.'}}");
  ASK(kit, "GET", "/v1/contacts/cus_000000000000000000000000000000000000000000000000000000000000000000000000", NULL,
      404);
done:
  kit_close(&kit);
}

static void updates_what_is_given(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c','first_name':'A','last_name':'B','tags':['x'],'custom_fields':{'k':1}}",
      201);
  privy_sandbox_advance(kit.sandbox, 90.25);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':'C','last_name':null,'tags':[],'id':'cus_0000000000000000'}",
      200);
  assert_has(kit, kit.id);
  assert_has(kit, "'email':'a@b.c'");
  assert_has(kit, "'phone_number':null");
  assert_has(kit, "'first_name':'C'");
  assert_has(kit, "'last_name':null");
  assert_has(kit, "'tags':[],'custom_fields':{'k':1},'created_at':'2026-05-12T10:00:00Z',"
                  "'updated_at':'2026-05-12T10:01:30.25Z'}");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'custom_fields':{'z':null}}", 200);
  assert_has(kit, "'custom_fields':{'z':null}");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{}", 422);
  assert_has(kit, "{'field':'base','message':'at least one field to update is required'}");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'unheard_of':1}", 422);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':[]}", 422);
  ASK(kit, "PATCH", "/contacts/cus_0000000000000000", "{'first_name':'X'}", 404);
done:
  kit_close(&kit);
}

static void stored_addresses_never_change(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'Jane@b.c','phone_number':'+14155550101'}", 201);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'email':'jane@B.c','phone_number':'+14155550101'}", 200);
  assert_has(kit, "'email':'Jane@b.c'");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'email':'other@b.c','phone_number':'+14155550102'}", 422);
  assert_has(kit, "'details':[{'field':'email','message':'cannot be changed once stored'},"
                  "{'field':'phone_number','message':'cannot be changed once stored'}]");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'email':null}", 422);
  assert_has(kit, "'details':[{'field':'email',");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'phone_number':null}", 422);
  assert_has(kit, "'details':[{'field':'phone_number',");
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  assert_has(kit, "'email':'Jane@b.c'");
  assert_has(kit, "'phone_number':'+14155550101'");
done:
  kit_close(&kit);
}

static void missing_addresses_can_be_set_once(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char other[40];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550101'}", 201);
  snprintf(other, sizeof other, "'id':'%s'", kit.id);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'phone_number':'+14155550101'}", 409);
  assert_has(kit, other);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'phone_number':'+14155550102'}", 200);
  assert_has(kit, "'phone_number':'+14155550102'");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'phone_number':'+14155550103'}", 422);
  ASK(kit, "GET", "/contacts?phone_number=%2B14155550102", NULL, 200);
  assert_has(kit, "'total_count':1");
done:
  kit_close(&kit);
}

static void unsubscribes_and_says_it_is_deprecated(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char link[96], body[640], long_reason[502];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c','email_consent':'subscribed'}", 201);
  ASK(kit, "POST", kit_path(&kit, "/unsubscribe"), NULL, 200);
  assert_has(kit, "'email_consent':'unsubscribed'");
  assert_header(kit, "Deprecation: true");
  snprintf(link, sizeof link, "Link: </v1/contacts/%s>;", kit.id);
  assert_true(kit_contains(&kit.response.headers, link));
  memset(long_reason, 'r', sizeof long_reason - 1);
  long_reason[501] = '\0';
  snprintf(body, sizeof body, "{'reason':'%s'}", long_reason);
  ASK(kit, "POST", kit_path(&kit, "/unsubscribe"), body, 422);
  assert_has(kit, "{'field':'reason','message':'must be at most 500 characters'}");
  snprintf(body, sizeof body, "{'reason':'%s'}", long_reason + 1);
  ASK(kit, "POST", kit_path(&kit, "/unsubscribe"), body, 200);
  ASK(kit, "POST", kit_path(&kit, "/unsubscribe"), "[", 400);
  ASK(kit, "POST", "/contacts/cus_0000000000000000/unsubscribe", NULL, 404);
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  assert_no_header(kit, "Deprecation");
done:
  kit_close(&kit);
}

static void deletes_and_returns_the_contact(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c','first_name':'A'}", 201);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  assert_has(kit, "'email':'a@b.c'");
  assert_has(kit, "'phone_number':null");
  assert_has(kit, "'first_name':'A'");
  assert_count(kit, contacts, 0);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 404);
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 404);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':'B'}", 404);
  ASK(kit, "POST", kit_path(&kit, "/unsubscribe"), NULL, 404);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_has(kit, "{'data':[],");
done:
  kit_close(&kit);
}

static void creating_restores_a_deleted_contact(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char first[32];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c','phone_number':'+14155550101','first_name':'A','tags':['x']}", 201);
  memcpy(first, kit.id, sizeof first);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  privy_sandbox_advance(kit.sandbox, 1);
  ASK(kit, "POST", CONTACTS, "{'email':'A@b.c','last_name':'L'}", 201);
  assert_string_equal(kit.id, first);
  assert_has(kit, "'email':'A@b.c'");
  assert_has(kit, "'phone_number':null");
  assert_has(kit, "'first_name':null");
  assert_has(kit, "'last_name':'L'");
  assert_has(kit, "'tags':[],'custom_fields':{},'created_at':'2026-05-12T10:00:00Z',"
                  "'updated_at':'2026-05-12T10:00:01Z'");
  assert_count(kit, contacts, 1);
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  /* The number that it had before is anybody's now. */
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550101'}", 201);
  assert_string_not_equal(kit.id, first);
done:
  kit_close(&kit);
}

static void existing_contacts_block_a_restore(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char gone[32], live[40];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550101'}", 201);
  snprintf(live, sizeof live, "'id':'%s'", kit.id);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  memcpy(gone, kit.id, sizeof gone);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c','phone_number':'+14155550101'}", 409);
  assert_has(kit, live);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c','phone_number':'+14155550102'}", 201);
  assert_string_equal(kit.id, gone);
done:
  kit_close(&kit);
}

static void of_two_deleted_ones_the_email_decides(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char by_email[32];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550101'}", 201);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  memcpy(by_email, kit.id, sizeof by_email);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c','phone_number':'+14155550101'}", 201);
  assert_string_equal(kit.id, by_email);
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550101'}", 409);
  assert_count(kit, contacts, 1);
done:
  kit_close(&kit);
}

static void an_update_may_take_a_deleted_contacts_address(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550101'}", 201);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'email':'a@b.c'}", 200);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 409);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  assert_has(kit, kit.id);
  assert_count(kit, contacts, 1);
done:
  kit_close(&kit);
}

static void a_reset_forgets_what_was_stored(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char first[32];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  memcpy(first, kit.id, sizeof first);
  privy_sandbox_reset(kit.sandbox);
  assert_count(kit, contacts, 0);
  assert_count(kit, requests, 0);
  assert_true(privy_sandbox_now(kit.sandbox) == START);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  assert_string_not_equal(kit.id, first);
done:
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {
      TEST(creates_with_all_fields),
      TEST(creates_with_defaults),
      TEST(refuses_what_is_wrong),
      TEST(refuses_bodies_that_are_no_object),
      TEST(conflicts_name_the_contact),
      TEST(gets_one),
      TEST(updates_what_is_given),
      TEST(stored_addresses_never_change),
      TEST(missing_addresses_can_be_set_once),
      TEST(unsubscribes_and_says_it_is_deprecated),
      TEST(deletes_and_returns_the_contact),
      TEST(creating_restores_a_deleted_contact),
      TEST(existing_contacts_block_a_restore),
      TEST(of_two_deleted_ones_the_email_decides),
      TEST(an_update_may_take_a_deleted_contacts_address),
      TEST(a_reset_forgets_what_was_stored),
  };
  return HARNESS_RUN(tests);
}
