/* What a sandbox holds, as text: nothing is lost, every line is checked, and files are complete. */
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buffer.h"
#include "test_sandbox.h"

#define CONTACTS "/v1/contacts"
#define ORDER_REST "'total':95,'currency':'USD','order_date':'2026-05-12T10:00:00Z'}"
#define ID_A "cus_0000000000000001"
#define ID_B "cus_0000000000000002"
#define FIRST(contacts, orders, events, messages)                                                                      \
  "{'privy_sandbox':1,'contacts':" #contacts ",'orders':" #orders ",'events':" #events ",'messages':" #messages        \
  ",'contact_serial':9,'event_serial':9}\n"
#define CONTACT_OF(id, more)                                                                                           \
  "{'id':'" id "'," more "'email_consent':'subscribed','sms_consent':'never_subscribed','tags':[],'custom_fields':{}," \
  "'created_at':'2026-05-12T10:00:00Z','updated_at':'2026-05-12T10:00:00Z'}"
#define CONTACT(id, more) "{'contact':" CONTACT_OF(id, more) "}\n"
#define ORDER_OF(more)                                                                                                 \
  "{'order_id':1,'email':'a@b.c','total':1,'currency':'USD','order_date':'2026-05-12T10:00:00Z','source':'api',"       \
  "'total_amount':'1.00','currency_code':'USD','placed_at':'2026-05-12T10:00:00Z'," more                               \
  "'created_at':'2026-05-12T10:00:00Z','updated_at':'2026-05-12T10:00:00Z'}"
#define ORDER "{'order':" ORDER_OF("") ",'contact_id':'" ID_A "'}\n"
#define EVENT(more)                                                                                                    \
  "{'event':{'event_id':'evt_1','event_type':'x','email':'a@b.c'," more "'accepted_at':'x'},'serial':1}\n"

/* Contacts that have lost keys to others, consents and texts of all kinds, orders, events, messages. */
static bool fill(sandbox_kit *kit) {
  bool filled = false;
  ASK(*kit, "POST", CONTACTS, "{'email':'Old@b.c','first_name':null,'last_name':'Ł\\u0142\\n'}", 201);
  ASK(*kit, "DELETE", kit_path(kit, ""), NULL, 200);
  ASK(*kit, "POST", CONTACTS, "{'phone_number':'+14155550101','tags':['é','\\u00e9'],'custom_fields':{'a':1.50}}", 201);
  ASK(*kit, "DELETE", kit_path(kit, ""), NULL, 200);
  ASK(*kit, "POST", CONTACTS, "{'email':'old@b.c','phone_number':'+14155550101','sms_consent':'subscribed'}", 201);
  ASK(*kit, "DELETE", kit_path(kit, ""), NULL, 200);
  ASK(*kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  CHECK_OK(privy_sandbox_set_consent(kit->sandbox, kit->id, "sms_consent", "pending"));
  CHECK_OK(privy_sandbox_set_consent(kit->sandbox, kit->id, "email_consent", "compliance_suppressed"));
  kit->headers = "X-Privy-Integration-Token: secret-token\r\n";
  CHECK_OK(privy_sandbox_add_integration(kit->sandbox, "secret-token", true));
  ASK(*kit, "POST", "/orders/placed", "{'order_id':'0017','email':'c@b.c','line_items':[{'x':[1,{}]}]," ORDER_REST,
      201);
  kit->headers = "Idempotency-Key: k\"1\r\n";
  ASK(*kit, "POST", "/events", "{'event_type':'x','phone':'+14155550102','event_data':{'a':[1e3,'\\ud83d\\ude00']}}",
      200);
  kit->headers = NULL;
  ASK(*kit, "POST", "/events", "{'event_type':'y','email':'c@b.c'}", 200);
  filled = true;
done:
  return filled;
}

/* What later requests do, as responses. */
static bool go_on(sandbox_kit *kit, privy_buffer *out) {
  static const struct {
    const char *method, *target, *body;
  } requests[] = {
      {"POST", CONTACTS, "{'email':'OLD@b.c'}"},
      {"POST", CONTACTS, "{'phone_number':'+14155550101'}"},
      {"POST", CONTACTS, "{'email':'new@b.c'}"},
      {"POST", CONTACTS, "{'email':'a@b.c'}"},
      {"POST", "/orders/placed", "{'order_id':17,'email':'a@b.c'," ORDER_REST},
      {"POST", "/orders/placed", "{'order_id':'0017','customer_id':'c','email':'a@b.c'," ORDER_REST},
      {"POST", "/events", "{'event_type':'x','email':'a@b.c','idempotency_key':'k\\u00221'}"},
      {"POST", "/events", "{'event_type':'x','email':'a@b.c','idempotency_key':'k2'}"},
      {"GET", CONTACTS "?sms_consent=pending", NULL},
      {"GET", CONTACTS "?per_page=100", NULL},
  };
  bool gone_on = false;
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    CHECK_OK(kit_ask(kit, requests[i].method, requests[i].target, requests[i].body));
    CHECK_MEMORY(privy_buffer_append(out, kit->response.body.data, kit->response.body.length));
  }
  gone_on = true;
done:
  return gone_on;
}

