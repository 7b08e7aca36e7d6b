/* Adds the events of a call to its trace. Does nothing if the call has no trace, or below its level. */
#ifndef PRIVY_CALL_CALL_TRACE_H
#define PRIVY_CALL_CALL_TRACE_H

#include "call/call.h"

/* PRIVY_TRACE_START, when it is called first. */
void privy_call_trace_start(privy_call *call, privy_account *account, double now);
/* PRIVY_TRACE_REQUEST */
void privy_call_trace_request(privy_call *call, privy_account *account);
/* PRIVY_TRACE_RESPONSE. `response` may be NULL. */
void privy_call_trace_response(privy_call *call, privy_account *account, int http_status,
                               const privy_response *response);
/* PRIVY_TRACE_FAILURE */
void privy_call_trace_failure(privy_call *call, privy_account *account);
/* PRIVY_TRACE_RETRY, _WAIT or _TOKEN: the pause, or the validity of the token, in seconds. */
void privy_call_trace_pause(privy_call *call, privy_account *account, privy_trace_kind kind, double seconds);
/* PRIVY_TRACE_REFUSED, from an error that says which rate limit is reached. */
void privy_call_trace_refused(privy_call *call, privy_account *account);
/* PRIVY_TRACE_END, when it is called first after the call is done. */
void privy_call_trace_end(privy_call *call, privy_account *account, double now);

/* privy_client_refused under the client's lock. */
bool privy_trace_refusal(privy_account *account, const privy_request *request, const privy_error *error,
                         privy_level min_level, privy_trace_event *out);
/* Of a call that succeeded: 1 if it created the contact or order, 0 if it updated it; else -1. */
int privy_call_created(const privy_call *call);

#endif
