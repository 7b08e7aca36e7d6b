/* Conversions of values. */
#ifndef PRIVY_IMPORTS_CONVERT_H
#define PRIVY_IMPORTS_CONVERT_H

#include "imports/blank.h"
#include "imports/draft.h"

/* Without the prefix and the suffix that the mapping strips. */
privy_span privy_without_affixes(const privy_mapping *mapping, privy_span text);

typedef enum privy_converted {
  PRIVY_CONVERTED,
  PRIVY_CONVERTED_NOTHING, /* no value is sent */
  PRIVY_CONVERTED_FAULT    /* a fault is recorded, or memory ran out */
} privy_converted;

/* Converts the job's text by its mapping, and records the change. Appends to `out`, which is empty: JSON text if
 * `*raw`, else the characters of a string. Out of memory sets `failed` of the group's texts. */
privy_converted privy_convert(const privy_conversion_job *job, privy_buffer *out, bool *raw);

/* ---- conversions with files of their own; false: a fault is recorded, or memory ran out ---- */

PRIVY_NODISCARD bool privy_convert_time(const privy_conversion_job *job, privy_span text, privy_buffer *out);
PRIVY_NODISCARD bool privy_convert_phone(const privy_conversion_job *job, privy_span text, privy_buffer *out);
PRIVY_NODISCARD bool privy_convert_amount(const privy_conversion_job *job, privy_span text, privy_buffer *out);
PRIVY_NODISCARD bool privy_convert_nonzero(const privy_conversion_job *job, privy_span text, privy_buffer *out);
PRIVY_NODISCARD bool privy_convert_integer(const privy_conversion_job *job, privy_span text, privy_buffer *out);
PRIVY_NODISCARD bool privy_convert_currency(const privy_conversion_job *job, privy_span text, privy_buffer *out);

typedef enum privy_currency_result {
  PRIVY_CURRENCY_READ,
  PRIVY_CURRENCY_AMBIGUOUS, /* the sign of several currencies, and the import's own is none of them */
  PRIVY_CURRENCY_MISSING,   /* an amount without a sign, and the import has no currency of its own */
  PRIVY_CURRENCY_INVALID
} privy_currency_result;
/* The currency that a code, a sign or an amount names. `own` is that of the import, or empty. */
privy_currency_result privy_currency_read(privy_span text, privy_span own, char out[4]);

#endif
