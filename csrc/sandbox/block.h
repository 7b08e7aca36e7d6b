/* A block of text that stores share: it does not change once it is filled. Threads may release the same block. */
#ifndef PRIVY_SANDBOX_BLOCK_H
#define PRIVY_SANDBOX_BLOCK_H

#include <stdatomic.h>

#include "privy.h"

typedef struct privy_block {
  atomic_size_t references;
  char text[];
} privy_block;

/* A block of `size` bytes with one reference; NULL when memory runs out. */
PRIVY_NODISCARD privy_block *privy_block_new(size_t size);
/* NULL is allowed. */
privy_block *privy_block_retain(privy_block *block);
void privy_block_release(privy_block *block);

#endif
