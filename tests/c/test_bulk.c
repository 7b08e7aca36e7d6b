/* Bulk runs with an in-process sandbox, whose clock only advances when all calls wait: order, ends, counts. */
#include <stdlib.h>

#include "client/group.h"
#include "jobs/lanes.h"
#include "response_text.h"

#define MANY 2048
#define START 1778580000.0
#define NONE SIZE_MAX

typedef struct scene {
  privy_sandbox *sandbox;
  privy_client *client;
  privy_group *group;
  privy_bulk *bulk;
  privy_error error;
  privy_bulk_config config;
  const char *const *rows; /* JSON of each row; NULL: `before`, the number of the row, `after` */
  const char *before, *after;
  size_t count, given;
  size_t order[MANY]; /* indexes of the rows, in the order of their results */
  privy_status status[MANY];
  size_t results;
  size_t leave_after; /* the driver stops after this many results */
  uint64_t random;
} scene;

static privy_status scene_open(scene *s, const char *operation, const char *const *rows, size_t count) {
  privy_config config;
  *s = (scene){.rows = rows, .count = count, .leave_after = NONE};
  privy_error_init(&s->error);
  privy_config_init(&config);
  privy_bulk_config_init(&s->config);
  s->config.total = (int64_t)count;
  privy_status status = privy_sandbox_new(&s->sandbox);
  if (status != PRIVY_OK) return status;
  privy_sandbox_set_clock(s->sandbox, START);
  config.sandbox = s->sandbox;
  status = privy_client_new(&config, &s->client, &s->error);
  if (status == PRIVY_OK) status = privy_group_new(s->client, &s->group, &s->error);
  (void)operation;
  return status;
}

static privy_status begin(scene *s, const char *operation) {
  return privy_bulk_new(s->group, privy_operation_find(operation), &s->config, &s->bulk, &s->error);
}

static void scene_close(scene *s) {
  privy_bulk_free(s->bulk);
  privy_group_free(s->group);
  privy_client_free(s->client);
  privy_sandbox_release(s->sandbox);
  privy_error_clear(&s->error);
}

#define ROWS(array) (array), COUNT(array)
#define OPEN(operation, ...)                                                                                           \
  CHECK_OK(scene_open(&s, operation, __VA_ARGS__));                                                                    \
  CHECK_OK(begin(&s, operation))

/* ---- the driver ---- */

static privy_status give_row(scene *s, const char *operation) {
  char text[256];
  const char *json = text;
  privy_request *request = NULL;
  if (s->given == s->count) {
    privy_bulk_end_rows(s->bulk);
    return PRIVY_OK;
  }
  if (s->rows)
    json = s->rows[s->given];
  else
    snprintf(text, sizeof text, "%s%zu%s", s->before, s->given, s->after);
  privy_status status = ask_for(operation, json, &request, &s->error);
  if (status == PRIVY_OK) {
    privy_bulk_add(s->bulk, request);
  } else {
    privy_request_free(request);
    if (status == PRIVY_VALIDATION)
      privy_bulk_refuse(s->bulk, &s->error);
    else
      privy_bulk_fail(s->bulk);
  }
  s->given++;
  return status == PRIVY_VALIDATION ? PRIVY_OK : status;
}

static privy_status read_result(scene *s) {
  privy_bulk_result_view result;
  assert_true(privy_bulk_result(s->bulk, &result));
  if (result.status == PRIVY_NO_MEMORY) return PRIVY_NO_MEMORY;
  s->order[s->results] = (size_t)result.index;
  s->status[result.index] = result.status;
  s->results++;
  privy_bulk_acknowledge(s->bulk);
  return PRIVY_OK;
}

/* Advances the calls. If all of them wait, advances the clock. */
static void turn(scene *s) {
  double left = privy_group_idle_seconds(s->group);
  if (left > 0) privy_sandbox_advance(s->sandbox, left);
  privy_group_wait(s->group, 0);
}

