/* Snapshots: what they hold, that they do not change, and that they may be restored anywhere and often. */
#include <pthread.h>

#include "base/buffer.h"
#include "test_sandbox.h"

#define CONTACTS "/v1/contacts"
#define ORDER_REST "'total':95,'currency':'USD','order_date':'2026-05-12T10:00:00Z'}"

/* Appends all that the sandbox stores. */
static bool look(privy_sandbox *sandbox, privy_buffer *out) {
  bool looked = false;
  out->length = 0;
  for (int kind = PRIVY_SANDBOX_CONTACTS; kind <= PRIVY_SANDBOX_MESSAGES; kind++)
    CHECK_OK(privy_sandbox_list(sandbox, (privy_sandbox_kind)kind, out));
  CHECK_MEMORY(privy_buffer_terminate(out));
  looked = true;
done:
  return looked;
}

/* A contact with a consent that no request can set, a deleted one, an order, two events and a message. */
static bool fill(sandbox_kit *kit) {
  bool filled = false;
  ASK(*kit, "POST", CONTACTS, "{'email':'gone@b.c','first_name':'G'}", 201);
  ASK(*kit, "DELETE", kit_path(kit, ""), NULL, 200);
  ASK(*kit, "POST", CONTACTS, "{'email':'a@b.c','phone_number':'+14155550101','sms_consent':'subscribed'}", 201);
  CHECK_OK(privy_sandbox_set_consent(kit->sandbox, kit->id, "email_consent", "compliance_suppressed"));
  ASK(*kit, "POST", "/orders/placed", "{'order_id':1,'email':'a@b.c'," ORDER_REST, 201);
  ASK(*kit, "POST", "/events", "{'event_type':'x','email':'a@b.c','idempotency_key':'k1'}", 200);
  ASK(*kit, "POST", "/events", "{'event_type':'y','email':'a@b.c'}", 200);
  filled = true;
done:
  return filled;
}

/* Changes everything that a snapshot holds. */
static bool change(sandbox_kit *kit) {
  bool changed = false;
  ASK(*kit, "POST", CONTACTS, "{'email':'gone@b.c','first_name':'H'}", 201);
  ASK(*kit, "POST", CONTACTS, "{'email':'b@b.c','phone_number':'+14155550102','sms_consent':'subscribed'}", 201);
  ASK(*kit, "DELETE", kit_path(kit, ""), NULL, 200);
  ASK(*kit, "POST", "/orders/placed", "{'order_id':1,'email':'a@b.c','customer_id':'c'," ORDER_REST, 200);
  ASK(*kit, "POST", "/events", "{'event_type':'z','email':'a@b.c','idempotency_key':'k2'}", 200);
  changed = true;
done:
  return changed;
}

static size_t history_of(privy_sandbox *sandbox) {
  privy_sandbox_history *history = NULL;
  size_t count = 0;
  if (privy_sandbox_history_new(sandbox, &history) != PRIVY_OK) return SIZE_MAX;
  while (privy_sandbox_history_at(history, count)) count++;
  privy_sandbox_history_free(history);
  return count;
}

