#include "schema/faults.h"

#include "base/memory.h"

bool privy_faults_add(privy_faults *faults, const char *field, size_t field_length, const char *message,
                      size_t message_length) {
  privy_fault *items = privy_grow(faults->items, faults->count, &faults->capacity, sizeof *items);
  if (!items) return false;
  faults->items = items;
  char *field_copy = privy_copy(field, field_length);
  char *message_copy = privy_copy(message, message_length);
  if (!field_copy || !message_copy) {
    privy_free(field_copy);
    privy_free(message_copy);
    return false;
  }
  items[faults->count++] = (privy_fault){field_copy, message_copy};
  return true;
}

void privy_faults_clear(privy_faults *faults) {
  for (size_t i = 0; i < faults->count; i++) {
    privy_free(faults->items[i].field);
    privy_free(faults->items[i].message);
  }
  privy_free(faults->items);
  *faults = (privy_faults){0};
}