/* Runs to the end, or until `leave_after` results are read. */
static privy_status drive(scene *s, const char *operation) {
  for (int turns = 0; turns < 200000; turns++) {
    const privy_error *error = privy_bulk_error(s->bulk);
    if (error && error->code == PRIVY_NO_MEMORY) return PRIVY_NO_MEMORY;
    privy_status status = PRIVY_OK;
    switch (privy_bulk_next(s->bulk)) {
    case PRIVY_BULK_ROW: status = give_row(s, operation); break;
    case PRIVY_BULK_RESULT:
      if (s->results == s->leave_after) return PRIVY_OK;
      status = read_result(s);
      break;
    case PRIVY_BULK_WAIT: turn(s); break;
    case PRIVY_BULK_END:
      error = privy_bulk_error(s->bulk);
      return error && error->code == PRIVY_NO_MEMORY ? PRIVY_NO_MEMORY : PRIVY_OK;
    }
    if (status != PRIVY_OK) return status;
  }
  fail_msg("%s", "the run does not end");
  return PRIVY_OK;
}

static bool comes_before(const scene *s, size_t one, size_t other) {
  size_t at = 0;
  while (at < s->results && s->order[at] != one && s->order[at] != other) at++;
  assert_true(at < s->results);
  return s->order[at] == one;
}

static privy_status fail_once(scene *s, int http_status, double retry_after, uint32_t skip, uint32_t count) {
  const privy_sandbox_fault fault = {
      .http_status = http_status, .retry_after = retry_after, .skip = skip, .count = count};
  return privy_sandbox_add_fault(s->sandbox, &fault);
}

/* ---- order ---- */

#define ORDER "{\"email\":\"jane@example.com\",\"total\":1,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\""

static void number_orders(scene *s) {
  s->before = ORDER ",\"order_id\":1000";
  s->after = "}";
}

static void every_row_has_one_result(void **state) {
  (void)state;
  scene s;
  OPEN("orders.upsert", NULL, harness_rounds(40, 6));
  number_orders(&s);
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, s.count);
  assert_int_equal(privy_sandbox_count(s.sandbox).orders, s.count);
  privy_bulk_progress progress;
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.created, s.count);
  assert_int_equal(progress.requests, s.count);
  assert_int_equal(progress.failed + progress.updated, 0);
  assert_null(privy_bulk_error(s.bulk));
  assert_int_equal(privy_bulk_open_rows(s.bulk, NULL, 0), 0);
done:
  scene_close(&s);
}

static const char *const contact_rows[] = {
    "{\"email\":\"x@example.com\",\"first_name\":\"first\"}",
    "{\"email\":\"y@example.com\",\"first_name\":\"other\"}",
    "{\"email\":\"X@Example.com\",\"first_name\":\"second\"}",
    "{\"email\":\"x@example.com\",\"first_name\":\"third\"}",
};

/* The stored first_name of x@example.com. */
static privy_status stored_name(scene *s, char out[32]) {
  privy_request *request = NULL;
  privy_response *response = NULL;
  privy_status status = ask_for("contacts.list", "{\"email\":\"x@example.com\"}", &request, &s->error);
  if (status == PRIVY_OK) status = privy_client_call(s->client, request, NULL, NULL, &response, &s->error);
  privy_request_free(request);
  if (status == PRIVY_OK) {
    assert_int_equal(privy_response_count(response), 1);
    privy_value name = privy_record_get(privy_response_record(response, 0), PRIVY_INDEX_CONTACT_first_name);
    snprintf(out, 32, "%.*s", (int)name.length, name.text);
  }
  privy_response_release(response);
  return status;
}

static void a_retried_row_is_not_overtaken(void **state) {
  (void)state;
  scene s;
  char name[32];
  OPEN("contacts.upsert", ROWS(contact_rows));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "contacts.upsert"));
  assert_int_equal(s.results, 4);
  assert_true(comes_before(&s, 0, 2));
  assert_true(comes_before(&s, 2, 3));
  assert_true(comes_before(&s, 1, 0));
  CHECK_OK(stored_name(&s, name));
  assert_string_equal(name, "third");
