#include "base/map.h"

#include <string.h>

#include "base/memory.h"

/* A slot without a key is empty or was removed; searches continue past a removed one. */
struct privy_map_slot {
  char *key;
  size_t length;
  size_t value;
  uint64_t hash;
  bool removed;
};

static uint64_t mixed(uint64_t hash) {
  return (hash ^ hash >> 32) * UINT64_C(0x9E3779B97F4A7C15);
}

/* Of eight bytes at a time. */
static uint64_t hash_of(const char *key, size_t length) {
  uint64_t hash = length, word;
  for (; length >= sizeof word; key += sizeof word, length -= sizeof word) {
    memcpy(&word, key, sizeof word);
    hash = mixed(hash ^ word);
  }
  word = 0;
  if (length) memcpy(&word, key, length);
  hash = mixed(hash ^ word);
  return hash ^ hash >> 32;
}

static bool holds(const privy_map_slot *slot, const char *key, size_t length, uint64_t hash) {
  return slot->key && slot->hash == hash && slot->length == length &&
         (length == 0 || memcmp(slot->key, key, length) == 0);
}

/* The slot of the key, or NULL. */
static privy_map_slot *find(const privy_map *map, const char *key, size_t length, uint64_t hash) {
  if (map->capacity == 0) return NULL;
  const size_t mask = map->capacity - 1;
  for (size_t at = (size_t)hash & mask;; at = (at + 1) & mask) {
    privy_map_slot *slot = &map->slots[at];
    if (holds(slot, key, length, hash)) return slot;
    if (!slot->key && !slot->removed) return NULL;
  }
}

/* The first slot without a key in the probe sequence. */
static privy_map_slot *vacant(privy_map_slot *slots, size_t capacity, uint64_t hash) {
  size_t at = (size_t)hash & (capacity - 1);
  while (slots[at].key) at = (at + 1) & (capacity - 1);
  return &slots[at];
}

/* Keeps a quarter of the slots empty; a table full of removed keys is cleaned instead of enlarged. */
static bool make_room(privy_map *map) {
  if (map->used < map->capacity / 4 * 3) return true;
  size_t capacity = map->capacity ? map->capacity : 8;
  if (map->count >= capacity / 2) {
    if (capacity > SIZE_MAX / 2) return false;
    capacity *= 2;
  }
  privy_map_slot *slots = privy_calloc(capacity, sizeof *slots);
  if (!slots) return false;
  for (size_t i = 0; i < map->capacity; i++) {
    if (map->slots[i].key) *vacant(slots, capacity, map->slots[i].hash) = map->slots[i];
  }
  privy_free(map->slots);
  map->slots = slots;
  map->capacity = capacity;
  map->used = map->count;
  return true;
}

void privy_map_clear(privy_map *map) {
  if (!map) return;
  for (size_t i = 0; i < map->capacity; i++) privy_free(map->slots[i].key);
  privy_free(map->slots);
  *map = (privy_map){0};
}

size_t privy_map_get(const privy_map *map, const char *key, size_t length) {
  const privy_map_slot *slot = find(map, key, length, hash_of(key, length));
  return slot ? slot->value : PRIVY_MAP_NONE;
}

bool privy_map_set(privy_map *map, const char *key, size_t length, size_t value) {
  const uint64_t hash = hash_of(key, length);
  privy_map_slot *slot = find(map, key, length, hash);
  if (slot) {
    slot->value = value;
    return true;
  }
  if (!make_room(map)) return false;
  char *copy = privy_copy(key, length);
  if (!copy) return false;
  slot = vacant(map->slots, map->capacity, hash);
  if (!slot->removed) map->used++;
  *slot = (privy_map_slot){copy, length, value, hash, false};
  map->count++;
  return true;
}

void privy_map_remove(privy_map *map, const char *key, size_t length) {
  privy_map_slot *slot = find(map, key, length, hash_of(key, length));
  if (!slot) return;
  privy_free(slot->key);
  *slot = (privy_map_slot){.removed = true};
  map->count--;
}

bool privy_map_copy(privy_map *out, const privy_map *map) {
  *out = (privy_map){0};
  if (map->capacity == 0) return true;
  out->slots = privy_calloc(map->capacity, sizeof *out->slots);
  if (!out->slots) return false;
  out->capacity = map->capacity;
  out->used = map->used;
  out->count = map->count;
  for (size_t i = 0; i < map->capacity; i++) {
    out->slots[i] = map->slots[i];
    if (!map->slots[i].key) continue;
    out->slots[i].key = privy_copy(map->slots[i].key, map->slots[i].length);
    if (out->slots[i].key) continue;
    privy_map_clear(out); /* the slots after this one have no keys yet */
    return false;
  }
  return true;
}
