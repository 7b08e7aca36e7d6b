#include "base/visible.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/text.h"

/* What Unicode calls control, format, line and paragraph separator and space, but for U+0020, and what it shows as
 * nothing or as a sign of loss. In order. */
static const struct {
  uint32_t first, last;
  const char *name; /* "": none that is short */
} invisible[] = {
    {0x0000, 0x0000, "NUL"},
    {0x0001, 0x0008, ""},
    {0x0009, 0x0009, "tab"},
    {0x000A, 0x000A, "line feed"},
    {0x000B, 0x000C, ""},
    {0x000D, 0x000D, "carriage return"},
    {0x000E, 0x001A, ""},
    {0x001B, 0x001B, "escape"},
    {0x001C, 0x001F, ""},
    {0x007F, 0x007F, "delete"},
    {0x0080, 0x0084, ""},
    {0x0085, 0x0085, "next line"},
    {0x0086, 0x009F, ""},
    {0x00A0, 0x00A0, "no-break space"},
    {0x00AD, 0x00AD, "soft hyphen"},
    {0x034F, 0x034F, "combining grapheme joiner"},
    {0x061C, 0x061C, "Arabic letter mark"},
    {0x115F, 0x1160, "Hangul filler"},
    {0x1680, 0x1680, "Ogham space mark"},
    {0x17B4, 0x17B5, ""},
    {0x180B, 0x180F, ""},
    {0x2000, 0x200A, "wide or thin space"},
    {0x200B, 0x200B, "zero width space"},
    {0x200C, 0x200C, "zero width non-joiner"},
    {0x200D, 0x200D, "zero width joiner"},
    {0x200E, 0x200E, "left-to-right mark"},
    {0x200F, 0x200F, "right-to-left mark"},
    {0x2028, 0x2028, "line separator"},
    {0x2029, 0x2029, "paragraph separator"},
    {0x202A, 0x202E, "bidirectional mark"},
    {0x202F, 0x202F, "narrow no-break space"},
    {0x205F, 0x205F, "mathematical space"},
    {0x2060, 0x2060, "word joiner"},
    {0x2061, 0x2065, ""},
    {0x2066, 0x2069, "bidirectional mark"},
    {0x206A, 0x206F, ""},
    {0x2800, 0x2800, "Braille blank"},
    {0x3000, 0x3000, "ideographic space"},
    {0x3164, 0x3164, "Hangul filler"},
    {0xFE00, 0xFE0F, "variation selector"},
    {0xFEFF, 0xFEFF, "byte order mark"},
    {0xFFA0, 0xFFA0, "Hangul filler"},
    {0xFFF0, 0xFFFB, ""},
    {0xFFFD, 0xFFFD, "replacement character"},
    {0xFFFE, 0xFFFF, ""},
    {0x1BCA0, 0x1BCA3, ""},
    {0x1D173, 0x1D17A, ""},
    {0xE0000, 0xE0FFF, ""},
};
#define RANGES (sizeof invisible / sizeof invisible[0])

/* The range of the character; RANGES when there is none. */
static size_t range_of(uint32_t scalar) {
  for (size_t i = 0; i < RANGES && scalar >= invisible[i].first; i++)
    if (scalar <= invisible[i].last) return i;
  return RANGES;
}

uint32_t privy_utf8_scalar(const char *text, size_t bytes) {
  const unsigned char lead = (unsigned char)text[0];
  if (bytes == 1) return lead;
  uint32_t scalar = lead & (0x7Fu >> bytes);
  for (size_t i = 1; i < bytes; i++) scalar = scalar << 6 | ((unsigned char)text[i] & 0x3Fu);
  return scalar;
}

bool privy_is_invisible(uint32_t scalar) {
  if (scalar < 0x80) return scalar < ' ' || scalar == 0x7F;
  return range_of(scalar) != RANGES;
}

size_t privy_find_invisible(const char *text, size_t length) {
  for (size_t at = 0; at < length;) {
    const size_t bytes = privy_utf8_sequence(text + at, length - at);
    if (bytes && privy_is_invisible(privy_utf8_scalar(text + at, bytes))) return at;
    at += bytes ? bytes : 1;
  }
  return length;
}

