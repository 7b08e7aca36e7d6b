/*
 * Characters that are not visible, or that a terminal executes (controls, invisible characters, bidirectional
 * marks), and text that is safe to show in one line.
 */
#ifndef PRIVY_BASE_VISIBLE_H
#define PRIVY_BASE_VISIBLE_H

#include "base/buffer.h"

/* The Unicode scalar at the start of `text`; `bytes` is its privy_utf8_sequence, not 0. */
uint32_t privy_utf8_scalar(const char *text, size_t bytes);
/* True for a control or invisible character. The space is visible. */
bool privy_is_invisible(uint32_t scalar);
/* Position of the first such character; `length` when there is none. Skips bytes that are not UTF-8. */
size_t privy_find_invisible(const char *text, size_t length);
/* Writes "U+200B (zero width space)", without the name if the table has none: at most PRIVY_CHARACTER_ROOM bytes.
 */
#define PRIVY_CHARACTER_ROOM 48
void privy_name_character(uint32_t scalar, char out[PRIVY_CHARACTER_ROOM]);

/* Appends valid UTF-8 in one line: invisible characters as JSON escapes them, wrong bytes as U+FFFD. */
PRIVY_NODISCARD bool privy_buffer_visible(privy_buffer *buffer, const char *text, size_t length);
/* Writes the same into `size` bytes, including the final NUL; cuts what does not fit. */
void privy_copy_visible(char *out, size_t size, const char *text, size_t length);
/* Appends a name: unchanged if all of it is visible, else in quotes with JSON escapes. */
PRIVY_NODISCARD bool privy_buffer_name(privy_buffer *buffer, const char *text, size_t length);
/* Appends the text with each wrong byte as U+FFFD. */
PRIVY_NODISCARD bool privy_buffer_utf8(privy_buffer *buffer, const char *text, size_t length);

#endif
