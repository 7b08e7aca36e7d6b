/*
 * HTTP over libcurl: an engine is one curl_multi with its connections and any number of transfers. Whoever holds it
 * drives it, by waiting in it or by letting an event loop watch its sockets; it is used by one thread at a time.
 * Only engine.c, transfer.c and engine_libcurl.c know libcurl.
 */
#ifndef PRIVY_TRANSPORT_ENGINE_H
#define PRIVY_TRANSPORT_ENGINE_H

#include "call/settings.h"
#include "call/transport.h"

typedef struct privy_engine privy_engine;
typedef struct privy_transfer privy_transfer;

/*
 * Loads libcurl, which takes a moment, and lets it read the URLs of the settings. PRIVY_OK; PRIVY_CONFIG_ERROR when
 * libcurl cannot be used, or with the name of the setting and why it cannot be read, but without the URL; or
 * PRIVY_NO_MEMORY.
 */
PRIVY_NODISCARD privy_status privy_engine_check(const privy_settings *settings, privy_error *error);
/* `settings` must outlive the engine. PRIVY_OK, PRIVY_CONFIG_ERROR when libcurl cannot be used, or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_engine_new(const privy_settings *settings, privy_engine **out, privy_error *error);
/* Ends what is under way and closes all connections. */
void privy_engine_free(privy_engine *engine);
/* True when one of the connections kept for later has been closed by its server, or broke. */
bool privy_engine_has_closed(const privy_engine *engine);
/* Forgets the engine in the child of a fork, whose parent goes on using its connections: closes the child's copies. */
void privy_engine_abandon(privy_engine *engine);

/*
 * Starts to send a request whose answer goes into `incoming`. Both must stay where they are until the transfer has
 * ended. `owner` comes back then. PRIVY_OK or PRIVY_NO_MEMORY.
 */
PRIVY_NODISCARD privy_status privy_engine_start(privy_engine *engine, const privy_wire_request *wire_request,
                                                privy_wire_response *wire_response, void *owner, privy_transfer **out);
/* Gives a transfer so many seconds more before it times out. */
void privy_engine_extend(privy_engine *engine, privy_transfer *transfer, double seconds);
/* Ends a transfer before its time; what still comes for it is never taken for another's answer. True when its request
 * had begun to leave. */
bool privy_engine_cancel(privy_engine *engine, privy_transfer *transfer);
/*
 * Takes a transfer that has ended: its owner, its cost (if asked for) in the `incoming` given, and in `*status`
 * PRIVY_OK or what `error` was filled with: PRIVY_CONNECTION, PRIVY_TIMEOUT, PRIVY_API_STATUS (an answer larger than
 * allowed) or PRIVY_NO_MEMORY. NULL when none has ended. `error_of` gives the error to fill for an owner.
 */
void *privy_engine_next_completed(privy_engine *engine, privy_status *status, privy_error *(*error_of)(void *owner));

/* Moves all transfers on, then waits at most `seconds` for more to happen. */
void privy_engine_wait(privy_engine *engine, double seconds);
/* Ends a wait, from any thread. */
void privy_engine_wake(void *engine);

/* Drives by an event loop from here on: `watch` is called with the sockets that matter and for what. NULL: by waiting
 * again. Only while nothing is under way. */
void privy_engine_set_socket_callback(privy_engine *engine, privy_socket_function *watch, void *context);
/* Seconds until privy_engine_socket_action is due without a socket's event; negative: not. */
double privy_engine_timeout(const privy_engine *engine);
/* Seconds since that was due; 0: it is not. */
double privy_engine_late(const privy_engine *engine);
/* `socket` is ready for `events` (privy_socket_events), or (-1) time has passed. */
void privy_engine_socket_action(privy_engine *engine, int socket, int events);
/* True once when a transfer that was given more time may be over: call privy_engine_expire for each transfer then. */
bool privy_engine_overdue(privy_engine *engine);
/* Ends the transfer with PRIVY_TIMEOUT if it was given more time and that is over; privy_engine_next_completed takes
 * it. */
void privy_engine_expire(privy_engine *engine, privy_transfer *transfer);

#endif
