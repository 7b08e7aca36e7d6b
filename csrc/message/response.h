/* The definition of privy_response. */
#ifndef PRIVY_MESSAGE_RESPONSE_H
#define PRIVY_MESSAGE_RESPONSE_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "privy.h"

typedef struct privy_response_header_line {
  const char *name;
  size_t name_length;
  const char *value;
} privy_response_header_line;

struct privy_response {
  atomic_size_t references;
  int http_status;
  privy_buffer body;
  privy_buffer header_block; /* a NUL follows every name and value */
  privy_response_header_line *headers;
  size_t header_count, header_capacity;
  privy_value json;
  char *records; /* consecutive, each of `record_size` bytes */
  size_t record_size, record_count, record_capacity;
  privy_record *pagination; /* NULL: there is none */
};

/* A response that takes over the body, its headers read and no record yet; NULL when memory runs out (the body is then
 * still the caller's). */
PRIVY_NODISCARD privy_response *privy_response_start(int http_status, const char *headers, size_t headers_length,
                                                     privy_buffer *body);
#endif
