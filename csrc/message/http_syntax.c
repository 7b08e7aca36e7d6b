#include "message/http_syntax.h"

#include <string.h>

#include "base/text.h"

/* ---- headers ---- */

bool privy_is_token(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if (!privy_is_alnum(text[i]) && (text[i] == '\0' || !strchr("!#$%&'*+-.^_`|~", text[i]))) return false;
  return length > 0;
}

bool privy_is_header_value(const char *text, size_t length) {
  for (size_t i = 0; i < length; i++)
    if ((text[i] < ' ' && text[i] != '\t') || text[i] > '~') return false;
  return length == 0 || (text[0] > ' ' && text[length - 1] > ' ');
}

/* ---- paths ---- */

/* How often percent-encoding is decoded. A path that is encoded more often is refused. */
#define LEVELS 3

typedef struct encoded {
  const char *at, *end;
} encoded;

#define END (-1)

/* The next byte after `levels` passes of decoding, or END. */
static int next_byte(encoded *path, int levels) {
  if (levels == 0) return path->at < path->end ? (unsigned char)*path->at++ : END;
  int byte = next_byte(path, levels - 1);
  if (byte != '%') return byte;
  encoded ahead = *path;
  int high = next_byte(&ahead, levels - 1), low = high == END ? END : next_byte(&ahead, levels - 1);
  if (low == END || privy_hex_value((char)high) < 0 || privy_hex_value((char)low) < 0) return byte;
  *path = ahead;
  return privy_hex_value((char)high) << 4 | privy_hex_value((char)low);
}

static bool ends_segment(int byte) {
  return byte <= ' ' || byte == 0x7f || strchr("/\\;?#", byte) != NULL;
}

/* No UTF-8 text holds these two: they begin a longer form of an ASCII character, such as a dot. */
static bool is_overlong(int byte) {
  return byte == 0xC0 || byte == 0xC1;
}

static bool has_parent_segment(const char *text, size_t length) {
  encoded path = {text, text + length};
  size_t segment = 0, dots = 0;
  for (int byte = 0; byte != END;) {
    byte = next_byte(&path, LEVELS);
    if (is_overlong(byte)) return true;
    if (!ends_segment(byte)) {
      segment++;
      dots += byte == '.';
      continue;
    }
    if (segment == 2 && dots == 2) return true;
    segment = dots = 0;
  }
  return false;
}

/* True if another pass would decode something. */
static bool is_encoded_too_often(const char *text, size_t length) {
  encoded once = {text, text + length}, more = once;
  int byte = 0;
  while (byte != END) {
    byte = next_byte(&once, LEVELS);
    if (next_byte(&more, LEVELS + 1) != byte) return true;
  }
  return false;
}

bool privy_path_is_safe(const char *text, size_t length) {
  if (length == 0 || *text != '/') return false;
  for (size_t i = 0; i < length; i++)
    if (text[i] <= ' ' || text[i] > '~' || text[i] == '#' || text[i] == '\\') return false;
  const char *query = memchr(text, '?', length);
  const size_t path = query ? (size_t)(query - text) : length;
  return !has_parent_segment(text, path) && !is_encoded_too_often(text, path);
}
