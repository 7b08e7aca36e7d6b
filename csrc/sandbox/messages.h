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
/* Also when nothing was prepared: then nothing happens. */
void privy_message_abandon(privy_document *message);

#endif