done:
  scene_close(&s);
}

static const char *const two_keys[] = {
    "{\"email\":\"a@example.com\",\"phone_number\":\"+14155550171\"}",
    "{\"phone_number\":\"+14155550171\",\"first_name\":\"by phone\"}",
    "{\"email\":\"a@example.com\",\"first_name\":\"by e-mail\"}",
    "{\"email\":\"b@example.com\",\"phone_number\":\"+14155550172\"}",
    "{\"email\":\"b@example.com\",\"phone_number\":\"+14155550171\"}",
    "{\"phone_number\":\"+14155550172\",\"first_name\":\"last\"}",
};

static void a_row_waits_for_each_of_its_keys(void **state) {
  (void)state;
  scene s;
  OPEN("contacts.upsert", ROWS(two_keys));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "contacts.upsert"));
  assert_int_equal(s.results, 6);
  assert_true(comes_before(&s, 3, 0));
  assert_true(comes_before(&s, 0, 1) && comes_before(&s, 0, 2));
  assert_true(comes_before(&s, 1, 4) && comes_before(&s, 3, 4));
  assert_true(comes_before(&s, 5, 4) == false || comes_before(&s, 3, 5));
done:
  scene_close(&s);
}

static const char *const order_keys[] = {ORDER ",\"order_id\":7,\"financial_status\":\"pending\"}",
                                         ORDER ",\"order_id\":\"007\",\"financial_status\":\"paid\"}",
                                         ORDER ",\"order_id\":\"8\"}"};

static void numbers_and_texts_are_the_same_order(void **state) {
  (void)state;
  scene s;
  OPEN("orders.upsert", ROWS(order_keys));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_true(comes_before(&s, 2, 0) && comes_before(&s, 0, 1));
done:
  scene_close(&s);
}

#define EVENT "{\"event_type\":\"seen\",\"email\":\"jane@example.com\""
static const char *const event_rows[] = {EVENT ",\"idempotency_key\":\"k\"}", EVENT ",\"idempotency_key\":\"k\"}",
                                         EVENT "}", EVENT "}"};

static void events_with_one_key_keep_their_order(void **state) {
  (void)state;
  scene s;
  OPEN("events.ingest", ROWS(event_rows));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "events.ingest"));
  assert_int_equal(s.results, 4);
  assert_true(comes_before(&s, 2, 0) && comes_before(&s, 3, 0) && comes_before(&s, 0, 1));
  assert_int_equal(privy_sandbox_count(s.sandbox).events, 3);
done:
  scene_close(&s);
}

static void a_row_that_backs_off_takes_no_place(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 5));
  number_orders(&s);
  s.config.concurrency = 1;
  CHECK_OK(begin(&s, "orders.upsert"));
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  CHECK_OK(drive(&s, "orders.upsert"));
  for (size_t i = 1; i < 5; i++) assert_true(comes_before(&s, i, 0));
done:
  scene_close(&s);
}

static void look_ahead_is_bounded(void **state) {
  (void)state;
  scene s;
  OPEN("orders.upsert", NULL, MANY);
  s.before = ORDER ",\"order_id\":1,\"total_items\":";
  s.after = "}";
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  s.leave_after = 0;
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.given, PRIVY_BULK_LOOKAHEAD);
done:
  scene_close(&s);
}

static void an_outage_does_not_fail_row_after_row(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 500));
  number_orders(&s);
  s.config.concurrency = 3;
  CHECK_OK(begin(&s, "orders.upsert"));
  CHECK_OK(fail_once(&s, 503, 3000, 0, 0));
  s.leave_after = 0;
  for (int turns = 0; turns < 100 && privy_bulk_next(s.bulk) != PRIVY_BULK_END; turns++) {
    if (privy_bulk_next(s.bulk) == PRIVY_BULK_ROW)
      CHECK_OK(give_row(&s, "orders.upsert"));
    else
      privy_group_wait(s.group, 0);
  }
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.taken, 6);
  assert_int_equal(progress.requests, 6);
