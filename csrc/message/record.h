/* The definition of privy_record, and its parser. */
#ifndef PRIVY_MESSAGE_RECORD_H
#define PRIVY_MESSAGE_RECORD_H

#include "privy.h"
#include "schema/schema.h"
#include "json/reader.h"

struct privy_record {
  const privy_object *object;
  privy_value json;
  privy_value values[]; /* one per response field of the object */
};

/* Bytes of a record of the object. */
static inline size_t privy_record_size(const privy_object *object) {
  return sizeof(privy_record) + object->response_field_count * sizeof(privy_value);
}
/* The response index that is expected next: `after[0]` first, `after[index + 1]` after `index`. It begins in the order
 * of the table and learns from each record, because the records of a page have the same order. */
typedef struct privy_field_order {
  uint8_t after[PRIVY_MAX_FIELDS + 1];
} privy_field_order;
void privy_field_order_init(privy_field_order *order);
/* Reads the object at the reader's place; false at an error of the reader. */
PRIVY_NODISCARD bool privy_record_read(privy_record *record, const privy_object *object, privy_field_order *order,
                                       int http_status, privy_reader *reader);

#endif
