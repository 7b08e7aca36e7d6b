/* Thousands of lost attempts with a sandbox in simulated time: faults, other clients and waits are random.
 */
#include "harness.h"

#include <math.h>
#include <string.h>

#include "call/call.h"
#include "message/error.h"
#include "message/response.h"
#include "message_text.h"
#include "privy_sandbox.h"

#define START 1800000000.0
#define EPOCH 1000.0 /* of the call's clock */

static const privy_settings settings = {.token = (char *)(uintptr_t)PRIVY_SANDBOX_TOKEN,
                                        .base_url = (char *)(uintptr_t) "https://sandbox.test/v1",
                                        .base_path = "/v1"};
static const privy_options options = {.timeout = 30, .connect_timeout = 5, .max_wait = 3600, .max_retries = 6};

typedef struct world {
  privy_sandbox *sandbox;
  privy_account account;
  privy_request *request;
  privy_call call;
  privy_error error;
  double now;
  uint64_t random;
  double sent_at[16]; /* each of our requests that is not a verification */
  double lost_at;     /* the first of them that may have succeeded; 0: none was lost */
  int sent;
  char contact[24]; /* of the last response to another client */
} world;

static uint64_t chance(world *w, uint64_t among) {
  w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
  return (w->random >> 33) % among;
}

static void open_world(world *w, uint64_t seed) {
  *w = (world){.now = START, .random = seed * UINT64_C(0x9E3779B97F4A7C15) + 1};
  for (int i = 0; i < 3; i++) chance(w, 2);
  privy_error_init(&w->error);
  assert_int_equal(privy_sandbox_new(&w->sandbox), PRIVY_OK);
  privy_sandbox_set_clock(w->sandbox, START);
  privy_account_init(&w->account);
}

static void close_world(world *w) {
  privy_call_clear(&w->call);
  privy_error_clear(&w->error);
  privy_request_free(w->request);
  privy_sandbox_release(w->sandbox);
}

/* The request of another client in between. */
static int ask_sandbox(world *w, const char *method, const char *target, const char *body) {
  static const char headers[] = "Authorization: Bearer " PRIVY_SANDBOX_TOKEN "\r\nContent-Type: application/json\r\n";
  privy_sandbox_response response;
  privy_sandbox_response_init(&response);
  assert_int_equal(
      privy_sandbox_handle(w->sandbox, method, target, headers, strlen(headers), body, strlen(body), &response),
      PRIVY_OK);
  int status = response.http_status;
  if (privy_buffer_terminate(&response.body) && strstr(response.body.data, "\"cus_"))
    snprintf(w->contact, sizeof w->contact, "%.20s", strstr(response.body.data, "\"cus_") + 1);
  privy_sandbox_response_clear(&response);
  return status;
}

static void begin_call(world *w, const char *operation, const char *params) {
  uint64_t random[2] = {chance(w, UINT32_MAX), chance(w, UINT32_MAX)};
  assert_int_equal(ask_for(operation, params, &w->request, &w->error), PRIVY_OK);
  privy_call_init(&w->call, &settings, options, random, w->request, &w->error);
}

/* Injects a random fault for one request. */
static void meet_a_fault(world *w) {
  privy_sandbox_fault fault = {.retry_after = -1, .count = 1};
  switch (chance(w, 8)) {
  case 0: fault.cut = PRIVY_CUT_DROP; break;
  case 1: fault.cut = PRIVY_CUT_TRUNCATE; break;
  case 2: fault.http_status = 503; break;
  case 3: fault.http_status = 503, fault.retry_after = (double)chance(w, 100); break;
  case 4: fault.http_status = 500, fault.retry_after = (double)chance(w, 60); break;
  case 5: fault.http_status = 429, fault.retry_after = (double)chance(w, 60); break;
  default: return;
  }
  assert_int_equal(privy_sandbox_add_fault(w->sandbox, &fault), PRIVY_OK);
}

static void lose(world *w) {
  if (w->call.goal == PRIVY_GOAL_RESPONSE && w->lost_at == 0) w->lost_at = w->now;
  privy_error_set(&w->error, PRIVY_CONNECTION, "cut");
  privy_call_failed(&w->call, &w->account, EPOCH + w->now - START);
}

static void carry(world *w) {
  const privy_wire_request *out = &w->call.wire_request;
  privy_sandbox_response response;
  if (w->call.goal == PRIVY_GOAL_RESPONSE) w->sent_at[w->sent++] = w->now;
  meet_a_fault(w);
  privy_sandbox_response_init(&response);
  assert_int_equal(privy_sandbox_handle(w->sandbox, out->method, out->target, out->headers.data, out->headers.length,
                                        out->body, out->body_length, &response),
                   PRIVY_OK);
  w->now += 0.1 + (double)chance(w, 20) / 10;
  if (response.cut != PRIVY_CUT_NONE) {
    lose(w);
  } else {
    bool waits = false;
    privy_slice after;
    waits = privy_find_header(response.headers.data, response.headers.length, "Retry-After", &after);
    bool open = response.http_status == 500 || (response.http_status == 503 && !waits);
    if (open && w->call.goal == PRIVY_GOAL_RESPONSE && w->lost_at == 0) w->lost_at = w->now;
    privy_wire_response wire_response = {
        .http_status = response.http_status, .headers = response.headers, .body = response.body};
    privy_call_received(&w->call, &w->account, EPOCH + w->now - START, &wire_response);
    privy_wire_response_clear(&wire_response);
    return;
  }
  privy_sandbox_response_clear(&response);
}

