#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "message/error.h"
#include "schema/details.h"

/* Details that the message lists; the error has all of them. */
#define LISTED 5

static privy_slice slice_of(const char *text) {
  return (privy_slice){text, strlen(text)};
}

privy_status privy_error_add_row(privy_error *error, uint64_t row, const char *field, const char *message,
                                 const char *code, int64_t count) {
  privy_buffer name = PRIVY_BUFFER_EMPTY;
  const bool added = privy_buffer_format(&name, "[%llu].", (unsigned long long)row) &&
                     privy_buffer_text(&name, field) &&
                     privy_details_add(&error->details, (privy_slice){name.data, name.length}, slice_of(message),
                                       slice_of(code), count);
  privy_buffer_clear(&name);
  return added ? PRIVY_OK : privy_error_no_memory(error);
}

/* The row that "[12].email" names. */
static uint64_t row_of(const privy_detail *detail) {
  return strtoull(detail->field + 1, NULL, 10);
}

/* Rows with an error: the details of a row are consecutive. */
static size_t count_rows(const privy_details *details) {
  size_t count = 0;
  for (size_t i = 0; i < details->count; i++)
    if (i == 0 || row_of(&details->items[i]) != row_of(&details->items[i - 1])) count++;
  return count;
}

static bool list(privy_buffer *out, const privy_details *details) {
  bool done = true;
  for (size_t i = 0; done && i < details->count && i < LISTED; i++) {
    const privy_detail *detail = &details->items[i];
    done = privy_buffer_format(out, "%srow %llu: ", i ? "; " : "", (unsigned long long)row_of(detail)) &&
           privy_buffer_text(out, strchr(detail->field, '.') + 1) && privy_buffer_byte(out, ' ') &&
           privy_buffer_text(out, detail->message);
  }
  if (!done || details->count <= LISTED) return done;
  const size_t more = details->count - LISTED;
  return privy_buffer_format(out, "; and %zu more error%s", more, more == 1 ? "" : "s");
}

privy_status privy_error_refuse_rows(privy_error *error, uint64_t rows) {
  privy_buffer text = PRIVY_BUFFER_EMPTY, masked = PRIVY_BUFFER_EMPTY;
  privy_status status = PRIVY_NO_MEMORY;
  const size_t invalid = count_rows(&error->details);
  if (privy_buffer_format(&text, "%zu of %llu row%s %s invalid, nothing was sent: ", invalid, (unsigned long long)rows,
                          rows == 1 ? "" : "s", invalid == 1 ? "is" : "are") &&
      list(&text, &error->details) && privy_mask(text.data, text.length, &masked) == PRIVY_OK)
    status = privy_error_line(error, PRIVY_VALIDATION, masked.data, masked.length);
  privy_buffer_clear(&text);
  privy_buffer_clear(&masked);
  return status == PRIVY_NO_MEMORY ? privy_error_no_memory(error) : status;
}
