/* Listing contacts in the sandbox: filters, pages, and many contacts. */
#include "test_sandbox.h"

#define CONTACTS "/v1/contacts"

static bool fill(sandbox_kit *kit) {
  bool filled = false;
  ASK(*kit, "POST", CONTACTS, "{'email':'One@b.c','email_consent':'subscribed'}", 201);
  ASK(*kit, "POST", CONTACTS, "{'email':'two@b.c','phone_number':'+14155550102','sms_consent':'subscribed'}", 201);
  ASK(*kit, "POST", CONTACTS, "{'phone_number':'+14155550103','sms_consent':'single_opt_in'}", 201);
  ASK(*kit, "POST", CONTACTS, "{'email':'four@b.c','email_consent':'suppressed'}", 201);
  ASK(*kit, "POST", CONTACTS, "{'email':'five@b.c'}", 201);
  CHECK_OK(privy_sandbox_set_consent(kit->sandbox, kit->id, "email_consent", "compliance_suppressed"));
  CHECK_OK(privy_sandbox_set_consent(kit->sandbox, kit->id, "sms_consent", "pending"));
  filled = true;
done:
  return filled;
}

static void filters(void **state) {
  static const struct {
    const char *query;
    int count;
    const char *text;
  } cases[] = {
      {"", 5, "'email':'One@b.c'"},
      {"?unheard_of=1", 5, "'email':'One@b.c'"},
      {"?email=oNE%40b.c", 1, "'email':'One@b.c'"},
      {"?email=one@b", 0, "{'data':[],"},
      {"?phone_number=%2B14155550103", 1, "'email':null"},
      {"?email=two@b.c&phone_number=%2B14155550102", 1, "'email':'two@b.c'"},
      {"?email=one@b.c&phone_number=%2B14155550102", 0, "{'data':[],"},
      {"?email_consent=subscribed", 1, "'email':'One@b.c'"},
      {"?email_consent=suppressed", 1, "'email':'four@b.c'"},
      {"?email_consent=compliance_suppressed", 1, "'email':'five@b.c'"},
      {"?email_consent=never_subscribed", 2, "'email':'two@b.c'"},
      {"?email_consent=unsubscribed", 0, "{'data':[],"},
      {"?sms_consent=subscribed", 1, "'email':'two@b.c'"},
      {"?sms_consent=single_opt_in", 1, "'phone_number':'+14155550103'"},
      {"?sms_consent=pending", 1, "'email':'five@b.c'"},
      {"?email_consent=never_subscribed&sms_consent=subscribed", 1, "'email':'two@b.c'"},
      {"?email=two@b.c&sms_consent=pending", 0, "{'data':[],"},
  };
  (void)state;
  sandbox_kit kit = KIT;
  char target[128], total[64];
  CHECK_OK(kit_open(&kit));
  CHECK_MEMORY(fill(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(target, sizeof target, CONTACTS "%s", cases[i].query);
    snprintf(total, sizeof total, "'pagination':{'page':1,'per_page':25,'total_count':%d,", cases[i].count);
    ASK(kit, "GET", target, NULL, 200);
    assert_has(kit, cases[i].text);
    assert_has(kit, total);
  }
done:
  kit_close(&kit);
}

static void bad_queries(void **state) {
  static const struct {
    const char *query, *detail;
  } cases[] = {
      {"?page=0", "{'field':'page','message':'must be at least 1'}"},
      {"?page=-1", "'field':'page'"},
      {"?page=x", "{'field':'page','message':'must be an integer'}"},
      {"?page=1.5", "'field':'page'"},
      {"?page=", "'field':'page'"},
      {"?page=99999999999999999999", "'field':'page'"},
      {"?per_page=0", "{'field':'per_page','message':'must be from 1 to 100'}"},
      {"?per_page=101", "'field':'per_page'"},
      {"?email_consent=maybe", "'field':'email_consent'"},
      {"?sms_consent=", "'field':'sms_consent'"},
      {"?email=nobody", "'field':'email'"},
      {"?phone_number=+14155550103", "'field':'phone_number'"},
      {"?email=%ff@b.c", "'field':'email'"},
  };
  (void)state;
  sandbox_kit kit = KIT;
  char target[128];
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(target, sizeof target, CONTACTS "%s", cases[i].query);
    ASK(kit, "GET", target, NULL, 422);
    assert_has(kit, "'code':'validation_failed'");
    assert_has(kit, cases[i].detail);
  }
done:
  kit_close(&kit);
}

