/* Whether two values of JSON are the same for the API: texts with their escapes resolved, numbers by their value. Pure
 * functions of their arguments. */
#ifndef PRIVY_POLICY_SAME_H
#define PRIVY_POLICY_SAME_H

#include "base/buffer.h"
#include "base/text.h"
#include "schema/schema.h"
#include "json/reader.h"

/* Room for two decoded strings. Start with {0}. After a comparison that found no memory, its result means nothing. */
typedef struct privy_comparison {
  privy_buffer one, other;
  bool no_memory;
} privy_comparison;
void privy_comparison_clear(privy_comparison *state);

/* The text of a string, in `buffer` if it has escapes. */
privy_slice privy_comparison_text(privy_comparison *state, privy_value string, privy_buffer *buffer);
/* Whether both are strings with the same text. */
bool privy_same_text(privy_comparison *state, privy_value one, privy_value other, bool nocase);
/* Compares values of one field, or elements of a list. Containers are equal only if their JSON text is the same. */
bool privy_same_value(privy_comparison *state, privy_value one, privy_value other);
/* Whether a list has an element, or all elements of another list. */
bool privy_has_element(privy_comparison *state, privy_value list, privy_value wanted);
bool privy_has_elements(privy_comparison *state, privy_value list, privy_value wanted);
/* The last member with that key; PRIVY_ABSENT if there is none. */
privy_value privy_member_of(privy_comparison *state, privy_value object, privy_value wanted);
/* Whether an object has all members of another one, with the same values. */
bool privy_has_members(privy_comparison *state, privy_value object, privy_value wanted);
/* Whether the stored value, which may be an alias of a response, is the one that is sent. */
bool privy_same_enum_value(privy_comparison *state, const privy_enum *enum_values, privy_value sent,
                           privy_value stored);

#endif
