/* Events in the sandbox: what is accepted, refused and replayed. */
#include <stdlib.h>

#include "test_sandbox.h"

#define EVENTS "/v1/events"

static void accepts_and_finds_the_contact(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char body[128];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", EVENTS,
      "{'event_type':'purchase_completed','email':'a@b.c','event_time':'2026-05-12T10:00:00+00:00',"
      "'event_data':{'order':{'items':[1,2]}}}",
      200);
  assert_memory_equal(kit.response.body.data, "{\"event_id\":\"evt_", 17);
  assert_has(kit, "','status':'accepted'}");
  assert_count(kit, contacts, 1);
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'A@B.C'}", 200);
  assert_count(kit, contacts, 1);
  ASK(kit, "POST", EVENTS, "{'event_type':'x','phone':'+14155550101'}", 200);
  assert_count(kit, contacts, 2);
  ASK(kit, "POST", "/v1/contacts", "{'email':'b@b.c'}", 201);
  snprintf(body, sizeof body, "{'event_type':'x','privy_id':'%s'}", kit.id);
  ASK(kit, "POST", EVENTS, body, 200);
  assert_count(kit, events, 4);
  assert_count(kit, contacts, 3);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  ASK(kit, "POST", EVENTS, body, 400);
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'b@b.c'}", 200);
  ASK(kit, "POST", EVENTS, body, 200);
done:
  kit_close(&kit);
}

#define DEEP_10 "{'a':{'a':{'a':{'a':{'a':{'a':{'a':{'a':{'a':{}}}}}}}}}}"
#define DEEP_11 "{'a':[{'a':{'a':{'a':{'a':{'a':{'a':{'a':{'a':[]}}}}}}}}]}"

static void refuses_what_is_wrong(void **state) {
  static const struct {
    const char *body, *error;
  } cases[] = {
      {"{}", "{'errors':[{'field':'event_type','message':'is required'},{'field':'base',"},
      {"{'event_type':'x'}",
       "{'errors':[{'field':'base','message':'exactly one of email, phone, privy_id is required'}]}"},
      {"{'event_type':'x','email':'a@b.c','phone':'+14155550101'}", "{'errors':[{'field':'base',"},
      {"{'event_type':'x y','email':'a@b.c'}", "{'errors':[{'field':'event_type',"},
      {"{'event_type':'','email':'a@b.c'}", "{'errors':[{'field':'event_type',"},
      {"{'event_type':'x','email':'nobody'}", "{'errors':[{'field':'email',"},
      {"{'event_type':'x','phone':'415'}", "{'errors':[{'field':'phone',"},
      {"{'event_type':'x','privy_id':'12'}", "{'errors':[{'field':'privy_id',"},
      {"{'event_type':'x','privy_id':'cus_0000000000000000'}",
       "{'errors':[{'field':'privy_id','message':'is not the id of a contact'}]}"},
      {"{'event_type':'x','email':'a@b.c','event_time':'2026-05-12T10:00:00+02:00'}",
       "{'errors':[{'field':'event_time',"},
      {"{'event_type':'x','email':'a@b.c','event_data':[]}", "{'errors':[{'field':'event_data',"},
      {"{'event_type':'x','email':'a@b.c','event_data':" DEEP_11 "}", "is nested deeper than 10 levels"},
      {"{'event_type':'x','email':'a@b.c','idempotency_key':''}", "{'errors':[{'field':'idempotency_key',"},
      {"[]", "{'errors':[{'field':'base','message':'The body must be a JSON object.'}]}"},
      {"{bad", "{'errors':[{'field':'base','message':'The body is not JSON: "},
  };
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    ASK(kit, "POST", EVENTS, cases[i].body, 400);
    assert_has(kit, cases[i].error);
  }
  assert_count(kit, events, 0);
  assert_count(kit, contacts, 0);
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c','event_data':" DEEP_10 "}", 200);
done:
  kit_close(&kit);
}

/* Copies the event id of the last response. */
static void keep_event(const sandbox_kit *kit, char id[21]) {
  memcpy(id, kit->response.body.data + strlen("{'event_id':'"), 20);
  id[20] = '\0';
}

static void replays_by_key(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char first[21], second[21], expected[128];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c','idempotency_key':'k-1'}", 200);
  keep_event(&kit, first);
  assert_lacks(kit, "idempotent_replay");
  ASK(kit, "POST", EVENTS, "{'event_type':'other','email':'b@b.c','idempotency_key':'\\u006b-1'}", 200);
  snprintf(expected, sizeof expected, "{'event_id':'%s','status':'accepted','idempotent_replay':true}", first);
  assert_body(kit, expected);
  assert_count(kit, events, 1);
  assert_count(kit, contacts, 1);
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c','idempotency_key':'k-2'}", 200);
  keep_event(&kit, second);
  assert_string_not_equal(first, second);
  kit.headers = "Idempotency-Key: k-1\r\n";
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c','idempotency_key':'k-2'}", 200);
  assert_body(kit, expected);
  kit.headers = "idempotency-key: k-3\r\n";
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c','idempotency_key':'k-2'}", 200);
  assert_lacks(kit, "idempotent_replay");
  kit.headers = NULL;
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c'}", 200);
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c'}", 200);
  assert_lacks(kit, "idempotent_replay");
  assert_count(kit, events, 5);
done:
  kit_close(&kit);
}

