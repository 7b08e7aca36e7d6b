/* Filling a privy_error. */
#ifndef PRIVY_MESSAGE_ERROR_H
#define PRIVY_MESSAGE_ERROR_H

#include "privy.h"

/*
 * Sets code and message, keeps the other members, and returns the code. The message is one line of at
 * most 1,023 bytes before control and invisible characters become escapes. When there is no memory for it the error
 * becomes PRIVY_NO_MEMORY.
 */
privy_status privy_error_set(privy_error *error, privy_status code, const char *format, ...) PRIVY_PRINTF(3, 4);
/* The same with a text that is not a format. */
privy_status privy_error_line(privy_error *error, privy_status code, const char *text, size_t length);
privy_status privy_error_no_memory(privy_error *error);
/* Makes `copy`, which is initialized, a copy of the error without its details and its response. When memory runs out
 * the copy becomes PRIVY_NO_MEMORY. Returns the copy's code. */
privy_status privy_error_copy(const privy_error *error, privy_error *copy);
/* Whether the failure is transient: no response, a rate limit, or 408, 429, 500, 502, 503 or 504. */
bool privy_error_may_pass(privy_status code, int http_status);
/* Sets retry_after, retry_at and resets_at. `wall` is the wall clock, NAN if unknown. */
void privy_error_set_retry(privy_error *error, double retry_after, double wall);
/* Appends to the message of an error that has one. If memory runs out the error becomes PRIVY_NO_MEMORY. */
void privy_error_append(privy_error *error, const char *words);
/* Puts a copy of the text into one of the error's string fields, freeing what was there. False when memory runs out. */
PRIVY_NODISCARD bool privy_error_text(char **field, const char *text, size_t length);
/* The same for text of a server: on one line, with control and invisible characters escaped. */
PRIVY_NODISCARD bool privy_error_visible(char **field, const char *text, size_t length);
/* Appends all details: "email is invalid; at least one of …". False when memory runs out. */
PRIVY_NODISCARD bool privy_error_list_details(privy_buffer *out, const privy_details *details);
/*
 * Makes a PRIVY_VALIDATION of the details, which it takes over. The message lists all of them on one line after `lead`,
 * with e-mail addresses and phone numbers masked. Returns the error's code.
 */
privy_status privy_error_from_details(privy_error *error, privy_details *details, const char *lead);

/* Reads how long to wait after a transient failure: from Retry-After, else from the reached limit of a 429. `wall` is
 * the wall clock, used if the response has no Date; NAN: unknown. */
void privy_error_read_waiting(const privy_response *response, double wall, privy_error *error);
/* Fills the error from a response of status 300 or above, and returns its code. Takes no reference. */
privy_status privy_error_from_response(privy_response *response, privy_error *error);

#endif