static void a_snapshot_may_be_restored_often(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_snapshot *snapshot = NULL;
  privy_buffer before = PRIVY_BUFFER_EMPTY, after = PRIVY_BUFFER_EMPTY;
  char ids[2][32] = {"", ""};
  CHECK_OK(kit_open(&kit));
  CHECK_MEMORY(fill(&kit));
  CHECK_MEMORY(look(kit.sandbox, &before));
  CHECK_OK(privy_sandbox_snapshot_new(kit.sandbox, &snapshot));
  for (int round = 0; round < 2; round++) {
    CHECK_MEMORY(change(&kit));
    memcpy(ids[round], kit.id, sizeof kit.id);
    CHECK_MEMORY(look(kit.sandbox, &after));
    assert_string_not_equal(after.data, before.data);
    CHECK_OK(privy_sandbox_restore(kit.sandbox, snapshot));
    CHECK_MEMORY(look(kit.sandbox, &after));
    assert_string_equal(after.data, before.data);
    assert_count(kit, requests, 6);
    assert_count(kit, contacts, 1);
    assert_count(kit, events, 2);
    assert_count(kit, welcome_messages, 1);
  }
  assert_string_equal(ids[0], ids[1]); /* the same calls make the same ids */
  ASK(kit, "POST", "/events", "{'event_type':'x','email':'a@b.c','idempotency_key':'k1'}", 200);
  assert_has(kit, "'idempotent_replay':true");
  ASK(kit, "POST", "/events", "{'event_type':'z','email':'a@b.c','idempotency_key':'k2'}", 200);
  assert_lacks(kit, "'idempotent_replay':true");
  ASK(kit, "GET", CONTACTS "?email_consent=compliance_suppressed", NULL, 200);
  assert_has(kit, "'total_count':1");
  assert_int_equal(privy_sandbox_snapshot_count(snapshot).events, 2);
done:
  privy_sandbox_snapshot_free(snapshot);
  privy_buffer_clear(&before);
  privy_buffer_clear(&after);
  kit_close(&kit);
}

static void a_snapshot_may_be_restored_into_another_sandbox(void **state) {
  (void)state;
  sandbox_kit kit = KIT, other = KIT;
  privy_sandbox_snapshot *snapshot = NULL;
  privy_buffer before = PRIVY_BUFFER_EMPTY, after = PRIVY_BUFFER_EMPTY;
  CHECK_OK(kit_open(&kit));
  CHECK_OK(kit_open(&other));
  CHECK_MEMORY(fill(&kit));
  CHECK_MEMORY(look(kit.sandbox, &before));
  CHECK_OK(privy_sandbox_snapshot_new(kit.sandbox, &snapshot));
  privy_sandbox_release(kit.sandbox);
  kit.sandbox = NULL;
  privy_sandbox_set_limits(other.sandbox, 1, 0, 60);
  ASK(other, "POST", CONTACTS, "{'email':'other@b.c'}", 201);
  CHECK_OK(privy_sandbox_restore(other.sandbox, snapshot));
  privy_sandbox_snapshot_free(snapshot);
  snapshot = NULL;
  CHECK_MEMORY(look(other.sandbox, &after));
  assert_string_equal(after.data, before.data);
  ASK(other, "POST", CONTACTS, "{'email':'gone@b.c'}", 201); /* in a new window: restores the deleted contact */
  assert_header(other, "X-RateLimit-Remaining-Minute: 0");
  assert_count(other, contacts, 2);
done:
  privy_sandbox_snapshot_free(snapshot);
  privy_buffer_clear(&before);
  privy_buffer_clear(&after);
  kit_close(&kit);
  kit_close(&other);
}

static void a_snapshot_holds_the_requests(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_snapshot *snapshot = NULL, *empty = NULL;
  assert_int_equal(kit_open(&kit), PRIVY_OK);
  assert_int_equal(privy_sandbox_snapshot_new(kit.sandbox, &empty), PRIVY_OK);
  for (int i = 0; i < 40; i++) ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_int_equal(privy_sandbox_snapshot_new(kit.sandbox, &snapshot), PRIVY_OK);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_int_equal(privy_sandbox_restore(kit.sandbox, snapshot), PRIVY_OK);
  assert_int_equal(history_of(kit.sandbox), 40);
  for (int i = 0; i < 5; i++) ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_int_equal(history_of(kit.sandbox), 45);
  privy_sandbox_keep_history(kit.sandbox, 3);
  assert_int_equal(privy_sandbox_restore(kit.sandbox, snapshot), PRIVY_OK);
  assert_int_equal(history_of(kit.sandbox), 3);
  ASK(kit, "GET", CONTACTS, NULL, 200);
  assert_int_equal(history_of(kit.sandbox), 3);
  assert_count(kit, requests, 41);
  assert_int_equal(privy_sandbox_restore(kit.sandbox, empty), PRIVY_OK);
  assert_int_equal(history_of(kit.sandbox), 0);
  assert_count(kit, requests, 0);
done:
  privy_sandbox_snapshot_free(snapshot);
  privy_sandbox_snapshot_free(empty);
  kit_close(&kit);
}

