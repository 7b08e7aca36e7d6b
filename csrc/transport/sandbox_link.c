#include "transport/sandbox_link.h"

#include <math.h>

#include "message/error.h"

privy_status privy_sandbox_link_ask(privy_sandbox *sandbox, const privy_wire_request *wire_request,
                                    privy_sandbox_response *response, privy_wire_response *wire_response,
                                    double *delay) {
  privy_status status =
      privy_sandbox_handle(sandbox, wire_request->method, wire_request->target, wire_request->headers.data,
                           wire_request->headers.length, wire_request->body, wire_request->body_length, response);
  wire_response->never_arrived = status != PRIVY_OK;
  if (status != PRIVY_OK) return status;
  *delay = fmin(response->delay, wire_request->timeout);
  wire_response->cost = (privy_cost){.first_byte = *delay,
                                     .total = *delay,
                                     .bytes_sent = wire_request->headers.length + wire_request->body_length,
                                     .bytes_received = response->headers.length + response->body.length,
                                     .reused = true};
  return PRIVY_OK;
}

privy_status privy_sandbox_link_deliver(const privy_wire_request *wire_request, privy_sandbox_response *response,
                                        privy_wire_response *wire_response, privy_error *error) {
  if (response->delay > wire_request->timeout)
    return privy_error_set(error, PRIVY_TIMEOUT, "no response from the sandbox within %g seconds",
                           wire_request->timeout);
  if (response->cut == PRIVY_CUT_DROP)
    return privy_error_set(error, PRIVY_CONNECTION, "the sandbox closed the connection without a response");
  if (response->cut == PRIVY_CUT_TRUNCATE)
    return privy_error_set(error, PRIVY_CONNECTION, "the sandbox closed the connection within the response");
  wire_response->http_status = response->http_status;
  wire_response->headers = response->headers;
  wire_response->body = response->body;
  response->headers = response->body = (privy_buffer)PRIVY_BUFFER_EMPTY;
  return PRIVY_OK;
}
