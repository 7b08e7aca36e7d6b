/* The words of faults that depend on more than the field's kind. All append to a buffer and give false when memory runs
 * out. */
#ifndef PRIVY_SCHEMA_REASON_H
#define PRIVY_SCHEMA_REASON_H

#include "base/buffer.h"
#include "schema/schema.h"

#define PRIVY_REASON_MONEY "must be a number such as 95.00"
/* Follows the name of what stands for a missing value. */
#define PRIVY_REASON_MISSING ": leave out a value that is missing"

/* Why the operation does not take the enumeration's value at `position` (-1: the text is no value of it). */
PRIVY_NODISCARD bool privy_reason_enum_value(privy_buffer *out, const privy_operation *operation,
                                             const privy_field *field, int position);
/* What a field takes, for a value of another type. */
PRIVY_NODISCARD bool privy_reason_type(privy_buffer *out, const privy_operation *operation, const privy_field *field);
/* Why a text is not a number: it says NaN or infinite. NULL for any other text. */
const char *privy_reason_not_finite(const char *text, size_t length);
/* What the format asks for, and which character breaks it when that may be overlooked. `message` is the format's. */
PRIVY_NODISCARD bool privy_reason_format(privy_buffer *out, privy_format format, const char *message, const char *text,
                                         size_t length);
/* The limits of an integer; `large`: it lies above them. */
PRIVY_NODISCARD bool privy_reason_integer(privy_buffer *out, const privy_field *field, bool large);
/* Why the operation does not take a name, and which of its parameters may be meant. */
PRIVY_NODISCARD bool privy_reason_name(privy_buffer *out, const privy_operation *operation, const char *name,
                                       size_t length);

/* The parameter of the operation that the name most likely stands for; NULL when none is close. */
const privy_field *privy_suggest(const privy_operation *operation, const char *name, size_t length);

#endif
