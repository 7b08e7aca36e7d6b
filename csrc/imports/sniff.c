#include "imports/sniff.h"

const char *privy_encoding_name(privy_encoding encoding) {
  static const char *const names[] = {"utf-8", "utf-8", "utf-8", "windows-1252", "utf-16-le", "utf-16-be"};
  return names[encoding];
}

/* What Windows-1252 has at 0x80 to 0x9f; 0: nothing. */
static const uint16_t windows[32] = {0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
                                     0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0,      0x017d, 0,
                                     0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                     0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

#define DAMAGED 0xfffd

static bool starts_with(const privy_buffer *input, const char *bytes, size_t count) {
  return input->length >= count && memcmp(input->data, bytes, count) == 0;
}

/* Takes the byte order mark; returns its length. */
static size_t take_mark(privy_encoding *encoding, const privy_buffer *input) {
  *encoding = PRIVY_ENCODING_ASCII;
  if (starts_with(input, "\xef\xbb\xbf", 3)) *encoding = PRIVY_ENCODING_UTF8;
  if (starts_with(input, "\xff\xfe", 2)) *encoding = PRIVY_ENCODING_UTF16_LE;
  if (starts_with(input, "\xfe\xff", 2)) *encoding = PRIVY_ENCODING_UTF16_BE;
  return *encoding == PRIVY_ENCODING_ASCII ? 0 : *encoding == PRIVY_ENCODING_UTF8 ? 3 : 2;
}

static size_t ascii_run(const char *text, size_t length) {
  size_t at = 0;
  while (at < length && (unsigned char)text[at] < 0x80) at++;
  return at;
}

PRIVY_NODISCARD static bool decode_windows(const privy_buffer *input, size_t *at, privy_buffer *out) {
  while (*at < input->length) {
    const size_t run = ascii_run(input->data + *at, input->length - *at);
    if (!privy_buffer_append(out, input->data + *at, run)) return false;
    *at += run;
    if (*at == input->length) break;
    const unsigned char byte = (unsigned char)input->data[(*at)++];
    const uint32_t scalar = byte >= 0xa0 ? byte : windows[byte - 0x80];
    if (!privy_buffer_scalar(out, scalar ? scalar : DAMAGED)) return false;
  }
  return true;
}

static uint32_t unit_at(const privy_buffer *input, size_t at, bool little) {
  const unsigned char *bytes = (const unsigned char *)input->data + at;
  return little ? (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 : (uint32_t)bytes[1] | (uint32_t)bytes[0] << 8;
}

PRIVY_NODISCARD static bool decode_utf16(const privy_buffer *input, size_t *at, bool little, bool last,
                                         privy_buffer *out) {
  while (input->length - *at >= 2) {
    uint32_t scalar = unit_at(input, *at, little);
    const bool high = scalar >= 0xd800 && scalar < 0xdc00;
    if (high && input->length - *at < 4 && !last) break;
    *at += 2;
    const uint32_t low = high && input->length - *at >= 2 ? unit_at(input, *at, little) : 0;
    if (low >= 0xdc00 && low < 0xe000) {
      scalar = 0x10000 + ((scalar - 0xd800) << 10) + (low - 0xdc00);
      *at += 2;
    } else if (scalar >= 0xd800 && scalar < 0xe000) {
      scalar = DAMAGED;
    }
    if (!privy_buffer_scalar(out, scalar)) return false;
  }
  if (last && *at < input->length) *at = input->length;
  return true;
}

/* UTF-8, or ASCII until a byte decides: a valid sequence of UTF-8 hardly ever is text of Windows-1252. */
PRIVY_NODISCARD static bool decode_utf8(privy_encoding *encoding, const privy_buffer *input, size_t *at, bool last,
                                        privy_buffer *out) {
  while (*at < input->length) {
    const char *text = input->data + *at;
    const size_t left = input->length - *at, run = privy_utf8_valid(text, left);
    if (!privy_buffer_append(out, text, run)) return false;
    *at += run;
    if (ascii_run(text, run) < run) *encoding = PRIVY_ENCODING_UTF8;
    if (run == left) break;
    if (!last && privy_utf8_whole(text + run, left - run) == 0) break;
    if (*encoding == PRIVY_ENCODING_ASCII) {
      *encoding = PRIVY_ENCODING_WINDOWS_1252;
      break;
    }
    ++*at;
    if (!privy_buffer_scalar(out, DAMAGED)) return false;
  }
  return true;
}

PRIVY_NODISCARD static bool decode(privy_encoding *encoding, const privy_buffer *input, size_t *at, bool last,
                                   privy_buffer *out) {
  bool done = true;
  if (*encoding == PRIVY_ENCODING_ASCII || *encoding == PRIVY_ENCODING_UTF8)
    done = decode_utf8(encoding, input, at, last, out);
  if (done && *encoding == PRIVY_ENCODING_WINDOWS_1252) done = decode_windows(input, at, out);
  if (*encoding == PRIVY_ENCODING_UTF16_LE || *encoding == PRIVY_ENCODING_UTF16_BE)
    done = decode_utf16(input, at, *encoding == PRIVY_ENCODING_UTF16_LE, last, out);
  return done;
}

bool privy_decode(privy_encoding *encoding, privy_buffer *input, bool last, privy_buffer *out) {
  if (*encoding == PRIVY_ENCODING_UNKNOWN && input->length < 3 && !last) return true;
  size_t at = *encoding == PRIVY_ENCODING_UNKNOWN ? take_mark(encoding, input) : 0;
  const bool done = decode(encoding, input, &at, last, out);
  if (at) memmove(input->data, input->data + at, input->length - at);
  input->length -= at;
  return done;
}

char privy_sniff_delimiter(privy_slice line, bool *named) {
  static const char candidates[] = {',', ';', '\t', '|'};
  size_t counts[sizeof candidates] = {0}, best = 0;
  bool quoted = false;
  *named = line.length == 5 && privy_text_starts(line.text, line.length, "sep=");
  if (*named) return line.text[4];
  for (size_t i = 0; i < line.length; i++) {
    if (line.text[i] == '"') quoted = !quoted;
    for (size_t j = 0; j < sizeof candidates && !quoted; j++) counts[j] += line.text[i] == candidates[j];
  }
  for (size_t j = 1; j < sizeof candidates; j++)
    if (counts[j] > counts[best]) best = j;
  return candidates[best];
}
