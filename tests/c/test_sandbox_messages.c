/* The welcome messages that a sandbox shows: to which contact and phone number, and when. */
#include "test_sandbox.h"

#define CONTACTS "/v1/contacts"
#define PHONE "+14155550101"

static bool shows(sandbox_kit *kit, const char *expected) {
  privy_buffer shown = PRIVY_BUFFER_EMPTY;
  bool listed = false;
  CHECK_OK(privy_sandbox_list(kit->sandbox, PRIVY_SANDBOX_MESSAGES, &shown));
  assert_text(shown.data, shown.length, expected);
  listed = true;
done:
  privy_buffer_clear(&shown);
  return listed;
}

static void a_message_has_contact_phone_number_and_time(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char first[128], both[256];
  CHECK_OK(kit_open(&kit));
  CHECK_MEMORY(shows(&kit, "[]"));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c','phone_number':'" PHONE "','sms_consent':'subscribed'}", 201);
  snprintf(first, sizeof first,
           "{\"contact_id\":\"%s\",\"phone_number\":\"" PHONE "\",\"at\":\"2026-05-12T10:00:00Z\"}", kit.id);
  snprintf(both, sizeof both, "[%s]", first);
  CHECK_MEMORY(shows(&kit, both));
  ASK(kit, "POST", CONTACTS, "{'email':'b@b.c'}", 201);
  privy_sandbox_advance(kit.sandbox, 1.5);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'phone_number':'\\u002b14155550102','sms_consent':'subscribed'}", 200);
  snprintf(both, sizeof both,
           "[%s,{\"contact_id\":\"%s\",\"phone_number\":\"\\u002b14155550102\",\"at\":\"2026-05-12T10:00:01.5Z\"}]",
           first, kit.id);
  CHECK_MEMORY(shows(&kit, both));
  assert_count(kit, welcome_messages, 2);
  privy_sandbox_reset(kit.sandbox);
  CHECK_MEMORY(shows(&kit, "[]"));
  assert_count(kit, welcome_messages, 0);
done:
  kit_close(&kit);
}

/* Whether the message of that key is the expected one; "": there is none. */
static bool finds(sandbox_kit *kit, const char *key, const char *expected) {
  privy_buffer shown = PRIVY_BUFFER_EMPTY;
  bool found = false;
  const privy_status status = privy_sandbox_find(kit->sandbox, PRIVY_SANDBOX_MESSAGES, key, strlen(key), &shown);
  CHECK_STATUS(status == PRIVY_NOT_FOUND && !*expected ? PRIVY_OK : status, PRIVY_OK);
  assert_text(shown.data, shown.length, expected);
  found = true;
done:
  privy_buffer_clear(&shown);
  return found;
}

static void the_newest_message_of_a_key_is_found(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char first[160], second[160], third[160], other[32];
  CHECK_OK(kit_open(&kit));
  CHECK_MEMORY(finds(&kit, PHONE, ""));
  ASK(kit, "POST", CONTACTS, "{'phone_number':'" PHONE "','sms_consent':'subscribed'}", 201);
  snprintf(first, sizeof first,
           "{\"contact_id\":\"%s\",\"phone_number\":\"" PHONE "\",\"at\":\"2026-05-12T10:00:00Z\"}", kit.id);
  memcpy(other, kit.id, sizeof other);
  ASK(kit, "POST", CONTACTS, "{'phone_number':'\\u002b14155550102','sms_consent':'subscribed'}", 201);
  snprintf(second, sizeof second,
           "{\"contact_id\":\"%s\",\"phone_number\":\"\\u002b14155550102\",\"at\":\"2026-05-12T10:00:00Z\"}", kit.id);
  CHECK_MEMORY(finds(&kit, PHONE, first) && finds(&kit, other, first));
  CHECK_MEMORY(finds(&kit, "+14155550102", second) && finds(&kit, kit.id, second));
  for (size_t i = 0; i < 4; i++) {
    static const char *const unknown[] = {"", "+1415555010", "2026-05-12T10:00:00Z", "+14155550103"};
    CHECK_MEMORY(finds(&kit, unknown[i], ""));
  }
  privy_sandbox_advance(kit.sandbox, 1.5);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  ASK(kit, "POST", CONTACTS, "{'email':'b@b.c','phone_number':'+14155550102','sms_consent':'subscribed'}", 201);
  snprintf(third, sizeof third,
           "{\"contact_id\":\"%s\",\"phone_number\":\"+14155550102\",\"at\":\"2026-05-12T10:00:01.5Z\"}", kit.id);
  CHECK_MEMORY(finds(&kit, "+14155550102", third) && finds(&kit, PHONE, first));
done:
  kit_close(&kit);
}

static void what_sends_no_message(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'phone_number':'" PHONE "','sms_consent':'subscribed','send_welcome_sms':false}", 201);
  ASK(kit, "PATCH", kit_path(&kit, ""), "{'sms_consent':'subscribed'}", 200);
  ASK(kit, "POST", CONTACTS, "{'phone_number':'" PHONE "','sms_consent':'subscribed'}", 409);
  ASK(kit, "POST", CONTACTS, "{'phone_number':'+14155550102','sms_consent':'single_opt_in'}", 201);
  ASK(kit, "POST", "/orders/placed",
      "{'order_id':1,'phone':'+14155550103','accepts_sms_marketing':true,'total':1,'currency':'USD',"
      "'order_date':'2026-05-12T10:00:00Z'}",
      201);
  CHECK_OK(privy_sandbox_set_consent(kit.sandbox, kit.id, "sms_consent", "pending"));
  CHECK_MEMORY(shows(&kit, "[]"));
done:
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {TEST(a_message_has_contact_phone_number_and_time),
                                 TEST(the_newest_message_of_a_key_is_found), TEST(what_sends_no_message)};
  return HARNESS_RUN(tests);
}
