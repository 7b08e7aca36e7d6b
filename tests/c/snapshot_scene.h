/* What the tests of snapshots and exports share: the sandbox of sweep_scene.h, and a folder. Define _POSIX_C_SOURCE
 * 200809L before the first include. */
#ifndef SNAPSHOT_SCENE_H
#define SNAPSHOT_SCENE_H

#include <dirent.h>
#include <unistd.h>

#include "sweep_scene.h"

typedef struct place {
  char folder[32], path[64];
} place;

static inline place place_make(const char *name) {
  place p;
  /* In memory a sync costs nothing: the tests with failing allocations make tens of thousands of them. */
  strcpy(p.folder, access("/dev/shm", W_OK) == 0 ? "/dev/shm/privy-test-XXXXXX" : "/tmp/privy-test-XXXXXX");
  assert_non_null(mkdtemp(p.folder));
  snprintf(p.path, sizeof p.path, "%s/%s", p.folder, name);
  return p;
}

/* Calls `use`, unless it is NULL, with the name of each file; returns how many there are. */
static inline size_t place_files(const place *p, void (*use)(const char *path)) {
  char path[sizeof p->folder + 300];
  DIR *folder = opendir(p->folder);
  size_t count = 0;
  assert_non_null(folder);
  for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
    if (*entry->d_name == '.') continue;
    snprintf(path, sizeof path, "%s/%s", p->folder, entry->d_name);
    if (use) use(path);
    count++;
  }
  closedir(folder);
  return count;
}

static inline void remove_file(const char *path) {
  unlink(path);
}

static inline void place_remove(const place *p) {
  place_files(p, remove_file);
  assert_int_equal(rmdir(p->folder), 0);
}

/* Opens the snapshot of all contacts, or of those of a filter. */
static inline privy_status open_snapshot(scene *s, const char *path, privy_resume resume, const char *filter,
                                         privy_snapshot **out) {
  privy_request *list = NULL;
  privy_status status = ask_for("contacts.list", filter, &list, &s->error);
  const privy_snapshot_config config = {.path = path, .list = list, .resume = resume};
  if (status == PRIVY_OK) status = privy_snapshot_open(s->client, &config, out, &s->error);
  privy_request_free(list);
  return status;
}

/* Sweeps into the snapshot, to the end or until `pages` pages were stored. */
static inline privy_status sweep_into(scene *s, privy_snapshot *snapshot, const char *filter, size_t pages) {
  privy_request *list = NULL;
  privy_status status = ask_for("contacts.list", filter, &list, &s->error);
  if (status != PRIVY_OK) {
    privy_request_free(list);
    return status;
  }
  privy_sweep_free(s->sweep);
  s->sweep = NULL;
  status = privy_snapshot_sweep(snapshot, s->group, list, &s->config, &s->sweep, &s->error);
  for (size_t turns = 0; status == PRIVY_OK && turns < 100000; turns++) {
    const privy_sweep_step step = privy_sweep_next(s->sweep);
    const privy_error *error = privy_sweep_error(s->sweep);
    if (step == PRIVY_SWEEP_END && error) return error->code;
    if (step == PRIVY_SWEEP_END) return privy_snapshot_complete(snapshot, s->sweep, &s->error);
    if (step == PRIVY_SWEEP_WAIT) {
      turn(s);
      continue;
    }
    status = privy_snapshot_take(snapshot, s->sweep, &s->error);
    if (status == PRIVY_OK) status = read_page(s);
    if (s->pages == pages) return status;
  }
  return status;
}

typedef struct count_context {
  size_t count;
  uint64_t sum; /* of the keys: the contacts, whatever their order */
} count_context;

static inline bool count_contact(void *context, const privy_record *contact) {
  count_context *c = context;
  const privy_value id = privy_record_get(contact, PRIVY_INDEX_CONTACT_id);
  c->count++;
  for (uint32_t i = 0; i < id.length; i++) c->sum += (uint64_t)(unsigned char)id.text[i] << (i % 50);
  return true;
}

#endif
