/* Trace events: level, line, attributes, and what they never contain. */
#include "harness.h"

#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "call/call.h"
#include "message_text.h"
#include "privy_sandbox.h"

static const privy_trace_event blank = {.operation = "contacts.list",
                                        .call = 3,
                                        .method = "GET",
                                        .path = "/contacts",
                                        .attempt = 2,
                                        .seconds = -1,
                                        .waited = -1,
                                        .lookup = -1,
                                        .connect = -1,
                                        .tls = -1,
                                        .first_byte = -1,
                                        .total = -1,
                                        .bytes_sent = -1,
                                        .bytes_received = -1,
                                        .reused = -1,
                                        .minute_left = -1,
                                        .day_left = -1,
                                        .created = -1,
                                        .replay = -1,
                                        .row = -1};

static privy_trace_event event_of(privy_trace_kind kind, privy_status failure, int http_status, double seconds) {
  privy_trace_event event = blank;
  event.kind = kind;
  event.failure = failure;
  event.http_status = http_status;
  event.seconds = seconds;
  return event;
}

/* ---- levels ---- */

static void events_have_levels(void **state) {
  (void)state;
  static const struct {
    privy_trace_kind kind;
    privy_status failure;
    double seconds;
    privy_level level;
  } cases[] = {
      {PRIVY_TRACE_WAIT, PRIVY_OK, 0.999, PRIVY_LEVEL_DEBUG},
      {PRIVY_TRACE_WAIT, PRIVY_OK, 1, PRIVY_LEVEL_INFO},
      {PRIVY_TRACE_RETRY, PRIVY_SERVER, 0.01, PRIVY_LEVEL_INFO},
      {PRIVY_TRACE_REFUSED, PRIVY_RATE_LIMIT, 30, PRIVY_LEVEL_WARNING},
      {PRIVY_TRACE_REFUSED, PRIVY_VALIDATION, -1, PRIVY_LEVEL_DEBUG},
      {PRIVY_TRACE_START, PRIVY_OK, -1, PRIVY_LEVEL_DEBUG},
      {PRIVY_TRACE_REQUEST, PRIVY_OK, -1, PRIVY_LEVEL_DEBUG},
      {PRIVY_TRACE_RESPONSE, PRIVY_RATE_LIMIT, -1, PRIVY_LEVEL_DEBUG},
      {PRIVY_TRACE_FAILURE, PRIVY_CONNECTION, -1, PRIVY_LEVEL_DEBUG},
      {PRIVY_TRACE_TOKEN, PRIVY_OK, 7200, PRIVY_LEVEL_DEBUG},
      {PRIVY_TRACE_END, PRIVY_RATE_LIMIT, -1, PRIVY_LEVEL_DEBUG},
  };
  for (size_t i = 0; i < COUNT(cases); i++) {
    const privy_trace_event event = event_of(cases[i].kind, cases[i].failure, 0, cases[i].seconds);
    assert_int_equal(privy_trace_level(&event), cases[i].level);
  }
  assert_string_equal(privy_level_name(PRIVY_LEVEL_DEBUG), "debug");
  assert_string_equal(privy_level_name(PRIVY_LEVEL_INFO), "info");
  assert_string_equal(privy_level_name(PRIVY_LEVEL_WARNING), "warning");
}

/* ---- lines ---- */

static void assert_line(const privy_trace_event *event, const char *expected) {
  char line[PRIVY_TRACE_LINE];
  privy_trace_line(event, line);
  assert_string_equal(line, expected);
}

#define HEAD "contacts.list, call 3: "
#define ATTEMPT HEAD "GET /contacts, attempt 2: "

