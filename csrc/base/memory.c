#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

/* Allocations left until the one that fails, itself included; 0: none is to fail. */
static _Thread_local size_t countdown;

static bool fails_now(void) {
  return countdown != 0 && --countdown == 0;
}

/* A request for nothing still gets a block, so that NULL always means that memory ran out. */
static size_t at_least_one(size_t size) {
  return size ? size : 1;
}

void privy_memory_fail_at(size_t nth) {
  countdown = nth;
}

bool privy_memory_failed(void) {
  return countdown == 0;
}

void *privy_alloc(size_t size) {
  return fails_now() ? NULL : malloc(at_least_one(size));
}

void *privy_realloc(void *memory, size_t size) {
  return fails_now() ? NULL : realloc(memory, at_least_one(size));
}

void privy_free(void *memory) {
  free(memory);
}

void *privy_calloc(size_t count, size_t size) {
  if (size && count > SIZE_MAX / size) return NULL;
  return fails_now() ? NULL : calloc(1, at_least_one(count * size));
}

char *privy_copy(const char *text, size_t length) {
  if (length == SIZE_MAX) return NULL;
  char *copy = privy_alloc(length + 1);
  if (!copy) return NULL;
  if (length) memcpy(copy, text, length);
  copy[length] = '\0';
  return copy;
}

void *privy_grow(void *items, size_t count, size_t *capacity, size_t size) {
  if (count < *capacity) return items;
  if (count > SIZE_MAX / 2 - 4) return NULL;
  const size_t wanted = count < 4 ? 4 : count * 2;
  if (size && wanted > SIZE_MAX / size) return NULL;
  void *moved = privy_realloc(items, wanted * size);
  if (moved) *capacity = wanted;
  return moved;
}