done:
  scene_close(&s);
}

/* ---- how a run ends ---- */

static void a_spent_minute_ends_a_run_that_may_not_wait(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  number_orders(&s);
  s.config.options.max_wait = 0;
  privy_sandbox_set_limits(s.sandbox, 12, 10000);
  CHECK_OK(begin(&s, "orders.upsert"));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 12);
  for (size_t i = 0; i < s.results; i++) assert_int_equal(s.status[s.order[i]], PRIVY_OK);
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_RATE_LIMIT);
  privy_bulk_row open[20];
  size_t count = privy_bulk_open_rows(s.bulk, open, 20);
  assert_int_equal(count, s.given - 12);
  assert_in_range(count, 1, 8);
  for (size_t i = 0; i < count; i++) {
    assert_false(open[i].in_doubt);
    assert_true(i == 0 || open[i].index > open[i - 1].index);
  }
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 12);
done:
  scene_close(&s);
}

static void a_429_does_not_end_a_run(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 20));
  number_orders(&s);
  s.config.concurrency = 1;
  CHECK_OK(begin(&s, "orders.upsert"));
  CHECK_OK(fail_once(&s, 429, 0, 3, 4));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 20);
  assert_null(privy_bulk_error(s.bulk));
  assert_int_equal(privy_sandbox_count(s.sandbox).orders + (s.status[3] != PRIVY_OK), 20);
done:
  scene_close(&s);
}

static const char *const bad_rows[] = {ORDER ",\"order_id\":1}", ORDER ",\"order_id\":-1}", ORDER ",\"order_id\":3}"};

static void a_failed_row_does_not_end_a_run(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  OPEN("orders.upsert", ROWS(bad_rows));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 3);
  assert_int_equal(s.status[1], PRIVY_VALIDATION);
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.failed, 1);
  assert_int_equal(progress.requests, 2);
done:
  scene_close(&s);
}

static void a_row_that_cannot_be_made_ends_the_run_unsent(void **state) {
  (void)state;
  scene s;
  privy_bulk_row open[2];
  OPEN("orders.upsert", NULL, 5);
  number_orders(&s);
  CHECK_MEMORY(privy_bulk_next(s.bulk) == PRIVY_BULK_ROW);
  CHECK_OK(give_row(&s, "orders.upsert"));
  CHECK_MEMORY(privy_bulk_next(s.bulk) == PRIVY_BULK_ROW);
  privy_bulk_fail(s.bulk);
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 1);
  assert_int_equal(privy_bulk_open_rows(s.bulk, open, 2), 1);
  assert_int_equal(open[0].index, 1);
  assert_false(open[0].in_doubt);
done:
  scene_close(&s);
}

/* ---- results ---- */

static void a_result_stays_until_it_is_acknowledged(void **state) {
  (void)state;
  scene s;
  privy_bulk_result_view first, again;
  OPEN("orders.upsert", NULL, 3);
  number_orders(&s);
  s.leave_after = 0;
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_true(privy_bulk_result(s.bulk, &first) && privy_bulk_result(s.bulk, &again));
  CHECK_OK(first.status);
  assert_int_equal(first.index, again.index);
  assert_ptr_equal(first.response, again.response);
  assert_int_equal(first.change, PRIVY_BULK_CREATED);
  s.leave_after = NONE;
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 3);
  assert_false(privy_bulk_result(s.bulk, &first));
done:
  scene_close(&s);
}

static void a_result_counts_once_however_often_it_is_offered(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  OPEN("orders.upsert", NULL, 3);
  number_orders(&s);
  s.leave_after = 0;
  CHECK_OK(drive(&s, "orders.upsert"));
  for (int i = 0; i < 3; i++) assert_int_equal(privy_bulk_next(s.bulk), PRIVY_BULK_RESULT);
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.done, 1);
done:
  scene_close(&s);
}

