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
  if (fault->operation) own->operation = privy_operation_find(fault->operation)->name;
  if (fault->body && !(own->body = privy_copy(fault->body, strlen(fault->body)))) return false;
  faults->count++;
  return true;
}

/* Operations with the same method and path send the same requests. */
static bool concerns(const privy_sandbox_fault *fault, const privy_operation *operation) {
  if (!fault->operation) return true;
  const privy_operation *wanted = privy_operation_find(fault->operation);
  return operation && strcmp(operation->path, wanted->path) == 0 && strcmp(operation->method, wanted->method) == 0;
}

/* Position of the first fault that concerns the operation; `count` if there is none. */
static size_t find(const privy_sandbox_faults *faults, const privy_operation *operation) {
  size_t i = 0;
  while (i < faults->count && !concerns(&faults->items[i], operation)) i++;
  return i;
}

const privy_sandbox_fault *privy_sandbox_faults_next(const privy_sandbox_faults *faults,
                                                     const privy_operation *operation) {
  const size_t i = find(faults, operation);
  return i < faults->count && faults->items[i].skip == 0 ? &faults->items[i] : NULL;
}

void privy_sandbox_faults_pass(privy_sandbox_faults *faults, const privy_operation *operation) {
  const size_t i = find(faults, operation);
  if (i == faults->count) return;
  privy_sandbox_fault *fault = &faults->items[i];
  if (fault->skip) {
    fault->skip--;
    return;
  }
  if (fault->count == 0 || --fault->count > 0) return;
  free_body(fault);
  memmove(fault, fault + 1, (--faults->count - i) * sizeof *fault);
}
