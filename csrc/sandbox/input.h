/* Reading and checking requests. */
#ifndef PRIVY_SANDBOX_INPUT_H
#define PRIVY_SANDBOX_INPUT_H

#include "sandbox/exchange.h"

/* Reads the body into `values`; responds with 400 if it is not a JSON object. An empty body is an empty object. */
PRIVY_NODISCARD privy_status privy_input_body(privy_exchange *exchange);
/* Checks what privy_input_body read, and responds with the errors. */
PRIVY_NODISCARD privy_status privy_input_check(privy_exchange *exchange);
/* Reads the query into `values`, checks it, and responds with the errors. */
PRIVY_NODISCARD privy_status privy_input_query(privy_exchange *exchange);
/* The value of the header of field `index`; false if it was not sent. */
bool privy_input_header(const privy_exchange *exchange, unsigned index, privy_slice *value);
/* Takes the next "name=value" from `*list` and decodes both, percent escapes and '+', into `room`, which must have as
 * many bytes free as the list is long: nothing is allocated. False at the end. */
bool privy_input_pair(privy_slice *list, privy_buffer *room, privy_slice *name, privy_slice *value);
/* The contact of the path; PRIVY_STORE_NONE if there is none. */
size_t privy_input_contact(const privy_exchange *exchange);
/* Adds an error of field `index`. */
void privy_input_refuse(privy_exchange *exchange, unsigned index, const char *message);

#endif
