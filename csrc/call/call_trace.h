/* What a call reports of itself, into its trail. Without one, or below the level that is kept, nothing happens. */
#ifndef PRIVY_CALL_CALL_TRACE_H
#define PRIVY_CALL_CALL_TRACE_H

#include "call/call.h"

/* The first time: the call begins. */
void privy_call_trace_start(privy_call *call, privy_account *account, double now);
void privy_call_trace_request(privy_call *call, privy_account *account);
/* `response` may be NULL. */
void privy_call_trace_response(privy_call *call, privy_account *account, int http_status,
                               const privy_response *response);
void privy_call_trace_failure(privy_call *call, privy_account *account);
/* PRIVY_TRACE_RETRY, _WAIT and _TOKEN: what lasts `seconds` from now on. */
void privy_call_trace_pause(privy_call *call, privy_account *account, privy_trace_kind kind, double seconds);
/* The error says that the budget is spent, and for how long. */
void privy_call_trace_refused(privy_call *call, privy_account *account);
/* The first time that the call is done: the call has ended. */
void privy_call_trace_end(privy_call *call, privy_account *account, double now);

/* privy_client_refused, with the client's lock held. */
bool privy_trace_refusal(privy_account *account, const privy_request *request, const privy_error *error,
                         privy_level min_level, privy_trace_event *out);

#endif
