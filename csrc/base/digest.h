/* SHA-256, as FIPS 180-4 defines it. */
#ifndef PRIVY_BASE_DIGEST_H
#define PRIVY_BASE_DIGEST_H

#include <stddef.h>
#include <stdint.h>

#define PRIVY_DIGEST_SIZE 32

typedef struct privy_digest {
  uint32_t state[8];
  uint64_t length; /* bytes so far */
  unsigned char block[64];
} privy_digest;

void privy_digest_init(privy_digest *digest);
void privy_digest_add(privy_digest *digest, const void *bytes, size_t length);
/* Writes the digest of all bytes added. Initialize it before you use it again. */
void privy_digest_end(privy_digest *digest, unsigned char out[PRIVY_DIGEST_SIZE]);

#endif
