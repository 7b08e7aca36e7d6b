/* HTTP over libcurl. The only floor that knows libcurl is engine.c. Safe to share between threads. */
#ifndef PRIVY_CLIENT_ENGINE_H
#define PRIVY_CLIENT_ENGINE_H

#include "client/settings.h"
#include "client/transport.h"

typedef struct privy_engine privy_engine;

/* `settings` must outlive the engine. PRIVY_OK, PRIVY_ERROR when libcurl cannot be used, or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_engine_new(const privy_settings *settings, privy_engine **out, privy_error *error);
/* Closes all connections. No call may be running. */
void privy_engine_free(privy_engine *engine);
/*
 * Sends one request and waits for its answer, whatever its HTTP status, on a connection kept from an earlier call if
 * there is one. PRIVY_OK, PRIVY_CONNECTION, PRIVY_TIMEOUT, PRIVY_STATUS (an answer larger than allowed),
 * PRIVY_INTERRUPTED or PRIVY_NO_MEMORY. The caller clears `incoming` in any case.
 */
PRIVY_NODISCARD privy_status privy_engine_send(privy_engine *engine, const privy_outgoing *outgoing, privy_watch *watch,
                                               privy_incoming *incoming, privy_error *error);

#endif