static void each_kind_has_a_line(void **state) {
  (void)state;
  privy_trace_event event = event_of(PRIVY_TRACE_START, PRIVY_OK, 0, -1);
  assert_line(&event, HEAD "started");
  event = event_of(PRIVY_TRACE_REQUEST, PRIVY_OK, 0, -1);
  assert_line(&event, ATTEMPT "sent");
  event = event_of(PRIVY_TRACE_RESPONSE, PRIVY_SERVER, 503, -1);
  event.total = 0.25;
  event.minute_left = 9;
  event.day_left = 8;
  assert_line(&event, ATTEMPT "503 ServerError in 0.250 s, 9 of the minute and 8 of the day left");
  event = event_of(PRIVY_TRACE_RESPONSE, PRIVY_OK, 200, -1);
  event.total = 0;
  event.day_left = 8;
  assert_line(&event, ATTEMPT "200 in 0.000 s, 8 of the day left");
  event = event_of(PRIVY_TRACE_FAILURE, PRIVY_TIMEOUT, 0, -1);
  event.total = 1.5;
  strcpy(event.reason, "too late\r\n\x1b[31m");
  assert_line(&event, ATTEMPT "APITimeoutError after 1.500 s: too late   [31m");
  event = event_of(PRIVY_TRACE_FAILURE, PRIVY_INTERRUPTED, 0, -1);
  event.total = 0;
  strcpy(event.reason, "the call was stopped");
  assert_line(&event, ATTEMPT "stopped after 0.000 s: the call was stopped");
  event = event_of(PRIVY_TRACE_RETRY, PRIVY_SERVER, 503, 2);
  assert_line(&event, ATTEMPT "retry in 2.000 s after 503 ServerError");
  event = event_of(PRIVY_TRACE_RETRY, PRIVY_CONNECTION, 0, 0.5);
  event.minute_left = 1;
  assert_line(&event, ATTEMPT "retry in 0.500 s after APIConnectionError, 1 of the minute left");
  event = event_of(PRIVY_TRACE_WAIT, PRIVY_OK, 0, 30.25);
  event.minute_left = 0;
  assert_line(&event, HEAD "waits 30.250 s for the account's budget, 0 of the minute left");
  event = event_of(PRIVY_TRACE_TOKEN, PRIVY_OK, 0, 7200);
  assert_line(&event, ATTEMPT "new token, valid for 7200 s");
  event = event_of(PRIVY_TRACE_REFUSED, PRIVY_VALIDATION, 0, -1);
  strcpy(event.reason, "invalid: email");
  assert_line(&event, HEAD "refused: invalid: email");
}

static void end_lines_name_the_result(void **state) {
  (void)state;
  privy_trace_event event = event_of(PRIVY_TRACE_END, PRIVY_OK, 200, -1);
  event.total = 0.25;
  event.waited = 0;
  event.attempt = 1;
  assert_line(&event, HEAD "ended with 200 after 1 request and 0.250 s");
  event = event_of(PRIVY_TRACE_END, PRIVY_SERVER, 503, -1);
  event.total = 9;
  event.waited = 8.5;
  assert_line(&event, HEAD "ended with 503 ServerError after 2 requests and 9.000 s, 8.500 s of them waiting");
  event = event_of(PRIVY_TRACE_END, PRIVY_INTERRUPTED, 0, -1);
  event.total = 1;
  event.waited = 0;
  event.attempt = 0;
  strcpy(event.reason, "the call was stopped");
  assert_line(&event, HEAD "ended with no result after 0 requests and 1.000 s: the call was stopped");
}

static void a_long_line_is_cut(void **state) {
  (void)state;
  privy_trace_event event = event_of(PRIVY_TRACE_FAILURE, PRIVY_TIMEOUT, 0, -1);
  char line[PRIVY_TRACE_LINE], operation[PRIVY_TRACE_LINE + 9];
  memset(operation, 'o', sizeof operation - 1);
  operation[sizeof operation - 1] = '\0';
  event.operation = operation;
  privy_trace_line(&event, line);
  assert_int_equal(strlen(line), PRIVY_TRACE_LINE - 1);
}

/* ---- attributes ---- */

/* The attributes that the event has: "kind=end level=debug …". */
static void attributes_as_text(const privy_trace_event *event, char *out, size_t size) {
  privy_trace_attribute all[PRIVY_TRACE_ATTRIBUTES];
  privy_trace_attributes(event, all);
  out[0] = '\0';
  for (size_t i = 0, used = 0; i < PRIVY_TRACE_ATTRIBUTES; i++, used = strlen(out)) {
    const privy_trace_attribute *one = &all[i];
    switch (one->type) {
    case PRIVY_TRACE_NOTHING: break;
    case PRIVY_TRACE_WORD: snprintf(out + used, size - used, "%s:%s ", one->name, one->text); break;
    case PRIVY_TRACE_TEXT: snprintf(out + used, size - used, "%s=%s ", one->name, one->text); break;
    case PRIVY_TRACE_SECONDS: snprintf(out + used, size - used, "%s=%.2f ", one->name, one->seconds); break;
    case PRIVY_TRACE_ERROR:
      snprintf(out + used, size - used, "%s=%s ", one->name, privy_error_describe((privy_status)one->number)->name);
      break;
    case PRIVY_TRACE_NUMBER:
    case PRIVY_TRACE_FLAG: snprintf(out + used, size - used, "%s=%d ", one->name, (int)one->number); break;
    }
  }
}

