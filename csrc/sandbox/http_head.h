/*
 * The head of an HTTP/1.1 request, as a served sandbox reads it. It is strict where lenient readers differ: lines end
 * with CRLF, no header is folded or malformed, and the body's length is given once and in one way.
 */
#ifndef PRIVY_SANDBOX_HTTP_HEAD_H
#define PRIVY_SANDBOX_HTTP_HEAD_H

#include "base/text.h"

#define PRIVY_HTTP_HEAD_LIMIT ((size_t)32 << 10)
#define PRIVY_HTTP_BODY_LIMIT ((size_t)4 << 20)

/* The status that a request is refused with, its code and the message; 0: it is not refused. */
typedef struct privy_refusal {
  int http_status;
  const char *code;
  const char *message;
} privy_refusal;

typedef struct privy_http_head {
  const char *method;             /* NUL-terminated */
  const char *target;             /* NUL-terminated */
  privy_slice headers;            /* a block of "Name: value" CRLF */
  privy_slice host, origin, site; /* Host, Origin and Sec-Fetch-Site; NULL text when not sent */
  size_t body_length;
  bool keeps_alive;
  bool expects_continue;
  bool is_http_1_0; /* HTTP/1.0 */
} privy_http_head;

/* Looks for the end of the head in `text`, of which `*scanned` bytes (0 at first) were looked at before. `*end` is the
 * number of bytes before the body, 0 when the head is not complete. */
privy_refusal privy_http_head_find(const char *text, size_t length, size_t *scanned, size_t *end);
/* Reads a complete head, and writes NULs into its first line. The head points into `text`. */
privy_refusal privy_http_head_read(privy_http_head *head, char *text, size_t length);

#endif
