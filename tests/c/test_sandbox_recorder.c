/* What a sandbox shows to tests: the requests that it received, and what it stores. */
#include "test_sandbox.h"

#define CONTACTS "/v1/contacts"
#define ORDER_REST "'total':'95.00','currency':'USD','order_date':'2026-05-12T10:00:00Z'}"
#define MIB ((size_t)1 << 20)

/* A failed allocation may cost a record: then the sweep ends the test here. */
#define CHECK_RECORDED(condition) CHECK_MEMORY(condition)

static size_t count(const privy_sandbox_history *history) {
  size_t count = 0;
  while (privy_sandbox_history_at(history, count)) count++;
  return count;
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static void a_request_is_recorded_without_secrets(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_history *history = NULL;
  kit.headers = "Content-Type: application/json\r\nCookie: a=b\r\nX-PRIVY-Integration-Token: t\r\nX-Own: 1\r\n";
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS "?page=1", "{'email':'a@b.c'}", 201);
  privy_sandbox_advance(kit.sandbox, 2.5);
  ASK(kit, "GET", "/nowhere", NULL, 404);
  CHECK_OK(privy_sandbox_history_new(kit.sandbox, &history));
  CHECK_RECORDED(count(history) == 2);
  const privy_sandbox_request *request = privy_sandbox_history_at(history, 0);
  assert_string_equal(request->method, "POST");
  assert_string_equal(request->target, "/contacts?page=1");
  assert_string_equal(request->operation, "contacts.create");
  assert_text(request->headers, request->headers_length, "Content-Type: application/json\r\nX-Own: 1\r\n");
  assert_text(request->body, request->body_length, "{\"email\":\"a@b.c\"}");
  assert_int_equal(request->http_status, 201);
  assert_true(request->at == START);
  request = privy_sandbox_history_at(history, 1);
  assert_string_equal(request->target, "/nowhere");
  assert_null(request->operation);
  assert_text(request->body, request->body_length, "");
  assert_int_equal(request->http_status, 404);
  assert_true(request->at == START + 2.5);
done:
  privy_sandbox_history_free(history);
  kit_close(&kit);
}

static void lines_that_are_no_headers_are_not_recorded(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_history *history = NULL;
  kit.token = NULL;
  kit.headers = "no colon: but one\r\nAuthorization: Bearer\r\n secret\r\nX-Own: 1";
  CHECK_OK(kit_open(&kit));
  ASK(kit, "GET", CONTACTS, NULL, 401);
  CHECK_OK(privy_sandbox_history_new(kit.sandbox, &history));
  CHECK_RECORDED(count(history) == 1);
  const privy_sandbox_request *request = privy_sandbox_history_at(history, 0);
  assert_text(request->headers, request->headers_length, "no colon: but one\r\nX-Own: 1");
  assert_string_equal(request->operation, "contacts.list");
done:
  privy_sandbox_history_free(history);
  kit_close(&kit);
}

static void the_body_of_a_token_request_is_not_recorded(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_history *history = NULL;
  kit.token = NULL;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", "/oauth/token",
      "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret", 200);
  ASK(kit, "PUT", "/v1/oauth/token", "client_secret=sandbox-secret", 401);
  CHECK_OK(privy_sandbox_history_new(kit.sandbox, &history));
  CHECK_RECORDED(count(history) == 2);
  for (size_t i = 0; i < 2; i++) {
    const privy_sandbox_request *request = privy_sandbox_history_at(history, i);
    assert_string_equal(request->target, "/oauth/token");
    assert_null(request->operation);
    assert_null(request->body);
    assert_int_equal(request->body_length, 0);
  }
done:
  privy_sandbox_history_free(history);
  kit_close(&kit);
}

static void refused_and_failed_requests_are_recorded(void **state) {
  (void)state;
  static const int statuses[] = {201, 503, 201, 422, 429};
  sandbox_kit kit = KIT;
  privy_sandbox_history *history = NULL;
  const privy_sandbox_fault outage = {.http_status = 503, .retry_after = -1, .count = 1};
  const privy_sandbox_fault lost = {.cut = PRIVY_CUT_DROP, .count = 1};
  CHECK_OK(kit_open(&kit));
  privy_sandbox_set_limits(kit.sandbox, 3, 0, 60);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &outage));
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &lost));
  ASK(kit, "POST", CONTACTS, "{'email':'b@b.c'}", 503);
  ASK(kit, "POST", CONTACTS, "{'email':'b@b.c'}", 201);
  ASK(kit, "POST", CONTACTS, "{'email':'b'}", 422);
  ASK(kit, "POST", CONTACTS, "{'email':'c@b.c'}", 429);
  CHECK_OK(privy_sandbox_history_new(kit.sandbox, &history));
  CHECK_RECORDED(count(history) == 5);
  for (size_t i = 0; i < 5; i++) {
    assert_int_equal(privy_sandbox_history_at(history, i)->http_status, statuses[i]);
    assert_string_equal(privy_sandbox_history_at(history, i)->operation, "contacts.create");
  }
