#include "client/sandbox_link.h"

#include <math.h>

#include "message/error.h"

privy_status privy_sandbox_link_ask(privy_sandbox *sandbox, const privy_outgoing *outgoing,
                                    privy_sandbox_answer *answer, privy_incoming *incoming, double *delay) {
  privy_status status = privy_sandbox_handle(sandbox, outgoing->method, outgoing->target, outgoing->headers.data,
                                             outgoing->headers.length, outgoing->body, outgoing->body_length, answer);
  incoming->never_arrived = status != PRIVY_OK;
  if (status != PRIVY_OK) return status;
  *delay = fmin(answer->delay, outgoing->timeout);
  incoming->cost = (privy_cost){.first_byte = *delay,
                                .total = *delay,
                                .bytes_sent = outgoing->headers.length + outgoing->body_length,
                                .bytes_received = answer->headers.length + answer->body.length,
                                .reused = true};
  return PRIVY_OK;
}

privy_status privy_sandbox_link_deliver(const privy_outgoing *outgoing, privy_sandbox_answer *answer,
                                        privy_incoming *incoming, privy_error *error) {
  if (answer->delay > outgoing->timeout)
    return privy_error_set(error, PRIVY_TIMEOUT, "no answer from the sandbox within %g seconds", outgoing->timeout);
  if (answer->cut == PRIVY_CUT_DROP)
    return privy_error_set(error, PRIVY_CONNECTION, "the sandbox closed the connection without an answer");
  if (answer->cut == PRIVY_CUT_TRUNCATE)
    return privy_error_set(error, PRIVY_CONNECTION, "the sandbox closed the connection within the answer");
  incoming->http_status = answer->http_status;
  incoming->headers = answer->headers;
  incoming->body = answer->body;
  answer->headers = answer->body = (privy_buffer)PRIVY_BUFFER_EMPTY;
  return PRIVY_OK;
}