static bool add_numbered(sandbox_kit *kit, size_t from, size_t to) {
  bool added = false;
  char body[64];
  for (size_t i = from; i < to; i++) {
    snprintf(body, sizeof body, "{'email':'c%zu@b.c'}", i);
    ASK(*kit, "POST", CONTACTS, body, 201);
  }
  added = true;
done:
  return added;
}

/* The first contact of a page, and how many follow it, by their e-mail addresses. */
static void assert_page(sandbox_kit *kit, size_t first, size_t count) {
  size_t seen = 0;
  const privy_buffer *body = &kit->response.body;
  char expected[64];
  for (size_t i = 0; i + 8 <= body->length; i++) {
    if (memcmp(body->data + i, "\"email\":", 8) != 0) continue;
    snprintf(expected, sizeof expected, "\"email\":\"c%zu@b.c\"", first + seen++);
    assert_memory_equal(body->data + i, expected, strlen(expected));
  }
  assert_int_equal(seen, count);
}

static void pages_are_oldest_first(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_body(kit, "{'data':[],'pagination':{'page':1,'per_page':25,'total_count':0,'total_pages':0}}");
  CHECK_MEMORY(add_numbered(&kit, 0, 28));
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_page(&kit, 0, 25);
  assert_has(kit, "'pagination':{'page':1,'per_page':25,'total_count':28,'total_pages':2}");
  ASK(kit, "GET", CONTACTS "?page=2", NULL, 200);
  assert_page(&kit, 25, 3);
  ASK(kit, "GET", CONTACTS "?per_page=7&page=4", NULL, 200);
  assert_page(&kit, 21, 7);
  assert_has(kit, "'pagination':{'page':4,'per_page':7,'total_count':28,'total_pages':4}");
  ASK(kit, "GET", CONTACTS "?per_page=100", NULL, 200);
  assert_page(&kit, 0, 28);
  ASK(kit, "GET", CONTACTS "?page=9223372036854775807&per_page=100", NULL, 200);
  assert_page(&kit, 0, 0);
  ASK(kit, "GET", CONTACTS "?email_consent=never_subscribed&per_page=10&page=3", NULL, 200);
  assert_page(&kit, 20, 8);
  assert_has(kit, "'total_count':28,'total_pages':3}");
done:
  kit_close(&kit);
}

static void restored_contacts_come_back_in_their_place(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  CHECK_MEMORY(add_numbered(&kit, 0, 1));
  CHECK_MEMORY(add_numbered(&kit, 1, 2));
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  CHECK_MEMORY(add_numbered(&kit, 2, 3));
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_lacks(kit, "c1@b.c");
  assert_has(kit, "'total_count':2");
  ASK(kit, "GET", CONTACTS "?email=c1@b.c", NULL, 200);
  assert_has(kit, "{'data':[],");
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_has(kit, "'total_count':2");
  CHECK_MEMORY(add_numbered(&kit, 3, 4));
  CHECK_MEMORY(add_numbered(&kit, 1, 2));
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_page(&kit, 0, 4);
done:
  kit_close(&kit);
}

/* Deleting in between makes the list of live contacts stale over and over. */
static void many_contacts(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  const size_t count = harness_rounds(20000, 30);
  char target[64];
  size_t seen = 0;
  CHECK_OK(kit_open(&kit));
  CHECK_MEMORY(add_numbered(&kit, 0, count));
  for (size_t page = 1; seen < count; page++) {
    const size_t left = count - seen, rows = left < 100 ? left : 100;
    snprintf(target, sizeof target, CONTACTS "?per_page=100&page=%zu", page);
    ASK(kit, "GET", target, NULL, 200);
    assert_page(&kit, seen, rows);
    seen += rows;
  }
  for (size_t i = 0; i < 20; i++) {
    ASK(kit, "GET", CONTACTS "?per_page=1", NULL, 200);
    memcpy(kit.id, kit.response.body.data + strlen("{'data':[{'id':'"), 20);
    ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  }
  ASK(kit, "GET", CONTACTS "?per_page=5", NULL, 200);
  assert_page(&kit, 20, 5);
  assert_count(kit, contacts, count - 20);
done:
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {
      TEST(filters),
      TEST(bad_queries),
      TEST(pages_are_oldest_first),
      TEST(restored_contacts_come_back_in_their_place),
      TEST(many_contacts),
  };
  return HARNESS_RUN(tests);
}