done:
  privy_sandbox_history_free(history);
  kit_close(&kit);
}

/* ---- bounds ------------------------------------------------------------------------------------------------------ */

static bool ask_page(sandbox_kit *kit, unsigned page) {
  char target[64];
  bool asked = false;
  snprintf(target, sizeof target, CONTACTS "?page=%u", page);
  ASK(*kit, "GET", target, NULL, 200);
  asked = true;
done:
  return asked;
}

/* Whether the history consists of the requests of these pages. */
static bool holds_pages(const privy_sandbox_history *history, unsigned first, unsigned last) {
  char target[64];
  if (count(history) != last + 1 - first) return false;
  for (unsigned page = first; page <= last; page++) {
    snprintf(target, sizeof target, "/contacts?page=%u", page);
    if (strcmp(privy_sandbox_history_at(history, page - first)->target, target) != 0) return false;
  }
  return true;
}

static bool keeps(sandbox_kit *kit, unsigned first, unsigned last) {
  privy_sandbox_history *history = NULL;
  bool kept = false;
  CHECK_OK(privy_sandbox_history_new(kit->sandbox, &history));
  CHECK_RECORDED(holds_pages(history, first, last));
  kept = true;
done:
  privy_sandbox_history_free(history);
  return kept;
}

static void the_newest_requests_are_kept(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  CHECK_OK(kit_open(&kit));
  privy_sandbox_keep_history(kit.sandbox, 3);
  for (unsigned page = 1; page <= 5; page++) CHECK_MEMORY(ask_page(&kit, page));
  CHECK_MEMORY(keeps(&kit, 3, 5));
  privy_sandbox_keep_history(kit.sandbox, 40);
  for (unsigned page = 6; page <= 50; page++) CHECK_MEMORY(ask_page(&kit, page));
  CHECK_MEMORY(keeps(&kit, 11, 50));
  privy_sandbox_keep_history(kit.sandbox, 2);
  CHECK_MEMORY(keeps(&kit, 49, 50));
  privy_sandbox_keep_history(kit.sandbox, 0);
  CHECK_MEMORY(ask_page(&kit, 51));
  CHECK_MEMORY(keeps(&kit, 1, 0));
  assert_count(kit, requests, 51);
done:
  kit_close(&kit);
}

static void a_new_sandbox_keeps_a_thousand(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  if (harness_sweeping()) return;
  CHECK_OK(kit_open(&kit));
  for (unsigned page = 1; page <= PRIVY_SANDBOX_HISTORY + 7; page++) CHECK_MEMORY(ask_page(&kit, page));
  CHECK_MEMORY(keeps(&kit, 8, PRIVY_SANDBOX_HISTORY + 7));
done:
  kit_close(&kit);
}

static void the_memory_of_requests_is_bounded(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_history *history = NULL;
  char *body = NULL;
  CHECK_OK(kit_open(&kit));
  CHECK_MEMORY(body = privy_alloc(9 * MIB));
  memset(body, ' ', 9 * MIB);
  for (size_t i = 0; i < 4; i++) CHECK_OK(kit_send(&kit, "POST", CONTACTS, body, 5 * MIB + i));
  CHECK_OK(privy_sandbox_history_new(kit.sandbox, &history));
  CHECK_RECORDED(count(history) == 3);
  CHECK_RECORDED(privy_sandbox_history_at(history, 0)->body_length == 5 * MIB + 1);
  privy_sandbox_history_free(history);
  history = NULL;
  CHECK_OK(kit_send(&kit, "POST", CONTACTS, body, 9 * MIB));
  CHECK_OK(privy_sandbox_history_new(kit.sandbox, &history));
  CHECK_RECORDED(count(history) == 4);
  assert_null(privy_sandbox_history_at(history, 3)->body);
  assert_int_equal(privy_sandbox_history_at(history, 3)->body_length, 0);
done:
  privy_free(body);
  privy_sandbox_history_free(history);
  kit_close(&kit);
}

