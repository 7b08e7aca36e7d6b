/* Writing responses. */
#ifndef PRIVY_SANDBOX_RESPOND_H
#define PRIVY_SANDBOX_RESPOND_H

#include "sandbox/exchange.h"

/* True if the response is complete. */
bool privy_responded(const privy_exchange *exchange);
/* Writes the headers of every response. False when memory runs out. */
PRIVY_NODISCARD bool privy_respond_start(privy_exchange *exchange);
PRIVY_NODISCARD bool privy_respond_header(privy_exchange *exchange, const char *name, const char *value);
/* The error of an HTTP status, in the API's envelope. */
PRIVY_NODISCARD privy_status privy_respond_error(privy_exchange *exchange, int http_status);
/* The same with another message. */
PRIVY_NODISCARD privy_status privy_respond_message(privy_exchange *exchange, int http_status, const char *message);
/* The same with another code and message; NULL: those of the status. */
PRIVY_NODISCARD privy_status privy_respond_refusal(privy_exchange *exchange, int http_status, const char *code,
                                                   const char *message);
/* 409, with the id of the existing contact. */
PRIVY_NODISCARD privy_status privy_respond_conflict(privy_exchange *exchange, size_t contact);
/* The errors of the check: 422, or 400 for events. */
PRIVY_NODISCARD privy_status privy_respond_details(privy_exchange *exchange);
/* {"data": object} */
PRIVY_NODISCARD privy_status privy_respond_data(privy_exchange *exchange, int http_status, const privy_object *object,
                                                const privy_value *values);
/* Writes the response fields of the object. */
void privy_respond_object(privy_writer *writer, const privy_object *object, const privy_value *values);
/* Ends a response: PRIVY_OK with the status set, or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_respond_end(privy_exchange *exchange, int http_status, const privy_writer *writer);

#endif
