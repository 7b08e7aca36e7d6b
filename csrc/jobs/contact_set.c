#include "jobs/contact_set.h"

#include <string.h>

#include "base/digest.h"
#include "base/memory.h"
#include "schema/schema.h"

#define LEAST_CAPACITY 256

/* ---- keys ---- */

static uint64_t digest_of(const char *text, size_t length) {
  unsigned char end[PRIVY_DIGEST_SIZE];
  uint64_t number;
  privy_digest digest;
  privy_digest_init(&digest);
  privy_digest_add(&digest, text, length);
  privy_digest_end(&digest, end);
  memcpy(&number, end, sizeof number);
  return number;
}

privy_value privy_contact_identity(const privy_record *contact) {
  static const size_t fields[] = {PRIVY_INDEX_CONTACT_id, PRIVY_INDEX_CONTACT_email, PRIVY_INDEX_CONTACT_phone_number};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    const privy_value value = privy_record_get(contact, fields[i]);
    if (value.type == PRIVY_STRING && value.length) return value;
  }
  return (privy_value){.type = PRIVY_ABSENT};
}

uint64_t privy_contact_key(const char *text, size_t length) {
  const uint64_t key = digest_of(text, length);
  return key ? key : 1;
}

uint32_t privy_contact_version(const char *updated_at, size_t length) {
  return (uint32_t)digest_of(updated_at, length) | 1;
}

/* ---- the table ---- */

void privy_contact_set_clear(privy_contact_set *set) {
  privy_free(set->keys);
  privy_free(set->versions);
  *set = (privy_contact_set){0};
}

/* The slot of the key, or the free one where it belongs. */
static size_t find(const privy_contact_set *set, uint64_t key) {
  size_t at = (size_t)key & (set->capacity - 1);
  while (set->keys[at] && set->keys[at] != key) at = (at + 1) & (set->capacity - 1);
  return at;
}

bool privy_contact_set_has(const privy_contact_set *set, uint64_t key) {
  return key && set->capacity && set->keys[find(set, key)];
}

bool privy_contact_set_is_chained(const privy_contact_set *set, uint64_t key, uint32_t version) {
  return key && version && set->capacity && set->versions[find(set, key)] == version;
}

static bool grow(privy_contact_set *set) {
  if (set->count * 2 < set->capacity) return true;
  privy_contact_set larger = {
      .count = set->count, .chained = set->chained, .capacity = set->capacity ? set->capacity * 2 : LEAST_CAPACITY};
  larger.keys = privy_calloc(larger.capacity, sizeof *larger.keys);
  larger.versions = privy_calloc(larger.capacity, sizeof *larger.versions);
  if (!larger.keys || !larger.versions) {
    privy_contact_set_clear(&larger);
    return false;
  }
  for (size_t i = 0; i < set->capacity; i++) {
    if (!set->keys[i]) continue;
    const size_t at = find(&larger, set->keys[i]);
    larger.keys[at] = set->keys[i];
    larger.versions[at] = set->versions[i];
  }
  privy_contact_set_clear(set);
  *set = larger;
  return true;
}

bool privy_contact_set_add(privy_contact_set *set, uint64_t key, uint32_t version) {
  if (!key) return true;
  if (!grow(set)) return false;
  const size_t at = find(set, key);
  set->count += !set->keys[at];
  set->keys[at] = key;
  if (!version) return true;
  set->chained += !set->versions[at];
  set->versions[at] = version;
  return true;
}

void privy_contact_set_unchain(privy_contact_set *set) {
  set->chained = 0;
  if (set->capacity) memset(set->versions, 0, set->capacity * sizeof *set->versions);
}