/* A target is longer than all memory for requests: it is handled, and nothing is kept. */
static void a_request_that_is_too_large_is_not_kept(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char *target = NULL;
  CHECK_OK(kit_open(&kit));
  CHECK_MEMORY(ask_page(&kit, 1));
  CHECK_MEMORY(target = privy_alloc(17 * MIB));
  memset(target, 'x', 17 * MIB);
  *target = '/';
  target[17 * MIB - 1] = '\0';
  CHECK_OK(kit_send(&kit, "GET", target, NULL, 0));
  CHECK_MEMORY(keeps(&kit, 1, 0));
  CHECK_MEMORY(ask_page(&kit, 7));
  CHECK_MEMORY(keeps(&kit, 7, 7));
done:
  privy_free(target);
  kit_close(&kit);
}

static void a_history_does_not_change(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_history *history = NULL;
  CHECK_OK(kit_open(&kit));
  privy_sandbox_keep_history(kit.sandbox, 2);
  for (unsigned page = 1; page <= 2; page++) CHECK_MEMORY(ask_page(&kit, page));
  CHECK_OK(privy_sandbox_history_new(kit.sandbox, &history));
  CHECK_RECORDED(holds_pages(history, 1, 2));
  for (unsigned page = 3; page <= 6; page++) CHECK_MEMORY(ask_page(&kit, page));
  assert_true(holds_pages(history, 1, 2));
  CHECK_MEMORY(keeps(&kit, 5, 6));
  privy_sandbox_reset(kit.sandbox);
  CHECK_MEMORY(keeps(&kit, 1, 0));
  privy_sandbox_release(kit.sandbox);
  kit.sandbox = NULL;
  assert_true(holds_pages(history, 1, 2));
done:
  privy_sandbox_history_free(history);
  kit_close(&kit);
}

/* Fails the nth allocation of a request. Returns whether it was that of the recorder, which costs the record alone. */
static bool only_the_record_fails(size_t nth, bool *any) {
  sandbox_kit kit = KIT;
  privy_sandbox_history *history = NULL;
  assert_int_equal(kit_open(&kit), PRIVY_OK);
  privy_memory_fail_at(nth);
  const privy_status status = kit_ask(&kit, "POST", CONTACTS, "{'email':'a@b.c'}");
  *any = privy_memory_failed();
  privy_memory_fail_at(0);
  assert_int_equal(privy_sandbox_history_new(kit.sandbox, &history), PRIVY_OK);
  const bool recorded = count(history) == 1;
  assert_int_equal(recorded, !*any);
  assert_count(kit, contacts, status == PRIVY_OK);
  assert_count(kit, requests, status == PRIVY_OK);
  privy_sandbox_history_free(history);
  kit_close(&kit);
  return *any && status == PRIVY_OK;
}

static void a_request_without_memory_for_its_record_is_handled(void **state) {
  (void)state;
  size_t lost = 0;
  bool any = true;
  for (size_t nth = 1; any; nth++) lost += only_the_record_fails(nth, &any);
  assert_int_equal(lost, 2); /* the block and the ring */
}

/* ---- faults of one operation ------------------------------------------------------------------------------------- */

static privy_sandbox_fault fault_on(const char *operation, int http_status, uint32_t skip) {
  return (privy_sandbox_fault){
      .http_status = http_status, .retry_after = -1, .skip = skip, .count = 1, .operation = operation};
}

static void a_fault_may_concern_one_operation(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char name[] = "orders.upsert";
  privy_sandbox_fault fault = fault_on(name, 503, 1);
  CHECK_OK(kit_open(&kit));
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  memset(name, 'x', sizeof name - 1); /* the sandbox keeps no pointer to it */
  fault = fault_on(NULL, 500, 0);
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  fault = fault_on("contacts.list", 502, 0);
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  ASK(kit, "GET", CONTACTS, NULL, 500);
  ASK(kit, "GET", CONTACTS, NULL, 502);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  ASK(kit, "POST", "/orders/placed", "{'order_id':1,'email':'a@b.c'," ORDER_REST, 201);
  ASK(kit, "POST", "/orders/placed", "{'order_id':2,'email':'a@b.c'," ORDER_REST, 503);
  ASK(kit, "POST", "/orders/placed", "{'order_id':2,'email':'a@b.c'," ORDER_REST, 201);
  assert_count(kit, orders, 2);
done:
  kit_close(&kit);
}

