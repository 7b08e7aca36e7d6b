#include "schema/format.h"

#include <string.h>

#include "base/visible.h"

/* Bytes that no address holds outside quotes: of a list, of a comment, of a name before it, of a URL. */
static bool is_special(char byte) {
  switch (byte) {
  case ' ':
  case '<':
  case '>':
  case '(':
  case ')':
  case ',':
  case ';':
  case ':':
  case '\\': return true;
  default: return false;
  }
}

/* The same for its domain: the quotes around an address end there. */
static bool is_quote(char byte) {
  return byte == '"' || byte == '\'';
}

size_t privy_format_odd(privy_format format, const char *text, size_t length) {
  const size_t invisible = privy_find_invisible(text, length);
  if (format != PRIVY_FORMAT_EMAIL) return invisible;
  bool domain = false;
  for (size_t i = 0; i < invisible; i++) {
    if (is_special(text[i]) || (domain && is_quote(text[i]))) return i;
    domain = domain || text[i] == '@';
  }
  return invisible;
}

bool privy_format_email(const char *text, size_t length) {
  if (length > 254) return false;
  size_t at = length, count = 0;
  bool ascii = true;
  for (size_t i = 0; i < length; i++) {
    const unsigned char byte = (unsigned char)text[i];
    if (byte >= 0x80) ascii = false;
    if (byte > '@' && byte != '\\' && byte != 0x7f) continue; /* letters, most of them */
    if (byte <= ' ' || byte == 0x7f || is_special(text[i]) || (count && is_quote(text[i]))) return false;
    if (byte == '@') {
      at = i;
      count++;
    }
  }
  return count == 1 && at > 0 && at + 1 < length && (ascii || privy_find_invisible(text, length) == length);
}

bool privy_format_phone(const char *text, size_t length) {
  if (length < 8 || length > 16 || text[0] != '+' || text[1] == '0') return false;
  for (size_t i = 1; i < length; i++)
    if (!privy_is_digit(text[i])) return false;
  return true;
}

bool privy_format_time(const char *text, size_t length) {
  privy_time time;
  return privy_time_parse(text, length, &time);
}

bool privy_format_time_utc(const char *text, size_t length) {
  if (!privy_format_time(text, length)) return false;
  if (text[length - 1] == 'Z' || text[length - 1] == 'z') return true;
  /* The offset is valid: it is zero if all digits after its sign are 0. */
  for (size_t i = length; text[i - 1] != '+' && text[i - 1] != '-'; i--)
    if (text[i - 1] != '0' && text[i - 1] != ':') return false;
  return true;
}

bool privy_format_currency(const char *text, size_t length) {
  if (length != 3) return false;
  for (size_t i = 0; i < length; i++)
    if (text[i] < 'A' || text[i] > 'Z') return false;
  return true;
}

bool privy_format_event_type(const char *text, size_t length) {
  if (length < 1 || length > 128) return false;
  for (size_t i = 0; i < length; i++)
    if (!privy_is_alnum(text[i]) && text[i] != '_' && text[i] != '-') return false;
  return true;
}

bool privy_format_contact_id(const char *text, size_t length) {
  if (length < 5 || length > 68 || memcmp(text, "cus_", 4) != 0) return false;
  for (size_t i = 4; i < length; i++)
    if (!privy_is_alnum(text[i]) && text[i] != '_' && text[i] != '-') return false;
  return true;
}

bool privy_format_order_id(const char *text, size_t length) {
  bool zero = true;
  for (size_t i = 0; i < length; i++) {
    if (!privy_is_digit(text[i])) return false;
    zero = zero && text[i] == '0';
  }
  return !zero;
}

bool privy_format_header(const char *text, size_t length) {
  if (length < 1 || length > 255) return false;
  for (size_t i = 0; i < length; i++)
    if (text[i] <= ' ' || text[i] > '~') return false;
  return true;
}
