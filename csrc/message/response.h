/* What lies inside the privy_response and privy_record of privy.h, for the floors above. */
#ifndef PRIVY_MESSAGE_RESPONSE_H
#define PRIVY_MESSAGE_RESPONSE_H

#include <stdatomic.h>

#include "base/buffer.h"
#include "base/text.h"
#include "privy.h"
#include "schema/schema.h"
#include "json/reader.h"

struct privy_record {
  const privy_object *object;
  privy_value json;
  privy_value values[]; /* one per slot of the object */
};

typedef struct privy_response_header_line {
  const char *name;
  size_t name_length;
  const char *value;
} privy_response_header_line;

struct privy_response {
  atomic_size_t references;
  int http_status;
  privy_buffer body;
  privy_buffer header_block; /* NULs stand behind every name and value */
  privy_response_header_line *headers;
  size_t header_count, header_capacity;
  privy_value json;
  char *records; /* one behind the other, each of `record_size` bytes */
  size_t record_size, record_count, record_capacity;
  privy_record *pagination; /* NULL: there is none */
};

/* A response that takes over the body, its headers read and no record yet; NULL when memory runs out (the body is then
 * still the caller's). */
PRIVY_NODISCARD privy_response *privy_response_start(int http_status, const char *headers, size_t headers_length,
                                                     privy_buffer *body);
/* Bytes of a record of that object. */
size_t privy_record_size(const privy_object *object);
/* The slot that is expected behind each: `after[0]` comes first, `after[slot + 1]` behind `slot`. It begins as the
 * table is and learns from each record, for those of a page keep the same order. */
typedef struct privy_field_order {
  uint8_t after[PRIVY_MAX_FIELDS + 1];
} privy_field_order;
void privy_field_order_init(privy_field_order *order);
/* Reads the object at the reader's place; false at an error of the reader. */
PRIVY_NODISCARD bool privy_record_read(privy_record *record, const privy_object *object, privy_field_order *order,
                                       int http_status, privy_reader *reader);

/* Reads how long to wait after a failure that may pass: by Retry-After, else by the spent limit of a 429. `wall` is the
 * wall clock, which stands for the server's where the answer has no Date; NAN: unknown. */
void privy_error_read_waiting(const privy_response *response, double wall, privy_error *error);
/* Fills the error that an answer of status 300 and above stands for, and returns its code. Takes no reference. */
privy_status privy_error_from_response(privy_response *response, privy_error *error);

/* The account's limits as the answer's headers tell them. */
typedef struct privy_rate_header {
  bool known;
  int64_t limit, remaining, resets_at; /* requests, requests, unix seconds */
} privy_rate_header;
typedef struct privy_rate_headers {
  privy_rate_header minute, day;
} privy_rate_headers;
void privy_rate_headers_read(const privy_response *response, privy_rate_headers *out);

#endif