static void a_fault_of_an_upsert_concerns_its_first_request(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_fault fault = fault_on("contacts.upsert", 503, 0);
  CHECK_OK(kit_open(&kit));
  CHECK_OK(privy_sandbox_add_fault(kit.sandbox, &fault));
  ASK(kit, "GET", CONTACTS, NULL, 200);
  ASK(kit, "POST", "/oauth/token", "", 400);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 503);
  ASK(kit, "POST", CONTACTS, "{'email':'a@b.c'}", 201);
  fault.operation = "contacts.upsrt";
  CHECK_STATUS(privy_sandbox_add_fault(kit.sandbox, &fault), PRIVY_VALIDATION);
done:
  kit_close(&kit);
}

/* ---- what is stored ---------------------------------------------------------------------------------------------- */

/* The record of that key; "" if there is none. */
static bool find(const sandbox_kit *kit, privy_sandbox_kind kind, const char *key, privy_buffer *out) {
  bool found = false;
  out->length = 0;
  const privy_status status = privy_sandbox_find(kit->sandbox, kind, key, strlen(key), out);
  CHECK_STATUS(status == PRIVY_NOT_FOUND ? PRIVY_OK : status, PRIVY_OK);
  assert_int_equal(out->length == 0, status == PRIVY_NOT_FOUND);
  found = true;
done:
  return found;
}

static bool list(const sandbox_kit *kit, privy_sandbox_kind kind, privy_buffer *out) {
  bool listed = false;
  out->length = 0;
  CHECK_OK(privy_sandbox_list(kit->sandbox, kind, out));
  listed = true;
done:
  return listed;
}

static void contacts_are_found_by_each_key(void **state) {
  (void)state;
  static const char *const keys[] = {"jane@b.c", "JANE@B.C", "+14155550102"};
  sandbox_kit kit = KIT;
  privy_buffer shown = PRIVY_BUFFER_EMPTY;
  char id[32], expected[2048];
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", CONTACTS, "{'email':'Jane@b.c','phone_number':'+14155550102','tags':['x']}", 201);
  memcpy(id, kit.id, sizeof id);
  snprintf(expected, sizeof expected, "%.*s", (int)kit.response.body.length - 9, kit.response.body.data + 8);
  CHECK_MEMORY(find(&kit, PRIVY_SANDBOX_CONTACTS, id, &shown));
  assert_text(shown.data, shown.length, expected);
  for (size_t i = 0; i < 3; i++) {
    CHECK_MEMORY(find(&kit, PRIVY_SANDBOX_CONTACTS, keys[i], &shown));
    assert_text(shown.data, shown.length, expected);
  }
  CHECK_MEMORY(find(&kit, PRIVY_SANDBOX_CONTACTS, "", &shown));
  assert_int_equal(shown.length, 0);
  ASK(kit, "POST", CONTACTS, "{'email':'b@b.c'}", 201);
  ASK(kit, "DELETE", kit_path(&kit, ""), NULL, 200);
  CHECK_MEMORY(find(&kit, PRIVY_SANDBOX_CONTACTS, "b@b.c", &shown));
  assert_int_equal(shown.length, 0);
  CHECK_MEMORY(find(&kit, PRIVY_SANDBOX_CONTACTS, kit.id, &shown));
  assert_int_equal(shown.length, 0);
  CHECK_MEMORY(list(&kit, PRIVY_SANDBOX_CONTACTS, &shown));
  assert_int_equal(shown.length, strlen(expected) + 2);
  assert_memory_equal(shown.data + 1, expected, strlen(expected));
done:
  privy_buffer_clear(&shown);
  kit_close(&kit);
}

