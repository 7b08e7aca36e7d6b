/* The welcome messages that were sent by SMS. */
#ifndef PRIVY_SANDBOX_MESSAGES_H
#define PRIVY_SANDBOX_MESSAGES_H

#include "sandbox/store.h"

/* Prepares the message to the contact that has these values, sent at `now`: does everything that may run out of memory.
 * `*message`: empty. */
PRIVY_NODISCARD bool privy_message_prepare(privy_store *store, const privy_value *values, double now,
                                           privy_document *message);
/* Stores a prepared message. */
void privy_message_commit(privy_store *store, privy_document *message);
/* Whether the message went to the phone number, or to the contact of the id: PRIVY_OK, PRIVY_NOT_FOUND or
 * PRIVY_NO_MEMORY. Overwrites `text`. */
PRIVY_NODISCARD privy_status privy_message_match(const privy_document *message, privy_slice key, privy_buffer *text);
/* Also when nothing was prepared: then nothing happens. */
void privy_message_abandon(privy_document *message);

#endif
