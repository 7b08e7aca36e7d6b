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

void privy_sandbox_faults_clear(privy_sandbox_faults *failures) {
  for (size_t i = 0; i < failures->count; i++) free_body(&failures->items[i]);
  privy_free(failures->items);
  *failures = (privy_sandbox_faults){0};
}

bool privy_sandbox_faults_add(privy_sandbox_faults *failures, const privy_sandbox_fault *fault) {
  privy_sandbox_fault *items =
      privy_grow(failures->items, failures->count, &failures->capacity, sizeof *failures->items);
  if (!items) return false;
  failures->items = items;
  privy_sandbox_fault *own = &items[failures->count];
  *own = *fault;
  if (fault->body && !(own->body = privy_copy(fault->body, strlen(fault->body)))) return false;
  failures->count++;
  return true;
}

const privy_sandbox_fault *privy_sandbox_faults_next(const privy_sandbox_faults *failures) {
  return failures->count && failures->items->skip == 0 ? failures->items : NULL;
}

void privy_sandbox_faults_pass(privy_sandbox_faults *failures) {
  if (failures->count == 0) return;
  privy_sandbox_fault *first = failures->items;
  if (first->skip) {
    first->skip--;
    return;
  }
  if (first->count == 0 || --first->count > 0) return;
  free_body(first);
  memmove(first, first + 1, --failures->count * sizeof *first);
}
