/* Slices of text and UTF-8. Nothing here allocates, and nothing depends on the locale. */
#ifndef PRIVY_BASE_TEXT_H
#define PRIVY_BASE_TEXT_H

#include <string.h>

#include "privy.h"

typedef struct privy_slice {
  const char *text;
  size_t length;
} privy_slice;

/* Bytes of the valid UTF-8 character at the start of `text`, which is not empty; 0 if there is none. */
size_t privy_utf8_sequence(const char *text, size_t length);
/* Length of the valid UTF-8 run at the start of `text`: equal to `length` when all of it is valid. Overlong forms,
 * surrogates and values past U+10FFFF are invalid. */
size_t privy_utf8_valid(const char *text, size_t length);
/* The length without an incomplete character at the end. */
size_t privy_utf8_whole(const char *text, size_t length);
/* Number of characters (code points) in valid UTF-8. */
size_t privy_utf8_count(const char *text, size_t length);

/* True when the slice is exactly the C string `other`. */
static inline bool privy_text_is(const char *text, size_t length, const char *other) {
  return strlen(other) == length && (length == 0 || memcmp(text, other, length) == 0);
}
static inline bool privy_text_starts(const char *text, size_t length, const char *prefix) {
  const size_t wanted = strlen(prefix);
  return wanted <= length && (wanted == 0 || memcmp(text, prefix, wanted) == 0);
}
/* With A-Z equal to a-z. */
bool privy_text_equal_nocase(const char *a, size_t a_length, const char *b, size_t b_length);
static inline bool privy_text_is_nocase(const char *text, size_t length, const char *other) {
  return strlen(other) == length && privy_text_equal_nocase(text, length, other, length);
}
/* ASCII only. */
char privy_lower(char byte);
static inline bool privy_is_digit(char byte) {
  return byte >= '0' && byte <= '9';
}
bool privy_is_alnum(char byte);
/* Value of a hexadecimal digit, or -1. */
int privy_hex_value(char byte);
/* Drops spaces and tabs at both ends. */
privy_slice privy_trim(const char *text, size_t length);
/*
 * Takes the next word of a list separated by `separator` (repeated separators count once): advances
 * `*list` past it. False at the end.
 */
bool privy_next_word(privy_slice *list, char separator, privy_slice *word);
/* Most bytes of an int64 in decimal. */
#define PRIVY_INT64_LENGTH 20
/* Writes the value in decimal, without a NUL; returns how many bytes that took. */
size_t privy_format_int64(int64_t value, char out[PRIVY_INT64_LENGTH]);
/* Reads all of `text` as a decimal int64; false on anything else or overflow. A leading minus is allowed. */
bool privy_parse_int64(const char *text, size_t length, int64_t *out);

/* Header lines of a block "Name: value" CRLF (or LF). */
typedef struct privy_header {
  privy_slice name;
  privy_slice value; /* trimmed */
} privy_header;
/* Takes the next header line from `*block`; skips lines without a colon. False at the end. */
bool privy_next_header(privy_slice *block, privy_header *out);
/* The first header of that name, ignoring case; false if the block has none. */
bool privy_find_header(const char *block, size_t length, const char *name, privy_slice *value);
/* True for the name of a header whose value may be a secret; ignores case. */
bool privy_is_secret_header(privy_slice name);

#endif