static void assert_attributes(const privy_trace_event *event, const char *expected) {
  char text[1024];
  attributes_as_text(event, text, sizeof text);
  assert_string_equal(text, expected);
}

static void absent_attributes_are_nothing(void **state) {
  (void)state;
  privy_trace_event event = event_of(PRIVY_TRACE_START, PRIVY_OK, 0, -1);
  assert_attributes(
      &event, "kind:start level:debug call=3 operation=contacts.list method=GET path=/contacts attempt=2 sandbox=0 ");
  event = event_of(PRIVY_TRACE_END, PRIVY_INTERRUPTED, 0, -1);
  *event.method = *event.path = '\0';
  event.waited = event.total = 0;
  assert_attributes(&event, "kind:end level:debug call=3 operation=contacts.list method= path= attempt=2 waited=0.00 "
                            "total=0.00 sandbox=0 ");
  event = event_of(PRIVY_TRACE_RESPONSE, PRIVY_CONFLICT, 409, 1);
  strcpy(event.reason, "r");
  strcpy(event.request_id, "i");
  event.waited = 2;
  event.lookup = 3;
  event.connect = 4;
  event.tls = 5;
  event.first_byte = 6;
  event.total = 7;
  event.bytes_sent = 8;
  event.bytes_received = 9;
  event.reused = 0;
  event.minute_left = 0;
  event.day_left = 11;
  strcpy(event.idempotency_key, "k");
  event.created = 0;
  event.replay = 1;
  event.row = 12;
  event.sandbox = true;
  assert_attributes(&event,
                    "kind:response level:debug call=3 operation=contacts.list method=GET path=/contacts attempt=2 "
                    "status=409 error=ConflictError reason=r request_id=i seconds=1.00 waited=2.00 lookup=3.00 "
                    "connect=4.00 tls=5.00 first_byte=6.00 total=7.00 bytes_sent=8 bytes_received=9 reused=0 "
                    "minute_left=0 day_left=11 idempotency_key=k created=0 replay=1 row_index=12 sandbox=1 ");
}

/* ---- what an event never contains ---- */

#define MARK "zq7"
#define MARKED_TOKEN "privy_" MARK "00000000000000000000000000000000000000"

static void assert_unmarked(void *context, const privy_trace_event *event) {
  char text[1024], line[PRIVY_TRACE_LINE];
  attributes_as_text(event, text, sizeof text);
  privy_trace_line(event, line);
  if (strstr(text, MARK) || strstr(line, MARK)) fail_msg("%s\n%s", text, line);
  ++*(size_t *)context;
}

/* A valid or invalid value of the field that contains the mark. */
static void give_some_value(privy_request *request, uint64_t *random) {
  static const char *const values[] = {MARK "@" MARK ".io", "+1415555" MARK, MARK, "cus_" MARK "00000",
                                       "https://" MARK};
  const char *value = values[privy_random(random) % COUNT(values)];
  switch (privy_random(random) % 6) {
  case 0:
    privy_request_begin_object(request);
    privy_request_key(request, value, strlen(value));
    privy_request_string(request, value, strlen(value));
    privy_request_end_object(request);
    break;
  case 1:
    privy_request_begin_array(request);
    privy_request_string(request, value, strlen(value));
    privy_request_end_array(request);
    break;
  case 2: privy_request_number(request, value, strlen(value)); break;
  case 3: privy_request_refuse(request, PRIVY_CODE_NOT_ENCODABLE, "is " MARK); break;
  default: privy_request_string(request, value, strlen(value));
  }
}

static void give_some_values(privy_request *request, const privy_operation *operation, uint64_t *random) {
  privy_field_info field;
  for (size_t i = 0; privy_operation_param(operation, i, &field); i++) {
    if (privy_random(random) % 3 == 0) continue;
    privy_request_key(request, field.name, strlen(field.name));
    give_some_value(request, random);
  }
  if (privy_random(random) % 4 == 0) {
    privy_request_key(request, MARK, strlen(MARK));
    give_some_value(request, random);
  }
}

