#include "schema/format.h"

#include <string.h>

bool privy_format_email(const char *text, size_t length) {
  if (length > 254) return false;
  size_t at = length, count = 0;
  for (size_t i = 0; i < length; i++) {
    unsigned char byte = (unsigned char)text[i];
    if (byte <= ' ' || byte == 0x7f) return false;
    if (byte == '@') {
      at = i;
      count++;
    }
  }
  return count == 1 && at > 0 && at + 1 < length;
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
  /* The offset is valid: it is zero when no digit behind its sign is another one. */
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
  if (length != 20 || memcmp(text, "cus_", 4) != 0) return false;
  for (size_t i = 4; i < length; i++)
    if (!privy_is_alnum(text[i])) return false;
  return true;
}

bool privy_format_digits(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (!privy_is_digit(text[i])) return false;
  return length > 0;
}

bool privy_format_header(const char *text, size_t length) {
  if (length < 1 || length > 255) return false;
  for (size_t i = 0; i < length; i++)
    if (text[i] <= ' ' || text[i] > '~') return false;
  return true;
}