static void what_is_read_is_what_was_written(void **state) {
  (void)state;
  sandbox_kit kit = KIT, other = KIT;
  privy_buffer text = PRIVY_BUFFER_EMPTY, again = PRIVY_BUFFER_EMPTY, problem = PRIVY_BUFFER_EMPTY;
  CHECK_OK(kit_open(&kit));
  CHECK_OK(kit_open(&other));
  CHECK_MEMORY(fill(&kit));
  CHECK_OK(privy_sandbox_write(kit.sandbox, &text));
  assert_false(kit_contains(&text, "secret"));
  assert_true(kit_contains(&text, "\"deleted\":true,\"released\":[\"phone_number\"]}"));
  ASK(other, "POST", CONTACTS, "{'email':'before@b.c'}", 201);
  CHECK_OK(privy_sandbox_read(other.sandbox, text.data, text.length, &problem));
  assert_count(other, contacts, 3);
  assert_count(other, requests, 0);
  assert_count(other, welcome_messages, 1);
  CHECK_OK(privy_sandbox_write(other.sandbox, &again));
  assert_int_equal(again.length, text.length);
  assert_memory_equal(again.data, text.data, text.length);
  text.length = again.length = 0;
  CHECK_MEMORY(go_on(&kit, &text));
  CHECK_MEMORY(go_on(&other, &again));
  assert_int_equal(again.length, text.length);
  assert_memory_equal(again.data, text.data, text.length);
done:
  privy_buffer_clear(&text);
  privy_buffer_clear(&again);
  privy_buffer_clear(&problem);
  kit_close(&kit);
  kit_close(&other);
}

