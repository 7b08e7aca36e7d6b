/* What holds whatever happens: a request that runs out of memory changes nothing, and threads do not harm each other.
 */
#include <pthread.h>

#include "test_sandbox.h"

#define CONTACTS "/v1/contacts"
#define ORDER_REST "'total':95,'currency':'USD','order_date':'2026-05-12T10:00:00Z'}"

/* Requests that change things, on a sandbox where a@b.c lives, whose id stands
 * for "{id}", and gone@b.c was deleted. */
static const struct {
  const char *method, *target, *body;
  int status;
} changes[] = {
    {"POST", CONTACTS, "{'email':'new@b.c','phone_number':'+14155550109','sms_consent':'subscribed','tags':['x']}",
     201},
    {"POST", CONTACTS, "{'email':'gone@b.c','phone_number':'+14155550109'}", 201},
    {"PATCH", CONTACTS "/{id}", "{'first_name':'B','phone_number':'+14155550102','sms_consent':'subscribed'}", 200},
    {"POST", CONTACTS "/{id}/unsubscribe", "{'reason':'x'}", 200},
    {"DELETE", CONTACTS "/{id}", NULL, 200},
    {"POST", "/orders/placed", "{'order_id':1,'email':'a@b.c'," ORDER_REST, 200},
    {"POST", "/orders/placed", "{'order_id':2,'email':'new@b.c','phone':'+14155550109'," ORDER_REST, 201},
    {"POST", "/events", "{'event_type':'x','email':'new@b.c','idempotency_key':'k2'}", 200},
    {"POST", "/events", "{'event_type':'x','email':'gone@b.c','idempotency_key':'k2'}", 200},
    {"POST", CONTACTS, "{'email':'no'}", 422},
    {"POST", CONTACTS, "{'email':'a@b.c'}", 409},
    {"GET", CONTACTS "?email=a%40b.c", NULL, 200},
    {"POST", "/oauth/token", "grant_type=client_credentials&client_id=sandbox-client&client_secret=sandbox-secret",
     200},
};

static bool prepare(sandbox_kit *kit, char id[32]) {
  const privy_sandbox_fault fault = {.delay = 2, .skip = 7, .count = 1};
  bool prepared = false;
  CHECK_OK(kit_open(kit));
  privy_sandbox_keep_history(kit->sandbox, 0); /* a lack of memory for a record fails no request */
  ASK(*kit, "POST", CONTACTS, "{'email':'gone@b.c'}", 201);
  ASK(*kit, "DELETE", kit_path(kit, ""), NULL, 200);
  ASK(*kit, "POST", CONTACTS, "{'email':'a@b.c','first_name':'A','email_consent':'subscribed'}", 201);
  memcpy(id, kit->id, 32);
  ASK(*kit, "POST", "/orders/placed", "{'order_id':1,'email':'a@b.c'," ORDER_REST, 201);
  ASK(*kit, "POST", "/events", "{'event_type':'x','email':'a@b.c','idempotency_key':'k1'}", 200);
  privy_sandbox_set_limits(kit->sandbox, 50, 500, 60);
  CHECK_OK(privy_sandbox_add_fault(kit->sandbox, &fault));
  prepared = true;
done:
  return prepared;
}

/* All responses to read requests, one after the other. */
static bool look(sandbox_kit *kit, privy_buffer *out) {
  static const struct {
    const char *method, *target, *body;
  } views[] = {
      {"GET", CONTACTS, NULL},
      {"GET", CONTACTS "?email=new@b.c", NULL},
      {"GET", CONTACTS "?phone_number=%2B14155550109", NULL},
      {"POST", "/events", "{'event_type':'x','email':'a@b.c','idempotency_key':'k1'}"},
      {"POST", "/events", "{'event_type':'x'}"},
      {"POST", CONTACTS, "{'email':'gone@b.c'}"},
      {"POST", CONTACTS, "{'phone_number':'+14155550109'}"},
      {"POST", "/orders/placed", "{'order_id':2,'email':'a@b.c'," ORDER_REST},
      {"GET", CONTACTS, NULL},
  };
  bool looked = false;
  for (size_t i = 0; i < sizeof views / sizeof *views; i++) {
    CHECK_OK(kit_ask(kit, views[i].method, views[i].target, views[i].body));
    const size_t length = kit->response.headers.length + kit->response.body.length;
    char *data = privy_realloc(out->data, out->length + length + 1);
    CHECK_MEMORY(data);
    out->data = data;
    memcpy(data + out->length, kit->response.headers.data, kit->response.headers.length);
    memcpy(data + out->length + kit->response.headers.length, kit->response.body.data, kit->response.body.length);
    out->length += length;
    data[out->length] = '\0';
  }
  looked = true;
done:
  return looked;
}

static bool same_counts(privy_sandbox_counts a, privy_sandbox_counts b) {
  return a.requests == b.requests && a.contacts == b.contacts && a.orders == b.orders && a.events == b.events &&
         a.welcome_messages == b.welcome_messages;
}

static void name_target(char *out, size_t size, const char *pattern, const char *id) {
  const char *place = strstr(pattern, "{id}");
  const size_t before = place ? (size_t)(place - pattern) : strlen(pattern);
  snprintf(out, size, "%.*s%s%s", (int)before, pattern, place ? id : "", place ? place + 4 : "");
}

