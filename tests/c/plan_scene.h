/* What the tests of plans share: contacts in a sandbox, a driver, and the rows of a plan as text. */
#ifndef PLAN_SCENE_H
#define PLAN_SCENE_H

#include <stdlib.h>

#include "client/group.h"
#include "privy_jobs.h"
#include "privy_sandbox.h"
#include "response_text.h"

#define START 1778580000.0
#define ROWS(array) (array), COUNT(array)

typedef struct plan_scene {
  privy_sandbox *sandbox;
  privy_client *client;
  privy_group *group, *apply_group;
  privy_plan *plan;
  privy_bulk *bulk;
  privy_plan_config config;
  privy_bulk_config run;
  privy_error error;
  size_t failed;       /* results of the run that are errors */
  uint64_t before_run; /* requests that the sandbox had then */
  bool forgets;        /* results are not kept in the snapshot */
} plan_scene;

static inline privy_status plan_open(plan_scene *s) {
  privy_config config;
  *s = (plan_scene){0};
  privy_error_init(&s->error);
  privy_plan_config_init(&s->config);
  privy_bulk_config_init(&s->run);
  privy_config_init(&config);
  privy_status status = privy_sandbox_new(&s->sandbox);
  if (status != PRIVY_OK) return status;
  privy_sandbox_set_clock(s->sandbox, START);
  config.sandbox = s->sandbox;
  return privy_client_new(&config, &s->client, &s->error);
}

/* Frees what a plan has made; the contacts stay. */
static inline void plan_drop(plan_scene *s) {
  privy_bulk_free(s->bulk);
  privy_plan_free(s->plan);
  privy_group_free(s->group);
  privy_group_free(s->apply_group);
  s->bulk = NULL;
  s->plan = NULL;
  s->group = s->apply_group = NULL;
  privy_error_clear(&s->error);
}

static inline void plan_close(plan_scene *s) {
  plan_drop(s);
  privy_client_free(s->client);
  privy_sandbox_release(s->sandbox);
}

static inline uint64_t requests_of(const plan_scene *s) {
  return privy_sandbox_count(s->sandbox).requests;
}

/* Makes a call of a client. */
static inline privy_status make(plan_scene *s, const char *operation, const char *json) {
  privy_request *request = NULL;
  privy_response *response = NULL;
  privy_status status = ask_for(operation, json, &request, &s->error);
  if (status == PRIVY_OK) status = privy_client_call(s->client, request, NULL, NULL, &response, &s->error);
  privy_request_free(request);
  privy_response_release(response);
  return status;
}

static inline privy_status store(plan_scene *s, const char *json) {
  return make(s, "contacts.create", json);
}

/* Advances the calls. If all of them wait, advances the clock. */
static inline void plan_turn(plan_scene *s, privy_group *group) {
  double left = privy_group_idle_seconds(group);
  if (left > 0) privy_sandbox_advance(s->sandbox, left);
  privy_group_wait(group, 0);
}

static inline privy_status add_plan_row(plan_scene *s, const char *json) {
  privy_request *request = NULL;
  privy_status status = ask_for("contacts.upsert", json, &request, &s->error);
  if (status == PRIVY_OK) {
    privy_plan_add(s->plan, request);
    return PRIVY_OK;
  }
  privy_request_free(request);
  if (status != PRIVY_VALIDATION) return status;
  privy_plan_refuse(s->plan, &s->error);
  privy_error_clear(&s->error);
  return PRIVY_OK;
}

static inline privy_status plan_begin(plan_scene *s) {
  privy_status status = privy_group_new(s->client, &s->group, &s->error);
  return status == PRIVY_OK ? privy_plan_new(s->group, &s->config, &s->plan, &s->error) : status;
}

/* Reads and compares to the end. Returns the code of the plan's error. */
static inline privy_status plan_drive(plan_scene *s) {
  for (int turns = 0; turns < 200000; turns++) switch (privy_plan_next(s->plan)) {
    case PRIVY_PLAN_WAIT: plan_turn(s, s->group); break;
    case PRIVY_PLAN_AGAIN: break;
    case PRIVY_PLAN_END: return privy_plan_error(s->plan) ? privy_plan_error(s->plan)->code : PRIVY_OK;
    }
  fail_msg("%s", "the plan does not end");
  return PRIVY_OK;
}

static inline privy_status make_plan(plan_scene *s, const char *const *rows, size_t count) {
  privy_status status = plan_begin(s);
  for (size_t i = 0; status == PRIVY_OK && i < count; i++) status = add_plan_row(s, rows[i]);
  if (status != PRIVY_OK) return status;
  privy_plan_end_rows(s->plan);
  return plan_drive(s);
}

/* Applies the plan. */
static inline privy_status apply(plan_scene *s) {
  privy_status status = privy_group_new(s->client, &s->apply_group, &s->error);
  if (status == PRIVY_OK) status = privy_plan_apply(s->plan, s->apply_group, &s->run, &s->bulk, &s->error);
  s->before_run = requests_of(s);
  s->failed = 0;
  while (status == PRIVY_OK) {
    privy_bulk_result_view result;
    const privy_error *error = privy_bulk_error(s->bulk);
    if (error) return error->code;
    switch (privy_bulk_next(s->bulk)) {
    case PRIVY_BULK_ROW: (void)privy_plan_feed(s->plan, s->bulk); break;
    case PRIVY_BULK_RESULT:
      assert_true(privy_bulk_result(s->bulk, &result));
      if (result.status == PRIVY_NO_MEMORY) return result.status;
      s->failed += result.status != PRIVY_OK;
      if (!s->forgets) privy_plan_keep(s->plan, &result);
      privy_bulk_acknowledge(s->bulk);
      break;
    case PRIVY_BULK_WAIT: plan_turn(s, s->apply_group); break;
    case PRIVY_BULK_END: error = privy_bulk_error(s->bulk); return error ? error->code : PRIVY_OK;
    }
  }
  return status;
}

/* ---- rows ---- */

static inline privy_plan_row row_of(const plan_scene *s, size_t index) {
  privy_plan_row row = {0};
  assert_true(privy_plan_row_at(s->plan, index, &row));
  return row;
}

/* A row is in a state, with these changes ("-": none) and, if it has details, their codes. */
static inline void assert_row(const plan_scene *s, size_t index, const char *state, const char *changes,
                              const char *codes) {
  char found[256] = "";
  const privy_plan_row row = row_of(s, index);
  assert_string_equal(privy_plan_state_name(row.state), state);
  assert_value(row.changes, changes);
  for (size_t i = 0; i < row.details->count; i++)
    snprintf(found + strlen(found), sizeof found - strlen(found), "%s%s %s", i ? ", " : "", row.details->items[i].field,
             row.details->items[i].code);
  assert_string_equal(found, codes);
}

/* The stored contact of an e-mail address or phone number is that JSON, from the e-mail address to the custom fields.
 */
static inline privy_status assert_stored(plan_scene *s, const char *key, const char *expected) {
  privy_buffer text = PRIVY_BUFFER_EMPTY;
  privy_status status = privy_sandbox_find(s->sandbox, PRIVY_SANDBOX_CONTACTS, key, strlen(key), &text);
  if (status == PRIVY_OK && !privy_buffer_terminate(&text)) status = PRIVY_NO_MEMORY;
  if (status == PRIVY_OK && !strstr(text.data, expected)) fail_msg("%s\nhas not %s", text.data, expected);
  privy_buffer_clear(&text);
  return status;
}

#endif
