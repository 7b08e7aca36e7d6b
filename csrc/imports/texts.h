/* Memory for many short texts that are freed together. Texts do not move. */
#ifndef PRIVY_IMPORTS_TEXTS_H
#define PRIVY_IMPORTS_TEXTS_H

#include "base/text.h"
#include "privy_imports.h"

typedef struct privy_texts_block privy_texts_block;

/* Start with {0}. */
typedef struct privy_texts {
  privy_texts_block *blocks;
  bool failed; /* memory ran out once: texts may be missing */
} privy_texts;

void privy_texts_clear(privy_texts *texts);
/* Uninitialized bytes, aligned for pointers and int64_t; NULL, and `failed` is set, when memory runs out. */
char *privy_texts_bytes(privy_texts *texts, size_t size);
/* A copy of the text, with a NUL after it; an empty text, and `failed` is set, when memory runs out. */
privy_span privy_texts_copy(privy_texts *texts, const char *text, size_t length);
/* A text of a format, at most 511 bytes, without an incomplete character at its end. */
privy_span privy_texts_format(privy_texts *texts, const char *format, ...) PRIVY_PRINTF(2, 3);

#endif