static void every_line_is_checked(void **state) {
  (void)state;
  static const struct {
    const char *text, *problem;
  } cases[] = {
      {"", "this is not a file of a sandbox"},
      {"# Readme\n", "this is not a file of a sandbox"},
      {"[]\n", "this is not a file of a sandbox"},
      {"{'privy_sandbox':'1'}\n", "this is not a file of a sandbox"},
      {"{'privy_sandbox':2}\n",
       "the file has the format 2 of another version of privy; this version reads the format 1"},
      {"{'privy_sandbox':1,'contacts':-1}\n", "line 1: contacts must be a number, 0 or more"},
      {"{'privy_sandbox':1,'contacts':2,'orders':0,'events':0,'messages':0,'contact_serial':1}\n",
       "line 1: contact_serial must be a number, as large as contacts at least"},
      {FIRST(1, 0, 0, 0), "the file is truncated: it ends in line 2"},
      {FIRST(1, 0, 0, 0) "{'contact':{'id", "the file is truncated: it ends in line 2"},
      {FIRST(1, 0, 0, 0) "{'contact':{'id\n", "line 2: not JSON: unexpected end of text"},
      {FIRST(1, 0, 0, 0) "1\n", "line 2: the line is not a JSON object"},
      {FIRST(0, 0, 0, 0) "{}\n", "line 2: the line is more than the first line announces"},
      {FIRST(1, 0, 0, 0) "{'order':{}}\n",
       "line 2: the line does not hold the kind of record that the first line announces: contact"},
      {FIRST(1, 0, 0, 0) CONTACT("cus/", "'email':'a@b.c',"),
       "line 2: id must be a contact's id: cus_ and 1 to 64 of A-Z, a-z, 0-9, _ and -"},
      {FIRST(1, 0, 0, 0) "{'contact':{}}\n", "line 2: id must be a string without escapes"},
      {FIRST(1, 0, 0, 0) CONTACT(ID_A, "'email':'a',"),
       "line 2: email must be an e-mail address: one @ between non-empty parts, no space or control character, at most "
       "254 bytes"},
      {FIRST(1, 0, 0, 0) CONTACT(ID_A, "'tags':[1],"), "line 2: tags[0] must be a string"},
      {FIRST(1, 0, 0, 0) CONTACT(ID_A, "'email_consent':'maybe',"), NULL}, /* the last of two wins */
      {FIRST(1, 0, 0, 0) "{'contact':{'id':'" ID_A "','email_consent':'maybe'}}\n",
       "line 2: email_consent is not one of its values"},
      {FIRST(2, 0, 0, 0) CONTACT(ID_A, "") CONTACT(ID_A, ""), "line 3: id belongs to an earlier contact"},
      {FIRST(2, 0, 0, 0) CONTACT(ID_A, "'email':'a@b.c',") CONTACT(ID_B, "'email':'A@b.c',"),
       "line 3: email belongs to an earlier contact"},
      {FIRST(2, 0, 0, 0) CONTACT(ID_A, "'email':'a@b.c',") "{'contact':" CONTACT_OF(
           ID_B, "'email':'A@b.c',") ",'deleted':true,'released':['email']}\n",
       NULL},
      {FIRST(1, 1, 0, 0) CONTACT(ID_A, "") ORDER, NULL},
      {FIRST(1, 2, 0, 0) CONTACT(ID_A, "") ORDER ORDER, "line 4: order_id belongs to an earlier order"},
      {FIRST(0, 1, 0, 0) ORDER, "line 2: contact_id is not the id of a contact of the file"},
      {FIRST(0, 1, 0, 0) "{'order':{}}\n", "line 2: order_id is required"},
      {FIRST(0, 1, 0, 0) "{'order':" ORDER_OF("'placed_at':'noon',") "}\n",
       "line 2: placed_at must be an ISO 8601 date-time"},
      {FIRST(0, 0, 1, 0) EVENT(""), NULL},
      {FIRST(0, 0, 1, 0) "{'event':{'event_id':'e','accepted_at':'x'},'serial':1}\n", "line 2: event_type is required"},
      {FIRST(0, 0, 1, 0) "{'event':{'event_id':'e'},'serial':1}\n", "line 2: accepted_at must be a string"},
      {FIRST(0, 0, 1, 0) "{'event':{},'serial':10}\n", "line 2: serial must be a number from 1 to event_serial"},
      {FIRST(0, 0, 2, 0) EVENT("'idempotency_key':'k',") EVENT("'idempotency_key':'k',"),
       "line 3: idempotency_key belongs to an earlier event"},
      {FIRST(0, 0, 2, 0) EVENT("'idempotency_key':'k',") EVENT("'idempotency_key':'l',"),
       "line 3: event_id belongs to an earlier event"},
      {FIRST(0, 0, 0, 1) "{'message':{'contact_id':'x'}}\n", "line 2: phone_number must be a string"},
      {FIRST(0, 0, 0, 0), NULL},
  };
  sandbox_kit kit = KIT;
  privy_buffer problem = PRIVY_BUFFER_EMPTY;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *text = kit_text(&kit, cases[i].text);
    problem.length = 0;
    CHECK_STATUS(privy_sandbox_read(kit.sandbox, text, strlen(text), &problem),
                 cases[i].problem ? PRIVY_VALIDATION : PRIVY_OK);
    assert_text(problem.data ? problem.data : "", problem.length, cases[i].problem ? cases[i].problem : "");
  }
done:
  privy_buffer_clear(&problem);
  kit_close(&kit);
}

