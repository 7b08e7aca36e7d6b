/* What identifies a row of a journal, and its content. Pure functions of the request. */
#ifndef PRIVY_JOBS_IDENTITY_H
#define PRIVY_JOBS_IDENTITY_H

#include "message/request.h"

#define PRIVY_HASH_SIZE 16

/* Start with {0}; clear it after use. */
typedef struct privy_identity {
  privy_buffer key;   /* "order_id=1001", "email=jane@example.com"; of a row without keys "content=" and the hash */
  privy_buffer other; /* the second key of a contact with an e-mail address and a phone number; empty: none */
  bool replaces;      /* a row replaces what earlier rows of its keys wrote: contacts and orders, not events */
  unsigned char hash[PRIVY_HASH_SIZE]; /* of the content: equal for bodies with equal members in any order */
} privy_identity;

/* Reads a finished request. False when memory runs out. */
PRIVY_NODISCARD bool privy_identity_read(const privy_request *request, privy_identity *out);
/* Appends the first key of a request that may be invalid, if it has one; its body is JSON. False when memory runs out.
 */
PRIVY_NODISCARD bool privy_identity_read_key(const privy_request *request, privy_buffer *out);
void privy_identity_clear(privy_identity *identity);

#endif
