#include "schema/details.h"

#include "base/memory.h"

static const privy_detail_code_info codes[] = {
#define X(id, code, counts, doc) {code, counts, doc},
    PRIVY_DETAIL_CODES(X)
#undef X
};

const privy_detail_code_info *privy_detail_code_at(size_t index) {
  return index < PRIVY_CODE_COUNT ? &codes[index] : NULL;
}

const char *privy_detail_code_text(privy_detail_code code) {
  return codes[code].code;
}

static void clear(privy_detail *detail) {
  privy_free(detail->field);
  privy_free(detail->message);
  privy_free(detail->code);
}

bool privy_details_add(privy_details *details, privy_slice field, privy_slice message, privy_slice code,
                       int64_t count) {
  privy_detail *items = privy_grow(details->items, details->count, &details->capacity, sizeof *items);
  if (!items) return false;
  details->items = items;
  privy_detail detail = {.field = privy_copy(field.text, field.length), .count = count};
  if (detail.field) detail.message = privy_copy(message.text, message.length);
  if (detail.message) detail.code = privy_copy(code.text, code.length);
  if (!detail.code) {
    clear(&detail);
    return false;
  }
  items[details->count++] = detail;
  return true;
}

void privy_details_clear(privy_details *details) {
  for (size_t i = 0; i < details->count; i++) clear(&details->items[i]);
  privy_free(details->items);
  *details = (privy_details){0};
}