/* Rows 0 to 2 have one key, and row 3 another. */
static void results_that_are_not_acknowledged_take_places(void **state) {
  (void)state;
  static const char *const rows[] = {ORDER ",\"order_id\":1}", ORDER ",\"order_id\":1}", ORDER ",\"order_id\":1}",
                                     ORDER ",\"order_id\":2}"};
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", ROWS(rows)));
  s.config.concurrency = 2;
  CHECK_OK(begin(&s, "orders.upsert"));
  s.leave_after = 0;
  CHECK_OK(drive(&s, "orders.upsert"));
  for (int i = 0; i < 10; i++) {
    turn(&s);
    CHECK_MEMORY(!privy_bulk_error(s.bulk));
    assert_int_equal(privy_bulk_next(s.bulk), PRIVY_BULK_RESULT);
  }
  if (!harness_sweeping()) assert_int_equal(privy_sandbox_count(s.sandbox).requests, 2);
  s.leave_after = NONE;
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 4);
done:
  scene_close(&s);
}

/* The second row is sent. Its 409 uses up the minute, and the update that follows is refused: this is the row's result;
 * the row is not unsent. */
static void a_sent_row_that_finds_the_budget_spent_has_a_result(void **state) {
  (void)state;
  static const char *const rows[] = {"{\"email\":\"a@b.c\"}", "{\"email\":\"a@b.c\",\"first_name\":\"A\"}"};
  scene s;
  CHECK_OK(scene_open(&s, "contacts.upsert", ROWS(rows)));
  s.config.options.max_wait = 5;
  privy_sandbox_set_limits(s.sandbox, 2, 10000);
  CHECK_OK(begin(&s, "contacts.upsert"));
  CHECK_OK(drive(&s, "contacts.upsert"));
  assert_int_equal(s.results, 2);
  assert_int_equal(s.status[1], PRIVY_RATE_LIMIT);
  assert_int_equal(privy_bulk_open_rows(s.bulk, NULL, 0), 0);
  assert_int_equal(privy_bulk_error(s.bulk)->code, PRIVY_RATE_LIMIT);
  assert_int_equal(privy_sandbox_count(s.sandbox).requests, 2);
done:
  scene_close(&s);
}

/* Reading the next row may take long. */
static void a_result_is_offered_before_the_next_row_is_taken(void **state) {
  (void)state;
  static const char *const rows[] = {"{}", "{}"};
  scene s;
  OPEN("orders.upsert", ROWS(rows));
  for (size_t index = 0; index < COUNT(rows); index++) {
    privy_bulk_step step = privy_bulk_next(s.bulk);
    if (privy_bulk_error(s.bulk)) goto done;
    assert_int_equal(step, PRIVY_BULK_ROW);
    CHECK_OK(give_row(&s, "orders.upsert"));
    assert_int_equal(privy_bulk_next(s.bulk), PRIVY_BULK_RESULT);
    CHECK_OK(read_result(&s));
  }
done:
  scene_close(&s);
}

/* Rows 0 and 1 have one key, so the second starts when the first has ended; row 2 is refused and has no call. */
static void events_carry_the_index_of_their_row(void **state) {
  (void)state;
  static const char *const rows[] = {EVENT ",\"idempotency_key\":\"k\"}", EVENT ",\"idempotency_key\":\"k\"}", "{}",
                                     EVENT "}"};
  uint64_t of_call[8] = {0};
  bool seen[COUNT(rows)] = {false};
  privy_trace_event event;
  scene s;
  OPEN("events.ingest", ROWS(rows));
  privy_group_observe(s.group, PRIVY_LEVEL_DEBUG);
  CHECK_OK(drive(&s, "events.ingest"));
  while (privy_group_take_event(s.group, &event)) {
    assert_true(event.id < COUNT(rows) && event.call < COUNT(of_call));
    if (of_call[event.call]) assert_true(of_call[event.call] == event.id + 1);
    of_call[event.call] = event.id + 1;
    seen[event.id] = true;
  }
  if (!harness_sweeping()) assert_true(seen[0] && seen[1] && !seen[2] && seen[3]);
done:
  scene_close(&s);
}

