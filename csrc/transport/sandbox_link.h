/* Sends the requests of a client to an in-process sandbox, in place of the network. */
#ifndef PRIVY_TRANSPORT_SANDBOX_LINK_H
#define PRIVY_TRANSPORT_SANDBOX_LINK_H

#include "call/transport.h"
#include "privy_sandbox.h"

/* Lets the sandbox process the request, and fills the cost of `wire_response`. `*delay`: seconds until the response, or
 * the timeout, is to be delivered. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_sandbox_link_ask(privy_sandbox *sandbox, const privy_wire_request *wire_request,
                                                    privy_sandbox_response *response,
                                                    privy_wire_response *wire_response, double *delay);
/* Moves the response to `wire_response`, or fails as a connection would: PRIVY_OK, PRIVY_CONNECTION if an injected
 * fault cuts it, PRIVY_TIMEOUT if it comes too late, or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_sandbox_link_deliver(const privy_wire_request *wire_request,
                                                        privy_sandbox_response *response,
                                                        privy_wire_response *wire_response, privy_error *error);

#endif
