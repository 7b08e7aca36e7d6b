/* Generated data: the same on every machine, of every kind that the API has, and additional to what is stored. */
#include "test_sandbox.h"

#include <stdlib.h>

#include "base/buffer.h"

#define CONTACTS "/v1/contacts"

/* What every record of a kind amounts to, in 64 bits. */
static bool digest(const sandbox_kit *kit, privy_sandbox_kind kind, uint64_t *out) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  bool listed = false;
  *out = UINT64_C(0xCBF29CE484222325);
  CHECK_OK(privy_sandbox_list(kit->sandbox, kind, &text));
  for (size_t i = 0; i < text.length; i++) *out = (*out ^ (unsigned char)text.data[i]) * UINT64_C(0x100000001B3);
  listed = true;
done:
  privy_buffer_clear(&text);
  return listed;
}

/* The number of contacts that a list with this filter has. */
static bool matching(sandbox_kit *kit, const char *filter, size_t *out) {
  char target[128];
  bool listed = false;
  snprintf(target, sizeof target, CONTACTS "?per_page=1&%s", filter);
  ASK(*kit, "GET", target, NULL, 200);
  assert_true(privy_buffer_terminate(&kit->response.body));
  const char *count = strstr(kit->response.body.data, "\"total_count\":");
  assert_non_null(count);
  *out = (size_t)strtoul(count + strlen("\"total_count\":"), NULL, 10);
  listed = true;
done:
  return listed;
}

static privy_status seed(const sandbox_kit *kit, int64_t contacts, uint64_t number) {
  privy_buffer problem = PRIVY_BUFFER_EMPTY;
  const privy_status status = privy_sandbox_seed(kit->sandbox, "shop", contacts, 365, number, &problem);
  assert_true(status != PRIVY_OK || problem.length == 0);
  privy_buffer_clear(&problem);
  return status;
}

static void the_same_numbers_give_the_same_data(void **state) {
  (void)state;
  /* By kind of record, for 300 contacts of seed 7 at START. */
  static const uint64_t expected[] = {UINT64_C(0x372731774BB34535), UINT64_C(0x96038631C9979277),
                                      UINT64_C(0x7CB2C21E500A38F5)};
  sandbox_kit kit = KIT, other = KIT;
  assert_int_equal(kit_open(&kit), PRIVY_OK);
  assert_int_equal(kit_open(&other), PRIVY_OK);
  assert_int_equal(seed(&kit, 300, 7), PRIVY_OK);
  assert_int_equal(seed(&other, 300, 8), PRIVY_OK);
  for (int kind = PRIVY_SANDBOX_CONTACTS; kind <= PRIVY_SANDBOX_EVENTS; kind++) {
    uint64_t first, second;
    assert_true(digest(&kit, (privy_sandbox_kind)kind, &first));
    assert_true(digest(&other, (privy_sandbox_kind)kind, &second));
    if (first != expected[kind]) fail_msg("kind %d: 0x%016llX", kind, (unsigned long long)first);
    assert_true(first != second);
  }
  assert_count(kit, contacts, 300);
  assert_count(kit, orders, 180);
  assert_count(kit, events, 300);
  assert_count(kit, requests, 0);
  assert_count(kit, welcome_messages, 0);
  assert_true(privy_sandbox_now(kit.sandbox) == START);
  kit_close(&kit);
  kit_close(&other);
}

static void a_hundred_contacts_have_every_consent(void **state) {
  (void)state;
  static const char *const consents[] = {
      "email_consent=subscribed", "email_consent=unsubscribed",          "email_consent=never_subscribed",
      "email_consent=suppressed", "email_consent=compliance_suppressed", "sms_consent=subscribed",
      "sms_consent=unsubscribed", "sms_consent=never_subscribed",        "sms_consent=single_opt_in",
      "sms_consent=pending",
  };
  for (uint64_t number = 0; number < 20; number++) {
    sandbox_kit kit = KIT;
    assert_int_equal(kit_open(&kit), PRIVY_OK);
    assert_int_equal(seed(&kit, 100, number), PRIVY_OK);
    for (size_t i = 0; i < sizeof consents / sizeof *consents; i++) {
      size_t count = 0;
      assert_true(matching(&kit, consents[i], &count));
      if (count == 0) fail_msg("seed %d: no contact with %s", (int)number, consents[i]);
    }
    kit_close(&kit);
  }
}

