/* Consents in the sandbox: every transition of both kinds, and the welcome messages that they send. */
#include "test_sandbox.h"

#define CONTACTS "/v1/contacts"
#define PHONE "+14155550101"

static privy_status create_contact(sandbox_kit *kit, const char *field, const char *value) {
  privy_status status = kit_ask(kit, "POST", CONTACTS, "{'email':'a@b.c','phone_number':'" PHONE "'}");
  if (status == PRIVY_OK) status = privy_sandbox_set_consent(kit->sandbox, kit->id, field, value);
  return status;
}

/* The response to an update from one consent (row) to another (column). */
static const char *const email_values[] = {"subscribed", "unsubscribed", "never_subscribed", "suppressed",
                                           "compliance_suppressed"};
static const int email_answers[5][5] = {
    {200, 200, 200, 200, 422}, {200, 200, 200, 200, 422}, {200, 200, 200, 200, 422},
    {200, 200, 200, 200, 422}, {422, 422, 422, 422, 422},
};
static const char *const sms_values[] = {"subscribed", "unsubscribed", "never_subscribed", "single_opt_in", "pending"};
static const int sms_answers[5][5] = {
    {200, 200, 200, 422, 422}, {200, 200, 200, 422, 422}, {200, 200, 200, 200, 422},
    {200, 200, 200, 200, 422}, {200, 200, 200, 422, 422},
};

static bool try_transition(const char *field, const char *from, const char *to, int expected) {
  sandbox_kit kit = KIT;
  char body[128], stored[128];
  bool finished = false;
  snprintf(body, sizeof body, "{'%s':'%s'}", field, to);
  snprintf(stored, sizeof stored, "'%s':'%s'", field, expected == 200 ? to : from);
  CHECK_OK(kit_open(&kit));
  CHECK_OK(create_contact(&kit, field, from));
  ASK(kit, "PATCH", kit_path(&kit, ""), body, expected);
  if (expected == 422) {
    snprintf(body, sizeof body, "'details':[{'field':'%s',", field);
    assert_has(kit, body);
  }
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  assert_has(kit, stored);
  finished = true;
done:
  kit_close(&kit);
  return finished;
}

static void email_transitions(void **state) {
  (void)state;
  for (size_t from = 0; from < 5; from++) {
    for (size_t to = 0; to < 5; to++)
      CHECK_MEMORY(try_transition("email_consent", email_values[from], email_values[to], email_answers[from][to]));
  }
done:;
}

static void sms_transitions(void **state) {
  (void)state;
  for (size_t from = 0; from < 5; from++) {
    for (size_t to = 0; to < 5; to++)
      CHECK_MEMORY(try_transition("sms_consent", sms_values[from], sms_values[to], sms_answers[from][to]));
  }
done:;
}

static void compliance_suppression_outlasts_everything(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  CHECK_OK(create_contact(&kit, "email_consent", "compliance_suppressed"));
  ASK(kit, "POST", kit_path(&kit, "/unsubscribe"), NULL, 422);
  assert_has(kit, "'details':[{'field':'email_consent',");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':'J'}", 422);
  assert_has(kit, "'details':[{'field':'email_consent',");
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  assert_has(kit, "'first_name':null");
  assert_has(kit, "'email_consent':'compliance_suppressed'");
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c','email_consent':'subscribed'}", 422);
  assert_has(kit, "'details':[{'field':'email_consent',");
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 422);
  ASK(kit, "POST", "/v1/events", "{'event_type':'seen','email':'a@b.c'}", 200); /* brings the contact back */
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  assert_has(kit, "'email_consent':'compliance_suppressed'");
done:
  kit_close(&kit);
}

static void merchant_suppression_is_lifted_by_a_write(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  CHECK_OK(create_contact(&kit, "email_consent", "suppressed"));
  ASK(kit, "POST", kit_path(&kit, "/unsubscribe"), NULL, 200);
  assert_has(kit, "'email_consent':'unsubscribed'");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'email_consent':'suppressed'}", 200);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':'J'}", 200);
  assert_has(kit, "'email_consent':'suppressed'");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'email_consent':'subscribed'}", 200);
  assert_has(kit, "'email_consent':'subscribed'");
done:
  kit_close(&kit);
}

