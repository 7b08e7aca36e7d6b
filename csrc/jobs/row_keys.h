/* The keys of a row of a bulk run: the values of the fields that the tables mark as ROW_KEY. */
#ifndef PRIVY_JOBS_ROW_KEYS_H
#define PRIVY_JOBS_ROW_KEYS_H

#include "message/request.h"

#define PRIVY_MAX_ROW_KEYS 2

/* Start with {0}. Texts are normalized, so that equal keys are equal texts: an order_id has no leading zeros, an e-mail
 * address is in lower case. */
typedef struct privy_row_keys {
  privy_buffer texts[PRIVY_MAX_ROW_KEYS];
  size_t count;
} privy_row_keys;

/* Reads the keys of a finished request. False when memory runs out. Clear the keys in each case. */
PRIVY_NODISCARD bool privy_row_keys_read(const privy_request *request, privy_row_keys *keys);
/* Appends the key of one field and value: the field's name, so that keys of different fields differ, NUL, and the
 * value. False when memory runs out. */
PRIVY_NODISCARD bool privy_row_key_text(const privy_field *field, privy_value value, privy_buffer *text);
void privy_row_keys_clear(privy_row_keys *keys);

#endif
