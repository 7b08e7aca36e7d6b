#include "sandbox/http_head.h"

#include <string.h>

static const privy_refusal none = {0};

static privy_refusal malformed(const char *message) {
  return (privy_refusal){400, "bad_request", message};
}

/* ---- bytes ------------------------------------------------------------------------------------------------------- */

static bool is_token(privy_slice text) {
  for (size_t i = 0; i < text.length; i++) {
    const char byte = text.text[i];
    if (!privy_is_alnum(byte) && (!byte || !strchr("!#$%&'*+-.^_`|~", byte))) return false;
  }
  return text.length > 0;
}

static bool is_value(privy_slice text) {
  for (size_t i = 0; i < text.length; i++) {
    const unsigned char byte = (unsigned char)text.text[i];
    if ((byte < ' ' && byte != '\t') || byte == 0x7F) return false;
  }
  return true;
}

static bool is_target(privy_slice text) {
  for (size_t i = 0; i < text.length; i++)
    if (text.text[i] <= ' ' || text.text[i] > '~') return false;
  return text.length > 0 && (text.text[0] == '/' || privy_text_is(text.text, text.length, "*"));
}

/* ---- where the head ends ----------------------------------------------------------------------------------------- */

privy_refusal privy_http_head_find(const char *text, size_t length, size_t *scanned, size_t *end) {
  const size_t most = length < PRIVY_HTTP_HEAD_LIMIT ? length : PRIVY_HTTP_HEAD_LIMIT;
  *end = 0;
  for (size_t i = *scanned; i < most && !*end; i++) {
    if (text[i] != '\n') continue;
    if (i == 0 || text[i - 1] != '\r') return malformed("A line of the request does not end with CRLF.");
    if (i >= 3 && text[i - 2] == '\n') *end = i + 1;
  }
  *scanned = most;
  if (*end || length <= PRIVY_HTTP_HEAD_LIMIT) return none;
  return (privy_refusal){431, "headers_too_large", "The headers are too large."};
}

/* ---- the first line ---------------------------------------------------------------------------------------------- */

/* Takes the text before the separator and replaces the separator by NUL. */
static privy_slice take_part(char **rest, char separator) {
  char *found = strchr(*rest, separator);
  const privy_slice part = {*rest, found ? (size_t)(found - *rest) : strlen(*rest)};
  *rest += part.length;
  if (found) *(*rest)++ = '\0';
  return part;
}

static privy_refusal read_version(privy_http_head *head, const char *version) {
  head->is_http_1_0 = strcmp(version, "HTTP/1.0") == 0;
  head->keeps_alive = !head->is_http_1_0;
  if (head->is_http_1_0 || strcmp(version, "HTTP/1.1") == 0) return none;
  if (!privy_text_starts(version, strlen(version), "HTTP/")) return malformed("The request line has no HTTP version.");
  return (privy_refusal){505, "http_version_not_supported", "The HTTP version is neither 1.0 nor 1.1."};
}

/* `line` is NUL-terminated. */
static privy_refusal read_first_line(privy_http_head *head, char *line) {
  const privy_slice method = take_part(&line, ' '), target = take_part(&line, ' ');
  head->method = method.text;
  head->target = target.text;
  if (!is_token(method)) return malformed("The request line has no method.");
  if (!is_target(target)) return malformed("The request target is not a path.");
  return read_version(head, line);
}

/* ---- headers ----------------------------------------------------------------------------------------------------- */

static bool are_headers(privy_slice block) {
  privy_slice line, rest = block;
  while (privy_next_word(&rest, '\n', &line)) {
    const char *colon = memchr(line.text, ':', line.length);
    if (!colon || !is_token((privy_slice){line.text, (size_t)(colon - line.text)})) return false;
    const size_t name = (size_t)(colon - line.text) + 1;
    if (!is_value((privy_slice){colon + 1, line.length - name - 1})) return false;
  }
  return true;
}

/* Header of that name, without a text when it was not sent; false when it was sent more than once. */
static bool only_header(privy_slice block, const char *name, privy_slice *value) {
  privy_header header;
  bool found = false;
  *value = (privy_slice){NULL, 0};
  while (privy_next_header(&block, &header)) {
    if (!privy_text_is_nocase(header.name.text, header.name.length, name)) continue;
    if (found) return false;
    *value = header.value;
    found = true;
  }
  return true;
}

static void read_connection(privy_http_head *head) {
  privy_slice list, word;
  if (!privy_find_header(head->headers.text, head->headers.length, "Connection", &list)) return;
  while (privy_next_word(&list, ',', &word)) {
    word = privy_trim(word.text, word.length);
    if (privy_text_is_nocase(word.text, word.length, "close")) head->keeps_alive = false;
    if (privy_text_is_nocase(word.text, word.length, "keep-alive")) head->keeps_alive = true;
  }
}

static privy_refusal read_body_length(privy_http_head *head) {
  privy_slice length, encoding, expected;
  int64_t bytes = 0;
  if (!only_header(head->headers, "Content-Length", &length)) return malformed("Content-Length is sent twice.");
  const bool encoded = privy_find_header(head->headers.text, head->headers.length, "Transfer-Encoding", &encoding);
  if (encoded && length.text) return malformed("Content-Length and Transfer-Encoding must not be sent together.");
  if (encoded) return (privy_refusal){411, "length_required", "The body needs a Content-Length."};
  if (length.text &&
      (!length.length || !privy_is_digit(*length.text) || !privy_parse_int64(length.text, length.length, &bytes)))
    return malformed("Content-Length is not a number of bytes.");
  if (bytes > (int64_t)PRIVY_HTTP_BODY_LIMIT)
    return (privy_refusal){413, "payload_too_large", "The body is too large."};
  head->body_length = (size_t)bytes;
  head->expects_continue = bytes > 0 && !head->is_http_1_0 && only_header(head->headers, "Expect", &expected) &&
                           privy_text_is_nocase(expected.text, expected.length, "100-continue");
  return none;
}

static privy_refusal read_headers(privy_http_head *head) {
  if (!are_headers(head->headers)) return malformed("A header is malformed.");
  if (!only_header(head->headers, "Host", &head->host) || !only_header(head->headers, "Origin", &head->origin) ||
      !only_header(head->headers, "Sec-Fetch-Site", &head->site))
    return malformed("A header that must be unique is sent twice.");
  read_connection(head);
  return read_body_length(head);
}

privy_refusal privy_http_head_read(privy_http_head *head, char *text, size_t length) {
  *head = (privy_http_head){0};
  if (memchr(text, '\0', length)) return malformed("The request contains a NUL byte.");
  char *end = memchr(text, '\r', length);
  if (end[1] != '\n') return malformed("A line of the request does not end with CRLF.");
  *end = '\0';
  head->headers = (privy_slice){end + 2, length - 2 - (size_t)(end + 2 - text)};
  const privy_refusal refusal = read_first_line(head, text);
  return refusal.http_status ? refusal : read_headers(head);
}
