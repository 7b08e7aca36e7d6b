/* Lists of error details (privy_details of privy.h). */
#ifndef PRIVY_SCHEMA_DETAILS_H
#define PRIVY_SCHEMA_DETAILS_H

#include "base/text.h"
#include "privy.h"

/* The count of a detail whose rule has no limit. */
#define PRIVY_NO_LIMIT INT64_C(-1)

/* The code as text. */
const char *privy_detail_code_text(privy_detail_code code);
/* Adds a detail with copies of all texts. False, changing nothing, when memory runs out. */
PRIVY_NODISCARD bool privy_details_add(privy_details *details, privy_slice field, privy_slice message, privy_slice code,
                                       int64_t count);
/* Frees all details and leaves an empty list. */
void privy_details_clear(privy_details *details);

#endif
