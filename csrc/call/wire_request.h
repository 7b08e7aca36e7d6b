/* Builds the wire_request of a call. */
#ifndef PRIVY_CALL_WIRE_REQUEST_H
#define PRIVY_CALL_WIRE_REQUEST_H

#include "call/call.h"

/* The token request. False when memory runs out. */
PRIVY_NODISCARD bool privy_call_prepare_token(privy_call *call);
/* The API request with a bearer token. False when memory runs out. `request` must outlive the transfer. */
PRIVY_NODISCARD bool privy_call_prepare_request(privy_call *call, const privy_request *request, const char *token);

#endif
