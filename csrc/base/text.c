#include "base/text.h"

#include <string.h>

static bool is_continuation(unsigned char byte) {
  return (byte & 0xC0) == 0x80;
}

/* The table of RFC 3629: only the second byte's range depends on the first. */
size_t privy_utf8_sequence(const char *bytes, size_t length) {
  const unsigned char *text = (const unsigned char *)bytes;
  const unsigned char lead = text[0];
  if (lead < 0x80) return 1;
  if (lead < 0xC2 || lead > 0xF4) return 0;
  const size_t wanted = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (length < wanted) return 0;
  const unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
  if (text[1] < low || text[1] > high) return 0;
  for (size_t i = 2; i < wanted; i++) {
    if (!is_continuation(text[i])) return 0;
  }
  return wanted;
}

static size_t ascii_run(const unsigned char *text, size_t length) {
  size_t at = 0;
  for (uint64_t chunk; length - at >= sizeof chunk; at += sizeof chunk) {
    memcpy(&chunk, text + at, sizeof chunk);
    if (chunk & UINT64_C(0x8080808080808080)) break;
  }
  while (at < length && text[at] < 0x80) at++;
  return at;
}

size_t privy_utf8_valid(const char *text, size_t length) {
  const unsigned char *bytes = (const unsigned char *)text;
  size_t at = 0;
  while (at < length) {
    if (bytes[at] < 0x80) {
      at += ascii_run(bytes + at, length - at);
      continue;
    }
    const size_t taken = privy_utf8_sequence(text + at, length - at);
    if (taken == 0) break;
    at += taken;
  }
  return at;
}

size_t privy_utf8_whole(const char *text, size_t length) {
  for (size_t back = 1; back < 4 && back <= length; back++) {
    const unsigned char byte = (unsigned char)text[length - back];
    if (is_continuation(byte)) continue;
    const size_t wanted = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return wanted > back ? length - back : length;
  }
  return length;
}

size_t privy_utf8_count(const char *text, size_t length) {
  size_t count = 0;
  for (size_t i = 0; i < length; i++) count += !is_continuation((unsigned char)text[i]);
  return count;
}

bool privy_text_equal_nocase(const char *a, size_t a_length, const char *b, size_t b_length) {
  if (a_length != b_length) return false;
  for (size_t i = 0; i < a_length; i++) {
    if (a[i] != b[i] && privy_lower(a[i]) != privy_lower(b[i])) return false;
  }
  return true;
}

char privy_lower(char byte) {
  return byte >= 'A' && byte <= 'Z' ? (char)(byte + ('a' - 'A')) : byte;
}

bool privy_is_alnum(char byte) {
  const char lower = privy_lower(byte);
  return privy_is_digit(byte) || (lower >= 'a' && lower <= 'z');
}

int privy_hex_value(char byte) {
  const char lower = privy_lower(byte);
  if (privy_is_digit(byte)) return byte - '0';
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool is_blank(char byte) {
  return byte == ' ' || byte == '\t';
}

privy_slice privy_trim(const char *text, size_t length) {
  while (length && is_blank(text[length - 1])) length--;
  while (length && is_blank(*text)) text++, length--;
  return (privy_slice){text, length};
}

static void drop(privy_slice *slice, size_t length) {
  if (length == 0) return;
  slice->text += length;
  slice->length -= length;
}

bool privy_next_word(privy_slice *list, char separator, privy_slice *word) {
  size_t start = 0;
  while (start < list->length && list->text[start] == separator) start++;
  drop(list, start);
  size_t length = 0;
  while (length < list->length && list->text[length] != separator) length++;
  *word = (privy_slice){list->text, length};
  drop(list, length);
  return length != 0;
}

size_t privy_format_int64(int64_t value, char out[PRIVY_INT64_LENGTH]) {
  uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
  size_t length = value < 0 ? 2 : 1;
  for (uint64_t more = rest; more >= 10; more /= 10) length++;
  if (value < 0) *out = '-';
  for (size_t at = length; at > (value < 0); rest /= 10) out[--at] = (char)('0' + rest % 10);
  return length;
}

bool privy_parse_int64(const char *text, size_t length, int64_t *out) {
  const bool negative = length && *text == '-';
  const uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
  uint64_t value = 0;
  if (length == (size_t)negative) return false;
  for (size_t i = negative; i < length; i++) {
    if (!privy_is_digit(text[i])) return false;
    const uint64_t digit = (uint64_t)(text[i] - '0');
    if (value > INT64_MAX / 10) return false;
    value = value * 10 + digit;
    if (value > limit) return false;
  }
  *out = !negative ? (int64_t)value : value == limit ? INT64_MIN : -(int64_t)value;
  return true;
}

static privy_slice next_line(privy_slice *block) {
  const char *feed = memchr(block->text, '\n', block->length);
  size_t length = feed ? (size_t)(feed - block->text) : block->length;
  privy_slice line = {block->text, length};
  drop(block, feed ? length + 1 : length);
  if (line.length && line.text[line.length - 1] == '\r') line.length--;
  return line;
}

bool privy_next_header(privy_slice *block, privy_header *out) {
  while (block->length) {
    const privy_slice line = next_line(block);
    const char *colon = line.length ? memchr(line.text, ':', line.length) : NULL;
    if (!colon || colon == line.text) continue;
    const size_t name = (size_t)(colon - line.text);
    out->name = (privy_slice){line.text, name};
    out->value = privy_trim(colon + 1, line.length - name - 1);
    return true;
  }
  return false;
}

bool privy_find_header(const char *block, size_t length, const char *name, privy_slice *value) {
  privy_slice rest = {block, length};
  privy_header header;
  while (privy_next_header(&rest, &header)) {
    if (!privy_text_is_nocase(header.name.text, header.name.length, name)) continue;
    *value = header.value;
    return true;
  }
  return false;
}

#define NAME(text)                                                                                                     \
  { text, sizeof text - 1 }
bool privy_is_secret_header(privy_slice name) {
  static const privy_slice secret[] = {NAME("Set-Cookie"), NAME("Set-Cookie2"), NAME("Cookie")};
  static const privy_slice parts[] = {NAME("authorization"), NAME("token"),   NAME("secret"),
                                      NAME("password"),      NAME("api-key"), NAME("apikey")};
  for (size_t i = 0; i < sizeof secret / sizeof secret[0]; i++)
    if (privy_text_equal_nocase(name.text, name.length, secret[i].text, secret[i].length)) return true;
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    for (size_t at = 0; at + parts[i].length <= name.length; at++)
      if (privy_text_equal_nocase(name.text + at, parts[i].length, parts[i].text, parts[i].length)) return true;
  return false;
}
