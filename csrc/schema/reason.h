/* Error messages that depend on more than the field's kind. Each function appends to a buffer and returns false when
 * memory runs out. */
#ifndef PRIVY_SCHEMA_REASON_H
#define PRIVY_SCHEMA_REASON_H

#include "base/buffer.h"
#include "schema/schema.h"

#define PRIVY_REASON_MONEY "must be a number such as 95.00"
/* Follows the name of a value that represents a missing one. */
#define PRIVY_REASON_MISSING ": omit a field that has no value"

/* Why the operation does not accept the enum value at `position` (-1: the text is not a value of the enum). */
PRIVY_NODISCARD bool privy_reason_enum_value(privy_buffer *out, const privy_operation *operation,
                                             const privy_field *field, int position);
/* The code of that error. */
privy_detail_code privy_reason_enum_code(const privy_field *field, int position);
/* What type the field requires. */
PRIVY_NODISCARD bool privy_reason_type(privy_buffer *out, const privy_operation *operation, const privy_field *field);
/* The code of that error. */
privy_detail_code privy_reason_type_code(const privy_field *field);
/* Whether the text of a number is NaN. */
bool privy_reason_is_nan(const char *text, size_t length);
/* The error of a number that is NaN or infinite; NULL for any other text. */
const char *privy_reason_not_finite(const char *text, size_t length);
/* The format's `message`, and the character that breaks the format if it is easy to overlook. */
PRIVY_NODISCARD bool privy_reason_format(privy_buffer *out, privy_format format, const char *message, const char *text,
                                         size_t length);
/* The limits of an integer; `large`: it is above them. */
PRIVY_NODISCARD bool privy_reason_integer(privy_buffer *out, const privy_field *field, bool large);
/* That the operation has no parameter of that name, and a similar one if there is one. */
PRIVY_NODISCARD bool privy_reason_name(privy_buffer *out, const privy_operation *operation, const char *name,
                                       size_t length);

/* The parameter whose name is most similar; NULL if none is close. */
const privy_field *privy_suggest(const privy_operation *operation, const char *name, size_t length);
/* The position of the name that is most similar; SIZE_MAX if none is close. */
size_t privy_suggest_among(const privy_slice *names, size_t count, const char *name, size_t length);

#endif
