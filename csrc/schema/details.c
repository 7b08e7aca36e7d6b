#include "schema/details.h"

#include "base/memory.h"

bool privy_details_add(privy_details *details, const char *field, size_t field_length, const char *message,
                       size_t message_length) {
  privy_detail *items = privy_grow(details->items, details->count, &details->capacity, sizeof *items);
  if (!items) return false;
  details->items = items;
  char *field_copy = privy_copy(field, field_length);
  char *message_copy = privy_copy(message, message_length);
  if (!field_copy || !message_copy) {
    privy_free(field_copy);
    privy_free(message_copy);
    return false;
  }
  items[details->count++] = (privy_detail){field_copy, message_copy};
  return true;
}

void privy_details_clear(privy_details *details) {
  for (size_t i = 0; i < details->count; i++) {
    privy_free(details->items[i].field);
    privy_free(details->items[i].message);
  }
  privy_free(details->items);
  *details = (privy_details){0};
}
