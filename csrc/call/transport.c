#include "call/transport.h"

#include "base/buffer.h"

void privy_wire_response_clear(privy_wire_response *wire_response) {
  privy_buffer_clear(&wire_response->headers);
  privy_buffer_clear(&wire_response->body);
  *wire_response = (privy_wire_response){0};
}