/* Drives the call to its end, and calls `meanwhile` between two steps. */
static void drive(world *w, void (*meanwhile)(world *w)) {
  for (;;) {
    privy_sandbox_set_clock(w->sandbox, w->now);
    meanwhile(w);
    w->account.wall_offset = START - EPOCH;
    switch (privy_call_next(&w->call, &w->account, EPOCH + w->now - START)) {
    case PRIVY_CALL_SEND: carry(w); break;
    case PRIVY_CALL_WAIT: w->now += fmax(w->call.until - (EPOCH + w->now - START), 1e-6); break;
    case PRIVY_CALL_DONE: return;
    }
  }
}

/* ---- creates ----------------------------------------------------------------------------------------------------- */

static void somebody_else_creates(world *w) {
  if (chance(w, 6) == 0) (void)ask_sandbox(w, "POST", "/contacts", "{\"email\":\"x@b.c\",\"first_name\":\"A\"}");
}

static bool is_text(const privy_response *response, size_t slot, const char *text) {
  return privy_value_is(privy_record_get(privy_response_record(response, 0), slot), text);
}

/* A create that succeeds returns what was sent, never the contact of another client; one that fails names the contact.
 */
static void a_create_returns_what_was_sent(void **state) {
  (void)state;
  int done = 0, conflicts = 0, open = 0, other = 0;
  for (uint64_t seed = 0; seed < 4000; seed++) {
    world w;
    open_world(&w, seed);
    begin_call(&w, "contacts.create", "{\"email\":\"x@b.c\",\"first_name\":\"B\"}");
    drive(&w, somebody_else_creates);
    if (w.call.status == PRIVY_OK) {
      assert_true(is_text(w.call.response, PRIVY_INDEX_CONTACT_first_name, "B"));
      done++;
    } else if (w.call.status == PRIVY_CONFLICT) {
      assert_non_null(w.error.contact_id);
      assert_true(w.lost_at > 0 || !w.error.may_have_succeeded);
      open += w.error.may_have_succeeded;
      conflicts++;
    } else {
      other++;
      assert_int_equal(w.error.may_have_succeeded, w.lost_at > 0);
    }
    close_world(&w);
  }
  printf("    %d created, %d conflicts (%d open), %d other failures\n", done, conflicts, open, other);
  assert_true(done > 1000 && conflicts > 500);
}

static void no_other_client(world *w) {
  (void)w;
}

/* Without other clients, a create whose responses are lost does not conflict with itself, unless the verification
 * fails too. */
static void no_create_conflicts_with_itself(void **state) {
  (void)state;
  int done = 0;
  for (uint64_t seed = 0; seed < 2000; seed++) {
    world w;
    open_world(&w, seed);
    begin_call(&w, "contacts.create", "{\"email\":\"x@b.c\",\"first_name\":\"B\",\"tags\":[\"t\"]}");
    drive(&w, no_other_client);
    assert_true(w.call.status != PRIVY_CONFLICT || w.error.may_have_succeeded);
    done += w.call.status == PRIVY_OK;
    close_world(&w);
  }
  assert_true(done > 700);
}

/* ---- consents ---------------------------------------------------------------------------------------------------- */

static void the_account_is_busy(world *w) {
  if (chance(w, 3) == 0) (void)ask_sandbox(w, "GET", "/contacts", "");
}

/* A write that may have succeeded is not sent again after 30 seconds, however long the call may wait. */
static void no_consent_is_written_late(void **state) {
  (void)state;
  int done = 0, given_up = 0, latest = 0;
  for (uint64_t seed = 0; seed < 4000; seed++) {
    world w;
    open_world(&w, seed);
    char params[96];
    assert_int_equal(ask_sandbox(&w, "POST", "/contacts", "{\"email\":\"x@b.c\"}"), 201);
    snprintf(params, sizeof params, "{\"id\":\"%s\",\"email_consent\":\"subscribed\"}", w.contact);
    privy_sandbox_set_limits(w.sandbox, 3, 0, 60);
    begin_call(&w, "contacts.update", params);
    drive(&w, the_account_is_busy);
    for (int i = 0; w.lost_at > 0 && i < w.sent; i++) {
      assert_true(w.sent_at[i] <= w.lost_at + 30.001);
      if (w.sent_at[i] - w.lost_at > latest) latest = (int)(w.sent_at[i] - w.lost_at);
    }
    done += w.call.status == PRIVY_OK;
    if (w.call.status != PRIVY_OK && w.lost_at > 0) {
      assert_true(w.error.may_have_succeeded);
      assert_non_null(strstr(w.error.message, "may have been acted on"));
      given_up++;
    }
    close_world(&w);
  }
  printf("    %d done, %d given up, repeated at most %d s after a loss\n", done, given_up, latest);
  assert_true(done > 1000 && given_up > 300 && latest > 20);
}

/* Unswept: test_lost sweeps the same steps. */
int main(void) {
  static harness_test tests[] = {
      TEST_UNSWEPT(a_create_returns_what_was_sent),
      TEST_UNSWEPT(no_create_conflicts_with_itself),
      TEST_UNSWEPT(no_consent_is_written_late),
  };
  return HARNESS_RUN(tests);
}
