/* Lists of faults (privy_faults of privy.h). */
#ifndef PRIVY_SCHEMA_FAULTS_H
#define PRIVY_SCHEMA_FAULTS_H

#include "privy.h"

/* Adds a fault with copies of both texts. False, changing nothing, when memory runs out. */
PRIVY_NODISCARD bool privy_faults_add(privy_faults *faults, const char *field, size_t field_length, const char *message,
                                      size_t message_length);
/* Frees all faults and leaves an empty list. */
void privy_faults_clear(privy_faults *faults);

#endif