/* Generated keys are different from stored ones, also from those of deleted contacts. */
static void data_is_added_to_what_is_stored(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char path[96];
  assert_int_equal(kit_open(&kit), PRIVY_OK);
  ASK(kit, "POST", "/orders/placed",
      "{'order_id':1003,'email':'a@b.c','total':1,'currency':'USD','order_date':'2026-05-12T10:00:00Z'}", 201);
  ASK(kit, "GET", CONTACTS "?email=a@b.c", NULL, 200);
  for (int round = 1; round <= 3; round++) {
    assert_int_equal(seed(&kit, 200, 7), PRIVY_OK);
    assert_count(kit, contacts, 200 * round + 1 - (round - 1));
    assert_count(kit, orders, 120 * round + 1);
    assert_count(kit, events, 200 * round);
    ASK(kit, "GET", CONTACTS "?per_page=1&page=2", NULL, 200);
    const char *id = kit.response.body.data + strlen("{\"data\":[{\"id\":\"");
    snprintf(path, sizeof path, CONTACTS "/%.20s", id);
    ASK(kit, "DELETE", path, NULL, 200);
  }
done:
  kit_close(&kit);
}

static void a_clock_near_1970_leaves_no_room(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  static const double clocks[] = {0, 1, 3599, 3600, 86400 * 30.0, 253402300799.0};
  for (size_t i = 0; i < sizeof clocks / sizeof *clocks; i++) {
    CHECK_OK(kit_open(&kit));
    privy_sandbox_set_clock(kit.sandbox, clocks[i]);
    CHECK_OK(seed(&kit, 3, 7));
    assert_count(kit, contacts, 3);
    assert_count(kit, orders, 1);
    privy_sandbox_release(kit.sandbox);
    kit.sandbox = NULL;
  }
done:
  kit_close(&kit);
}

static void arguments_out_of_range_are_refused(void **state) {
  (void)state;
  static const struct {
    const char *kind;
    int64_t contacts, days;
    const char *problem;
  } cases[] = {
      {"shops", 1, 1, "there is no data set shops: the data sets are shop"},
      {"shop", -1, 1, "contacts must be 0 to 1000000"},
      {"shop", 1000001, 0, "contacts must be 0 to 1000000; days must be 1 to 3650"},
      {"", 0, 3651, "there is no data set : the data sets are shop; days must be 1 to 3650"},
  };
  sandbox_kit kit = KIT;
  privy_buffer problem = PRIVY_BUFFER_EMPTY;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    problem.length = 0;
    CHECK_STATUS(privy_sandbox_seed(kit.sandbox, cases[i].kind, cases[i].contacts, cases[i].days, 7, &problem),
                 PRIVY_VALIDATION);
    assert_text(problem.data, problem.length, cases[i].problem);
  }
  CHECK_OK(seed(&kit, 0, 7));
  assert_count(kit, contacts, 0);
done:
  privy_buffer_clear(&problem);
  kit_close(&kit);
}

static void a_lack_of_memory_changes_nothing(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  const privy_status status = seed(&kit, 4, 7);
  const privy_sandbox_counts counts = privy_sandbox_count(kit.sandbox);
  assert_int_equal(counts.contacts, status == PRIVY_OK ? 5 : 1);
  assert_int_equal(counts.orders, status == PRIVY_OK ? 2 : 0);
  assert_int_equal(counts.requests, 1);
  CHECK_OK(status);
done:
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(the_same_numbers_give_the_same_data), TEST_UNSWEPT(a_hundred_contacts_have_every_consent),
      TEST_UNSWEPT(data_is_added_to_what_is_stored),     TEST(a_clock_near_1970_leaves_no_room),
      TEST(arguments_out_of_range_are_refused),          TEST(a_lack_of_memory_changes_nothing),
  };
  return HARNESS_RUN(tests);
}
