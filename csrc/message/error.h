/* Filling the privy_error of privy.h. */
#ifndef PRIVY_MESSAGE_ERROR_H
#define PRIVY_MESSAGE_ERROR_H

#include "privy.h"

/*
 * Sets code and message, keeping whatever else the error holds, and returns the code. The message is one line of at
 * most 1,023 bytes before control and invisible characters become escapes. When there is no memory for it the error
 * becomes PRIVY_NO_MEMORY.
 */
privy_status privy_error_set(privy_error *error, privy_status code, const char *format, ...) PRIVY_PRINTF(3, 4);
/* The same with a text as it is. */
privy_status privy_error_line(privy_error *error, privy_status code, const char *text, size_t length);
privy_status privy_error_no_memory(privy_error *error);
/* Whether a failure may pass by itself: no answer came, the budget is spent, or one of 408, 429, 500, 502, 503, 504. */
bool privy_error_may_pass(privy_status code, int http_status);
/* Sets retry_after, and what follows from it: `wall` is the wall clock, NAN when it is not known. */
void privy_error_set_retry(privy_error *error, double retry_after, double wall);
/* Adds words to the message of an error that has one; when there is no memory for them it becomes PRIVY_NO_MEMORY. */
void privy_error_append(privy_error *error, const char *words);
/* Puts a copy of the text into one of the error's string fields, freeing what was there. False when memory runs out. */
PRIVY_NODISCARD bool privy_error_text(char **field, const char *text, size_t length);
/* The same for words of a server: in one line, with control and invisible characters as escapes. */
PRIVY_NODISCARD bool privy_error_visible(char **field, const char *text, size_t length);
/* Appends all faults: "email is invalid; at least one of …". False when memory runs out. */
PRIVY_NODISCARD bool privy_error_list_details(privy_buffer *out, const privy_details *details);
/*
 * Makes a PRIVY_VALIDATION of the faults, which it takes over: the message lists all of them in one line, after `lead`,
 * with e-mail addresses and phone numbers masked.
 * Returns the error's code.
 */
privy_status privy_error_from_details(privy_error *error, privy_details *details, const char *lead);

/* Reads how long to wait after a failure that may pass: by Retry-After, else by the spent limit of a 429. `wall` is the
 * wall clock, which stands for the server's where the answer has no Date; NAN: unknown. */
void privy_error_read_waiting(const privy_response *response, double wall, privy_error *error);
/* Fills the error that an answer of status 300 and above stands for, and returns its code. Takes no reference. */
privy_status privy_error_from_response(privy_response *response, privy_error *error);

#endif
