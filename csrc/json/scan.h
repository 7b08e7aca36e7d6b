/* Finds the special bytes of a string, eight bytes at a time. */
#ifndef PRIVY_JSON_SCAN_H
#define PRIVY_JSON_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__GNUC__)
#define PRIVY_NOINLINE __attribute__((noinline))
#else
#define PRIVY_NOINLINE
#endif

#define PRIVY_EVERY(byte) (UINT64_C(0x0101010101010101) * (byte))

/*
 * Sets the high bit of the first of eight bytes that is a quote, a backslash or a control character; other high bits
 * are undefined: those of bytes beyond ASCII, and those after the first match (the subtraction borrows). XOR with 2
 * maps a quote to 0x20, so that one comparison with 0x21 finds quotes and control characters.
 */
static inline uint64_t privy_mark_escaped(uint64_t bytes) {
  return ((bytes ^ PRIVY_EVERY(2)) - PRIVY_EVERY(0x21)) | ((bytes ^ PRIVY_EVERY('\\')) - PRIVY_EVERY(1));
}

/* Whether both have the same bytes. A call of memcmp would take longer than comparing a short text. */
static inline bool privy_same_bytes(const char *left, const char *right, size_t length) {
  uint64_t head[2], tail[2];
  if (length < sizeof *head || length > 2 * sizeof *head) return memcmp(left, right, length) == 0;
  memcpy(&head[0], left, sizeof *head);
  memcpy(&head[1], right, sizeof *head);
  memcpy(&tail[0], left + length - sizeof *tail, sizeof *tail);
  memcpy(&tail[1], right + length - sizeof *tail, sizeof *tail);
  return head[0] == head[1] && tail[0] == tail[1];
}

/* Copies bytes. A call of memcpy would take longer than copying a short text. */
static inline void privy_copy_bytes(char *to, const char *from, size_t length) {
  uint64_t head, tail;
  if (length < sizeof head || length > 2 * sizeof head) {
    if (length) memcpy(to, from, length);
    return;
  }
  memcpy(&head, from, sizeof head);
  memcpy(&tail, from + length - sizeof tail, sizeof tail);
  memcpy(to, &head, sizeof head);
  memcpy(to + length - sizeof tail, &tail, sizeof tail);
}

/* The first quote, backslash or control character, or, with `ascii`, the first byte beyond ASCII;
 * `end` when there is none. */
static inline const char *privy_skip_plain(const char *at, const char *end, bool ascii) {
  for (uint64_t bytes; end - at >= 8; at += 8) {
    memcpy(&bytes, at, sizeof bytes);
    const uint64_t marks = ascii ? privy_mark_escaped(bytes) | bytes : privy_mark_escaped(bytes) & ~bytes;
    if (!(marks & PRIVY_EVERY(0x80))) continue;
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    return at + (unsigned)__builtin_ctzll(marks & PRIVY_EVERY(0x80)) / 8;
#else
    break;
#endif
  }
  for (; at < end; at++) {
    const unsigned char byte = (unsigned char)*at;
    if (byte < ' ' || byte == '"' || byte == '\\' || (ascii && byte >= 0x80)) break;
  }
  return at;
}

/* Up to seven bytes, some of them possibly twice; spaces fill the rest. */
static inline uint64_t privy_few_bytes(const char *text, size_t length) {
  uint32_t head, tail;
  if (length >= sizeof head) {
    memcpy(&head, text, sizeof head);
    memcpy(&tail, text + length - sizeof tail, sizeof tail);
    return (uint64_t)tail << 32 | head;
  }
  uint64_t bytes = PRIVY_EVERY(' ');
  for (size_t i = 0; i < length; i++) bytes = bytes << 8 | (unsigned char)text[i];
  return bytes;
}

/* Whether the text needs no JSON escape. Sets `*ascii` to whether all of it is ASCII. */
static inline bool privy_is_plain(const char *text, size_t length, bool *ascii) {
  uint64_t bytes = privy_few_bytes(text, length < sizeof bytes ? length : 0);
  uint64_t marks = privy_mark_escaped(bytes) & ~bytes, seen = bytes;
  for (size_t at = 0; at + sizeof bytes <= length; at += sizeof bytes) {
    memcpy(&bytes, text + at, sizeof bytes);
    marks |= privy_mark_escaped(bytes) & ~bytes;
    seen |= bytes;
  }
  if (length > sizeof bytes) {
    memcpy(&bytes, text + length - sizeof bytes, sizeof bytes);
    marks |= privy_mark_escaped(bytes) & ~bytes;
    seen |= bytes;
  }
  *ascii = !(seen & PRIVY_EVERY(0x80));
  return !(marks & PRIVY_EVERY(0x80));
}

#endif
