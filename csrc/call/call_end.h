/* How a call ends, and what of that both its requests and its responses need. */
#ifndef PRIVY_CALL_CALL_END_H
#define PRIVY_CALL_CALL_END_H

#include "call/call.h"

/* Ends the call with the status. Returns PRIVY_CALL_DONE. */
privy_call_step privy_call_finish(privy_call *call, privy_status status);
/* Ends the call with `call->error`; if the contact of a 409 could not be read, with the 409. Returns PRIVY_CALL_DONE.
 */
privy_call_step privy_call_fail(privy_call *call);
/* The same for a failure that may pass. If the call is deferred and the error has a retry_at, takes a slot: retry_at
 * becomes the instant of the slot. */
privy_call_step privy_call_fail_for_now(privy_call *call, privy_account *account, double now);
/* Ends the call because its next request would be late, in place of `call->error`. Returns PRIVY_CALL_DONE. */
privy_call_step privy_call_refuse_late(privy_call *call, privy_account *account);
/* Moves the error to `saved_error`, and back. */
void privy_call_save_error(privy_call *call);
void privy_call_restore_error(privy_call *call);
/* Whether a failure ends the call in any case. */
bool privy_call_is_final(privy_status code);
bool privy_call_is_operation(const privy_call *call, privy_operation_id id);
/* Whether max_wait allows a wait for budget. Waits for the next day do not count in it. */
bool privy_call_may_wait(const privy_call *call, privy_pace pace, double seconds);
/* Whether the options allow no request any more at the instant `at`. */
bool privy_call_is_late(const privy_call *call, const privy_account *account, double at);
/* Whether the request may be sent again at the instant `at`. The idempotency key of an event makes that always safe. */
bool privy_call_may_repeat(const privy_call *call, double at);

#endif
