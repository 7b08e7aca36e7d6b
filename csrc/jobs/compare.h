/* A value of a row and the stored value of its field: whether they differ, and both together. Pure functions. */
#ifndef PRIVY_JOBS_COMPARE_H
#define PRIVY_JOBS_COMPARE_H

#include "policy/same.h"
#include "json/writer.h"

/* Whether the value is null or absent. */
bool privy_is_missing(privy_value value);
/* Whether sending the value would change the stored one. Lists are sets; numbers count by their value; an e-mail
 * address has no case. `field`: NULL for one that is not in the tables. */
bool privy_differs(privy_comparison *same, const privy_field *field, privy_value sent, privy_value stored);
/* Sets `*out` to the union of two lists, or to the stored object with the members of the other over its own. It is in
 * `room`. False when memory runs out. */
PRIVY_NODISCARD bool privy_merge(privy_comparison *same, const privy_field *field, privy_value stored, privy_value sent,
                                 privy_buffer *room, privy_value *out);
/* Writes a member of an object as it was read. */
void privy_write_member(privy_writer *writer, privy_value key, privy_value value);

#endif
