/*
 * The contacts that a sweep has read: 8 bytes of a digest for each, and 4 bytes that tell its versions apart, in 24 to
 * 48 bytes of memory. The keys of a million contacts are distinct with a probability of more than 0.9999998.
 */
#ifndef PRIVY_JOBS_CONTACT_SET_H
#define PRIVY_JOBS_CONTACT_SET_H

#include "privy.h"

/* Start with {0}. */
typedef struct privy_contact_set {
  uint64_t *keys;     /* 0: a free slot */
  uint32_t *versions; /* of each slot: that of the contact when it was added to the chain; 0: it is not in it */
  size_t count, chained, capacity;
} privy_contact_set;

/* The value that identifies a contact: its id, or else its e-mail address or phone number. */
privy_value privy_contact_identity(const privy_record *contact);
/* The key of the text of that value. */
uint64_t privy_contact_key(const char *text, size_t length);
/* A number of its updated_at, not 0: a contact that has changed, or that was deleted and restored, has another one. */
uint32_t privy_contact_version(const char *updated_at, size_t length);

void privy_contact_set_clear(privy_contact_set *set);
bool privy_contact_set_has(const privy_contact_set *set, uint64_t key);
/* Whether this version of the contact is in the chain. */
bool privy_contact_set_is_chained(const privy_contact_set *set, uint64_t key, uint32_t version);
/* Adds the key unless it is there or 0. A version that is not 0 adds it to the chain. False when memory runs out. */
PRIVY_NODISCARD bool privy_contact_set_add(privy_contact_set *set, uint64_t key, uint32_t version);
/* Empties the chain, and keeps the keys. */
void privy_contact_set_unchain(privy_contact_set *set);

#endif