static void a_lack_of_memory_restores_nothing(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_snapshot *snapshot = NULL;
  privy_buffer before = PRIVY_BUFFER_EMPTY, after = PRIVY_BUFFER_EMPTY;
  if (harness_sweeping()) return; /* it makes allocations fail itself */
  assert_int_equal(kit_open(&kit), PRIVY_OK);
  assert_true(fill(&kit));
  assert_int_equal(privy_sandbox_snapshot_new(kit.sandbox, &snapshot), PRIVY_OK);
  assert_true(change(&kit));
  assert_true(look(kit.sandbox, &before));
  bool failed = true;
  for (size_t nth = 1; failed; nth++) {
    privy_memory_fail_at(nth);
    const privy_status status = privy_sandbox_restore(kit.sandbox, snapshot);
    failed = privy_memory_failed();
    privy_memory_fail_at(0);
    assert_int_equal(status, failed ? PRIVY_NO_MEMORY : PRIVY_OK);
    assert_true(look(kit.sandbox, &after));
    assert_int_equal(strcmp(before.data, after.data) == 0, failed);
    assert_count(kit, requests, failed ? 11 : 6);
  }
  privy_sandbox_snapshot_free(snapshot);
  privy_buffer_clear(&before);
  privy_buffer_clear(&after);
  kit_close(&kit);
}

/* ---- threads ----------------------------------------------------------------------------------------------------- */

enum { THREADS = 4, ROUNDS = 100 };

typedef struct thread_work {
  privy_sandbox *sandbox;
  const privy_sandbox_snapshot *snapshot;
  bool worked;
} thread_work;

static void *run(void *argument) {
  thread_work *work = argument;
  sandbox_kit kit = KIT;
  kit.sandbox = privy_sandbox_retain(work->sandbox);
  work->worked = true;
  for (int i = 0; i < ROUNDS && work->worked; i++) {
    privy_sandbox_snapshot *own = NULL;
    work->worked = privy_sandbox_restore(kit.sandbox, work->snapshot) == PRIVY_OK &&
                   kit_ask(&kit, "PATCH", kit_path(&kit, ""), "{'first_name':'N'}") == PRIVY_OK &&
                   kit_ask(&kit, "POST", CONTACTS, "{'email':'new@b.c'}") == PRIVY_OK &&
                   privy_sandbox_snapshot_new(kit.sandbox, &own) == PRIVY_OK;
    privy_sandbox_snapshot_free(own);
  }
  kit_close(&kit);
  return NULL;
}

static void threads_restore_at_the_same_time(void **state) {
  (void)state;
  sandbox_kit kit = KIT;
  privy_sandbox_snapshot *snapshot = NULL;
  thread_work works[THREADS];
  pthread_t threads[THREADS];
  if (harness_sweeping()) return; /* allocations fail in one thread only */
  assert_int_equal(kit_open(&kit), PRIVY_OK);
  assert_true(fill(&kit));
  assert_int_equal(privy_sandbox_snapshot_new(kit.sandbox, &snapshot), PRIVY_OK);
  for (size_t i = 0; i < THREADS; i++) {
    works[i] = (thread_work){kit.sandbox, snapshot, false};
    assert_int_equal(pthread_create(&threads[i], NULL, run, &works[i]), 0);
  }
  for (size_t i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
  for (size_t i = 0; i < THREADS; i++) assert_true(works[i].worked);
  assert_int_equal(privy_sandbox_restore(kit.sandbox, snapshot), PRIVY_OK);
  assert_count(kit, contacts, 1);
  privy_sandbox_snapshot_free(snapshot);
  kit_close(&kit);
}

int main(void) {
  static harness_test tests[] = {
      TEST(a_snapshot_may_be_restored_often),      TEST(a_snapshot_may_be_restored_into_another_sandbox),
      TEST_UNSWEPT(a_snapshot_holds_the_requests), TEST_UNSWEPT(a_lack_of_memory_restores_nothing),
      TEST(threads_restore_at_the_same_time),
  };
  return HARNESS_RUN(tests);
}