static void sms_on_create(void **state) {
  static const struct {
    const char *body;
    int status;
    const char *text;
  } cases[] = {
      {"{'phone_number':'+14155550001','sms_consent':'subscribed'}", 201, "'sms_consent':'subscribed'"},
      {"{'phone_number':'+14155550002','sms_consent':'single_opt_in'}", 201, "'sms_consent':'single_opt_in'"},
      {"{'phone_number':'+14155550003','sms_consent':'never_subscribed'}", 201, "'sms_consent':'never_subscribed'"},
      {"{'email':'n@b.c','sms_consent':'never_subscribed'}", 201, "'sms_consent':'never_subscribed'"},
      {"{'phone_number':'+14155550004','sms_consent':'unsubscribed'}", 422, "'field':'sms_consent'"},
      {"{'phone_number':'+14155550004','sms_consent':'pending'}", 422, "'field':'sms_consent'"},
      {"{'email':'x@b.c','sms_consent':'subscribed'}", 422, "'field':'base'"},
      {"{'email':'x@b.c','sms_consent':'single_opt_in'}", 422, "'field':'base'"},
      {"{'phone_number':'+442079460000','sms_consent':'subscribed'}", 422,
       "{'field':'sms_consent','message':'needs a phone number of a country where SMS is supported'}"},
      {"{'phone_number':'+442079460000','sms_consent':'single_opt_in'}", 422, "'field':'sms_consent'"},
      {"{'phone_number':'+442079460000','sms_consent':'never_subscribed'}", 201, "'phone_number':'+442079460000'"},
  };
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ASK(kit, "POST", CONTACTS, cases[i].body, cases[i].status);
    assert_has(kit, cases[i].text);
  }
done:
  kit_close(&kit);
}

static void sms_countries_can_be_chosen(void **state) {
  static const struct {
    const char *countries;
    int american, british;
  } cases[] = {{"", 422, 422}, {"+1 +44", 201, 201}, {"+44", 422, 201}, {"+", 201, 201}};
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    privy_sandbox_reset(kit.sandbox);
    CHECK_OK(privy_sandbox_set_sms_countries(kit.sandbox, cases[i].countries));
    ASK(kit, "POST", CONTACTS, "{'phone_number':'" PHONE "','sms_consent':'subscribed'}", cases[i].american);
    ASK(kit, "POST", CONTACTS, "{'phone_number':'+442079460000','sms_consent':'subscribed'}", cases[i].british);
  }
done:
  kit_close(&kit);
}

static void sms_on_update_needs_a_phone(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'subscribed'}", 422);
  assert_has(kit, "[{'field':'sms_consent','message':'needs the contact to have a phone number'}]");
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'single_opt_in'}", 422);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'unsubscribed'}", 422);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'never_subscribed'}", 200);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'unsubscribed','phone_number':'" PHONE "'}", 200);
  assert_has(kit, "'sms_consent':'unsubscribed'");
done:
  kit_close(&kit);
}

static void becoming_subscribed_sends_one_welcome(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'phone_number':'" PHONE "','sms_consent':'subscribed'}", 201);
  assert_count(kit, welcome_messages, 1);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'subscribed'}", 200);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'first_name':'J'}", 200);
  assert_count(kit, welcome_messages, 1);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'unsubscribed'}", 200);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'subscribed','send_welcome_sms':false}", 200);
  assert_count(kit, welcome_messages, 1);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'never_subscribed'}", 200);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'single_opt_in'}", 200);
  assert_count(kit, welcome_messages, 1);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'subscribed','send_welcome_sms':true}", 200);
  assert_count(kit, welcome_messages, 2);
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550102','sms_consent':'subscribed','send_welcome_sms':false}",
      201);
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550103','sms_consent':'single_opt_in'}", 201);
  assert_count(kit, welcome_messages, 2);
done:
  kit_close(&kit);
}

static void set_consent_judges_what_it_is_given(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  CHECK_STATUS(privy_sandbox_set_consent(kit.sandbox, kit.id, "first_name", "x"), PRIVY_VALIDATION);
  CHECK_STATUS(privy_sandbox_set_consent(kit.sandbox, kit.id, "unheard_of", "x"), PRIVY_VALIDATION);
  CHECK_STATUS(privy_sandbox_set_consent(kit.sandbox, kit.id, "sms_consent", "maybe"), PRIVY_VALIDATION);
  CHECK_STATUS(privy_sandbox_set_consent(kit.sandbox, "cus_0000000000000000", "sms_consent", "pending"),
               PRIVY_NOT_FOUND);
  CHECK_OK(privy_sandbox_set_consent(kit.sandbox, kit.id, "sms_consent", "pending"));
  ASK(kit, "GET", kit_path(&kit, ""), NULL, 200);
  assert_has(kit, "'sms_consent':'pending'");
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  CHECK_STATUS(privy_sandbox_set_consent(kit.sandbox, kit.id, "sms_consent", "pending"), PRIVY_NOT_FOUND);
done:
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {
      TEST(email_transitions),
      TEST(sms_transitions),
      TEST(compliance_suppression_outlasts_everything),
      TEST(merchant_suppression_is_lifted_by_a_write),
      TEST(sms_on_create),
      TEST(sms_countries_can_be_chosen),
      TEST(sms_on_update_needs_a_phone),
      TEST(becoming_subscribed_sends_one_welcome),
      TEST(set_consent_judges_what_it_is_given),
  };
  return HARNESS_RUN(tests);
}
