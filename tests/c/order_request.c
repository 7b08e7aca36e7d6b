#include "order_request.h"

#include <string.h>

privy_request *order_request(void) {
  static const char *const fields[][2] = {{"order_id", "1001"},
                                          {"email", "jane@example.com"},
                                          {"total", "95.00"},
                                          {"currency", "USD"},
                                          {"order_date", "2026-05-12T10:00:00Z"}};
  privy_request *request = NULL;
  privy_error error;
  privy_error_init(&error);
  assert_int_equal(privy_request_new(privy_operation_find("orders.upsert"), &request), PRIVY_OK);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    privy_request_key(request, fields[i][0], strlen(fields[i][0]));
    privy_request_string(request, fields[i][1], strlen(fields[i][1]));
  }
  assert_int_equal(privy_request_finish(request, &error), PRIVY_OK);
  return request;
}
