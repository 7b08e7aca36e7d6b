/* Lists of error details (privy_details of privy.h). */
#ifndef PRIVY_SCHEMA_DETAILS_H
#define PRIVY_SCHEMA_DETAILS_H

#include "privy.h"

/* Adds a detail with copies of both texts. False, changing nothing, when memory runs out. */
PRIVY_NODISCARD bool privy_details_add(privy_details *details, const char *field, size_t field_length,
                                       const char *message, size_t message_length);
/* Frees all details and leaves an empty list. */
void privy_details_clear(privy_details *details);

#endif
