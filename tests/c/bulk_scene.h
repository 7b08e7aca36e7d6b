/* What the tests of bulk runs share: an in-process sandbox, whose clock only advances when all calls wait, and a
 * driver. */
#ifndef BULK_SCENE_H
#define BULK_SCENE_H

#include <stdlib.h>

#include "client/group.h"
#include "privy_jobs.h"
#include "privy_sandbox.h"
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
  bool uncertain[MANY]; /* the row failed, and the server may have stored it */
  size_t results;
  size_t skipped;     /* by the journal, in all runs */
  size_t leave_after; /* the driver stops after this many results */
  uint64_t random;
} scene;

static inline privy_status scene_open(scene *s, const char *operation, const char *const *rows, size_t count) {
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

static inline privy_status begin(scene *s) {
  return privy_bulk_new(s->group, &s->config, &s->bulk, &s->error);
}

static inline void scene_close(scene *s) {
  privy_bulk_free(s->bulk);
  privy_group_free(s->group);
  privy_client_free(s->client);
  privy_sandbox_release(s->sandbox);
  privy_error_clear(&s->error);
}

#define ROWS(array) (array), COUNT(array)
#define OPEN(operation, ...)                                                                                           \
  CHECK_OK(scene_open(&s, operation, __VA_ARGS__));                                                                    \
  CHECK_OK(begin(&s))

/* ---- the driver ---- */

static inline privy_status give_row(scene *s, const char *operation) {
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
    s->skipped += !privy_bulk_add(s->bulk, request);
  } else if (status == PRIVY_VALIDATION) {
    privy_bulk_refuse(s->bulk, request, &s->error);
  } else {
    privy_request_free(request);
    privy_bulk_fail(s->bulk);
  }
  s->given++;
  return status == PRIVY_VALIDATION ? PRIVY_OK : status;
}

static inline privy_status read_result(scene *s) {
  privy_bulk_result_view result;
  assert_true(privy_bulk_result(s->bulk, &result));
  if (result.status == PRIVY_NO_MEMORY) return PRIVY_NO_MEMORY;
  s->order[s->results] = (size_t)result.index;
  s->status[result.index] = result.status;
  s->uncertain[result.index] =
      result.status != PRIVY_OK && (result.status != PRIVY_VALIDATION || result.error->may_have_succeeded);
  s->results++;
  privy_bulk_acknowledge(s->bulk);
  return PRIVY_OK;
}

/* Advances the calls. If all of them wait, advances the clock. */
static inline void turn(scene *s) {
  double left = privy_group_idle_seconds(s->group);
  if (left > 0) privy_sandbox_advance(s->sandbox, left);
  privy_group_wait(s->group, 0);
}

/* Runs to the end, or until `leave_after` results are read. */
static inline privy_status drive(scene *s, const char *operation) {
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

/* Another client of the account sends a request. */
static inline privy_status send_from_elsewhere(scene *s) {
  privy_client *other = NULL;
  privy_request *request = NULL;
  privy_response *response = NULL;
  privy_config config;
  privy_config_init(&config);
  config.sandbox = s->sandbox;
  privy_status status = privy_client_new(&config, &other, &s->error);
  if (status == PRIVY_OK) status = ask_for("contacts.list", "{}", &request, &s->error);
  if (status == PRIVY_OK) status = privy_client_call(other, request, NULL, NULL, &response, &s->error);
  privy_response_release(response);
  privy_request_free(request);
  privy_client_free(other);
  return status;
}

/* The first rows have results; all later ones, up to `given`, are unsent. */
static inline void check_open(const scene *s, size_t results, size_t given) {
  privy_bulk_row open[MANY];
  assert_int_equal(s->given, given);
  assert_int_equal(s->results, results);
  assert_int_equal(privy_bulk_open_rows(s->bulk, open, MANY), given - results);
  for (size_t i = 0; i < given - results; i++) {
    assert_int_equal(open[i].index, results + i);
    assert_false(open[i].in_doubt);
  }
}

static inline bool comes_before(const scene *s, size_t one, size_t other) {
  size_t at = 0;
  while (at < s->results && s->order[at] != one && s->order[at] != other) at++;
  assert_true(at < s->results);
  return s->order[at] == one;
}

static inline privy_status fail_once(scene *s, int http_status, double retry_after, uint32_t skip, uint32_t count) {
  const privy_sandbox_fault fault = {
      .http_status = http_status, .retry_after = retry_after, .skip = skip, .count = count};
  return privy_sandbox_add_fault(s->sandbox, &fault);
}

/* ---- rows ---- */

#define ORDER "{\"email\":\"jane@example.com\",\"total\":1,\"currency\":\"USD\",\"order_date\":\"2026-05-12T10:00:00Z\""

#define EVENT "{\"event_type\":\"seen\",\"email\":\"jane@example.com\""

static inline void number_orders(scene *s) {
  s->before = ORDER ",\"order_id\":1000";
  s->after = "}";
}

/* The stored first_name of x@example.com. */
static inline privy_status stored_name(scene *s, char out[32]) {
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

#endif