static privy_status some_request(uint64_t *random, privy_request **out) {
  static const char *const paths[] = {"/" MARK "@a.b/x", "/people/" MARK "?q=" MARK, "/" MARK "/..", MARK, "/%7A" MARK};
  const size_t which = privy_random(random) % 12;
  const privy_operation *operation = privy_operation_at(which);
  const char *method = which % 2 ? "POST" : MARK, *path = paths[privy_random(random) % COUNT(paths)];
  privy_status status =
      operation ? privy_request_new(operation, out) : privy_request_new_raw(TEXT(method), TEXT(path), out);
  if (status != PRIVY_OK) return status;
  if (operation) {
    give_some_values(*out, operation, random);
    return PRIVY_OK;
  }
  give_some_value(*out, random);
  if (which % 3) privy_request_header(*out);
  privy_request_key(*out, MARK, strlen(MARK));
  privy_request_string(*out, MARK, strlen(MARK));
  return PRIVY_OK;
}

/* Injects a fault for the next request; the server's messages contain the mark too. */
static privy_status some_answer(privy_sandbox *sandbox, uint64_t *random) {
  static const int statuses[] = {200, 400, 401, 404, 409, 422, 500, 302};
  const char *body = "{\"error\":{\"code\":\"" MARK "\",\"message\":\"" MARK "\",\"id\":\"" CONTACT "\",\"details\":"
                     "[{\"field\":\"" MARK "\",\"message\":\"" MARK "\"}]},\"access_token\":\"" MARK "\"}";
  privy_sandbox_fault fault = {.count = 1, .body = body, .retry_after = -1};
  const uint64_t what = privy_random(random) % 16;
  privy_sandbox_clear_faults(sandbox);
  if (what < COUNT(statuses)) fault.http_status = statuses[what];
  if (what == 9) fault.cut = PRIVY_CUT_DROP;
  return privy_sandbox_add_fault(sandbox, &fault);
}

static void no_event_contains_user_data(void **state) {
  (void)state;
  const privy_options options = {.timeout = 1, .connect_timeout = 1, .max_wait = 1, .max_retries = 0};
  uint64_t random = 7;
  size_t told = 0, refused = 0, sent = 0;
  const privy_hooks hooks = {.observe = assert_unmarked, .context = &told};
  privy_sandbox *sandbox = NULL;
  privy_client *client = NULL;
  privy_trace_event event;
  privy_error error;
  privy_config config;
  privy_error_init(&error);
  privy_config_init(&config);
  assert_int_equal(privy_sandbox_new(&sandbox), PRIVY_OK);
  assert_int_equal(privy_sandbox_add_token(sandbox, MARKED_TOKEN, NULL), PRIVY_OK);
  config.sandbox = sandbox;
  config.token = MARKED_TOKEN;
  assert_int_equal(privy_client_new(&config, &client, &error), PRIVY_OK);
  for (size_t round = 0; round < 5000; round++) {
    privy_request *request = NULL;
    privy_response *response = NULL;
    assert_int_equal(some_request(&random, &request), PRIVY_OK);
    assert_int_equal(some_answer(sandbox, &random), PRIVY_OK);
    if (privy_request_finish(request, &error) == PRIVY_OK) {
      (void)!privy_client_call(client, request, &options, &hooks, &response, &error);
      sent++;
    } else {
      assert_true(privy_client_refused(client, request, &error, PRIVY_LEVEL_DEBUG, &event));
      assert_unmarked(&refused, &event);
    }
    privy_error_clear(&error);
    privy_response_release(response);
    privy_request_free(request);
  }
  assert_true(refused > 1000 && sent > 300 && told > 4 * 300);
  privy_client_free(client);
  privy_sandbox_release(sandbox);
}

int main(void) {
  static harness_test tests[] = {
      TEST(events_have_levels), TEST(each_kind_has_a_line),          TEST(end_lines_name_the_result),
      TEST(a_long_line_is_cut), TEST(absent_attributes_are_nothing), TEST_UNSWEPT(no_event_contains_user_data),
  };
  return HARNESS_RUN(tests);
}
