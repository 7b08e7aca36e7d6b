/* The sandbox in the network's place: what a request meets there, and how its answer travels. */
#ifndef PRIVY_CLIENT_SANDBOX_LINK_H
#define PRIVY_CLIENT_SANDBOX_LINK_H

#include "client/transport.h"

/* Has the sandbox act on the request and fills the cost of `incoming`. `*delay` is how many seconds the answer, or the
 * time-out, takes to arrive. PRIVY_OK or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_sandbox_link_ask(privy_sandbox *sandbox, const privy_outgoing *outgoing,
                                                    privy_sandbox_answer *answer, privy_incoming *incoming,
                                                    double *delay);
/* Moves the answer into `incoming`, or breaks it as a connection would: PRIVY_OK, PRIVY_CONNECTION for one that is cut,
 * PRIVY_TIMEOUT for one that is too late, or PRIVY_NO_MEMORY. */
PRIVY_NODISCARD privy_status privy_sandbox_link_deliver(const privy_outgoing *outgoing, privy_sandbox_answer *answer,
                                                        privy_incoming *incoming, privy_error *error);

#endif