void privy_name_character(uint32_t scalar, char out[PRIVY_CHARACTER_ROOM]) {
  const size_t range = range_of(scalar);
  const char *name = range < RANGES ? invisible[range].name : "";
  if (scalar > ' ' && scalar < 0x7F)
    snprintf(out, PRIVY_CHARACTER_ROOM, "U+%04" PRIX32 " (%c)", scalar, (char)scalar);
  else if (scalar == ' ' || *name)
    snprintf(out, PRIVY_CHARACTER_ROOM, "U+%04" PRIX32 " (%s)", scalar, *name ? name : "space");
  else
    snprintf(out, PRIVY_CHARACTER_ROOM, "U+%04" PRIX32, scalar);
}

/* ---- appending --------------------------------------------------------------------------------------------------- */

PRIVY_NODISCARD static bool append_escape(privy_buffer *buffer, uint32_t scalar) {
  static const char letters[] = "\bb\tt\nn\ff\rr";
  for (const char *at = letters; scalar && *at; at += 2)
    if ((uint32_t)*at == scalar) return privy_buffer_byte(buffer, '\\') && privy_buffer_byte(buffer, at[1]);
  if (scalar < 0x10000) return privy_buffer_format(buffer, "\\u%04" PRIx32, scalar);
  const uint32_t rest = scalar - 0x10000;
  return privy_buffer_format(buffer, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
}

/* What append_each does with the character at the start of `text`: `bytes` of it, 0 for a wrong byte. */
typedef bool append_function(privy_buffer *buffer, const char *text, size_t bytes);

PRIVY_NODISCARD static bool append_each(privy_buffer *buffer, const char *text, size_t length,
                                        append_function *append) {
  for (size_t at = 0, bytes; at < length; at += bytes ? bytes : 1) {
    bytes = privy_utf8_sequence(text + at, length - at);
    if (!append(buffer, text + at, bytes)) return false;
  }
  return true;
}

static bool append_utf8(privy_buffer *buffer, const char *text, size_t bytes) {
  return bytes ? privy_buffer_append(buffer, text, bytes) : privy_buffer_scalar(buffer, 0xFFFD);
}

static bool append_visible(privy_buffer *buffer, const char *text, size_t bytes) {
  const uint32_t scalar = bytes ? privy_utf8_scalar(text, bytes) : 0xFFFD;
  const bool shown = scalar == 0xFFFD || !privy_is_invisible(scalar);
  return shown ? append_utf8(buffer, text, bytes) : append_escape(buffer, scalar);
}

static bool append_quoted(privy_buffer *buffer, const char *text, size_t bytes) {
  if (*text == '"' || *text == '\\') return privy_buffer_byte(buffer, '\\') && privy_buffer_byte(buffer, *text);
  return append_visible(buffer, text, bytes);
}

bool privy_buffer_utf8(privy_buffer *buffer, const char *text, size_t length) {
  return append_each(buffer, text, length, append_utf8);
}

bool privy_buffer_visible(privy_buffer *buffer, const char *text, size_t length) {
  return append_each(buffer, text, length, append_visible);
}

void privy_copy_visible(char *out, size_t size, const char *text, size_t length) {
  for (size_t at = 0, bytes; at < length; at += bytes ? bytes : 1) {
    char room[16]; /* more than the longest escape */
    privy_buffer one = {room, 0, sizeof room};
    bytes = privy_utf8_sequence(text + at, length - at);
    if (!append_visible(&one, text + at, bytes) || one.length >= size) break;
    memcpy(out, room, one.length);
    out += one.length;
    size -= one.length;
  }
  *out = '\0';
}

static bool is_seen(const char *text, size_t length) {
  return length && text[0] != ' ' && text[length - 1] != ' ' && privy_find_invisible(text, length) == length &&
         privy_utf8_valid(text, length) == length;
}

bool privy_buffer_name(privy_buffer *buffer, const char *text, size_t length) {
  if (is_seen(text, length)) return privy_buffer_append(buffer, text, length);
  return privy_buffer_byte(buffer, '"') && append_each(buffer, text, length, append_quoted) &&
         privy_buffer_byte(buffer, '"');
}