static void rejected_events_are_not_remembered(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  kit.headers = "Idempotency-Key: k\r\n";
  ASK(kit, "POST", EVENTS, "{'event_type':'x'}", 400);
  ASK(kit, "POST", EVENTS, "{'event_type':'x'}", 400);
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c'}", 200);
  assert_lacks(kit, "idempotent_replay");
  ASK(kit, "POST", EVENTS, "{'event_type':'x'}", 200);
  assert_has(kit, "'idempotent_replay':true");
  kit.headers = "Idempotency-Key: no\tblank\r\n";
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c'}", 400);
  assert_has(kit, "'field':'idempotency_key'");
  kit.headers = NULL;
  privy_sandbox_reset(kit.sandbox);
  assert_count(kit, events, 0);
  ASK(kit, "POST", EVENTS, "{'event_type':'x','email':'a@b.c','idempotency_key':'k'}", 200);
  assert_lacks(kit, "idempotent_replay");
done:
  kit_close(&kit);
}

static void large_bodies(void **state) {
  static const char begin[] = "{\"event_type\":\"x\",\"email\":\"a@b.c\",\"event_data\":{\"a\":\"", end[] = "\"}}";
  enum { MOST = 262144 };
  (void)state;
  sandbox_kit kit = KIT;
  char *body = malloc(MOST + 1);
  assert_non_null(body);
  memset(body, 'x', MOST + 1);
  memcpy(body, begin, sizeof begin - 1);
  memcpy(body + MOST - (sizeof end - 1), end, sizeof end - 1);
  CHECK_OK(kit_open(&kit));
  CHECK_OK(kit_send(&kit, "POST", EVENTS, body, MOST));
  kit_status(&kit, 200, __FILE__, __LINE__);
  memcpy(body + MOST - (sizeof end - 1), "xxx", 3);
  memcpy(body + MOST + 1 - (sizeof end - 1), end, sizeof end - 1);
  CHECK_OK(kit_send(&kit, "POST", EVENTS, body, MOST + 1));
  kit_status(&kit, 413, __FILE__, __LINE__);
  assert_body(kit, "{'error':{'code':'payload_too_large','message':'The body is too large.'}}");
done:
  free(body);
  kit_close(&kit);
}

/* Whether the event of that key is the one of that id and type; no id: there is none. */
static bool finds(const sandbox_kit *kit, const char *key, const char *id, const char *type) {
  privy_buffer shown = PRIVY_BUFFER_EMPTY;
  char start[128] = "";
  bool found = false;
  const privy_status status = privy_sandbox_find(kit->sandbox, PRIVY_SANDBOX_EVENTS, key, strlen(key), &shown);
  CHECK_STATUS(status == PRIVY_NOT_FOUND && !id ? PRIVY_OK : status, PRIVY_OK);
  if (id) snprintf(start, sizeof start, "{\"event_id\":\"%s\",\"event_type\":\"%s\",", id, type);
  assert_true(id ? shown.length > strlen(start) : shown.length == 0);
  if (id) assert_memory_equal(shown.data, start, strlen(start));
  found = true;
done:
  privy_buffer_clear(&shown);
  return found;
}

/* Saves what the sandbox holds, and loads it. */
static bool reload(const sandbox_kit *kit) {
  privy_buffer text = PRIVY_BUFFER_EMPTY, problem = PRIVY_BUFFER_EMPTY;
  bool read = false;
  CHECK_OK(privy_sandbox_write(kit->sandbox, &text));
  CHECK_OK(privy_sandbox_read(kit->sandbox, text.data, text.length, &problem));
  read = true;
done:
  privy_buffer_clear(&problem);
  privy_buffer_clear(&text);
  return read;
}

static void events_are_found_by_each_key(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char seen[21], bought[21], again[21];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", EVENTS, "{'event_type':'seen','email':'a@b.c'}", 200);
  keep_event(&kit, seen);
  kit.headers = "Idempotency-Key: k\"1\r\n";
  ASK(kit, "POST", EVENTS, "{'event_type':'bought','email':'a@b.c'}", 200);
  keep_event(&kit, bought);
  for (int loaded = 0; loaded < 2; loaded++) {
    CHECK_MEMORY(finds(&kit, seen, seen, "seen") && finds(&kit, bought, bought, "bought"));
    CHECK_MEMORY(finds(&kit, "k\"1", bought, "bought"));
    CHECK_MEMORY(finds(&kit, "k\\\"1", NULL, "") && finds(&kit, "", NULL, "") && finds(&kit, "seen", NULL, ""));
    ASK(kit, "POST", EVENTS, "{'event_type':'bought','email':'a@b.c'}", 200);
    keep_event(&kit, again);
    assert_string_equal(again, bought);
    CHECK_MEMORY(reload(&kit));
  }
  privy_sandbox_reset(kit.sandbox);
  CHECK_MEMORY(finds(&kit, seen, NULL, "") && finds(&kit, "k\"1", NULL, ""));
done:
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {
      TEST(accepts_and_finds_the_contact),      TEST(refuses_what_is_wrong), TEST(replays_by_key),
      TEST(rejected_events_are_not_remembered), TEST(large_bodies),          TEST(events_are_found_by_each_key),
  };
  return HARNESS_RUN(tests);
}
