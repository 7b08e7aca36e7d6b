/* The sandbox in the network's place: what a request meets there, and how its answer travels. */
#ifndef PRIVY_TRANSPORT_SANDBOX_LINK_H
#define PRIVY_TRANSPORT_SANDBOX_LINK_H

#include "call/transport.h"

/* Has the sandbox act on the request and fills the cost of `incoming`. `*delay` is how many seconds the answer, or the
 * time-out, takes to arrive. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_sandbox_link_ask(privy_sandbox *sandbox, const privy_wire_request *wire_request,
                                                    privy_sandbox_response *response,
                                                    privy_wire_response *wire_response, double *delay);
/* Moves the answer into `incoming`, or breaks it as a connection would: PRIVY_OK, PRIVY_CONNECTION for one that is cut,
 * PRIVY_TIMEOUT for one that is too late, or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_sandbox_link_deliver(const privy_wire_request *wire_request,
                                                        privy_sandbox_response *response,
                                                        privy_wire_response *wire_response, privy_error *error);

#endif
