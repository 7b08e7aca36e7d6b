/* What became of a lost write, by the contact that is there afterwards. Pure functions of their arguments. */
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

/* Whether the body of a contact subscribes it: sent twice, it could subscribe somebody who has unsubscribed between. */
PRIVY_NODISCARD bool privy_conflict_gives_consent(const char *sent, size_t length);

typedef enum privy_doubt {
  PRIVY_DOUBT_NOT_APPLIED, /* send the request: nothing has changed since, or nobody has opted out */
  PRIVY_DOUBT_APPLIED,     /* the contact has what was sent, apart from a consent that was withdrawn since */
  PRIVY_DOUBT_REMAINS      /* the contact has opted out and has other data: it may have had what was sent before */
} privy_doubt;
/*
 * Decides whether a lost request with the body `sent` was applied to the contact. `first_sent`: by the server's clock.
 * Sets `*out`. False when memory runs out.
 */
PRIVY_NODISCARD bool privy_conflict_judge(const char *sent, size_t length, const privy_record *contact,
                                          double first_sent, privy_doubt *out);

#endif