static void a_refused_text_changes_nothing(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_buffer before = PRIVY_BUFFER_EMPTY, after = PRIVY_BUFFER_EMPTY, problem = PRIVY_BUFFER_EMPTY;
  CHECK_OK(kit_open(&kit));
  CHECK_MEMORY(fill(&kit));
  CHECK_OK(privy_sandbox_write(kit.sandbox, &before));
  CHECK_STATUS(privy_sandbox_read(kit.sandbox, before.data, before.length - 20, &problem), PRIVY_VALIDATION);
  CHECK_OK(privy_sandbox_write(kit.sandbox, &after));
  assert_int_equal(after.length, before.length);
  assert_memory_equal(after.data, before.data, before.length);
  assert_count(kit, requests, 10);
done:
  privy_buffer_clear(&before);
  privy_buffer_clear(&after);
  privy_buffer_clear(&problem);
  kit_close(&kit);
}

/* Each byte is changed in several ways: the text is refused, or read and written without harm. */
static void damaged_texts_do_no_harm(void **state) {
  (void)state;
  static const char bytes[] = "\"{}[],:0-x\n\\\xff";
  sandbox_kit kit = KIT;
  privy_buffer text = PRIVY_BUFFER_EMPTY, again = PRIVY_BUFFER_EMPTY, problem = PRIVY_BUFFER_EMPTY;
  size_t accepted = 0, refused = 0;
  if (harness_sweeping()) return;
  assert_int_equal(kit_open(&kit), PRIVY_OK);
  assert_true(fill(&kit));
  assert_int_equal(privy_sandbox_write(kit.sandbox, &text), PRIVY_OK);
  for (size_t i = 0; i < text.length; i++) {
    for (const char *byte = bytes + i % 3; byte < bytes + sizeof bytes - 1; byte += 3) {
      const char kept = text.data[i];
      problem.length = again.length = 0;
      text.data[i] = *byte;
      const privy_status status = privy_sandbox_read(kit.sandbox, text.data, text.length, &problem);
      text.data[i] = kept;
      if (status == PRIVY_OK) {
        accepted++;
        assert_int_equal(kit_ask(&kit, "GET", CONTACTS "?per_page=100", NULL), PRIVY_OK);
        assert_int_equal(privy_sandbox_write(kit.sandbox, &again), PRIVY_OK);
      } else {
        refused++;
        assert_int_equal(status, PRIVY_VALIDATION);
        assert_true(problem.length > 0);
      }
    }
  }
  assert_true(accepted > 100 && refused > 1000);
  privy_buffer_clear(&text);
  privy_buffer_clear(&again);
  privy_buffer_clear(&problem);
  kit_close(&kit);
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

static void a_file_is_replaced_completely(void **state) {
  (void)state;
  char folder[64], path[128], missing[128];
  privy_buffer read = PRIVY_BUFFER_EMPTY;
  snprintf(folder, sizeof folder, "/tmp/privy-test-%ld", (long)getpid());
  assert_int_equal(mkdir(folder, 0700), 0);
  snprintf(path, sizeof path, "%s/state.jsonl", folder);
  snprintf(missing, sizeof missing, "%s/no/state.jsonl", folder);
  assert_int_equal(privy_file_write(path, "first, and longer", 17), 0);
  assert_int_equal(privy_file_write(path, "second", 6), 0);
  assert_int_equal(privy_file_read(path, &read), 0);
  assert_int_equal(privy_file_read(path, &read), 0);
  assert_text(read.data, read.length, "secondsecond");
  assert_int_equal(privy_file_write(missing, "x", 1), ENOENT);
  assert_int_equal(privy_file_read(missing, &read), ENOENT);
  assert_int_equal(privy_file_write(folder, "x", 1), EISDIR);
  assert_int_equal(privy_file_read(folder, &read), EISDIR);
  assert_int_equal(read.length, 12);
  privy_memory_fail_at(1);
  assert_int_equal(privy_file_write(path, "third", 5), ENOMEM);
  privy_memory_fail_at(1);
  privy_buffer_clear(&read);
  assert_int_equal(privy_file_read(path, &read), ENOMEM);
  privy_memory_fail_at(0);
  unlink(path);
  assert_int_equal(rmdir(folder), 0); /* nothing else is left in it */
  privy_buffer_clear(&read);
}

int main(void) {
  static harness_test tests[] = {
      TEST(what_is_read_is_what_was_written),      TEST(every_line_is_checked),
      TEST(a_refused_text_changes_nothing),        TEST_UNSWEPT(damaged_texts_do_no_harm),
      TEST_UNSWEPT(a_file_is_replaced_completely),
  };
  return HARNESS_RUN(tests);
}
