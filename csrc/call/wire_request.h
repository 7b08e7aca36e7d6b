/* What a call sends: makes `outgoing` ready. Both are false when memory runs out. */
#ifndef PRIVY_CALL_WIRE_REQUEST_H
#define PRIVY_CALL_WIRE_REQUEST_H

#include "call/call.h"

PRIVY_NODISCARD bool privy_call_prepare_token(privy_call *call);
PRIVY_NODISCARD bool privy_call_prepare_request(privy_call *call, const privy_request *request, const char *token);

#endif