static void orders_have_all_that_was_sent(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_buffer shown = PRIVY_BUFFER_EMPTY;
  kit.headers = "X-Privy-Integration-Token: shop\r\n";
  CHECK_OK(kit_open(&kit));
  CHECK_OK(privy_sandbox_add_integration(kit.sandbox, "shop", true));
  ASK(kit, "POST", "/orders/placed", "{'order_id':7,'email':'a@b.c','line_items':[{'sku':'s'}]," ORDER_REST, 201);
  ASK(kit, "POST", "/orders/placed", "{'order_id':8,'email':'a@b.c'," ORDER_REST, 201);
  CHECK_MEMORY(find(&kit, PRIVY_SANDBOX_ORDERS, "7", &shown));
  kit_expect(&kit, &shown, "{'order_id':7,'email':'a@b.c','phone':null,", true, __FILE__, __LINE__);
  kit_expect(&kit, &shown, "'total_amount':'95.00',", true, __FILE__, __LINE__);
  kit_expect(&kit, &shown, "'updated_at':'2026-05-12T10:00:00Z','total':'95.00','currency':'USD',", true, __FILE__,
             __LINE__);
  kit_expect(&kit, &shown, ",'line_items':[{'sku':'s'}]}", true, __FILE__, __LINE__);
  kit_expect(&kit, &shown, "integration", false, __FILE__, __LINE__);
  kit_expect(&kit, &shown, "'created':", false, __FILE__, __LINE__);
  CHECK_MEMORY(find(&kit, PRIVY_SANDBOX_ORDERS, "9", &shown));
  assert_int_equal(shown.length, 0);
  CHECK_MEMORY(list(&kit, PRIVY_SANDBOX_ORDERS, &shown));
  kit_expect(&kit, &shown, "[{'order_id':7,", true, __FILE__, __LINE__);
  kit_expect(&kit, &shown, "},{'order_id':8,", true, __FILE__, __LINE__);
done:
  privy_buffer_clear(&shown);
  kit_close(&kit);
}

static void events_are_stored_once(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_buffer shown = PRIVY_BUFFER_EMPTY;
  CHECK_OK(kit_open(&kit));
  ASK(kit, "POST", "/events", "{'event_type':'seen','email':'a@b.c','event_data':{'a':[1.50]}}", 200);
  privy_sandbox_advance(kit.sandbox, 0.5);
  kit.headers = "Idempotency-Key: k\"1\r\n";
  for (int i = 0; i < 2; i++) ASK(kit, "POST", "/events", "{'event_type':'bought','email':'a@b.c'}", 200);
  ASK(kit, "POST", "/events", "{'event_type':'?'}", 200);
  kit.headers = NULL;
  ASK(kit, "POST", "/events", "{'event_type':'?'}", 400);
  CHECK_MEMORY(list(&kit, PRIVY_SANDBOX_EVENTS, &shown));
  kit_expect(&kit, &shown, "[{'event_id':'evt_", true, __FILE__, __LINE__);
  kit_expect(&kit, &shown,
             "','event_type':'seen','email':'a@b.c','event_data':{'a':[1.50]},'accepted_at':'2026-05-12T10:00:00Z'},{",
             true, __FILE__, __LINE__);
  assert_true(kit_contains(&shown, "\"event_type\":\"bought\",\"email\":\"a@b.c\",\"idempotency_key\":\"k\\\"1\","
                                   "\"accepted_at\":\"2026-05-12T10:00:00.5Z\"}]"));
  CHECK_MEMORY(find(&kit, PRIVY_SANDBOX_EVENTS, "bought", &shown));
  assert_int_equal(shown.length, 0);
  assert_count(kit, events, 2);
  privy_sandbox_reset(kit.sandbox);
  CHECK_MEMORY(list(&kit, PRIVY_SANDBOX_EVENTS, &shown));
  assert_text(shown.data, shown.length, "[]");
  CHECK_MEMORY(list(&kit, PRIVY_SANDBOX_ORDERS, &shown));
  assert_text(shown.data, shown.length, "[]");
done:
  privy_buffer_clear(&shown);
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_request_is_recorded_without_secrets),
      TEST(lines_that_are_no_headers_are_not_recorded),
      TEST(the_body_of_a_token_request_is_not_recorded),
      TEST(refused_and_failed_requests_are_recorded),
      TEST(the_newest_requests_are_kept),
      TEST(a_new_sandbox_keeps_a_thousand),
      TEST(the_memory_of_requests_is_bounded),
      TEST(a_request_that_is_too_large_is_not_kept),
      TEST(a_history_does_not_change),
      TEST_UNSWEPT(a_request_without_memory_for_its_record_is_handled),
      TEST(a_fault_may_concern_one_operation),
      TEST(a_fault_of_an_upsert_concerns_its_first_request),
      TEST(contacts_are_found_by_each_key),
      TEST(orders_have_all_that_was_sent),
      TEST(events_are_stored_once),
  };
  return HARNESS_RUN(tests);
}
