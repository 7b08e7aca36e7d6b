/* Finds out how a file is written: its encoding, by its bytes, and its delimiter, by its first line. */
#ifndef PRIVY_IMPORTS_SNIFF_H
#define PRIVY_IMPORTS_SNIFF_H

#include "base/buffer.h"
#include "base/text.h"

typedef enum privy_encoding {
  PRIVY_ENCODING_UNKNOWN, /* no byte was read */
  PRIVY_ENCODING_ASCII,   /* so far: the first byte beyond ASCII decides between UTF-8 and Windows-1252 */
  PRIVY_ENCODING_UTF8,
  PRIVY_ENCODING_WINDOWS_1252,
  PRIVY_ENCODING_UTF16_LE,
  PRIVY_ENCODING_UTF16_BE
} privy_encoding;

const char *privy_encoding_name(privy_encoding encoding);
/*
 * Decodes `input` into UTF-8 and appends it to `out`; sets the encoding when the bytes decide it. An incomplete
 * character at the end stays in `input`, unless `last`. Bytes that are invalid in the encoding become U+FFFD. False
 * when memory runs out.
 */
PRIVY_NODISCARD bool privy_decode(privy_encoding *encoding, privy_buffer *input, bool last, privy_buffer *out);
/* The delimiter of a line: of ',', ';', tab and '|' the one that is most often outside quotes; ',' if none is. A first
 * line "sep=;" names it: then `*named` is true. */
char privy_sniff_delimiter(privy_slice line, bool *named);

#endif
