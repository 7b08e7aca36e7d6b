/*
 * HTTP over libcurl. An engine is one curl_multi with its connections and any number of transfers. Its owner drives it,
 * by waiting in it or from an event loop. One thread uses it at a time. Only engine.c, transfer.c and libcurl.c call
 * libcurl.
 */
#ifndef PRIVY_TRANSPORT_ENGINE_H
#define PRIVY_TRANSPORT_ENGINE_H

#include "call/settings.h"
#include "call/transport.h"

typedef struct privy_engine privy_engine;
typedef struct privy_transfer privy_transfer;

/*
 * Loads libcurl, which takes a moment, and lets it parse the URLs of the settings. Returns PRIVY_OK; PRIVY_CONFIG_ERROR
 * if libcurl cannot be used, or with the name of the setting that libcurl cannot parse (but not the URL); or
 * PRIVY_NO_MEMORY.
 */
PRIVY_NODISCARD privy_status privy_engine_check(const privy_settings *settings, privy_error *error);
/* `settings` must outlive the engine. Returns PRIVY_OK, PRIVY_CONFIG_ERROR if libcurl cannot be used, or
 * PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_engine_new(const privy_settings *settings, privy_engine **out, privy_error *error);
/* Closes all connections and frees the engine. Cancel its transfers first. */
void privy_engine_free(privy_engine *engine);
/* Whether a server has closed one of the idle connections, or one is broken. */
bool privy_engine_has_closed(const privy_engine *engine);
/* Frees the engine in the child of a fork: closes the child's descriptors, and leaves the parent's connections open. */
void privy_engine_abandon(privy_engine *engine);

/*
 * Starts a transfer: sends the request and stores its response in `wire_response`. Both must stay in place until the
 * transfer has completed or is cancelled. privy_engine_next_completed returns `owner`. PRIVY_OK, with the transfer in
 * `*out` (owned by the engine), or PRIVY_NO_MEMORY.
 */
PRIVY_NODISCARD privy_status privy_engine_start(privy_engine *engine, const privy_wire_request *wire_request,
                                                privy_wire_response *wire_response, void *owner, privy_transfer **out);
/* Adds `seconds` to the timeouts of a transfer. */
void privy_engine_extend(privy_engine *engine, privy_transfer *transfer, double seconds);
/* Cancels a transfer. No later request receives its response. True if its request was sent, or a part of it. */
bool privy_engine_cancel(privy_engine *engine, privy_transfer *transfer);
/*
 * Takes a completed transfer. Returns its owner, or NULL if none has completed. The `wire_response` is filled, with its
 * cost if the request is measured. `*status` is PRIVY_OK, or the status of the error that is stored in
 * `error_of(owner)`: PRIVY_CONNECTION, PRIVY_TIMEOUT, PRIVY_API_STATUS (the response is larger than allowed),
 * PRIVY_CONFIG_ERROR (the file of certificates cannot be used) or PRIVY_NO_MEMORY.
 */
void *privy_engine_next_completed(privy_engine *engine, privy_status *status, privy_error *(*error_of)(void *owner));

/* ---- driven by waiting ---- */

/* Advances all transfers, then waits at most `seconds` for sockets or a wake. */
void privy_engine_wait(privy_engine *engine, double seconds);
/* Sends the requests of transfers that have started, and does no more: its cost does not grow with the number of
 * transfers. */
void privy_engine_send(privy_engine *engine);
/* Ends a wait early. Safe to call from any thread. */
void privy_engine_wake(privy_engine *engine);

/* ---- driven by an event loop ---- */

/* From now on an event loop drives the engine: `callback` receives the sockets and events to watch. NULL: back to
 * waiting. Call it only while there are no transfers. */
void privy_engine_set_socket_callback(privy_engine *engine, privy_socket_function *callback, void *context);
/* Seconds until privy_engine_socket_action(engine, -1, 0) is due; negative: nothing waits for time. */
double privy_engine_timeout(const privy_engine *engine);
/* Seconds since it was due; 0: it is not due yet. */
double privy_engine_late(const privy_engine *engine);
/* Advances the transfers: `socket` is ready for `events` (privy_socket_events), or (-1, 0) time has passed. */
void privy_engine_socket_action(privy_engine *engine, int socket, int events);
/* True, once, when an extended transfer may have timed out: then call privy_engine_expire for each transfer. */
bool privy_engine_overdue(privy_engine *engine);
/* Completes the transfer with PRIVY_TIMEOUT if it was extended and has timed out. */
void privy_engine_expire(privy_engine *engine, privy_transfer *transfer);

#endif