/* Fails the nth allocation of one change. False when the change needs fewer. */
static bool fails_cleanly(size_t change, size_t nth, const char *untouched) {
  sandbox_kit kit = KIT;
  char id[32], target[96];
  privy_buffer seen = PRIVY_BUFFER_EMPTY;
  assert_true(prepare(&kit, id));
  name_target(target, sizeof target, changes[change].target, id);
  const privy_sandbox_counts before = privy_sandbox_count(kit.sandbox);
  privy_memory_fail_at(nth);
  const privy_status status = kit_ask(&kit, changes[change].method, target, changes[change].body);
  const bool failed = privy_memory_failed();
  privy_memory_fail_at(0);
  assert_int_equal(status, failed ? PRIVY_NO_MEMORY : PRIVY_OK);
  if (failed) {
    assert_int_equal(kit.response.body.length, 0);
    assert_true(same_counts(privy_sandbox_count(kit.sandbox), before));
    assert_true(look(&kit, &seen));
    assert_string_equal(seen.data, untouched);
  } else {
    kit_status(&kit, changes[change].status, __FILE__, __LINE__);
  }
  privy_free(seen.data);
  kit_close(&kit);
  return failed;
}

static void running_out_of_memory_changes_nothing(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  char id[32];
  privy_buffer untouched = PRIVY_BUFFER_EMPTY;
  if (harness_sweeping()) return; /* it makes allocations fail itself */
  assert_true(prepare(&kit, id));
  assert_true(look(&kit, &untouched));
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
    size_t nth = 1;
    while (fails_cleanly(i, nth, untouched.data)) nth++;
    assert_true(nth > 2);
  }
  privy_free(untouched.data);
  kit_close(&kit);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 200 };

typedef struct thread_work {
  privy_sandbox *sandbox;
  unsigned number;
  bool worked; /* every response was the expected one */
} thread_work;

static bool responses(sandbox_kit *kit, const char *method, const char *target, const char *body, int expected) {
  return kit_ask(kit, method, target, body) == PRIVY_OK && kit->response.http_status == expected;
}

/* Whether the last requests can be read while other threads send requests. */
static bool reads_history(const sandbox_kit *kit) {
  privy_sandbox_history *history;
  size_t count = 0;
  if (privy_sandbox_history_new(kit->sandbox, &history) != PRIVY_OK) return false;
  const privy_sandbox_request *request;
  while ((request = privy_sandbox_history_at(history, count)) && request->http_status < 300) count++;
  privy_sandbox_history_free(history);
  return !request && count > 0 && count <= 50;
}

static bool work(const thread_work *worker, sandbox_kit *kit) {
  char body[256];
  for (unsigned i = 0; i < ROUNDS; i++) {
    snprintf(body, sizeof body, "{'email':'w%u-%u@b.c'}", worker->number, i);
    if (!responses(kit, "POST", CONTACTS, body, 201)) return false;
    if (!responses(kit, "PATCH", kit_path(kit, ""), "{'first_name':'J'}", 200)) return false;
    if (i % 4 == 0 && !responses(kit, "DELETE", kit_path(kit, ""), NULL, 200)) return false;
    snprintf(body, sizeof body, "{'order_id':%u,'email':'common@b.c'," ORDER_REST, worker->number * ROUNDS + i + 1);
    if (!responses(kit, "POST", "/orders/placed", body, 201)) return false;
    snprintf(body, sizeof body, "{'event_type':'x','email':'common@b.c','idempotency_key':'k%u'}", i);
    if (!responses(kit, "POST", "/events", body, 200)) return false;
    if (i % 8 == 0 && !responses(kit, "GET", CONTACTS "?per_page=5&page=2", NULL, 200)) return false;
    if (i % 8 == 0 && !reads_history(kit)) return false;
  }
  return true;
}

static void *run(void *argument) {
  thread_work *worker = argument;
  sandbox_kit kit = KIT;
  kit.sandbox = privy_sandbox_retain(worker->sandbox);
  worker->worked = work(worker, &kit);
  privy_sandbox_advance(kit.sandbox, 1);
  kit_close(&kit);
  return NULL;
}

static void threads_share_a_sandbox(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  thread_work workers[THREADS] = {{0}};
  pthread_t threads[THREADS];
  if (harness_sweeping()) return; /* allocations fail in one thread only */
  assert_int_equal(kit_open(&kit), PRIVY_OK);
  privy_sandbox_keep_history(kit.sandbox, 50);
  for (unsigned i = 0; i < THREADS; i++) {
    workers[i] = (thread_work){kit.sandbox, i, false};
    assert_int_equal(pthread_create(&threads[i], NULL, run, &workers[i]), 0);
  }
  for (unsigned i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (unsigned i = 0; i < THREADS; i++) assert_true(workers[i].worked);
  assert_count(kit, contacts, THREADS * ROUNDS * 3 / 4 + 1);
  assert_count(kit, orders, THREADS * ROUNDS);
  assert_count(kit, events, ROUNDS);
  assert_true(privy_sandbox_now(kit.sandbox) == START + THREADS);
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {TEST(running_out_of_memory_changes_nothing), TEST(threads_share_a_sandbox)};
  return HARNESS_RUN(tests);
}