static void a_closed_run_reports_the_rows_in_doubt(void **state) {
  (void)state;
  scene s;
  privy_bulk_row open[16];
  OPEN("events.ingest", NULL, 16);
  s.before = EVENT ",\"event_data\":{\"n\":";
  s.after = "}}";
  CHECK_OK(fail_once(&s, 503, 20, 0, 1));
  s.leave_after = 3;
  CHECK_OK(drive(&s, "events.ingest"));
  privy_bulk_close(s.bulk);
  privy_bulk_close(s.bulk);
  assert_int_equal(privy_bulk_next(s.bulk), PRIVY_BULK_END);
  const size_t count = privy_bulk_open_rows(s.bulk, open, 16);
  assert_int_equal(count + 3, s.given);
  size_t in_doubt = 0;
  for (size_t i = 0; i < count; i++) {
    in_doubt += open[i].in_doubt;
    if (open[i].in_doubt) assert_int_equal(strlen(open[i].idempotency_key), 32);
  }
  assert_true(in_doubt >= 1);
  privy_bulk_progress progress;
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.requests, privy_sandbox_count(s.sandbox).requests);
  assert_int_equal(privy_sandbox_count(s.sandbox).events, in_doubt + 3 - 1); /* the one with the 503 was not stored */
done:
  scene_close(&s);
}

/* ---- random runs ---- */

typedef struct draw {
  int status;
  privy_cut cut;
} draw;

static privy_status add_random_faults(scene *s) {
  static const draw draws[] = {{503, PRIVY_CUT_NONE}, {500, PRIVY_CUT_NONE},   {429, PRIVY_CUT_NONE},
                               {0, PRIVY_CUT_DROP},   {0, PRIVY_CUT_TRUNCATE}, {422, PRIVY_CUT_NONE}};
  for (int i = 0; i < 12; i++) {
    const draw *drawn = &draws[privy_random(&s->random) % COUNT(draws)];
    const privy_sandbox_fault fault = {.http_status = drawn->status,
                                       .retry_after = drawn->status == 429 ? 1 : -1,
                                       .cut = drawn->cut,
                                       .skip = (uint32_t)(privy_random(&s->random) % 4),
                                       .count = 1 + (uint32_t)(privy_random(&s->random) % 5)};
    privy_status status = privy_sandbox_add_fault(s->sandbox, &fault);
    if (status != PRIVY_OK) return status;
  }
  return PRIVY_OK;
}

/* Rows of few keys; row i gives its contact the name i. */
static void random_rows(scene *s, char texts[][96], const char *rows[]) {
  for (size_t i = 0; i < s->count; i++) {
    int key = (int)(privy_random(&s->random) % 5);
    snprintf(texts[i], 96, "{\"email\":\"%c@example.com\",\"first_name\":\"%zu\"}", 'x' + key % 3, i);
    rows[i] = texts[i];
  }
}

/* Each row has one result, or is open once. */
static void assert_accounted(const scene *s) {
  bool seen[64] = {false};
  privy_bulk_row open[64];
  const size_t count = privy_bulk_open_rows(s->bulk, open, 64);
  for (size_t i = 0; i < s->results; i++) {
    assert_false(seen[s->order[i]]);
    seen[s->order[i]] = true;
  }
  for (size_t i = 0; i < count; i++) {
    assert_false(seen[open[i].index]);
    seen[open[i].index] = true;
  }
  assert_int_equal(s->results + count, s->given);
}

