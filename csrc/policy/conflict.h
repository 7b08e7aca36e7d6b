/* Whose contact stands in the way of a create. A pure function of what it is given. */
#ifndef PRIVY_POLICY_CONFLICT_H
#define PRIVY_POLICY_CONFLICT_H

#include "privy.h"

/*
 * A create was answered 409, and an earlier attempt of it was lost. `*ours` becomes whether the contact that exists is
 * the work of that attempt: it holds every field of the `sent` body, and was created, or updated (a deleted contact
 * that matches is restored), no earlier than `first_sent` by the server's clock. Fields that answers do not hold say
 * nothing. False when memory runs out.
 */
PRIVY_NODISCARD bool privy_conflict_created_by_us(const char *sent, size_t length, const privy_record *contact,
                                                  double first_sent, bool *ours);

#endif
