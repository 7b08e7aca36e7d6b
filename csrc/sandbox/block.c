#include "sandbox/block.h"

#include "base/memory.h"

privy_block *privy_block_new(size_t size) {
  if (size > SIZE_MAX - sizeof(privy_block)) return NULL;
  privy_block *block = privy_alloc(sizeof *block + size);
  if (block) atomic_init(&block->references, 1);
  return block;
}

privy_block *privy_block_retain(privy_block *block) {
  if (block) atomic_fetch_add(&block->references, 1);
  return block;
}

void privy_block_release(privy_block *block) {
  if (block && atomic_fetch_sub(&block->references, 1) == 1) privy_free(block);
}