static void random_runs_account_for_every_row(void **state) {
  (void)state;
  scene s;
  char texts[40][96], name[32];
  const char *rows[40];
  for (uint64_t seed = 1; seed <= harness_rounds(300, 1); seed++) {
    CHECK_OK(scene_open(&s, "contacts.upsert", rows, harness_rounds(40, 4)));
    s.random = seed;
    random_rows(&s, texts, rows);
    s.config.concurrency = 1 + (int64_t)(privy_random(&s.random) % 9);
    s.leave_after = privy_random(&s.random) % 2 ? NONE : privy_random(&s.random) % 40;
    CHECK_OK(begin(&s, "contacts.upsert"));
    CHECK_OK(add_random_faults(&s));
    CHECK_OK(drive(&s, "contacts.upsert"));
    if (s.leave_after != NONE) privy_bulk_close(s.bulk);
    assert_accounted(&s);
    size_t last = NONE, lost = 0;
    for (size_t i = 0; i < s.results; i++) {
      size_t index = s.order[i];
      if (rows[index][10] != 'x') continue;
      if (s.status[index] == PRIVY_OK) last = index;
      lost += s.status[index] != PRIVY_OK && s.status[index] != PRIVY_VALIDATION;
      for (size_t j = 0; j < i; j++) assert_true(rows[s.order[j]][10] != 'x' || s.order[j] < index);
    }
    privy_sandbox_clear_faults(s.sandbox);
    if (last != NONE && lost == 0 && s.leave_after == NONE) {
      CHECK_OK(stored_name(&s, name));
      assert_int_equal(strtol(name, NULL, 10), last);
    }
    scene_close(&s);
  }
  CHECK_OK(scene_open(&s, "contacts.upsert", rows, 0));
done:
  scene_close(&s);
}

/* ---- progress ---- */

static void progress_counts_the_requests_that_rows_take(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  OPEN("contacts.upsert", NULL, 100);
  s.before = "{\"email\":\"x@example.com\",\"first_name\":\"";
  s.after = "\"}";
  privy_sandbox_set_limits(s.sandbox, 10, 10000);
  s.leave_after = 21; /* 41 requests: the first row takes one, the others take two */
  CHECK_OK(drive(&s, "contacts.upsert"));
  privy_bulk_get_progress(s.bulk, &progress);
  assert_int_equal(progress.created, 1);
  assert_true(progress.done >= 21);
  assert_int_equal(progress.updated, progress.done - 1);
  assert_true(progress.requests >= 2 * progress.done - 1);
  /* About 79 rows at two requests each, 10 a minute: about 16 minutes. */
  assert_true(progress.eta > 14 * 60 && progress.eta < 17 * 60);
  assert_true(progress.waited > 3 * 60);
  privy_bulk_progress again;
  assert_true(privy_bulk_take_progress(s.bulk, &again));
  assert_false(privy_bulk_take_progress(s.bulk, &again));
done:
  scene_close(&s);
}

static void a_days_budget_gives_no_estimate(void **state) {
  (void)state;
  scene s;
  privy_bulk_progress progress;
  OPEN("orders.upsert", NULL, 100);
  number_orders(&s);
  privy_sandbox_set_limits(s.sandbox, 60, 50);
  s.leave_after = 2;
  CHECK_OK(drive(&s, "orders.upsert"));
  privy_bulk_get_progress(s.bulk, &progress);
  assert_true(progress.eta < 0);
  assert_int_equal(progress.total, 100);
done:
  scene_close(&s);
}

