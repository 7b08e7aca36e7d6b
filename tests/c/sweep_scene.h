/* What the tests of sweeps share: an in-process sandbox with contacts, whose clock only advances when the sweep waits,
 * and a driver. */
#ifndef SWEEP_SCENE_H
#define SWEEP_SCENE_H

#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "client/group.h"
#include "harness.h"
#include "privy_jobs.h"
#include "privy_sandbox.h"
#include "response_text.h"
#include "schema/schema.h"

#define START 1778580000.0

typedef struct scene {
  privy_sandbox *sandbox;
  privy_client *client;
  privy_group *group;
  privy_sweep *sweep;
  privy_sweep_config config;
  privy_error error;
  privy_map ids;   /* of the contacts read */
  size_t contacts; /* stored at first */
  size_t pages, read, different;
  size_t leave_after;                     /* the driver stops after this many pages; 0: at the end */
  privy_status (*change)(struct scene *); /* after each page; NULL: nothing changes */
  size_t changes, unread;                 /* contacts that were deleted before they were read */
} scene;

/* Sandboxes with so many contacts, each made once: in the plain run of a test. */
static privy_sandbox_snapshot *seeded[10001];

static inline privy_status seed(privy_sandbox *sandbox, size_t contacts) {
  privy_buffer problem = PRIVY_BUFFER_EMPTY;
  privy_status status = PRIVY_OK;
  if (seeded[contacts]) return privy_sandbox_restore(sandbox, seeded[contacts]);
  if (contacts) status = privy_sandbox_seed(sandbox, "shop", (int64_t)contacts, 30, 1, &problem);
  if (status == PRIVY_OK) status = privy_sandbox_snapshot_new(sandbox, &seeded[contacts]);
  privy_buffer_clear(&problem);
  return status;
}

static inline void forget_seeds(void) {
  for (size_t i = 0; i < sizeof seeded / sizeof *seeded; i++) privy_sandbox_snapshot_free(seeded[i]);
}

static inline privy_status scene_open(scene *s, size_t contacts) {
  privy_config config;
  *s = (scene){.contacts = contacts};
  privy_error_init(&s->error);
  privy_config_init(&config);
  privy_sweep_config_init(&s->config);
  privy_status status = privy_sandbox_new(&s->sandbox);
  if (status != PRIVY_OK) return status;
  privy_sandbox_set_clock(s->sandbox, START);
  status = seed(s->sandbox, contacts);
  /* The seed is as of the clock: the contacts must not look as if they had just changed. */
  privy_sandbox_advance(s->sandbox, 3600);
  config.sandbox = s->sandbox;
  if (status == PRIVY_OK) status = privy_client_new(&config, &s->client, &s->error);
  if (status == PRIVY_OK) status = privy_group_new(s->client, &s->group, &s->error);
  return status;
}

static inline void scene_close(scene *s) {
  privy_sweep_free(s->sweep);
  privy_group_free(s->group);
  privy_client_free(s->client);
  privy_sandbox_release(s->sandbox);
  privy_map_clear(&s->ids);
  privy_error_clear(&s->error);
}

static inline privy_status begin(scene *s, const char *filter) {
  privy_request *list = NULL;
  const privy_status status = ask_for("contacts.list", filter, &list, &s->error);
  if (status == PRIVY_OK) return privy_sweep_new(s->group, list, &s->config, &s->sweep, &s->error);
  privy_request_free(list);
  return status;
}

static inline privy_value id_of(const privy_response *page, size_t index) {
  return privy_record_get(privy_response_record(page, index), PRIVY_INDEX_CONTACT_id);
}

/* Sends a request past the client. `body`: JSON, or NULL. */
static inline privy_status send_body(scene *s, const char *method, const char *target, const char *body) {
  privy_sandbox_response response;
  privy_sandbox_response_init(&response);
  const char *headers = "Authorization: Bearer " PRIVY_SANDBOX_TOKEN "\r\nContent-Type: application/json\r\n";
  const privy_status status = privy_sandbox_handle(s->sandbox, method, target, headers, strlen(headers), body,
                                                   body ? strlen(body) : 0, &response);
  if (status == PRIVY_OK) assert_int_equal(response.http_status, 200);
  privy_sandbox_response_clear(&response);
  return status;
}

static inline privy_status send(scene *s, const char *method, const char *target) {
  return send_body(s, method, target, NULL);
}

/* Changes the contact of this number of the page that was read last. */
static inline privy_status touch(scene *s, size_t index) {
  char target[128];
  const privy_value id = id_of(privy_sweep_page(s->sweep), index);
  snprintf(target, sizeof target, "/contacts/%.*s", (int)id.length, id.text);
  return send_body(s, "PATCH", target, "{\"first_name\":\"Jane\"}");
}

/* Deletes the first contact of the page now and then, so that later contacts move. */
static inline privy_status delete_first(scene *s) {
  const privy_response *page = privy_sweep_page(s->sweep);
  char target[128];
  if (s->pages % 40 != 3 || privy_response_count(page) == 0) return PRIVY_OK;
  const privy_value id = id_of(page, 0);
  snprintf(target, sizeof target, "/contacts/%.*s", (int)id.length, id.text);
  s->changes++;
  return send(s, "DELETE", target);
}

static inline privy_status read_page(scene *s) {
  const privy_response *page = privy_sweep_page(s->sweep);
  s->pages++;
  for (size_t i = 0; i < privy_response_count(page); i++) {
    const privy_value id = id_of(page, i);
    s->read++;
    s->different += privy_map_get(&s->ids, id.text, id.length) == PRIVY_MAP_NONE;
    if (!privy_map_set(&s->ids, id.text, id.length, 1)) return PRIVY_NO_MEMORY;
  }
  return s->change ? s->change(s) : PRIVY_OK;
}

static inline void turn(scene *s) {
  double left = privy_group_idle_seconds(s->group);
  if (left > 0) privy_sandbox_advance(s->sandbox, left);
  privy_group_wait(s->group, 0);
}

/* Runs to the end, or until `leave_after` pages are read. */
static inline privy_status drive(scene *s) {
  const privy_error *error;
  for (int turns = 0; turns < 100000; turns++) {
    switch (privy_sweep_next(s->sweep)) {
    case PRIVY_SWEEP_PAGE: {
      const privy_status status = read_page(s);
      if (status != PRIVY_OK || s->pages == s->leave_after) return status;
      break;
    }
    case PRIVY_SWEEP_WAIT: turn(s); break;
    case PRIVY_SWEEP_END:
      error = privy_sweep_error(s->sweep);
      return error && error->code == PRIVY_NO_MEMORY ? PRIVY_NO_MEMORY : PRIVY_OK;
    }
  }
  fail_msg("%s", "the sweep does not end");
  return PRIVY_OK;
}

#endif
