/* Parameters that are null, and requests of names without values. */
#include "message/error.h"
#include "message/request.h"
#include "schema/reason.h"

void privy_request_omit_nulls(privy_request *request) {
  request->omits_nulls = true;
}

bool privy_request_drop(privy_request *request) {
  if (!request->omits_nulls || request->outside || !privy_check_forget(&request->check)) return false;
  if (request->location == PRIVY_LOCATION_BODY) {
    request->body.length = request->begun;
    request->writer.comma = request->comma;
  }
  return true;
}

bool privy_request_drop_nan(privy_request *request, const char *text, size_t length) {
  return request->omits_nulls && privy_reason_is_nan(text, length) && privy_request_drop(request);
}

privy_status privy_request_finish_names(privy_request *request, privy_error *error) {
  privy_check *check = &request->check;
  privy_check_finish_names(check);
  if (check->no_memory || request->writer.failed) return privy_error_no_memory(error);
  return check->details.count ? privy_error_from_details(error, &check->details, "invalid columns: ") : PRIVY_OK;
}