static void configurations_are_checked(void **state) {
  (void)state;
  scene s;
  CHECK_OK(scene_open(&s, "orders.upsert", NULL, 0));
  s.config.concurrency = 0;
  CHECK_STATUS(begin(&s, "orders.upsert"), PRIVY_CONFIG_ERROR);
  assert_string_equal(s.error.message, "concurrency must be a whole number, 1 or more");
  privy_error_clear(&s.error);
  CHECK_STATUS(privy_bulk_config_concurrency(&s.config, 1.5, &s.error), PRIVY_CONFIG_ERROR);
  CHECK_OK(privy_bulk_config_concurrency(&s.config, 3, &s.error));
  assert_int_equal(s.config.concurrency, 3);
  CHECK_OK(privy_bulk_config_concurrency(&s.config, 1e300, &s.error));
  assert_int_equal(s.config.concurrency, INT64_MAX);
  s.config.options.timeout = 0;
  s.config.options.given |= PRIVY_GIVEN(TIMEOUT);
  CHECK_STATUS(begin(&s, "orders.upsert"), PRIVY_CONFIG_ERROR);
  privy_error_clear(&s.error);
  s.config.options.timeout = 1;
  CHECK_OK(begin(&s, "orders.upsert"));
  CHECK_OK(drive(&s, "orders.upsert"));
  assert_int_equal(s.results, 0);
done:
  scene_close(&s);
}

/* ---- lanes ---- */

static void lanes_keep_rows_in_order(void **state) {
  (void)state;
  privy_lanes lanes = {0};
  int owners[3];
  privy_lane_entry places[3] = {{.owner = &owners[0]}, {.owner = &owners[1]}, {.owner = &owners[2]}};
  for (size_t i = 0; i < 3; i++) CHECK_MEMORY(privy_lanes_join(&lanes, "k", 1, &places[i]));
  assert_true(privy_lanes_is_first(&places[0]));
  assert_false(privy_lanes_is_first(&places[1]));
  assert_null(privy_lanes_leave(&lanes, &places[1]));
  assert_true(privy_lanes_is_first(&places[1])); /* in no lane */
  assert_ptr_equal(privy_lanes_leave(&lanes, &places[0]), &owners[2]);
  CHECK_MEMORY(privy_lanes_join(&lanes, "k", 1, &places[0]));
  assert_null(privy_lanes_leave(&lanes, &places[0])); /* the last entry leaves before the first… */
  CHECK_MEMORY(privy_lanes_join(&lanes, "k", 1, &places[1]));
  assert_ptr_equal(privy_lanes_leave(&lanes, &places[2]), &owners[1]); /* …then the next one becomes the first */
  assert_null(privy_lanes_leave(&lanes, &places[1]));
  assert_int_equal(lanes.by_key.count, 0);
done:
  privy_lanes_clear(&lanes);
}

int main(void) {
  static harness_test tests[] = {
      TEST(every_row_has_one_result),
      TEST(a_retried_row_is_not_overtaken),
      TEST(a_row_waits_for_each_of_its_keys),
      TEST(numbers_and_texts_are_the_same_order),
      TEST(events_with_one_key_keep_their_order),
      TEST(a_row_that_backs_off_takes_no_place),
      TEST_UNSWEPT(an_outage_does_not_fail_row_after_row),
      TEST_UNSWEPT(look_ahead_is_bounded),
      TEST_UNSWEPT(a_spent_minute_ends_a_run_that_may_not_wait),
      TEST_UNSWEPT(a_429_does_not_end_a_run),
      TEST(a_failed_row_does_not_end_a_run),
      TEST(a_row_that_cannot_be_made_ends_the_run_unsent),
      TEST(a_result_stays_until_it_is_acknowledged),
      TEST(a_result_counts_once_however_often_it_is_offered),
      TEST(results_that_are_not_acknowledged_take_places),
      TEST(a_sent_row_that_finds_the_budget_spent_has_a_result),
      TEST(a_result_is_offered_before_the_next_row_is_taken),
      TEST(events_carry_the_index_of_their_row),
      TEST_UNSWEPT(a_closed_run_reports_the_rows_in_doubt),
      TEST(random_runs_account_for_every_row),
      TEST_UNSWEPT(progress_counts_the_requests_that_rows_take),
      TEST_UNSWEPT(a_days_budget_gives_no_estimate),
      TEST(configurations_are_checked),
      TEST(lanes_keep_rows_in_order),
  };
  return HARNESS_RUN(tests);
}
