/* Whether a 409 is about a contact that we created. A pure function of its arguments. */
#ifndef PRIVY_POLICY_CONFLICT_H
#define PRIVY_POLICY_CONFLICT_H

#include "privy.h"

/*
 * For a create that received a 409 after an earlier attempt was lost. Sets `*ours` to whether that attempt created the
 * existing contact: the contact has every field of the `sent` body, and its created_at or updated_at is not before
 * `first_sent`, by the server's clock (a create restores a deleted contact and sets only updated_at). Fields that
 * responses do not contain are not compared. False when memory runs out.
 */
PRIVY_NODISCARD bool privy_conflict_created_by_us(const char *sent, size_t length, const privy_record *contact,
                                                  double first_sent, bool *ours);

#endif
