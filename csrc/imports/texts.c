#include "imports/texts.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define BLOCK_SIZE ((size_t)1000)
#define ALIGNMENT ((size_t)8)

struct privy_texts_block {
  privy_texts_block *next;
  size_t used, size; /* both are multiples of ALIGNMENT, so that each allocation is aligned for pointers */
  size_t padding;
  char bytes[];
};

void privy_texts_clear(privy_texts *texts) {
  while (texts->blocks) {
    privy_texts_block *block = texts->blocks;
    texts->blocks = block->next;
    privy_free(block);
  }
  *texts = (privy_texts){0};
}

static privy_texts_block *add_block(privy_texts *texts, size_t size) {
  const size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
  privy_texts_block *block = room > SIZE_MAX - sizeof *block ? NULL : privy_alloc(sizeof *block + room);
  if (!block) return NULL;
  *block = (privy_texts_block){.next = texts->blocks, .size = room};
  texts->blocks = block;
  return block;
}

char *privy_texts_bytes(privy_texts *texts, size_t wanted) {
  const size_t size = wanted <= SIZE_MAX - ALIGNMENT ? (wanted + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT : wanted;
  privy_texts_block *block = texts->blocks;
  if (!block || block->size - block->used < size) block = add_block(texts, size);
  if (!block) {
    texts->failed = true;
    return NULL;
  }
  char *bytes = block->bytes + block->used;
  block->used += size;
  return bytes;
}

privy_span privy_texts_copy(privy_texts *texts, const char *text, size_t length) {
  char *copy = privy_texts_bytes(texts, length + 1);
  if (!copy) return (privy_span){"", 0};
  if (length) memcpy(copy, text, length);
  copy[length] = '\0';
  return (privy_span){copy, length};
}

privy_span privy_texts_format(privy_texts *texts, const char *format, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, format);
  const int length = vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  const size_t cut = length < 0 ? 0 : (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
  return privy_texts_copy(texts, text, privy_utf8_whole(text, cut));
}
