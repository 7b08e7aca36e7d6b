#include "sandbox/faults.h"

#include <string.h>

#include "base/memory.h"

/* The queue's own copy of a body may be freed. */
static void free_body(privy_sandbox_fault *fault) {
  union {
    const char *shown;
    char *own;
  } body = {fault->body};
  privy_free(body.own);
}

void privy_sandbox_faults_clear(privy_sandbox_faults *faults) {
  for (size_t i = 0; i < faults->count; i++) free_body(&faults->items[i]);
  privy_free(faults->items);
  *faults = (privy_sandbox_faults){0};
}

bool privy_sandbox_faults_add(privy_sandbox_faults *faults, const privy_sandbox_fault *fault) {
  privy_sandbox_fault *items = privy_grow(faults->items, faults->count, &faults->capacity, sizeof *faults->items);
  if (!items) return false;
  faults->items = items;
  privy_sandbox_fault *own = &items[faults->count];
  *own = *fault;
  if (fault->body && !(own->body = privy_copy(fault->body, strlen(fault->body)))) return false;
  faults->count++;
  return true;
}

const privy_sandbox_fault *privy_sandbox_faults_next(const privy_sandbox_faults *faults) {
  return faults->count && faults->items->skip == 0 ? faults->items : NULL;
}

void privy_sandbox_faults_pass(privy_sandbox_faults *faults) {
  if (faults->count == 0) return;
  privy_sandbox_fault *first = faults->items;
  if (first->skip) {
    first->skip--;
    return;
  }
  if (first->count == 0 || --first->count > 0) return;
  free_body(first);
  memmove(first, first + 1, --faults->count * sizeof *first);
}
